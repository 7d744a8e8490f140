"""The schema an org has, and the schema a pack wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldDescribe:
    """One field as the org describes it to the integration user."""

    name: str
    type: str  # string textarea double currency int boolean date datetime picklist email phone reference id ...
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    unique: bool = False
    external_id: bool = False
    restricted: bool = False
    defaulted: bool = False
    reference_to: tuple[str, ...] = ()
    picklist: tuple[str, ...] = ()  # active values


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """An object that points at this one, and what a delete would do to it."""

    child: str
    field: str
    cascade: bool
    restricted: bool


@dataclass(frozen=True, slots=True)
class ObjectDescribe:
    """One object as the org describes it to the integration user; field names are looked up case-insensitively."""

    name: str
    key_prefix: str
    custom: bool
    fields: Mapping[str, FieldDescribe]
    children: tuple[ChildRelationship, ...] = ()


@dataclass(frozen=True, slots=True)
class DesiredField:
    """A custom field to have. `type` is the pack's word: Text(64), Number(6,0), Picklist, Lookup(Account), ..."""

    object: str
    name: str
    label: str
    type: str
    values: tuple[str, ...] = ()  # picklist values in order
    required: bool = False
    external_id: bool = False
    unique: bool = False
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class DesiredObject:
    """A custom object to have; Name is an auto-number."""

    name: str
    label: str
    plural: str
    name_format: str


@dataclass(frozen=True, slots=True)
class DesiredSchema:
    """Everything the plan needs in the org."""

    objects: tuple[DesiredObject, ...] = ()
    fields: tuple[DesiredField, ...] = ()
    value_sets: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # StandardValueSet -> values that must exist
    standard_fields: tuple[str, ...] = ()  # "Contact.Birthdate": mapped standard fields that need a grant
