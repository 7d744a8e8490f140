"""Writes deployed metadata back as XML: what retrieve puts into its zip and readMetadata into its answer."""

import io
import zipfile
from xml.sax.saxutils import escape

from chartlift_sandbox.salesforce.metadata_deploy import CHILD_TAGS, FILE_TYPES, INERT_TYPES
from chartlift_sandbox.salesforce.metadata_sources import Node, Sources, merged
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.rulebook import ValidationRule
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, SObject

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
FOLDERS = FILE_TYPES | INERT_TYPES | {"CustomField": ("objects", "object"), "ValidationRule": ("objects", "object")}
"""Folder and file ending of every type that can be retrieved."""
_OBJECT_PARTS = {"CustomField": "fields", "ValidationRule": "validationRules", **CHILD_TAGS}
_OBJECT_WORDS = {
    "allowCreate": "PermissionsCreate", "allowDelete": "PermissionsDelete", "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead", "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllFields": "PermissionsViewAllFields", "viewAllRecords": "PermissionsViewAllRecords",
}  # fmt: skip
_LONG_TEXT = 255
_GRANTS = frozenset({"description", "fieldPermissions", "objectPermissions", "userPermissions"})


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


def _reference_nodes(found: Field, kind: str) -> list[Node]:
    if kind not in {"Lookup", "MasterDetail"}:
        return []
    relationship = (found.child_relationship_name or "").removesuffix("__r")
    nodes: list[Node] = [("referenceTo", found.reference_to[0]), ("relationshipName", relationship)]
    if kind == "Lookup":
        return [*nodes, ("deleteConstraint", found.delete_constraint)]
    order, reparentable = found.relationship_order or 0, found.reparentable
    return [*nodes, ("relationshipOrder", order), ("reparentableMasterDetail", reparentable)]


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
    if kind in {"Text", "LongTextArea", "Html"} and found.formula is None:
        nodes += [("length", found.length)]
    if kind in {"Number", "Currency", "Percent"}:
        nodes += [("precision", found.precision), ("scale", found.scale)]
    if kind == "Checkbox":
        nodes += [("defaultValue", found.default == "true")]
    nodes += _reference_nodes(found, kind)
    if found.formula is not None:
        nodes += [("formula", found.formula)]
    elif kind not in {"Checkbox", "MasterDetail", "LongTextArea", "Html", "AutoNumber", "MultiselectPicklist"}:
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


def _own_object_nodes(sobject: SObject) -> list[Node]:
    """A custom object's own words, without its components."""
    name = sobject.name_field
    named: list[Node] = [("label", name.label if name else "Name")]
    if name is not None and name.auto_number is not None:
        named = [("displayFormat", name.auto_number), *named, ("type", "AutoNumber")]
    else:
        named = [*named, ("type", "Text")]
    return [
        ("deploymentStatus", "Deployed"), ("enableActivities", sobject.enable_activities), ("enableBulkApi", True),
        ("enableSharing", True), ("enableStreamingApi", True), ("label", sobject.label), ("nameField", named),
        ("pluralLabel", sobject.label_plural), ("sharingModel", sobject.sharing_model),
    ]  # fmt: skip


def object_nodes(org: Org, sources: Sources, sobject: SObject) -> list[Node]:
    """An object with everything that stands in its file."""
    own = _own_object_nodes(sobject) if sobject.custom else []
    names = {
        kind: [n for n in names_of(org, sources, kind) if n.startswith(f"{sobject.name}.")] for kind in _OBJECT_PARTS
    }
    parts = part_nodes(org, sources, {kind: set(found) for kind, found in names.items()})
    return sorted([*merged(own, sources.nodes("CustomObject", sobject.name)), *parts], key=lambda one: one[0].lower())


def part_nodes(org: Org, sources: Sources, wanted: dict[str, set[str]]) -> list[Node]:
    """Elements of an object's file for components by type and full name."""
    nodes: list[Node] = []
    for kind, tag in _OBJECT_PARTS.items():
        for name in sorted(wanted.get(kind, ())):
            found = component_nodes(org, sources, kind, name)
            if found is not None:
                nodes.append((tag, found))
    return nodes


def _rule_nodes(rule: ValidationRule) -> list[Node]:
    nodes: list[Node] = [("fullName", rule.name), ("active", rule.active)]
    nodes += [("description", rule.description)] if rule.description else []
    nodes += [("errorConditionFormula", rule.formula)]
    nodes += [("errorDisplayField", rule.error_field)] if rule.error_field else []
    return [*nodes, ("errorMessage", rule.message)]


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


def component_nodes(org: Org, sources: Sources, kind: str, name: str) -> list[Node] | None:
    """Any retrievable component; None if it does not exist."""
    deployed = sources.nodes(kind, name)
    if kind == "CustomObject":
        found = org.schema.object(name)
        return None if found is None else object_nodes(org, sources, found)
    shown: list[Node] | None
    left: frozenset[str] = frozenset()
    if kind in {"StandardValueSet", "GlobalValueSet"}:
        values = org.schema.value_sets.get(name) if (kind == "GlobalValueSet") == _shared(sources, name) else None
        tag = "standardValue" if kind == "StandardValueSet" else "customValue"
        shown = None if values is None else value_set_nodes(values, tag)
    elif kind == "CustomField":
        field = org.schema.field(*name.partition(".")[::2])
        shown = None if field is None or not field.custom else field_nodes(field)
        left = frozenset({"length"}) if field is not None and field.formula is not None else left
    elif kind == "ValidationRule":
        rules = {f"{one.object_name}.{one.name}": one for one in org.rules.validation if one.formula}
        shown = _rule_nodes(rules[name]) if name in rules else None
    elif kind == "PermissionSet":
        shown, left = permission_set_nodes(org, name), _GRANTS
    elif kind == "CustomTab":
        shown = [("customObject", True)] if name in names_of(org, sources, kind) else None
        deployed = deployed or [("motif", "Custom57: Building Block")]
    elif kind == "CustomPermission":
        shown = [] if name in org.rules.custom_permissions else None
        deployed = deployed or [("isLicensed", False), ("label", name)]
    else:
        shown = None if deployed is None else []
    return None if shown is None else merged(shown, deployed, left)


def _shared(sources: Sources, name: str) -> bool:
    """Whether a value set is a global one, which somebody deployed, and not one of the platform's."""
    return ("GlobalValueSet", name) in sources.kept


def names_of(org: Org, sources: Sources, kind: str) -> list[str]:
    """Every component of a type that `*` and listMetadata stand for."""
    if kind == "CustomObject":
        return [one.name for one in org.schema.objects.values() if not one.setup]
    if kind == "CustomField":
        pairs = [(o.name, f) for o in org.schema.objects.values() for f in o.fields.values()]
        return [f"{owner}.{f.name}" for owner, f in pairs if f.custom and f.name.endswith("__c")]
    if kind in {"StandardValueSet", "GlobalValueSet"}:
        return sorted(n for n in org.schema.value_sets if _shared(sources, n) == (kind == "GlobalValueSet"))
    if kind == "CustomTab":
        return sorted(one.name for one in org.schema.objects.values() if one.custom and one.has_tab)
    if kind == "ValidationRule":
        return sorted(f"{one.object_name}.{one.name}" for one in org.rules.validation if one.formula)
    if kind == "CustomPermission":
        return sorted(org.rules.custom_permissions)
    if kind == "PermissionSet":
        with org.lock:
            rows = org.rows('SELECT "Name" FROM "PermissionSet" WHERE NOT "IsOwnedByProfile" AND "_deleted_at" IS NULL')
        return sorted(row["Name"] for row in rows)
    return sources.names(kind)


def build_zip(files: dict[str, str]) -> bytes:
    """A zip of XML files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, '<?xml version="1.0" encoding="UTF-8"?>\n' + text)
    return sink.getvalue()
