"""Permission sets as the Metadata API deploys them: what a set may say, and the setup rows it turns into.

A field that was just deployed is hidden from everybody, administrators included, until some permission set grants it.
"""

from dataclasses import dataclass, field
from typing import Protocol
from xml.etree.ElementTree import Element

import pyarrow as pa

from chartlift_sandbox.salesforce.catalogue import user_permissions
from chartlift_sandbox.salesforce.metadata_fields import ComponentError
from chartlift_sandbox.salesforce.metadata_zip import children_of, flag_of, text_of
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.schema import Field, SObject

AUDIT_PERMISSIONS = frozenset({"CreateAuditFields", "UpdateWithInactiveOwner"})
_OBJECT_WORDS = {
    "allowCreate": "PermissionsCreate",
    "allowRead": "PermissionsRead",
    "allowEdit": "PermissionsEdit",
    "allowDelete": "PermissionsDelete",
    "viewAllRecords": "PermissionsViewAllRecords",
    "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllFields": "PermissionsViewAllFields",
}
_NEEDS = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "viewAllFields": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
_API_NAME_CHARS = 80
_BY_NAME = 'SELECT "Id" FROM "PermissionSet" WHERE lower("Name") = lower(?) AND "_deleted_at" IS NULL'


class SchemaView(Protocol):
    """The part of a schema (deployed or being deployed) that permission sets are checked against."""

    def object(self, name: str) -> SObject | None:
        """The object of that name."""
        ...


@dataclass(frozen=True, slots=True)
class PermissionSetSpec:
    """A checked permission set.

    Attributes:
        objects: By object name, the words of objectPermissions that are true.
        fields: By qualified field name, whether it is editable; only readable ones are listed.
        permissions: User permissions switched on.
    """

    name: str
    label: str
    description: str | None
    objects: dict[str, frozenset[str]] = field(default_factory=dict)
    fields: dict[str, bool] = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()


def read_permission_set(name: str, root: Element, schema: SchemaView, *, audit_switch: bool) -> PermissionSetSpec:
    """Checks a PermissionSet file against a schema.

    Args:
        name: API name, from the file's name.
        root: The PermissionSet element.
        schema: What the org will look like once the rest of the deployment is in.
        audit_switch: Whether the org offers the audit-field permissions.

    Raises:
        ComponentError: the first thing that a real org would refuse.
    """
    label = text_of(root, "label")
    if label is None:
        raise ComponentError("Required field is missing: label")
    if not name.isidentifier() or "__" in name or len(name) > _API_NAME_CHARS:
        raise ComponentError(f"The API name is not valid: {name}")
    objects = dict(_object_permission(one, schema) for one in children_of(root, "objectPermissions"))
    fields: dict[str, bool] = {}
    for one in children_of(root, "fieldPermissions"):
        qualified, editable = _field_permission(one, schema, objects)
        if qualified in fields:
            raise ComponentError(f"Duplicate fieldPermissions: {qualified}")
        if flag_of(one, "readable"):
            fields[qualified] = editable
    granted = frozenset(
        _user_permission(one, audit_switch=audit_switch)
        for one in children_of(root, "userPermissions")
        if flag_of(one, "enabled")
    )
    return PermissionSetSpec(name, label, text_of(root, "description"), objects, fields, granted)


def _object_permission(element: Element, schema: SchemaView) -> tuple[str, frozenset[str]]:
    name = text_of(element, "object") or ""
    found = schema.object(name)
    if found is None:
        raise ComponentError(f"In field: field - no CustomObject named {name} found")
    words = frozenset(word for word in _OBJECT_WORDS if flag_of(element, word))
    for word in sorted(words):
        if missing := [need for need in _NEEDS.get(word, ()) if need not in words]:
            raise ComponentError(f"Permission {word} on {name} depends on permission(s): {', '.join(missing)}")
    return found.name, words


def _field_permission(element: Element, schema: SchemaView, objects: dict[str, frozenset[str]]) -> tuple[str, bool]:
    qualified = text_of(element, "field") or ""
    object_name, _, field_name = qualified.partition(".")
    owner = schema.object(object_name)
    found = owner.field(field_name) if owner is not None else None
    if owner is None or found is None:
        raise ComponentError(f"In field: field - no CustomField named {qualified} found")
    readable, editable = flag_of(element, "readable"), flag_of(element, "editable")
    _check_permissionable(owner, found, editable=editable)
    if editable and not readable:
        raise ComponentError(f"Field permission {qualified}: editable depends on readable")
    words = objects.get(owner.name, frozenset())
    if readable and "allowRead" not in words:
        raise ComponentError(f"Field permission {qualified} depends on permission(s): Read {owner.name}")
    return f"{owner.name}.{found.name}", editable


def _check_permissionable(owner: SObject, found: Field, *, editable: bool) -> None:
    if found.always_visible or found.required or found.master_detail or found.name_field:
        raise ComponentError(f"You cannot deploy to a required field: {owner.name}.{found.name}")
    if editable and (found.calculated or found.auto_number is not None):
        raise ComponentError(f"Field {owner.name}.{found.name} is not editable")


def _user_permission(element: Element, *, audit_switch: bool) -> str:
    name = text_of(element, "name") or ""
    if name not in user_permissions() or (name in AUDIT_PERMISSIONS and not audit_switch):
        raise ComponentError(f"Unknown user permission: {name}")
    return name


def store_permission_set(org: Org, actor: Actor, spec: PermissionSetSpec) -> tuple[str, bool]:
    """Writes the set with everything it grants, replacing what an earlier deployment granted.

    The caller holds the org's lock. Answers the id and whether the set is new.
    """
    found = org.db.execute(_BY_NAME, [spec.name]).fetchone()
    switches = {f"Permissions{name}": "true" for name in spec.permissions}
    if found is not None:
        off = {name: "false" for name in org.schema.objects["PermissionSet"].fields if name.startswith("Permissions")}
        row = {"Id": found[0], "Label": spec.label, "Description": spec.description or "\x00null"} | off | switches
        _dml(org, actor, "update", "PermissionSet", [row])
        for child in ("ObjectPermissions", "FieldPermissions"):
            live = f'SELECT "Id" FROM "{child}" WHERE "ParentId" = ? AND "_deleted_at" IS NULL'
            old = org.db.execute(live, [found[0]]).fetchall()
            _dml(org, actor, "delete", child, [{"Id": one} for (one,) in old])
        set_id = found[0]
    else:
        row = {"Name": spec.name, "Label": spec.label} | switches
        if spec.description:
            row["Description"] = spec.description
        set_id = _dml(org, actor, "insert", "PermissionSet", [row])[0]
    _dml(org, actor, "insert", "ObjectPermissions", [
        {"ParentId": set_id, "SobjectType": name}
        | {column: "true" if word in words else "false" for word, column in _OBJECT_WORDS.items()}
        for name, words in spec.objects.items() if words
    ])  # fmt: skip
    _dml(org, actor, "insert", "FieldPermissions", [
        {"ParentId": set_id, "SobjectType": qualified.partition(".")[0], "Field": qualified, "PermissionsRead": "true",
         "PermissionsEdit": "true" if editable else "false"}
        for qualified, editable in spec.fields.items()
    ])  # fmt: skip
    return set_id, found is None


def remove_permission_set(org: Org, actor: Actor, name: str) -> None:
    """Deletes a set; the caller has checked that it exists and is assigned to nobody."""
    found = org.db.execute(_BY_NAME, [name]).fetchone()
    if found is not None:
        _dml(org, actor, "delete", "PermissionSet", [{"Id": found[0]}])


def _dml(org: Org, actor: Actor, op: str, object_name: str, rows: list[dict[str, str]]) -> list[str]:
    """Runs setup rows through the engine and answers their ids.

    Raises:
        ComponentError: the engine refused a row.
    """
    if not rows:
        return []
    names = sorted({name for row in rows for name in row})
    table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})
    answer = org.dml(op, object_name, table, actor)
    for ok, code, message in zip(*(answer[name].to_pylist() for name in ("success", "code", "message")), strict=True):
        if not ok:
            raise ComponentError(f"{code}: {message}")
    return answer["id"].to_pylist()
