"""The schema of a fake org: objects and fields that can be described and deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chartlift.model.ports import OnStep, Step
from chartlift.model.schema import ChildRelationship, DesiredField, DesiredSchema, FieldDescribe, ObjectDescribe
from chartlift.transforms.canonical import kind_of

KINDS = {
    "text": "string",
    "longtextarea": "textarea",
    "number": "double",
    "checkbox": "boolean",
    "lookup": "reference",
    "masterdetail": "reference",
}
SYSTEM = {
    "Id": "id",
    "IsDeleted": "boolean",
    "CreatedById": "reference",
    "CreatedDate": "datetime",
    "LastModifiedById": "reference",
    "SystemModstamp": "datetime",
    "OwnerId": "reference",
}
PREFIXES = {"Account": "001", "Contact": "003", "User": "005"}
Row = dict[str, str | None]


class FakeSchema:
    """Objects with their fields, the rows under them, and the master-details that cascade."""

    def __init__(self) -> None:
        """No object yet."""
        self._fields: dict[str, dict[str, FieldDescribe]] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._cascades: set[tuple[str, str]] = set()

    def describe(self, object_name: str, *, fresh: bool = False) -> ObjectDescribe | None:
        """See ports.Destination."""
        del fresh
        fields = self._fields.get(object_name)
        if fields is None:
            return None
        children = [
            ChildRelationship(name, f.name, cascade=(name, f.name) in self._cascades, restricted=False)
            for name, there in self._fields.items()
            for f in there.values()
            if object_name in f.reference_to and f.name not in SYSTEM
        ]
        return ObjectDescribe(object_name, prefix(object_name), object_name.endswith("__c"), fields, tuple(children))

    def missing(self, desired: DesiredSchema) -> DesiredSchema:
        """See ports.Destination."""
        there = self._fields
        fields = tuple(f for f in desired.fields if f.name not in there.get(f.object, {}))
        objects = tuple(o for o in desired.objects if o.name not in there)
        standard = tuple(s for s in desired.standard_fields if s.split(".")[1] not in there.get(s.split(".")[0], {}))
        return DesiredSchema(objects, fields, {}, standard)

    def deploy(self, desired: DesiredSchema, on_step: OnStep) -> Sequence[str]:
        """See ports.Destination."""
        todo = self.missing(desired)
        if todo == DesiredSchema():
            return []
        on_step(Step("creating"))
        for made in todo.objects:
            self._make_object(made.name)
        for wanted in todo.fields:
            self._make_field(wanted)
        on_step(Step("done"))
        return [*(o.name for o in todo.objects), *(f"{f.object}.{f.name}" for f in todo.fields)]

    def schema_package(self, desired: DesiredSchema) -> bytes:
        """Names in a text; nobody deploys into memory."""
        return "\n".join(f"{f.object}.{f.name}" for f in desired.fields).encode()

    def _make_object(self, name: str) -> None:
        self._rows[name] = {}
        self._fields[name] = {n: FieldDescribe(n, kind, createable=n == "OwnerId") for n, kind in SYSTEM.items()}
        if name in ("Account", "Contact"):
            self._fields[name]["MasterRecordId"] = FieldDescribe("MasterRecordId", "reference", createable=False)

    def _make_field(self, wanted: DesiredField) -> None:
        kind, _, inner = wanted.type.partition("(")
        inner = inner.partition(")")[0]
        plain = kind_of(wanted.type)
        made = FieldDescribe(
            wanted.name, KINDS.get(plain, plain), nillable=not wanted.required and kind != "MasterDetail"
        )
        if kind in ("Lookup", "MasterDetail"):
            made = replace(made, reference_to=(inner,))
        elif kind in ("Text", "LongTextArea"):
            made = replace(made, length=int(inner))
        made = replace(made, unique=wanted.unique, external_id=wanted.external_id)
        self._fields[wanted.object][wanted.name] = replace(made, picklist=wanted.values, restricted=wanted.restricted)
        if kind == "MasterDetail":
            self._cascades.add((wanted.object, wanted.name))
        for row in self._rows[wanted.object].values():
            row.setdefault(wanted.name, "false" if made.type == "boolean" else None)


def prefix(object_name: str) -> str:
    """The first three characters of an object's ids."""
    if object_name in PREFIXES:
        return PREFIXES[object_name]
    return f"a{sum(object_name.encode()) % 90 + 10}"
