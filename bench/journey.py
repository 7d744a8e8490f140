"""The journey by its commands, each in a process of its own, with what each of them used."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from process import CHARTLIFT, Used, used
from sandbox import Sandbox, sandbox

BEFORE = (("check",), ("extract",), ("profile",), ("propose",))


@dataclass
class Journey:
    """A workspace against its sandbox; what every command used, by its name."""

    box: Sandbox
    workspace: Path
    env: dict[str, str]
    used: dict[str, Used] = field(default_factory=dict)

    def run(self, name: str, *words: str, good: tuple[int, ...] = (0,)) -> Used:
        """One command; its document is on stdout."""
        command = [CHARTLIFT, *words, "--workspace", str(self.workspace), "--json"]
        self.used[name] = used(command, self.env, good=good)
        return self.used[name]


@contextmanager
def ready(home: Path, patients: int) -> Generator[Journey]:
    """Up to the deployed schema: the next command is the load."""
    with sandbox(home / "sandbox", patients) as box:
        env = {**os.environ, **box.facts["env"], "XDG_STATE_HOME": str(home / "state")}
        journey = Journey(box, home / "workspace", env)
        addresses = ["--source-url", box.facts["clinic_url"], "--org-url", box.facts["org_url"]]
        used([CHARTLIFT, "init", str(journey.workspace), "--tenant", "bench", *addresses], env)
        for words in BEFORE:
            journey.run(words[0], *words, good=(0, 4))
        journey.run("people", "people", "--fallback", box.facts["fallback_email"])
        journey.run("confirm", "confirm", "--by", "Bench")
        journey.run("schema", "schema", "--go")
        yield journey


def inserted(load: Used) -> dict[str, int]:
    """Object -> rows that a load inserted."""
    found: dict[str, int] = {}
    for unit in load.document["units"]:
        found[unit["object"]] = found.get(unit["object"], 0) + unit["fates"].get("insert", 0)
    return found


def judged(load: Used) -> int:
    """Rows that a load looked at."""
    return sum(sum(unit["fates"].values()) for unit in load.document["units"])
