"""The state of the org as one number: live business records, whatever order they lie in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote
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
        "IsArchived",
        "CompletedDateTime",
    }
)


def state_hash(org: Org, *, system: bool = False) -> str:
    """SHA-256 over all live records of business objects; `system` adds the fields that change by themselves.

    Fields without a value (or a tick) in any live record do not count, so adding an empty field changes nothing.
    """
    with org.lock:
        objects = [org.schema.objects[name] for name in sorted(org.schema.objects)]
        lines = [line for o in objects if not o.setup and (line := _line(org, o, system=system))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _line(org: Org, sobject: SObject, *, system: bool) -> str:
    """One object's part: its name, number of records, filled fields, and the sum of the records' hashes.

    A sum does not depend on the order of its terms, and Id is in every term, so equal terms cannot cancel out.
    """
    fields = sorted(sobject.stored_fields, key=lambda f: f.name)
    used = _used(org, sobject, [f for f in fields if f.name != "IsDeleted" and (system or f.name not in SYSTEM_FIELDS)])
    if not used:
        return ""
    columns = ", ".join(f"t.{quote(f.name)}" for f in used)
    sql = f"SELECT count(*), sum(hash({columns})::HUGEINT) FROM {quote(sobject.name)} t WHERE {alive(sobject)}"
    count, total = org.db.execute(sql).fetchone() or (0, 0)
    return f"{sobject.name} {count} {total} {','.join(f.name for f in used)}"


def _used(org: Org, sobject: SObject, fields: list[Field]) -> list[Field]:
    """The fields that hold a value, or a tick, in some live record."""
    holds = (
        f"bool_or(t.{q})" if f.sql_type == "BOOLEAN" else f"count(t.{q}) > 0" for f in fields if (q := quote(f.name))
    )
    sql = f"SELECT {', '.join(holds)} FROM {quote(sobject.name)} t WHERE {alive(sobject)}"
    row = org.db.execute(sql).fetchone() or ()
    return [f for f, held in zip(fields, row, strict=True) if held]
