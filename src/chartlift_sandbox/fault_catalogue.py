"""The faults that have a name, each with a place where it happens unless the plan says another.

F01 to F69 without F63: the sandbox sends no webhooks.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from chartlift_sandbox.fault_words import FaultError, plain

_FILE = Path(__file__).with_name("faults.toml")
_SPREAD = frozenset({"seed", "vendor"})
"""Words that go to every part of a fault made of several; the others go to the first."""


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every named fault: `title`, `seen`, `parts` (raw faults), `variants` by name."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def listed() -> list[dict[str, Any]]:
    """The catalogue as the control door shows it."""
    return [
        {"fault": name, "title": one["title"], "seen": one["seen"]}
        | {"variants": sorted(one.get("variants", {})), "parts": one["parts"]}
        for name, one in catalogue().items()
    ]


def expand(given: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    """The raw faults that a named one stands for.

    Args:
        given: `fault`, perhaps `variant`, and any words that replace the default ones of the first part.
        taken: Ids that other faults have already.

    Raises:
        FaultError: no such name or variant.
    """
    words = dict(given)
    name, variant = str(words.pop("fault")).upper(), words.pop("variant", None)
    found = catalogue().get(name)
    if found is None:
        raise FaultError(f"no fault named {name}")
    parts = [dict(part) for part in found["parts"]]
    if variant is not None:
        changes = found.get("variants", {}).get(variant)
        if changes is None:
            raise FaultError(f"fault {name}: variant must be one of {', '.join(sorted(found.get('variants', {})))}")
        parts = [dict(part) for part in changes["parts"]] if "parts" in changes else [parts[0] | changes, *parts[1:]]
    base = str(words.pop("id", None) or _free(name, taken))
    for number, part in enumerate(parts):
        part |= {"id": base if number == 0 else f"{base}.{number + 1}", "name": name}
        if part.get("armed_by"):
            part["armed_by"] = base
    parts[0] = plain(parts[0] | words, f"fault {name}")
    for part in parts[1:]:
        part |= {word: value for word, value in words.items() if word in _SPREAD}
    return parts


def _free(name: str, taken: set[str]) -> str:
    number, wanted = 1, name
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}"
    return wanted
