"""chartlift.toml: what a workspace is about. No secrets in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chartlift.errors import UsageError

FILE = "chartlift.toml"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TENANT = re.compile(r"[a-z][a-z0-9]{1,19}")
POLICIES = {"batch_rows": int, "batch_bytes": int, "pps": bool}


@dataclass(frozen=True, slots=True)
class Settings:
    """The readable part of a workspace."""

    home: Path
    tenant: str
    pack: str
    source: str
    source_url: str
    destination: str
    org_url: str
    options: Mapping[str, Any] = field(default_factory=dict)


def slug(name: str) -> str:
    """A tenant from a folder's name: small letters and digits, at most twenty."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return (plain if plain[:1].isalpha() else "clinic" + plain)[:20]


def check(settings: Settings) -> None:
    """Whether these settings can make a workspace.

    Raises:
        UsageError: a value cannot be used.
    """
    if not TENANT.fullmatch(settings.tenant):
        raise UsageError(
            "A tenant has 2 to 20 small letters and digits and starts with a letter.", hint="Use --tenant."
        )
    for value in (settings.source_url, settings.org_url, settings.pack, settings.source):
        if '"' in value or "\\" in value or not value.isprintable():
            raise UsageError("Quotes, backslashes and line ends cannot stand in an address or a name.")
    _address("--source-url", settings.source_url, path=True)
    _address("--org-url", settings.org_url, path=False)


def _address(option: str, text: str, *, path: bool) -> None:
    """Empty (to be filled in later), https, http on this machine, or the path of an export that is there."""
    try:
        parts = urlsplit(text)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        usable = bool(known and parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if text and not usable and not (path and Path(text).exists()):
        kinds = "an https:// address (plain http only on this machine)" + (" or the path of an export" if path else "")
        raise UsageError(f"{option}: {text} is not usable.", hint=f"Give {kinds}.")


def write(settings: Settings) -> None:
    """Write a new chartlift.toml.

    Raises:
        UsageError: there is one already, or a value cannot be used.
    """
    path = settings.home / FILE
    if path.exists():
        raise UsageError(f"{path} exists already; a workspace is made once.", hint="Choose another folder.")
    check(settings)
    path.write_text(
        "# What this workspace moves, from where to where. Secrets are never in here: they come from the environment.\n"
        f'tenant = "{settings.tenant}"  # the first part of every record\'s key; never change it\n'
        f'pack = "{settings.pack}"\n\n'
        f'[source]\nplatform = "{settings.source}"\nurl = "{settings.source_url}"\n\n'
        f'[destination]\nplatform = "{settings.destination}"\nurl = "{settings.org_url}"\n\n'
        "[policies]\n# batch_rows = 20000\n",
        encoding="utf-8",
    )


def read(home: Path) -> Settings:
    """Read chartlift.toml of a workspace.

    Raises:
        UsageError: there is none, it is half-made, or it holds words we do not know.
    """
    path = home / FILE
    if not path.is_file():
        raise UsageError(
            f"{home.absolute()} is not a workspace: it has no {FILE}.",
            hint="Go to the workspace's folder or name it with --workspace DIR; chartlift init DIR makes a new one.",
        )
    by_hand = "Put it right by hand; docs/steps/init.md shows a whole one."
    try:
        settings = _settings(home, tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=by_hand) from error
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path} is half-made: {error} is missing.", hint=by_hand) from error
    words = (
        settings.tenant,
        settings.pack,
        settings.source,
        settings.source_url,
        settings.destination,
        settings.org_url,
    )
    if not all(isinstance(word, str) for word in words):
        raise UsageError(f"{path}: names and addresses stand in quotes.", hint=by_hand)
    if not TENANT.fullmatch(settings.tenant):
        raise UsageError(
            f"{path}: the tenant is not usable.", hint="Small letters and digits, 2 to 20, a letter first."
        )
    return settings


def _settings(home: Path, body: Mapping[str, Any]) -> Settings:
    source, destination = body["source"], body["destination"]
    return Settings(
        home=home,
        tenant=body["tenant"],
        pack=body["pack"],
        source=source["platform"],
        source_url=source["url"],
        destination=destination["platform"],
        org_url=destination["url"],
        options=_policies(body.get("policies", {})),
    )


def _policies(body: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        kind = POLICIES.get(name)
        if kind is None or not isinstance(value, kind):
            raise UsageError(
                f"{FILE}: [policies] {name} is no policy, or has the wrong kind of value.",
                hint=f"Known: {', '.join(POLICIES)}",
            )
    return dict(body)
