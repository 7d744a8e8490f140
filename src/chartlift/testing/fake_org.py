"""An org in memory that keeps to the rules the stages depend on, and lets a test play the other people in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from chartlift.model.arrow import ArrowStream
from chartlift.model.ports import (
    NULL_CELL,
    ByPrefix,
    ByValues,
    JobGone,
    JobUnsent,
    OnStep,
    OrgIdentity,
    Step,
    Where,
    WriteResult,
)
from chartlift.model.schema import DesiredField, FieldDescribe
from chartlift.model.source import Probe
from chartlift.testing.fake_schema import SYSTEM, FakeSchema, Row, prefix
from chartlift.testing.fakes import FakeClock
from chartlift.transforms.canonical import canonical, canonical_id, units

US, PERSON = "005000000000001AAA", "005000000000002AAA"
OUTCOMES = pa.schema(
    [
        (name, pa.bool_() if name == "created" else pa.string())
        for name in ("key", "id", "outcome", "created", "code", "fields")
    ]
)


class Refusal(Exception):
    """The org refuses a row: code and fields, no value."""

    def __init__(self, code: str, *fields: str) -> None:
        """Take an error code of the vendor and the fields it is about."""
        super().__init__(code)
        self.code, self.fields = code, ",".join(fields)


@dataclass
class _Job:
    work: Callable[[], list[Row]]
    state: str = "Open"
    rows: list[Row] = field(default_factory=list)


class FakeOrg(FakeSchema):
    """Implements `model.ports.Destination`.

    Kept: required, unique (whatever the case), length, references, restricted lists, recycle bin, cascades of
    master-detail, e-mail in lower case, canonical text. Not kept: quotas, duplicate rules, automation, field access.

    `refuse` makes rows fail once, `lose_answer` makes the next bulk job be forgotten after it ran, `writes` is every
    row that was tried: (object, operation, id or key, ok).
    """

    name = "fake_org"

    def __init__(self, clock: FakeClock, standard: Mapping[str, Mapping[str, str]]) -> None:
        """`standard`: object -> field -> type word of a pack; `!` in front makes a field required."""
        self._clock = clock
        super().__init__()
        self._jobs: dict[str, _Job] = {}
        self._refusals: dict[str, str] = {}
        self._users: list[Row] = []
        self._number = 0
        self.lose_answer = False
        self.writes: list[tuple[str, str, str, bool]] = []
        self.add_user("loader@clinic.example", user_id=US)
        self.add_user("front.desk@clinic.example", user_id=PERSON)
        for name, fields in standard.items():
            self._make_object(name)
            for target, word in fields.items():
                required = word.startswith("!")
                self._make_field(DesiredField(name, target, target, word.removeprefix("!"), required=required))

    # ------------------------------------------------------------ other people

    def add_user(self, email: str, *, active: bool = True, user_id: str = "") -> str:
        """An integration user, a receptionist, a clinician."""
        made = user_id or self._id("User")
        row: Row = {"Id": made, "Name": email.partition("@")[0], "Email": email, "Username": email}
        self._users.append(row | {"IsActive": str(active).lower(), "UserType": "Standard"})
        return made

    def edit(self, object_name: str, record: str, **fields: str | None) -> None:
        """A person changes a record."""
        self._clock.sleep(1)
        self._update(object_name, record, fields, PERSON)

    def create(self, object_name: str, **fields: str | None) -> str:
        """A person makes a record."""
        self._clock.sleep(1)
        return self._insert(object_name, fields, PERSON)

    def remove(self, object_name: str, record: str, *, survivor: str | None = None) -> None:
        """A person deletes a record, or merges it into another one."""
        self._clock.sleep(1)
        self._delete(object_name, record, PERSON)
        if survivor is not None:
            self._rows[object_name][record]["MasterRecordId"] = survivor

    def refuse(self, key: str, code: str) -> None:
        """The next write of the row with this key fails."""
        self._refusals[key] = code

    def state(self) -> dict[str, dict[str, Row]]:
        """Live records by object and Id, without what the org counts by itself."""
        hidden = {"SystemModstamp", "LastModifiedById"}
        return {
            name: {i: {k: v for k, v in row.items() if k not in hidden} for i, row in rows.items() if _lives(row)}
            for name, rows in self._rows.items()
        }

    def rows(self, object_name: str) -> dict[str, Row]:
        """Live records by their Source_System_ID__c (those without one by their Id)."""
        live = {i: row for i, row in self._rows[object_name].items() if _lives(row)}
        return {row.get("Source_System_ID__c") or i: dict(row) for i, row in live.items()}

    # ------------------------------------------------------------ the port: looking

    def check(self) -> list[Probe]:
        """See ports.Destination."""
        return [Probe("login", ok=True, detail="in memory")]

    def identity(self) -> OrgIdentity:
        """See ports.Destination."""
        mail = str(self._users[0]["Email"])
        return OrgIdentity("00D000000000001AAA", "Fake", "None", sandbox=True, user_id=US, username=mail, url="memory:")

    def limits(self) -> Mapping[str, tuple[int, int]]:
        """See ports.Destination."""
        return {"DailyApiRequests": (100_000, 100_000)}

    def users(self) -> ArrowStream:
        """See ports.Destination."""
        return pa.Table.from_pylist(self._users)

    def read(self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False) -> ArrowStream:
        """See ports.Destination."""
        unknown = set(fields) - set(self._fields[object_name])
        if unknown:
            raise ValueError(f"{object_name} has no {', '.join(sorted(unknown))}")
        wanted = _within(where)
        rows = [row for row in self._rows[object_name].values() if (deleted or _lives(row)) and wanted(row)]
        return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in fields})

    def pages(
        self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False
    ) -> Iterator[ArrowStream]:
        """See ports.Destination."""
        yield self.read(object_name, fields, where, deleted=deleted)

    def count(self, object_name: str, where: Where) -> int:
        """See ports.Destination."""
        return pa.table(self.read(object_name, ["Id"], where)).num_rows

    # ------------------------------------------------------------ the port: writing

    def write(
        self,
        object_name: str,
        operation: str,
        rows: ArrowStream,
        *,
        key_column: str,
        wire: str,
        on_step: OnStep,
    ) -> WriteResult:
        """See ports.Destination.

        Raises:
            ValueError: what this wire cannot carry (`#N/A` as text or an undelete by bulk).
        """
        sent = pa.table(rows).to_pylist()
        if wire == "bulk" and (operation == "undelete" or any("#N/A" in row.values() for row in sent)):
            raise ValueError("the bulk wire cannot carry this")
        if wire == "rows":
            on_step(Step("creating", detail={"rows": len(sent)}))
            said = self._perform(object_name, operation, sent, key_column)
            on_step(Step("done", detail={"rows": len(sent)}))
            return WriteResult(pa.Table.from_pylist(said, schema=OUTCOMES), len(sent))
        on_step(Step("creating"))
        job_id = self._id("Job")
        job = self._jobs[job_id] = _Job(lambda: self._perform(object_name, operation, sent, key_column))
        for kind in ("created", "uploaded", "closing"):
            on_step(Step(kind, job_id))
        job.state, job.rows = "JobComplete", job.work()
        on_step(Step("closed", job_id))
        if self.lose_answer:
            self.lose_answer = False
            del self._jobs[job_id]
        return self.settle(job_id, key_column=key_column, on_step=on_step)

    def settle(self, job_id: str, *, key_column: str, on_step: OnStep) -> WriteResult:
        """See ports.Destination."""
        del key_column
        job = self._jobs.get(job_id)
        if job is None:
            raise JobGone(job_id)
        if job.state == "Open":
            job.state = "Aborted"
            on_step(Step("aborted", job_id))
        if job.state == "Aborted":
            raise JobUnsent(job_id)
        on_step(Step("done", job_id))
        return WriteResult(pa.Table.from_pylist(job.rows, schema=OUTCOMES), len(job.rows), job_id)

    def _perform(self, object_name: str, operation: str, sent: list[Row], key_column: str) -> list[Row]:
        self._clock.sleep(1)
        return [self._one(object_name, operation, row, str(row[key_column])) for row in sent]

    def _one(self, object_name: str, operation: str, row: Row, key: str) -> dict[str, Any]:
        record = row.get("Id") or ""
        given = {name: value for name, value in row.items() if value is not None and name != "Id"}
        said: dict[str, Any] = {"key": key, "id": record or None, "outcome": "ok", "created": False}
        try:
            if key in self._refusals:
                raise Refusal(self._refusals.pop(key))  # noqa: TRY301 - the same way out as every other refusal
            match operation:
                case "insert":
                    said |= {"id": self._insert(object_name, given, US), "created": True}
                case "update":
                    self._update(object_name, record, given, US)
                case "delete":
                    self._delete(object_name, record, US)
                case _:
                    self._undelete(object_name, record)
        except Refusal as no:
            said |= {"outcome": "failed", "code": no.code, "fields": no.fields}
        self.writes.append((object_name, operation, said["id"] or key, said["outcome"] == "ok"))
        return said

    # ------------------------------------------------------------ rows

    def _insert(self, object_name: str, given: Mapping[str, str | None], user: str) -> str:
        fields = self._fields[object_name]
        blank = {name: "false" if f.type == "boolean" else None for name, f in fields.items()}
        cells = self._cells(object_name, "", given)
        missing = [n for n, f in fields.items() if not f.nillable and n not in SYSTEM and cells.get(n) is None]
        if missing:
            raise Refusal("REQUIRED_FIELD_MISSING", *missing)
        now, made = self._clock.stamp(), self._id(object_name)
        system = {"Id": made, "CreatedById": user, "CreatedDate": now, "LastModifiedById": user, "SystemModstamp": now}
        self._rows[object_name][made] = blank | {"OwnerId": user} | cells | system
        return made

    def _update(self, object_name: str, record: str, given: Mapping[str, str | None], user: str) -> None:
        row = self._live(object_name, record)
        cells = self._cells(object_name, record, given)
        empty = [n for n, v in cells.items() if v is None and not self._fields[object_name][n].nillable]
        if empty:
            raise Refusal("REQUIRED_FIELD_MISSING", *empty)
        row.update(cells)
        row.update(LastModifiedById=user, SystemModstamp=self._clock.stamp())

    def _delete(self, object_name: str, record: str, user: str) -> None:
        row = self._live(object_name, record)
        row.update(IsDeleted="true", LastModifiedById=user, SystemModstamp=self._clock.stamp())
        described = self.describe(object_name)
        for child in described.children if described else ():
            for key, other in list(self._rows[child.child].items()):
                if other.get(child.field) != record or not _lives(other):
                    continue
                if child.cascade:
                    self._delete(child.child, key, user)
                else:
                    other[child.field] = None

    def _undelete(self, object_name: str, record: str) -> None:
        row = self._rows[object_name].get(record)
        if row is None or _lives(row):
            raise Refusal("UNDELETE_FAILED")
        self._unique(object_name, record, row)
        row.update(IsDeleted="false", SystemModstamp=self._clock.stamp())

    def _live(self, object_name: str, record: str) -> Row:
        row = self._rows[object_name].get(record)
        if row is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY")
        if not _lives(row):
            raise Refusal("ENTITY_IS_DELETED")
        return row

    def _cells(self, object_name: str, record: str, given: Mapping[str, str | None]) -> Row:
        """What is stored of the given cells: canonical text, checked field by field."""
        cells: Row = {}
        for name, value in given.items():
            described = self._fields[object_name].get(name)
            if described is None:
                raise Refusal("INVALID_FIELD", name)
            text = None if value in (None, NULL_CELL) else canonical(described.type, value)
            self._fits(described, text)
            cells[name] = "false" if text is None and described.type == "boolean" else text
        self._unique(object_name, record, cells)
        return cells

    def _fits(self, described: FieldDescribe, text: str | None) -> None:
        if text is None:
            return
        if described.length and units(text) > described.length:
            raise Refusal("STRING_TOO_LONG", described.name)
        if described.restricted and text not in described.picklist:
            raise Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", described.name)
        if described.type == "reference" and not self._there(described.reference_to, text):
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", described.name)

    def _there(self, objects: Sequence[str], record: str) -> bool:
        if "User" in objects or not objects:
            return any(user["Id"] == record for user in self._users)
        return any(record in self._rows.get(name, {}) and _lives(self._rows[name][record]) for name in objects)

    def _unique(self, object_name: str, record: str, cells: Mapping[str, str | None]) -> None:
        names = [n for n, v in cells.items() if v is not None and n in self._fields[object_name]]
        for name in (n for n in names if self._fields[object_name][n].unique):
            wanted = str(cells[name]).lower()
            for other, row in self._rows[object_name].items():
                if other != record and _lives(row) and (row.get(name) or "").lower() == wanted:
                    raise Refusal("DUPLICATE_VALUE", name)

    def _id(self, object_name: str) -> str:
        self._number += 1
        return canonical_id(f"{prefix(object_name)}{self._number:012}") or ""


def _lives(row: Row) -> bool:
    return row.get("IsDeleted") != "true"


def _within(where: Where) -> Callable[[Row], bool]:
    """The predicate of a `where`; text is compared whatever its case."""
    if isinstance(where, ByPrefix):
        return lambda row: (row.get(where.field) or "").lower().startswith(where.prefix.lower())
    if isinstance(where, ByValues):
        values = {value.lower() for value in where.values}
        return lambda row: (row.get(where.field) or "").lower() in values
    return lambda _row: True
