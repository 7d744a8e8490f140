"""Who may do what with the migrated records: four permission sets, written from the desired schema.

- Chartlift_Integration: everything the loader maps, and nothing else; assigned to ourselves.
- Chartlift_Clinical_Reader: reads all migrated records.
- Chartlift_Front_Desk: patients, practices and appointments without anything clinical; invoices to read.
- Chartlift_Audit_Fields: original dates and authors on insert. Apart, because it cannot be deployed before an
  administrator switches the feature on in Setup, and nobody should keep it after the migration.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from chartlift.model.schema import DesiredField, DesiredSchema
from chartlift.platforms.salesforce.typewords import field_type

INTEGRATION = "Chartlift_Integration"
CLINICAL_READER = "Chartlift_Clinical_Reader"
FRONT_DESK = "Chartlift_Front_Desk"
AUDIT_FIELDS = "Chartlift_Audit_Fields"


@dataclass(frozen=True, slots=True)
class ObjectGrant:
    """Rights on an object. `everyone` = also on records of other owners."""

    object: str
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A permission set as it is deployed; `fields` maps a field to whether it may be edited."""

    name: str
    label: str
    description: str
    objects: tuple[ObjectGrant, ...] = ()
    fields: Mapping[str, bool] = field(default_factory=dict)
    users: tuple[str, ...] = ()  # user permissions


@cache
def facts() -> Mapping[str, Any]:
    """The tables of standard_fields.toml."""
    return tomllib.loads((Path(__file__).parent / "standard_fields.toml").read_text(encoding="utf-8"))


def sets(desired: DesiredSchema) -> tuple[PermissionSet, ...]:
    """The three permission sets that always go out."""
    return (integration(desired), clinical_reader(desired), front_desk(desired))


def integration(desired: DesiredSchema) -> PermissionSet:
    """All rights on what is mapped."""
    full = {"create": True, "edit": True, "delete": True, "view_all": True, "modify_all": True}
    fields = dict.fromkeys(granted_fields(desired), True)
    fields |= dict.fromkeys(granted_standard(desired.standard_fields), True)
    return PermissionSet(
        INTEGRATION,
        "Chartlift Integration",
        "For the user that migrates records. Take it away after the migration.",
        tuple(ObjectGrant(name, **full) for name in objects_of(desired)),
        fields,
    )


def clinical_reader(desired: DesiredSchema) -> PermissionSet:
    """Reading of everything that was migrated."""
    return PermissionSet(
        CLINICAL_READER,
        "Chartlift Clinical Reader",
        "Reads all migrated records, clinical ones included.",
        tuple(ObjectGrant(name, view_all=True) for name in objects_of(desired)),
        dict.fromkeys(granted_fields(desired), False),
    )


def front_desk(desired: DesiredSchema) -> PermissionSet:
    """Reception: no clinical object, no clinical field."""
    rules = facts()["front_desk"]
    writable, readable, hidden = set(rules["read_write"]), set(rules["read"]), set(rules["hidden"])
    names = [name for name in objects_of(desired) if name in writable | readable]
    grants = (ObjectGrant(n, create=n in writable, edit=n in writable, view_all=True) for n in names)
    # a granted lookup to a hidden object would only show record names; it is left out with the object
    closed = {item.name for item in desired.objects} - writable - readable
    fields = {
        f"{item.object}.{item.name}": item.object in writable
        for item in grantable(desired.fields)
        if item.object in names
        and f"{item.object}.{item.name}" not in hidden
        and field_type(item.type).parent not in closed
    }
    return PermissionSet(
        FRONT_DESK,
        "Chartlift Front Desk",
        "Patients, practices and appointments without clinical content; invoices to read.",
        tuple(grants),
        fields,
    )


def audit_fields() -> PermissionSet:
    """The right to set dates and authors on insert, and to keep records of inactive owners."""
    return PermissionSet(
        AUDIT_FIELDS,
        "Chartlift Audit Fields",
        "Original dates and authors on insert. Take it away after the migration.",
        users=("CreateAuditFields", "UpdateWithInactiveOwner"),
    )


def objects_of(desired: DesiredSchema) -> list[str]:
    """All objects the schema touches, custom ones first, each in alphabetical order, parents of details included."""
    custom = {item.name for item in desired.objects}
    touched = {item.object for item in desired.fields} | {name.split(".")[0] for name in desired.standard_fields}
    masters = {field_type(f.type).parent for f in desired.fields if field_type(f.type).name == "MasterDetail"}
    named = custom | touched | masters | ({"Account"} if "Contact" in touched else set())  # Contact's grant needs it
    return sorted(named, key=lambda name: (not name.endswith("__c"), name))


def grantable(fields: Iterable[DesiredField]) -> Iterator[DesiredField]:
    """Fields that field-level security covers: required and master-detail ones are visible to all anyway."""
    return (item for item in fields if not item.required and field_type(item.type).name != "MasterDetail")


def granted_fields(desired: DesiredSchema) -> list[str]:
    """`Object.Field` of the custom fields that need a grant, sorted."""
    return sorted(f"{item.object}.{item.name}" for item in grantable(desired.fields))


def granted_standard(names: Iterable[str]) -> list[str]:
    """The mapped standard fields that need a grant, address parts replaced by their address, sorted."""
    always, compound = facts()["always_visible"], facts()["compound"]
    found = set()
    for full in names:
        object_name, _, name = full.partition(".")
        if name not in always["every"] and name not in always.get(object_name, ()):
            found.add(f"{object_name}.{compound.get(name, name)}")
    return sorted(found)
