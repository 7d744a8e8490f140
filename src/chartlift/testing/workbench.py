"""The `Tools` of a stage around any source and destination: real books, staging in memory."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from chartlift.model.plan import ConfirmedPlan
from chartlift.model.ports import Clock, Destination, Tools
from chartlift.model.source import Source
from chartlift.packs import Pack
from chartlift.stages import confirm, extract, people, plans
from chartlift.stages.desired import from_plain
from chartlift.store import keys
from chartlift.store.audit import Trail
from chartlift.store.files import Files
from chartlift.store.journal import SqlJournal
from chartlift.testing.fakes import Silence

MASTER = bytes(range(32))


@dataclass
class OpenStaging:
    """Staging in memory and in the clear: for made-up patients only."""

    sql: Any

    def close(self) -> None:
        """Let go of it."""
        self.sql.close()


@contextmanager
def workbench(
    home: Path, source: Source, destination: Destination, pack: Pack, clock: Clock, **options: Any
) -> Generator[Tools]:
    """Tools over `home`; opened again, journal and audit are what they were and staging is empty, as after a loss."""
    ring = keys.unlock(home, "t", MASTER) if (home / keys.FILE).exists() else keys.create(home, "t", MASTER)
    journal, trail = SqlJournal.open(home, ring.for_journal()), Trail.open(home, ring)
    staging = OpenStaging(duckdb.connect(config={"threads": 1}))
    try:
        yield Tools(
            home=home,
            tenant="t",
            who="tester",
            source=source,
            destination=destination,
            staging=staging,
            journal=journal,
            audit=trail,
            files=Files(home, ring.for_files()),
            progress=Silence(),
            clock=clock,
            pack=pack,
            options=options,
        )
    finally:
        staging.close()
        journal.close()
        trail.close()


def extracted(tools: Tools) -> None:
    """Read everything the first time, and what changed every other time."""
    extract.run(tools, since="last")


def confirm_plan(tools: Tools, *, fallback: str, by: str = "tester") -> ConfirmedPlan:
    """What a person does between reading and loading: practitioners, confirmation, schema. Returns the plan in force."""
    report: Mapping[str, Any] = {"step": "profile"}
    tools.journal.put_report("profile", "", report)
    people.run(tools, fallback=fallback)
    confirm.run(tools, by=by)
    plan = plans.confirmed(tools)
    schema = {name: value for name, value in plan.schema.items() if name != "listed"}
    tools.destination.deploy(from_plain(schema), lambda _step: None)
    return plan
