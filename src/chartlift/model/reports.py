"""What steps hand back: frozen values that doors render as text, JSON or HTML; counts, codes and record keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar

from chartlift.model.source import Probe


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses and mappings become objects, times ISO 8601, sequences lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Report:
    """Base of all reports; `step` is the command's name."""

    step: ClassVar[str] = ""

    @property
    def exit_code(self) -> int:
        """What the command line returns."""
        return 0

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, with the step's name and exit code."""
        return {"step": self.step, "exit_code": self.exit_code} | plain(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the data that a person should know: where, how often, which records, and what becomes of them.

    `entity` is `patient` or `patient.email`; `samples` are record keys (`patient 5500123`), never values.
    """

    code: str
    severity: str  # error | warning | note
    entity: str
    count: int
    text: str
    fate: str = ""
    samples: tuple[str, ...] = ()
    proposal: str = ""  # what a person could decide


@dataclass(frozen=True, slots=True)
class CheckReport(Report):
    """Whether both sides answer as the migration needs."""

    step: ClassVar[str] = "check"

    source: tuple[Probe, ...]
    destination: tuple[Probe, ...]
    forecast: Mapping[str, float] = field(default_factory=dict)  # of a whole extraction: requests, hours

    @property
    def ok(self) -> bool:
        """True if no probe failed."""
        return all(probe.ok for probe in (*self.source, *self.destination))

    @property
    def exit_code(self) -> int:
        """3 if something on either side has to be put right first."""
        return 0 if self.ok else 3

    def as_json(self) -> dict[str, Any]:
        """As every report, with `ok`."""
        return {"step": self.step, "exit_code": self.exit_code, "ok": self.ok} | plain(self)


@dataclass(frozen=True, slots=True)
class EntityCount:
    """What an extraction found of one flat entity."""

    entity: str
    rows: int  # in staging now
    arrived: int  # rows received in this extraction, repeats included
    new: int
    changed: int
    deleted: int  # known to be deleted or merged away at the source
    conflicts: int


@dataclass(frozen=True, slots=True)
class ExtractReport(Report):
    """What one extraction brought into staging."""

    step: ClassVar[str] = "extract"

    extraction: int
    kind: str  # full | delta | nothing
    started: datetime
    since: datetime | None
    complete: bool  # every listing has at least the rows its total promised
    pages: int
    entities: tuple[EntityCount, ...]
    merged: Mapping[str, int]  # redirects by problem: "", cycle, missing
    forecast: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    contents: Mapping[str, int] = field(default_factory=dict)  # documents by what became of their contents


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """How one column of a flat entity is filled."""

    name: str
    filled: int
    empty: int  # '' or blanks only
    missing: int  # NULL
    distinct: int  # approximate above some ten thousand
    longest: int  # UTF-16 units
    values: Mapping[str, int] = field(default_factory=dict)  # value lists only, most frequent first


@dataclass(frozen=True, slots=True)
class EntityProfile:
    """One flat entity."""

    name: str
    rows: int
    fields: tuple[FieldProfile, ...]
    row_bytes: int = 0  # mean length of a row's text
    years: Mapping[str, int] = field(default_factory=dict)  # year -> rows, by the entity's main date


@dataclass(frozen=True, slots=True)
class ProfileReport(Report):
    """What is in staging and what is wrong with it."""

    step: ClassVar[str] = "profile"

    extraction: int
    entities: tuple[EntityProfile, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ObjectEstimate:
    """What one target object costs."""

    object: str
    sources: tuple[str, ...]
    rows: int
    batches: int
    storage_kb: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of the compatibility table: a source thing, where it lands, and how directly."""

    source: str
    target: str
    kind: str  # object | part (of another object) | value
    how: str  # direct | mapping | matched


@dataclass(frozen=True, slots=True)
class EstimateReport(Report):
    """Size, time and grade of the migration, computed from the pack and the volumes."""

    step: ClassVar[str] = "estimate"

    objects: tuple[ObjectEstimate, ...]
    records: int
    source_requests: int
    source_hours: float
    destination_requests: int
    bulk_batches: int
    storage_kb: int
    load_hours: float
    run_hours: tuple[float, float]  # extraction, load and the delta window: shortest and longest
    project_days: tuple[int, int]  # with sample and sign-offs
    grade: str  # standard | extended | individual
    grade_text: str
    route: str  # api | api-ahead | files
    table: tuple[SummaryRow, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingReason:
    """Why so many records, or fields of records that went, did not get there."""

    fate: str  # hold | skip | failed | removed | missing | withheld | fallback | rebuild
    code: str  # as in the journal; a withheld field is FIELD:code
    rows: int
    text: str  # the code in words


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One line of the table of the mappings: what became of a kind of record, or of some fields of it.

    `source` counts the clinic's records: those of the units, or those that have something in the fields. `sent` are the
    ones that are in the org in every part (`records` of the org); of a matched kind nothing is sent, and `sent` counts
    who was matched. `verified` and `withheld` count fields of records sent.
    """

    title: str
    units: tuple[str, ...]
    fields: tuple[str, ...] = ()  # "Object.Field"; empty = the units as a whole
    matched: bool = False
    source: int = 0
    sent: int = 0
    records: int = 0
    verified: int = 0
    withheld: int = 0
    held: int = 0
    skipped: int = 0
    failed: int = 0
    gone: int = 0  # removed by a person, or missing
    listed: int = 0  # never moved, on the list of what has to be built anew
    reasons: tuple[MappingReason, ...] = ()
