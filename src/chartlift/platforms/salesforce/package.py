"""The desired schema as a Metadata API package: the same input always gives the same bytes.

Source: reference section 11. One file per object with its fields inside, one per permission set and shared value set.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from chartlift.model.schema import DesiredField, DesiredObject, DesiredSchema
from chartlift.platforms.salesforce.access import ObjectGrant, PermissionSet
from chartlift.platforms.salesforce.typewords import FieldType, field_type

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
LONG_TEXT_LINES = 10
LONGEST_RELATION = 40
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the real one would change the bytes

Values = Sequence[Mapping[str, str]]
"""A shared value set as read: fullName, label, default and whatever else each value has."""


class Writer:
    """Indented XML, element by element."""

    def __init__(self, root: str) -> None:
        """Open the document."""
        self._root = root
        self._lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{NAMESPACE}">']
        self._depth = 1

    def leaf(self, name: str, value: object) -> None:
        """`<name>value</name>`; booleans as XML writes them."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        self._lines.append(f"{'    ' * self._depth}<{name}>{escape(text)}</{name}>")

    def leaves(self, pairs: Mapping[str, object]) -> None:
        """Several leaves in order."""
        for name, value in pairs.items():
            self.leaf(name, value)

    def open(self, name: str) -> None:
        """Go one level down."""
        self._lines.append(f"{'    ' * self._depth}<{name}>")
        self._depth += 1

    def close(self, name: str) -> None:
        """Come back up."""
        self._depth -= 1
        self._lines.append(f"{'    ' * self._depth}</{name}>")

    def group(self, name: str, pairs: Mapping[str, object]) -> None:
        """An element with leaves."""
        self.open(name)
        self.leaves(pairs)
        self.close(name)

    def text(self) -> str:
        """The finished document."""
        return "\n".join([*self._lines, f"</{self._root}>", ""])


def package(
    desired: DesiredSchema,
    permission_sets: Sequence[PermissionSet],
    value_sets: Mapping[str, Values],
    version: str,
    *,
    all_fields: Iterable[DesiredField] = (),
) -> bytes:
    """Zip with package.xml at its root.

    `all_fields` are the fields of the whole plan: an object's sharing follows from its master-detail fields, also when
    those are already there.
    """
    details = {f.object for f in (*desired.fields, *all_fields) if field_type(f.type).name == "MasterDetail"}
    plurals = {item.name: item.plural for item in desired.objects}
    new = {item.name: item for item in desired.objects}
    files = {}
    for name in sorted({*new, *(item.object for item in desired.fields)}):
        fields = [item for item in desired.fields if item.object == name]
        files[f"objects/{name}.object"] = object_xml(new.get(name), fields, detail=name in details, plurals=plurals)
    for name, values in sorted(value_sets.items()):
        files[f"standardValueSets/{name}.standardValueSet"] = value_set_xml(values)
    for item in permission_sets:
        files[f"permissionsets/{item.name}.permissionset"] = permission_set_xml(item)
    members = {
        "CustomObject": list(new),
        "CustomField": [f"{item.object}.{item.name}" for item in desired.fields],
        "StandardValueSet": list(value_sets),
        "PermissionSet": [item.name for item in permission_sets],
    }
    return zipped({"package.xml": manifest_xml(members, version), **files})


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip without compression, times or owners, in alphabetical order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # the same on every machine
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name].encode())
    return out.getvalue()


def manifest_xml(members: Mapping[str, Sequence[str]], version: str) -> str:
    """package.xml."""
    xml = Writer("Package")
    for kind, names in members.items():
        if names:
            xml.open("types")
            for name in sorted(names):
                xml.leaf("members", name)
            xml.leaf("name", kind)
            xml.close("types")
    xml.leaf("version", version)
    return xml.text()


def object_xml(
    new: DesiredObject | None, fields: Sequence[DesiredField], *, detail: bool, plurals: Mapping[str, str]
) -> str:
    """One object file: the object itself if it is new, and the fields to add."""
    xml = Writer("CustomObject")
    if new:
        xml.leaves({"label": new.label, "pluralLabel": new.plural})
        xml.group("nameField", {"label": f"{new.label} No", "type": "AutoNumber", "displayFormat": new.name_format})
        xml.leaves(
            {
                "deploymentStatus": "Deployed",
                "sharingModel": "ControlledByParent" if detail else "Private",
                "enableActivities": True,
                "enableReports": True,
                "enableSearch": True,
                "enableHistory": False,
                "enableBulkApi": True,
                "enableSharing": True,
                "enableStreamingApi": True,
                "visibility": "Public",
            }
        )
    order = 0
    for item in sorted(fields, key=lambda item: item.name):
        kind = field_type(item.type)
        xml.open("fields")
        _field(xml, item, kind, plurals.get(item.object, item.object.removesuffix("__c").replace("_", " ")), order)
        xml.close("fields")
        order += kind.name == "MasterDetail"
    return xml.text()


def _field(xml: Writer, item: DesiredField, kind: FieldType, plural: str, order: int) -> None:
    xml.leaves({"fullName": item.name, "label": item.label, "type": kind.name})
    required = {"required": item.required}
    if kind.name == "Text":
        xml.leaf("length", kind.length)
        if item.external_id or item.unique:
            xml.leaves({"externalId": item.external_id, "unique": item.unique})
        if item.unique:
            xml.leaf("caseSensitive", False)
        xml.leaves(required)
    elif kind.name == "LongTextArea":
        xml.leaves({"length": kind.length, "visibleLines": LONG_TEXT_LINES})
    elif kind.name in ("Number", "Currency"):
        xml.leaves({"precision": kind.precision, "scale": kind.scale, **required})
    elif kind.name == "Checkbox":
        xml.leaf("defaultValue", False)
    elif kind.name == "Picklist":
        xml.leaves(required)
        _local_values(xml, item)
    elif kind.parent:
        _relation(xml, item, kind, plural, order)
    else:
        xml.leaves(required)


def _local_values(xml: Writer, item: DesiredField) -> None:
    xml.open("valueSet")
    xml.leaf("restricted", item.restricted)
    xml.open("valueSetDefinition")
    xml.leaf("sorted", False)
    for value in item.values:
        xml.group("value", {"fullName": value, "default": False, "label": value})
    xml.close("valueSetDefinition")
    xml.close("valueSet")


def _relation(xml: Writer, item: DesiredField, kind: FieldType, plural: str, order: int) -> None:
    xml.leaves(
        {
            "referenceTo": kind.parent,
            "relationshipLabel": plural[:80],
            "relationshipName": relation_name(item.object, item.name),
        }
    )
    if kind.name == "MasterDetail":
        xml.leaves({"relationshipOrder": order, "reparentableMasterDetail": False, "writeRequiresMasterRead": False})
    elif kind.parent != "User":
        # a required lookup may not lose its parent; any other is emptied
        xml.leaves({"deleteConstraint": "Restrict" if item.required else "SetNull", "required": item.required})


def relation_name(object_name: str, field_name: str) -> str:
    """Name of the list of children on the parent: made of child and field, so that no two fields share one."""
    name = f"{object_name.removesuffix('__c')}_{field_name.removesuffix('__c')}".replace("__", "_")
    if len(name) <= LONGEST_RELATION:
        return name
    # shortened names keep their end, which tells fields of one object apart
    return (name[: LONGEST_RELATION // 2].rstrip("_") + name[-LONGEST_RELATION // 2 :]).replace("__", "_")


def value_set_xml(values: Values) -> str:
    """A shared value set, complete: what is left out here would be taken away in the org."""
    xml = Writer("StandardValueSet")
    xml.leaf("sorted", False)
    for value in values:
        full = {"fullName": value["fullName"], "default": value.get("default", "false")}
        others = {k: v for k, v in value.items() if k not in ("fullName", "default", "label")}
        xml.group("standardValue", {**full, "label": value.get("label", value["fullName"]), **others})
    return xml.text()


def permission_set_xml(item: PermissionSet) -> str:
    """A permission set."""
    xml = Writer("PermissionSet")
    xml.leaves({"description": item.description, "label": item.label, "hasActivationRequired": False})
    for name, editable in sorted(item.fields.items()):
        xml.group("fieldPermissions", {"editable": editable, "field": name, "readable": True})
    for grant in item.objects:
        xml.group("objectPermissions", _rights(grant))
    for name in item.users:
        xml.group("userPermissions", {"enabled": True, "name": name})
    return xml.text()


def _rights(grant: ObjectGrant) -> dict[str, object]:
    return {
        "allowCreate": grant.create,
        "allowDelete": grant.delete,
        "allowEdit": grant.edit,
        "allowRead": True,
        "modifyAllRecords": grant.modify_all,
        "object": grant.object,
        "viewAllRecords": grant.view_all,
    }
