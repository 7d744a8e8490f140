"""One DML call on its way through the engine: the input, who asks, what failed, and how it is logged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import lookup_filters, sharing
from chartlift_sandbox.salesforce.columns import Column, resolve
from chartlift_sandbox.salesforce.errors import unknown_column
from chartlift_sandbox.salesforce.failures import Failures, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import NO_TEXT, all_true, text, whole
from chartlift_sandbox.salesforce.lookups import check_references, resolve_parent_keys, single
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.territories import BY_SETUP
from chartlift_sandbox.salesforce.values import SET_NULL, Cells, Conversion, clean, convert
from chartlift_sandbox.salesforce.writes import NEW, Entry

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

ROLLED_BACK = (
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


@dataclass(frozen=True, slots=True)
class DmlOptions:
    """What changes DML besides its rows.

    `channel` is rest, bulk or person: it decides how ids appear in messages, and a person is not held back by what an
    API user has not been granted. `serial`: the Bulk job runs its batches one after the other.
    """

    allow_duplicates: bool = False
    channel: str = "rest"
    serial: bool = False

    def of_automation(self) -> DmlOptions:
        """The options of what automation does on its own: it runs in the system's name and may do everything."""
        return DmlOptions(allow_duplicates=True, channel="person")


@dataclass
class Call:
    """The state of one insert, update, delete … call. `table` holds one string column per header."""

    org: Org
    op: str
    sobject: SObject
    table: pa.Table
    actor: Actor
    job: str | None
    options: DmlOptions
    failures: Failures = field(init=False)

    def __post_init__(self) -> None:
        self.failures = Failures(self.table.num_rows)

    @property
    def count(self) -> int:
        """Number of input rows."""
        return self.table.num_rows

    @property
    def id_width(self) -> int:
        """Characters of an id in error messages."""
        return 18 if self.options.channel == "bulk" else 15

    @property
    def by_person(self) -> bool:
        """Whether a person acts in the clinic's own screens, where everything that exists has been granted."""
        return self.options.channel == "person"

    def sees(self, object_name: str) -> Collection[str]:
        """Names of the fields of an object that the caller can see."""
        if self.by_person:
            return self.org.schema.objects[object_name].fields
        return self.org.visible_fields(self.actor, object_name)

    def allowed(self, action: str) -> bool:
        """Whether the caller may create, edit or delete records of the object."""
        return self.by_person or getattr(self.org.grant(self.actor, self.sobject.name), action)

    def permitted(self, permission: str) -> bool:
        """Whether the caller has a user permission."""
        return permission in self.actor.permissions

    def columns(self, skip: tuple[str, ...] = ()) -> list[Column]:
        """Resolved input columns, without the ones named in `skip`."""
        headers = [name for name in self.table.column_names if name.strip().lower() not in skip]
        columns = resolve(self.org, self.sees, self.sobject, headers)
        if self.options.channel == "bulk" and not self.org.settings.bulk_takes_base64:
            binary = next((one for one in columns if one.field.type == "base64"), None)
            if binary is not None:
                raise unknown_column(binary.header, self.sobject.name)
        return columns

    def cells(self, columns: list[Column]) -> dict[str, Cells]:
        """Convert every writable column; errors land in `failures`."""
        done: dict[str, Cells] = {}
        for column in columns:
            cleaned, given = clean(single(self.table.column(column.header)))
            if not self._writable(column.field):
                self._refuse(column.field, given)
                continue
            done[column.field.name] = Cells(column.field, self._convert(column, cleaned), given)
        return done

    def _convert(self, column: Column, cleaned: pa.Array) -> pa.Array:
        if column.field.type == "reference" and column.field.reference_to:
            if column.parent is not None:
                value = resolve_parent_keys(self.org, column, cleaned, self.failures)
            else:
                value = check_references(self.org, column.field, cleaned, self.failures)
            sharing.check_parents(self, column.field, value)
            if column.field.lookup_filter:
                lookup_filters.check(self, column.field, value)
            return value
        entries = self.org.schema.values(column.field)
        return convert(cleaned, Conversion(column.field, entries, self.org.settings, self.failures))

    def _writable(self, found: Field) -> bool:
        if self.op == "insert":
            if found.audit:
                return self.org.settings.set_audit_fields and self.permitted("CreateAuditFields")
            allowed = found.createable
        else:
            allowed = found.updateable or (self.by_person and (self.sobject.name, found.name) in BY_SETUP)
        return allowed and (self.by_person or self.org.access.editable(self.actor.user_id, self.sobject.name, found))

    def _refuse(self, found: Field, given: pa.Array | None) -> None:
        message = (
            f"Unable to create/update fields: {found.name}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set"
        )
        mask = all_true(self.count) if given is None else given
        self.failures.add(mask, "INVALID_FIELD_FOR_INSERT_UPDATE", message, found.name)

    def log(self, failures: Failures, good: pa.Table | None, ids: pa.Array | None) -> None:
        """Write the call into the org's log; `good` has columns row, id and values of the rows that were written.

        With `good` None only the failed rows are logged. `ids` are the ids that the failed rows named.
        """
        bad = self._bad_rows(failures, ids)
        if good is None:
            good = pa.table({"row": pa.array([], pa.int64()), "id": pa.array([], pa.string())})
            bad = bad.set_column(0, "row", row_numbers(bad.num_rows))
        count = good.num_rows + bad.num_rows
        who, what = self.actor.user_id, self.sobject.name
        self.org.writes.add(Entry(0, count, self.org.now(), self.job, who, self.op, what, good, bad))

    def _bad_rows(self, failures: Failures, ids: pa.Array | None) -> pa.Table:
        shown = ids if ids is not None else pa.nulls(self.count, pa.string())
        columns = {"row": row_numbers(self.count), "id": shown, "error": failures.error_texts()}
        if failures.bad is None:
            return pa.table(columns).slice(0, 0)
        for name in self.table.column_names:
            raw = single(self.table.column(name))
            columns[NEW + name] = pc.if_else(pc.equal(raw, text(SET_NULL)), NO_TEXT, raw)
        return pa.table(columns).filter(failures.bad)

    def required(self, names: list[str], staged: dict[str, pa.Array]) -> None:
        """Fail rows in which one of the named fields is null; the message lists all of a row's missing ones."""
        combination: pa.Array | None = None
        for place, name in enumerate(names):
            value = staged.get(name)
            missing = all_true(self.count) if value is None else pc.is_null(value)
            bit = pc.if_else(missing, whole(2**place), whole(0))
            combination = bit if combination is None else pc.add(combination, bit)
        if combination is None:
            return
        for bits in pc.unique(combination).to_pylist():
            lacking = [name for place, name in enumerate(names) if bits >> place & 1]
            if lacking:
                message = f"Required fields are missing: [{', '.join(lacking)}]"
                rows = pc.equal(combination, whole(bits))
                self.failures.add(rows, "REQUIRED_FIELD_MISSING", message, ",".join(lacking))
