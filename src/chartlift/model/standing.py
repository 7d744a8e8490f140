"""Reports of the steps that look at a workspace as a whole. They hold counts, codes and names, never values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chartlift.model.books import Holding
from chartlift.model.reports import Report, plain


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of the journey; `at` is ISO 8601 UTC, "" if it was never done."""

    name: str
    done: bool
    at: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """One run and its rows by what became of them; `outcome` is running, paused, done, rolled_back or another end."""

    id: str
    kind: str
    who: str
    started: str
    ended: str
    outcome: str
    fingerprint: str
    rows: int = 0
    ok: int = 0
    failed: int = 0
    unprocessed: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class UnitState:
    """One unit over all runs: rows written, refused or unknown, and those the newest run did not send."""

    unit: str
    object: str
    written: Mapping[str, int]  # operation -> rows the org took
    failed: int
    unprocessed: int
    unknown: int
    kept_back: Mapping[str, int] = field(default_factory=dict)  # fate -> rows: skip, hold, failed, …


@dataclass(frozen=True, slots=True)
class StatusReport(Report):
    """Where the journey stands. `unknown` counts rows without a fate: 0 unless a run is on or was cut short."""

    step: ClassVar[str] = "status"

    tenant: str
    purged: bool
    unknown: int
    next: str  # the step that comes next, "" after a purge
    steps: tuple[StepState, ...] = ()
    runs: tuple[RunState, ...] = ()
    units: tuple[UnitState, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)  # fingerprint, confirmed_by, confirmed_at; or voided: why

    def as_json(self) -> dict[str, Any]:
        """As every report."""
        return {"step": self.step, "exit_code": self.exit_code} | plain(self)


@dataclass(frozen=True, slots=True)
class AuditReport(Report):
    """The trail: `sound` is None if not verified; `head` names its end, `broken` the place where it does not hold."""

    step: ClassVar[str] = "audit"

    entries: tuple[Mapping[str, Any], ...]
    sound: bool | None = None
    head: str = ""
    broken: str = ""
    uncovered: tuple[int, ...] = ()  # settled batches whose outcomes the trail does not have

    @property
    def exit_code(self) -> int:
        """3 if the trail was altered."""
        return 3 if self.sound is False else 0

    def as_json(self) -> dict[str, Any]:
        """As every report."""
        return {"step": self.step, "exit_code": self.exit_code} | plain(self)


@dataclass(frozen=True, slots=True)
class PurgeReport(Report):
    """What a purge removed, or would remove. `unknown` is None if the journal cannot be read any more."""

    step: ClassVar[str] = "purge"

    went: bool
    purged: bool
    holdings: tuple[Holding, ...]
    unknown: int | None
    audit_sound: bool
    audit_head: str

    def as_json(self) -> dict[str, Any]:
        """As every report, with the sum of bytes."""
        size = sum(holding.bytes for holding in self.holdings)
        return {"step": self.step, "exit_code": self.exit_code, "bytes": size} | plain(self)
