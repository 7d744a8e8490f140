"""Describe answers as the model's values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chartlift.model.schema import ChildRelationship, FieldDescribe, ObjectDescribe


class FieldMap(Mapping[str, FieldDescribe]):
    """Fields by name; looking one up does not mind case, listing gives the org's own spelling."""

    def __init__(self, fields: Iterator[FieldDescribe]) -> None:
        """Take the fields in the order of describe."""
        self._fields = {field.name: field for field in fields}
        self._spelling = {name.lower(): name for name in self._fields}

    def __getitem__(self, name: str) -> FieldDescribe:
        return self._fields[self._spelling[name.lower()]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def described(answer: Mapping[str, Any]) -> ObjectDescribe:
    """An object from its describe document."""
    return ObjectDescribe(
        name=answer["name"],
        key_prefix=answer.get("keyPrefix") or "",
        custom=bool(answer.get("custom")),
        fields=FieldMap(_field(item) for item in answer.get("fields", ())),
        children=tuple(_child(item) for item in answer.get("childRelationships", ()) if item.get("field")),
    )


def _child(item: Mapping[str, Any]) -> ChildRelationship:
    return ChildRelationship(
        child=item["childSObject"],
        field=item["field"],
        cascade=bool(item.get("cascadeDelete")),
        restricted=bool(item.get("restrictedDelete")),
    )


def _field(item: Mapping[str, Any]) -> FieldDescribe:
    whole = item.get("digits") or 0
    return FieldDescribe(
        name=item["name"],
        type=item["type"],
        length=item.get("length") or 0,
        precision=item.get("precision") or whole,
        scale=item.get("scale") or 0,
        nillable=bool(item.get("nillable", True)),
        createable=bool(item.get("createable", True)),
        updateable=bool(item.get("updateable", True)),
        unique=bool(item.get("unique")),
        external_id=bool(item.get("externalId")),
        restricted=bool(item.get("restrictedPicklist")),
        defaulted=bool(item.get("defaultedOnCreate")),
        reference_to=tuple(item.get("referenceTo") or ()),
        picklist=tuple(v["value"] for v in item.get("picklistValues") or () if v.get("active", True)),
    )
