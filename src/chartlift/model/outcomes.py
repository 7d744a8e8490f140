"""Reports of the steps that write: what became of rows and fields. Keys, codes and counts, never values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chartlift.model.reports import MappingLine, Report, plain


@dataclass(frozen=True, slots=True)
class UnitCount:
    """One unit (pack file) in a carry: rows per fate, reasons, withheld fields (`FIELD:code`), failed records."""

    unit: str
    object: str
    fates: Mapping[str, int]
    reasons: tuple[tuple[str, str, int], ...] = ()  # fate, reason, rows
    withheld: tuple[tuple[str, int], ...] = ()
    notes: tuple[tuple[str, int], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()  # key, fields that a person changed and the source too
    failed: tuple[tuple[str, str], ...] = ()  # key, code@field


@dataclass(frozen=True, slots=True)
class CarryReport(Report):
    """What a sample, a load or a delta did, or would do."""

    kind: str
    run: str
    went: bool
    resumed: bool
    units: tuple[UnitCount, ...]
    matches: tuple[tuple[str, str, str, str], ...] = ()  # object, key, id in the org, evidence: undecided ones

    @property
    def exit_code(self) -> int:
        """4 if the org refused rows."""
        return 4 if any(unit.fates.get("failed") for unit in self.units) else 0

    def as_json(self) -> dict[str, Any]:
        """As every report; the step's name is the kind of run."""
        matches = [dict(zip(("object", "key", "id", "evidence"), m, strict=True)) for m in self.matches]
        units = [_unit_json(unit) for unit in self.units]
        head = {"step": self.kind, "exit_code": self.exit_code, "run": self.run, "went": self.went}
        return head | {"resumed": self.resumed, "units": units, "matches": matches}


def _unit_json(unit: UnitCount) -> dict[str, Any]:
    return {
        "unit": unit.unit,
        "object": unit.object,
        "fates": dict(unit.fates),
        "reasons": [{"fate": f, "reason": r, "rows": n} for f, r, n in unit.reasons],
        "withheld": [{"field": w, "rows": n} for w, n in unit.withheld],
        "notes": [{"field": w, "rows": n} for w, n in unit.notes],
        "kept": [{"key": k, "fields": f} for k, f in unit.kept],
        "failed": [{"key": k, "reason": r} for k, r in unit.failed],
    }


@dataclass(frozen=True, slots=True)
class ObjectCompare:
    """One object in a reconciliation: records and fields by verdict."""

    object: str
    unit: str
    records: Mapping[str, int]  # equal differs missing unexpected held skipped failed
    fields: Mapping[str, int]  # equal differs withheld server person
    samples: tuple[tuple[str, str, str], ...] = ()  # key, field, verdict; at most some dozen a unit


@dataclass(frozen=True, slots=True)
class CompareReport(Report):
    """A reconciliation, or the diff of a sample."""

    kind: str  # reconcile | sample
    units: tuple[ObjectCompare, ...]
    totals: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""
    patients: int = 0
    accepted: bool = False
    carry: CarryReport | None = None
    mappings: tuple[MappingLine, ...] = ()  # a reconciliation's: the table of the brief

    @property
    def clean(self) -> bool:
        """True if every record and field is explained."""
        bad = ("differs", "missing", "unexpected")
        return not any(u.records.get(b, 0) + u.fields.get(b, 0) for u in self.units for b in bad)

    @property
    def exit_code(self) -> int:
        """4 if something differs without an explanation, or rows failed on the way."""
        return 0 if self.clean and (self.carry is None or self.carry.exit_code == 0) else 4

    def as_json(self) -> dict[str, Any]:
        """As every report."""
        units = [
            {
                "object": u.object,
                "unit": u.unit,
                "records": dict(u.records),
                "fields": dict(u.fields),
                "samples": [dict(zip(("key", "field", "verdict"), s, strict=True)) for s in u.samples],
            }
            for u in self.units
        ]
        head = {"step": self.kind, "exit_code": self.exit_code, "clean": self.clean, "run": self.run}
        more = {"patients": self.patients, "accepted": self.accepted, "totals": plain(self.totals)}
        if self.carry is not None:
            more["carry"] = self.carry.as_json()
        if self.mappings:
            more["mappings"] = plain(self.mappings)
        return head | {"units": units} | more


@dataclass(frozen=True, slots=True)
class RollbackReport(Report):
    """What a rollback did, or would do."""

    step: ClassVar[str] = "rollback"

    went: bool
    fingerprint: str
    runs: tuple[str, ...]
    actions: Mapping[str, Mapping[str, int]]  # object -> delete | restore | nothing | kept | failed -> records
    kept: tuple[tuple[str, str, str, str], ...] = ()  # object, key, id, reason
    failed: tuple[tuple[str, str, str], ...] = ()  # object, key, code

    @property
    def exit_code(self) -> int:
        """4 if the org refused a part of it."""
        return 4 if self.failed else 0

    def as_json(self) -> dict[str, Any]:
        """As every report; `kept` is a list of object, key, id, reason."""
        return {
            "step": self.step,
            "exit_code": self.exit_code,
            "went": self.went,
            "fingerprint": self.fingerprint,
            "runs": list(self.runs),
            "actions": plain(self.actions),
            "kept": [dict(zip(("object", "key", "id", "reason"), k, strict=True)) for k in self.kept],
            "failed": [dict(zip(("object", "key", "reason"), f, strict=True)) for f in self.failed],
        }


@dataclass(frozen=True, slots=True)
class StepReport(Report):
    """A step whose answer is a short list: propose, people, confirm, schema, matches, delta's extraction."""

    kind: str
    went: bool = True
    lines: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0

    @property
    def exit_code(self) -> int:
        """As the step says."""
        return self.code

    def as_json(self) -> dict[str, Any]:
        """As every report; `data` lies flat in it."""
        head = {"step": self.kind, "exit_code": self.code, "went": self.went, "lines": list(self.lines)}
        return head | plain(self.data)
