"""The state of the org as one number: live business records, whatever order they lie in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import literal, quote
from chartlift_sandbox.salesforce.uniqueness import alive

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

SYSTEM_FIELDS = frozenset(
    {
        "SystemModstamp",
        "LastModifiedDate",
        "LastModifiedById",
        "LastViewedDate",
        "LastReferencedDate",
        "LastActivityDate",
    }
)


def state_hash(org: Org, *, system: bool = False) -> str:
    """SHA-256 over all live records of business objects; `system` adds the fields that change by themselves.

    A record counts by its non-null values and ticked checkboxes, so adding an empty field to an object changes nothing.
    """
    lines = []
    with org.lock:
        for name in sorted(org.schema.objects):
            sobject = org.schema.objects[name]
            if not sobject.setup:
                count, total = _object_sum(org, sobject, system=system)
                if count:
                    lines.append(f"{name} {count} {total}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _object_sum(org: Org, sobject: SObject, *, system: bool) -> tuple[int, int]:
    fields = sorted(sobject.stored_fields, key=lambda f: f.name)
    fields = [f for f in fields if f.name != "IsDeleted" and (system or f.name not in SYSTEM_FIELDS)]
    parts = [_part(f) for f in _used(org, sobject, fields)]
    sql = (
        f"SELECT count(*), sum(md5_number_lower(concat_ws(chr(31), {', '.join(parts)}))::HUGEINT) "
        f"FROM {quote(sobject.name)} t WHERE {alive(sobject)}"
    )
    count, total = org.db.execute(sql).fetchone() or (0, 0)
    return int(count), int(total or 0)


def _used(org: Org, sobject: SObject, fields: list[Field]) -> list[Field]:
    """The fields that hold a value somewhere, and Id; most of an object's columns are empty and need no hashing."""
    counts = ", ".join(f"count({quote(f.name)})" for f in fields)
    row = org.db.execute(f"SELECT {counts} FROM {quote(sobject.name)}").fetchone() or ()
    return [f for f, count in zip(fields, row, strict=True) if count or f.name == "Id"]


def _part(found: Field) -> str:
    column = f"t.{quote(found.name)}"
    if found.sql_type == "BOOLEAN":
        return f"CASE WHEN {column} THEN {literal(found.name + '=true')} END"
    value = f"epoch_us({column})" if found.sql_type == "TIMESTAMP" else column
    return f"{literal(found.name + '=')} || {value}"
