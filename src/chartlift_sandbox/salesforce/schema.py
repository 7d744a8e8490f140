"""The org's data model: objects, fields, picklists and the relations between them.

Everything here is plain data. `Schema` finds objects and fields whatever the case of the name, because the
platform does (header names of a CSV, names in SOQL, paths of the REST API).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
COMPOUND_TYPES = frozenset({"address", "location"})
TEXT_TYPES = frozenset(
    {
        "string",
        "textarea",
        "picklist",
        "multipicklist",
        "email",
        "phone",
        "url",
        "combobox",
        "encryptedstring",
        "base64",
    }
)
NUMBER_TYPES = frozenset({"double", "currency", "percent"})
ACTIVITY_OBJECTS = ("Task", "Event")
_SQL_TYPES = {
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "int": "BIGINT",
    "long": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
}


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One entry of a picklist; `value` is the API name, `label` what people see.

    `valid_for` names the values of the controlling field that offer it, in a dependent picklist.
    """

    value: str
    label: str
    active: bool = True
    default: bool = False
    valid_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilterItem:
    """One condition of a lookup filter: `Object.Field`, an operation of the Metadata API, a fixed value."""

    field: str
    operation: str
    value: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `type` is the type that describe shows. `length` counts characters, `digits` those of an int."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    custom: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    child_relationship_name: str | None = None
    delete_constraint: str = "SetNull"
    master_detail: bool = False
    relationship_order: int | None = None
    reparentable: bool = False
    picklist: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    value_set: str | None = None
    default: str | None = None
    defaulted_on_create: bool = False
    auto_number: str | None = None
    calculated: bool = False
    formula: str | None = None
    html: bool = False
    name_field: bool = False
    compound: str | None = None
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    required: bool = False
    audit: bool = False
    always_visible: bool = False
    polymorphic: bool = False
    name_pointing: bool = False
    starting_number: int = 1
    help_text: str | None = None
    controller: str | None = None
    lookup_filter: tuple[FilterItem, ...] = ()
    filter_logic: str = ""
    filter_message: str | None = None

    @property
    def stored(self) -> bool:
        """Whether the object's table has a column for it; compound addresses are put together at output."""
        return self.type not in COMPOUND_TYPES

    @property
    def sql_type(self) -> str:
        """DuckDB type of the column."""
        return _SQL_TYPES.get(self.type, "VARCHAR")

    @property
    def is_lookup_key(self) -> bool:
        """Whether records can be addressed by this field (external id, or idLookup in describe)."""
        return self.external_id or self.id_lookup


@dataclass
class SObject:
    """One object with its fields in the order of describe."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    custom: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    queryable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    sharing_model: str = "ReadWrite"
    enable_activities: bool = False
    setup: bool = False
    has_tab: bool = False
    view: bool = False
    _by_lower: dict[str, str] = field(default_factory=dict, repr=False)

    def field(self, name: str) -> Field | None:
        """The field of that API name, in any case."""
        found = self.fields.get(name)
        if found is not None:
            return found
        if len(self._by_lower) != len(self.fields):
            self._by_lower = {key.lower(): key for key in self.fields}
        return self.fields.get(self._by_lower.get(name.lower(), ""))

    def relationship(self, name: str) -> Field | None:
        """The lookup field whose relationship carries that name (`Account`, `Contact__r`), in any case."""
        lowered = name.lower()
        return next((f for f in self.fields.values() if (f.relationship_name or "").lower() == lowered), None)

    @property
    def name_field(self) -> Field | None:
        """The field that names a record, if the object has one."""
        return next((f for f in self.fields.values() if f.name_field), None)

    @property
    def stored_fields(self) -> list[Field]:
        """Fields that have a column, in order."""
        return [f for f in self.fields.values() if f.stored]

    @property
    def master(self) -> Field | None:
        """The first master-detail field, which also gives the record its owner and access."""
        details = [f for f in self.fields.values() if f.master_detail]
        return min(details, key=lambda f: f.relationship_order or 0) if details else None

    def drop(self, name: str) -> None:
        """Remove a field and forget the cached spelling."""
        self.fields.pop(name, None)
        self._by_lower = {}


class Schema:
    """All objects of one org and its shared value sets."""

    def __init__(self) -> None:
        self.objects: dict[str, SObject] = {}
        self.value_sets: dict[str, tuple[PicklistValue, ...]] = {}
        self.version = 0
        self._by_lower: dict[str, str] = {}
        self._custom_objects = 0

    def object(self, name: str) -> SObject | None:
        """The object of that API name, in any case."""
        found = self.objects.get(name)
        return found if found is not None else self.objects.get(self._by_lower.get(name.lower(), ""))

    def field(self, object_name: str, name: str) -> Field | None:
        """A field by object and API name, in any case."""
        found = self.object(object_name)
        return found.field(name) if found is not None else None

    def by_prefix(self, prefix: str) -> SObject | None:
        """The object whose record ids begin with these three characters."""
        return next((o for o in self.objects.values() if o.key_prefix == prefix), None)

    def children(self, object_name: str) -> list[tuple[SObject, Field]]:
        """Every (child object, lookup field) that can point to records of the object."""
        parent = self.object(object_name)
        return [] if parent is None else [(o, f) for o, f in self._references() if parent.name in f.reference_to]

    def _references(self) -> Iterator[tuple[SObject, Field]]:
        for sobject in self.objects.values():
            if sobject.view:  # what it shows are records of other objects
                continue
            for candidate in sobject.fields.values():
                if candidate.reference_to:
                    yield sobject, candidate

    def values(self, found: Field) -> tuple[PicklistValue, ...]:
        """The picklist entries of a field: those of its shared value set, or its own."""
        return self.value_sets.get(found.value_set, found.picklist) if found.value_set else found.picklist

    def add_object(self, sobject: SObject) -> None:
        """Add or replace an object."""
        if sobject.name not in self.objects and sobject.custom:
            self._custom_objects += 1
        self.objects[sobject.name] = sobject
        self._by_lower[sobject.name.lower()] = sobject.name
        self.version += 1

    def add_field(self, object_name: str, new: Field) -> None:
        """Add or replace a field; raises KeyError when the object is unknown."""
        owner = self.object(object_name)
        if owner is None:
            raise KeyError(object_name)
        owner.fields[new.name] = new
        self.version += 1

    def remove_field(self, object_name: str, name: str) -> None:
        """Forget a field; unknown names are ignored."""
        owner = self.object(object_name)
        found = owner.field(name) if owner is not None else None
        if owner is not None and found is not None:
            owner.drop(found.name)
            self.version += 1

    def remove_object(self, name: str) -> None:
        """Forget an object; unknown names are ignored."""
        found = self.object(name)
        if found is not None:
            del self.objects[found.name]
            del self._by_lower[found.name.lower()]
            self.version += 1

    def set_value_set(self, name: str, values: tuple[PicklistValue, ...]) -> None:
        """Replace a shared value set, such as LeadSource; every field that names it follows."""
        self.value_sets[name] = values
        self.version += 1

    def next_custom_prefix(self) -> str:
        """Key prefix of the next custom object: a00, a01 … a0z, a10 … in order of creation."""
        taken = {o.key_prefix for o in self.objects.values()}
        number = self._custom_objects
        while True:
            prefix = f"a{ALPHABET[number // 62 % 62]}{ALPHABET[number % 62]}"
            if prefix not in taken:
                return prefix
            number += 1


def system_fields(label: str, *, has_owner: bool = True) -> list[Field]:
    """System fields that every custom object has, in the order of describe, without Name."""
    stamp: dict[str, Any] = {
        "nillable": False,
        "updateable": False,
        "defaulted_on_create": True,
        "always_visible": True,
    }
    user: dict[str, Any] = {"length": 18, "reference_to": ("User",), **stamp}
    fields = [
        Field(
            "Id", f"{label} ID" if label else "Record ID", "id", length=18, nillable=False, createable=False,
            updateable=False, id_lookup=True, defaulted_on_create=True, always_visible=True,
        ),
        Field("IsDeleted", "Deleted", "boolean", createable=False, **stamp),
        Field("CreatedDate", "Created Date", "datetime", createable=False, audit=True, groupable=False, **stamp),
        Field(
            "CreatedById", "Created By ID", "reference", createable=False, audit=True,
            relationship_name="CreatedBy", **user,
        ),
        Field(
            "LastModifiedDate", "Last Modified Date", "datetime", createable=False, audit=True, groupable=False, **stamp
        ),
        Field(
            "LastModifiedById", "Last Modified By ID", "reference", createable=False, audit=True,
            relationship_name="LastModifiedBy", **user,
        ),
        Field("SystemModstamp", "System Modstamp", "datetime", createable=False, groupable=False, **stamp),
    ]  # fmt: skip
    if has_owner:
        owner = Field(
            "OwnerId", "Owner ID", "reference", length=18, nillable=False, defaulted_on_create=True,
            reference_to=("Group", "User"), relationship_name="Owner", always_visible=True, polymorphic=True,
        )  # fmt: skip
        fields.insert(1, owner)
    return fields
