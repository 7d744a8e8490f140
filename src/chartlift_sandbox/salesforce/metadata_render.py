"""Writes deployed metadata back as XML: what retrieve puts into its zip and readMetadata into its answer."""

import io
import zipfile
from xml.sax.saxutils import escape

from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, SObject

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
Node = tuple[str, "str | bool | int | list[Node]"]
FOLDERS = {
    "CustomObject": ("objects", "object"),
    "CustomField": ("objects", "object"),
    "StandardValueSet": ("standardValueSets", "standardValueSet"),
    "GlobalValueSet": ("globalValueSets", "globalValueSet"),
    "PermissionSet": ("permissionsets", "permissionset"),
}
_OBJECT_WORDS = {
    "allowCreate": "PermissionsCreate", "allowDelete": "PermissionsDelete", "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead", "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllFields": "PermissionsViewAllFields", "viewAllRecords": "PermissionsViewAllRecords",
}  # fmt: skip
_LONG_TEXT = 255


def to_xml(name: str, nodes: list[Node], *, namespace: str | None = NAMESPACE) -> str:
    """An element with its children; True and False in lower case."""
    inner = "".join(_one(node) for node in nodes)
    spec = f' xmlns="{namespace}"' if namespace else ""
    return f"<{name}{spec}>{inner}</{name}>"


def _one(node: Node) -> str:
    name, value = node
    if isinstance(value, list):
        return to_xml(name, value, namespace=None)
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{text}</{name}>"


def value_set_nodes(values: tuple[PicklistValue, ...], tag: str) -> list[Node]:
    """Active entries of a shared value set."""
    return [("sorted", False), *((tag, _value_nodes_of(one)) for one in values if one.active)]


def _value_nodes_of(one: PicklistValue) -> list[Node]:
    return [("fullName", one.value), ("default", one.default), ("label", one.label)]


def _metadata_type(found: Field) -> str:
    if found.auto_number is not None:
        return "AutoNumber"
    if found.type == "textarea":
        return "Html" if found.html else ("TextArea" if found.length <= _LONG_TEXT else "LongTextArea")
    if found.type == "reference":
        return "MasterDetail" if found.master_detail else "Lookup"
    names = {
        "string": "Text", "double": "Number", "boolean": "Checkbox", "datetime": "DateTime",
        "multipicklist": "MultiselectPicklist",
    }  # fmt: skip
    return names.get(found.type, found.type.capitalize())


def field_nodes(found: Field) -> list[Node]:
    """A custom field as CustomField shows it."""
    kind = _metadata_type(found)
    nodes: list[Node] = [("fullName", found.name)]
    if kind == "AutoNumber":
        nodes += [("displayFormat", found.auto_number or "")]
    if found.external_id or kind in {"Text", "Number", "Email"}:
        nodes += [("externalId", found.external_id)]
    if found.help_text:
        nodes += [("inlineHelpText", found.help_text)]
    nodes += [("label", found.label)]
    if kind in {"Text", "LongTextArea", "Html"}:
        nodes += [("length", found.length)]
    if kind in {"Number", "Currency", "Percent"}:
        nodes += [("precision", found.precision), ("scale", found.scale)]
    if kind == "Checkbox":
        nodes += [("defaultValue", found.default == "true")]
    if kind in {"Lookup", "MasterDetail"}:
        if kind == "Lookup":
            nodes += [("deleteConstraint", found.delete_constraint)]
        relationship = (found.child_relationship_name or "").removesuffix("__r")
        nodes += [("referenceTo", found.reference_to[0]), ("relationshipName", relationship)]
    if kind not in {"Checkbox", "MasterDetail", "LongTextArea", "Html", "AutoNumber"}:
        nodes += [("required", found.required)]
    nodes += [("type", kind)]
    if kind == "Text" or found.unique:
        nodes += [("unique", found.unique)] + ([("caseSensitive", found.case_sensitive)] if found.unique else [])
    if kind in {"LongTextArea", "Html", "MultiselectPicklist"}:
        nodes += [("visibleLines", found.precision or (25 if kind == "Html" else 10))]
    return nodes + _value_nodes(found)


def _value_nodes(found: Field) -> list[Node]:
    if found.type not in {"picklist", "multipicklist"}:
        return []
    if found.value_set is not None:
        return [("valueSet", [("restricted", found.restricted), ("valueSetName", found.value_set)])]
    entries: list[Node] = [("sorted", False)]
    for one in found.picklist:
        inactive: list[Node] = [] if one.active else [("isActive", False)]
        entry: list[Node] = [("fullName", one.value), ("default", one.default), *inactive, ("label", one.label)]
        entries.append(("value", entry))
    own: list[Node] = [("restricted", found.restricted), ("valueSetDefinition", entries)]
    if found.controller is None:
        return [("valueSet", own)]
    offered = [one for one in found.picklist if one.valid_for]
    settings: list[Node] = [
        ("valueSettings", [*(("controllingFieldValue", name) for name in one.valid_for), ("valueName", one.value)])
        for one in offered
    ]
    return [("valueSet", [("controllingField", found.controller), *own, *settings])]


def object_nodes(sobject: SObject, only: frozenset[str] | None = None) -> list[Node]:
    """An object with its custom fields; with `only`, nothing but the named fields."""
    fields = [f for f in sobject.fields.values() if f.custom and f.name.endswith("__c")]
    if only is not None:
        return [("fields", field_nodes(f)) for f in fields if f.name in only]
    nodes: list[Node] = [("fields", field_nodes(f)) for f in fields]
    if not sobject.custom:
        return nodes
    name = sobject.name_field
    named: list[Node] = [("label", name.label if name else "Name")]
    if name is not None and name.auto_number is not None:
        named = [("displayFormat", name.auto_number), *named, ("type", "AutoNumber")]
    else:
        named = [*named, ("type", "Text")]
    return [
        ("deploymentStatus", "Deployed"), ("enableActivities", sobject.enable_activities), ("enableBulkApi", True),
        ("enableSharing", True), ("enableStreamingApi", True), *nodes, ("label", sobject.label), ("nameField", named),
        ("pluralLabel", sobject.label_plural), ("sharingModel", sobject.sharing_model),
    ]  # fmt: skip


def permission_set_nodes(org: Org, name: str) -> list[Node] | None:
    """A permission set with everything it grants; None if there is none of that name."""
    with org.lock:
        rows = org.rows('SELECT * FROM "PermissionSet" WHERE "Name" = ? AND "_deleted_at" IS NULL', [name])
        if not rows:
            return None
        row, nodes = rows[0], []
        live = '"ParentId" = ? AND "_deleted_at" IS NULL'
        fields = org.rows(f'SELECT * FROM "FieldPermissions" WHERE {live} ORDER BY "Field"', [row["Id"]])
        objects = org.rows(f'SELECT * FROM "ObjectPermissions" WHERE {live} ORDER BY "SobjectType"', [row["Id"]])
    nodes: list[Node] = [("description", row["Description"])] if row.get("Description") else []
    nodes += [
        (
            "fieldPermissions",
            [("editable", f["PermissionsEdit"]), ("field", f["Field"]), ("readable", f["PermissionsRead"])],
        )
        for f in fields
    ]
    nodes += [("hasActivationRequired", False), ("label", row["Label"])]
    for one in objects:
        words: list[Node] = [(word, bool(one[column])) for word, column in _OBJECT_WORDS.items()]
        nodes.append(("objectPermissions", [*words, ("object", one["SobjectType"])]))
    granted = sorted(key.removeprefix("Permissions") for key, on in row.items() if key.startswith("Permissions") and on)
    return nodes + [("userPermissions", [("enabled", True), ("name", one)]) for one in granted]


def component_nodes(org: Org, kind: str, name: str) -> list[Node] | None:
    """Any retrievable component; None if it does not exist."""
    if kind in {"StandardValueSet", "GlobalValueSet"}:
        values = org.schema.value_sets.get(name)
        tag = "standardValue" if kind == "StandardValueSet" else "customValue"
        return None if values is None else value_set_nodes(values, tag)
    if kind == "CustomObject":
        found = org.schema.object(name)
        return None if found is None else object_nodes(found)
    if kind == "CustomField":
        field = org.schema.field(*name.partition(".")[::2])
        return None if field is None or not field.custom else field_nodes(field)
    return permission_set_nodes(org, name) if kind == "PermissionSet" else None


def names_of(org: Org, kind: str) -> list[str]:
    """Every component of a type that `*` and listMetadata stand for."""
    if kind == "CustomObject":
        return [one.name for one in org.schema.objects.values() if not one.setup]
    if kind == "CustomField":
        pairs = [(o.name, f) for o in org.schema.objects.values() for f in o.fields.values()]
        return [f"{owner}.{f.name}" for owner, f in pairs if f.custom and f.name.endswith("__c")]
    if kind == "StandardValueSet":
        return sorted(org.schema.value_sets)
    if kind == "PermissionSet":
        with org.lock:
            rows = org.rows('SELECT "Name" FROM "PermissionSet" WHERE NOT "IsOwnedByProfile" AND "_deleted_at" IS NULL')
        return sorted(row["Name"] for row in rows)
    return []


def build_zip(files: dict[str, str]) -> bytes:
    """A zip of XML files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + text)
    return sink.getvalue()
