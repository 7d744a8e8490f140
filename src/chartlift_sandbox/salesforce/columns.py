"""What the header names of a call mean: a field, or a parent found by one of its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.errors import OrgError, unknown_column
from chartlift_sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

Sees = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Column:
    """One input column; `parent` and `key` are set when the cell holds a key of the parent record."""

    header: str
    field: Field
    parent: SObject | None = None
    key: Field | None = None


def resolve(org: Org, sees: Sees, sobject: SObject, headers: list[str]) -> list[Column]:
    """The columns of a call in order; `sees` tells which fields of an object the caller can see.

    Raises OrgError INVALID_FIELD for a name that the object does not have or that the caller cannot see, and for a
    name that appears twice.
    """
    columns = [_one(org, sees, sobject, header) for header in headers]
    seen: set[str] = set()
    for column in columns:
        if column.field.name in seen:
            raise OrgError("INVALID_FIELD", f"Duplicate field name found: {column.field.name}", (column.field.name,))
        seen.add(column.field.name)
    return columns


def _one(org: Org, sees: Sees, sobject: SObject, header: str) -> Column:
    name = header.strip()
    if "." in name:
        return _by_parent_key(org, sees, sobject, name)
    found = sobject.field(name)
    if found is None or not found.stored or found.name not in sees(sobject.name):
        raise unknown_column(header, sobject.name)
    return Column(header, found)


def _by_parent_key(org: Org, sees: Sees, sobject: SObject, name: str) -> Column:
    path, _, key_name = name.partition(".")
    type_name, _, relationship = path.rpartition(":")
    found = sobject.relationship(relationship)
    if found is None or found.name not in sees(sobject.name):
        raise unknown_column(name, sobject.name)
    parent = org.schema.object(_parent_name(found, type_name, name))
    key = parent.field(key_name) if parent is not None else None
    if parent is None or key is None or key.name not in sees(parent.name):
        raise unknown_column(name, sobject.name)
    if not key.is_lookup_key:
        raise OrgError("INVALID_FIELD", f"{key.name} is not an External ID or indexed field for {parent.name}", (name,))
    return Column(name, found, parent, key)


def _parent_name(found: Field, type_name: str, header: str) -> str:
    """The parent's object name: given for polymorphic lookups (`Contact:Who.Email`), known for all others."""
    if len(found.reference_to) == 1:
        if type_name and type_name.lower() != found.reference_to[0].lower():
            raise OrgError("INVALID_FIELD", f"Field name not found : {header}", (header,))
        return found.reference_to[0]
    match = next((name for name in found.reference_to if name.lower() == type_name.lower()), None)
    if match is None:
        raise OrgError("INVALID_FIELD", f"Polymorphic relationship needs the object's name: {header}", (header,))
    return match
