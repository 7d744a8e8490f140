"""Objects that have no table: EntityDefinition and FieldDefinition, made up from the schema when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from chartlift_sandbox.salesforce.schema import Field, Schema, SObject

_ENTITY, _FIELD = "EntityDefinition", "FieldDefinition"
_ARROW = {"boolean": pa.bool_(), "int": pa.int64()}


def _id(name: str = "Id") -> Field:
    return Field(name, name, "id", length=18, always_visible=True)


def _text(name: str) -> Field:
    return Field(name, name, "string", length=255, always_visible=True, name_field=name == "QualifiedApiName")


def _flag(name: str) -> Field:
    return Field(name, name, "boolean", nillable=False, always_visible=True)


_ENTITY_FIELDS = (
    _id(), _text("DurableId"), _text("QualifiedApiName"), _text("DeveloperName"), _text("Label"), _text("PluralLabel"),
    _text("KeyPrefix"), _text("NamespacePrefix"), _flag("IsCustomSetting"), _flag("IsDeprecatedAndHidden"),
    _flag("IsQueryable"), _flag("IsCustomizable"),
)  # fmt: skip
_FIELD_FIELDS = (
    _id(), _text("DurableId"), _text("QualifiedApiName"), _text("DeveloperName"), _text("Label"), _text("DataType"),
    Field("Length", "Length", "int", digits=9, always_visible=True), _flag("IsIndexed"), _flag("IsNillable"),
    Field(
        "EntityDefinitionId", "Entity Definition ID", "reference", length=18, always_visible=True,
        reference_to=(_ENTITY,), relationship_name=_ENTITY,
    ),
)  # fmt: skip
_OBJECTS: dict[str, SObject] = {
    name.lower(): SObject(name, name, name + "s", "", fields={f.name: f for f in fields})
    for name, fields in ((_ENTITY, _ENTITY_FIELDS), (_FIELD, _FIELD_FIELDS))
}


def object_for(name: str) -> SObject | None:
    """The made-up object of that name, in any case."""
    return _OBJECTS.get(name.lower())


def _entities(schema: Schema) -> list[dict[str, Any]]:
    return [
        {
            "Id": one.name, "DurableId": one.name, "QualifiedApiName": one.name,
            "DeveloperName": one.name.removesuffix("__c"), "Label": one.label, "PluralLabel": one.label_plural,
            "KeyPrefix": one.key_prefix or None, "NamespacePrefix": None, "IsCustomSetting": False,
            "IsDeprecatedAndHidden": False, "IsQueryable": one.queryable, "IsCustomizable": not one.setup,
        }
        for one in schema.objects.values()
    ]  # fmt: skip


def _fields(schema: Schema) -> list[dict[str, Any]]:
    return [
        {
            "Id": f"{one.name}.{found.name}", "DurableId": f"{one.name}.{found.name}", "QualifiedApiName": found.name,
            "DeveloperName": found.name.removesuffix("__c"), "Label": found.label, "DataType": found.type,
            "Length": found.length, "IsIndexed": found.is_lookup_key, "IsNillable": found.nillable,
            "EntityDefinitionId": one.name,
        }
        for one in schema.objects.values()
        for found in one.fields.values()
    ]  # fmt: skip


_ROWS: dict[str, Callable[[Schema], list[dict[str, Any]]]] = {_ENTITY: _entities, _FIELD: _fields}


@contextmanager
def shown(db: duckdb.DuckDBPyConnection, schema: Schema, names: frozenset[str]) -> Generator[None]:
    """Show the named objects as tables for the length of the block."""
    for name in names:
        fields = _OBJECTS[name.lower()].fields.values()
        columns = [pa.field(f.name, _ARROW.get(f.type, pa.string())) for f in fields]
        rows = _ROWS[name](schema)
        db.register(name, pa.Table.from_pylist(rows, pa.schema([*columns, pa.field("_deleted_at", pa.timestamp("s"))])))
    try:
        yield
    finally:
        for name in names:
            db.unregister(name)
