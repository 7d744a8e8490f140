"""Permission sets as the Metadata API deploys them: what a set may say, and the setup rows it turns into.

A field that was just deployed is hidden from everybody, administrators included, until some permission set grants it.
"""

from dataclasses import dataclass, field
from typing import Protocol
from xml.etree.ElementTree import Element

from chartlift_sandbox.salesforce.access import FieldGrant, ObjectGrant, spread_activity
from chartlift_sandbox.salesforce.catalogue import AUDIT_PERMISSIONS, user_permissions
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError
from chartlift_sandbox.salesforce.metadata_zip import children_of, flag_of, text_of
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.schema import Field, SObject

_OBJECT_WORDS = {
    "allowCreate": "create",
    "allowRead": "read",
    "allowEdit": "edit",
    "allowDelete": "delete",
    "viewAllRecords": "view_all",
    "modifyAllRecords": "modify_all",
}
_NEEDS = {
    "allowCreate": ("allowRead",),
    "allowEdit": ("allowRead",),
    "allowDelete": ("allowRead", "allowEdit"),
    "viewAllRecords": ("allowRead",),
    "modifyAllRecords": ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
}
_API_NAME_CHARS = 80
_WITHOUT_OBJECT_PERMISSIONS = frozenset({"Task", "Event", "User"})


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
    _check_masters(objects, schema)
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


def _check_masters(objects: dict[str, frozenset[str]], schema: SchemaView) -> None:
    """A detail is seen through its master, so the same set has to let people read that."""
    for name, words in objects.items():
        found = schema.object(name)
        master = found.master if found is not None else None
        for parent in master.reference_to if master is not None and words else ():
            if "allowRead" not in objects.get(parent, frozenset()):
                raise ComponentError(f"Permission Read {name} depends on permission(s): Read {parent}")


def _field_permission(element: Element, schema: SchemaView, objects: dict[str, frozenset[str]]) -> tuple[str, bool]:
    qualified = text_of(element, "field") or ""
    object_name, _, field_name = qualified.partition(".")
    owner = schema.object(spread_activity(object_name)[0])
    found = owner.field(field_name) if owner is not None else None
    if owner is None or found is None:
        raise ComponentError(f"In field: field - no CustomField named {qualified} found")
    readable, editable = flag_of(element, "readable"), flag_of(element, "editable")
    _check_permissionable(owner, found, editable=editable)
    if editable and not readable:
        raise ComponentError(f"Field permission {qualified}: editable depends on readable")
    words = objects.get(owner.name, frozenset())
    if readable and "allowRead" not in words and owner.name not in _WITHOUT_OBJECT_PERMISSIONS:
        raise ComponentError(f"Field permission {qualified} depends on permission(s): Read {owner.name}")
    shared = object_name if object_name == "Activity" else owner.name
    return f"{shared}.{found.name}", editable


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


def store_permission_set(org: Org, spec: PermissionSetSpec) -> str:
    """Writes the set with everything it grants, replacing what an earlier deployment granted; answers its id."""
    objects = {
        name: ObjectGrant(**{grant: word in words for word, grant in _OBJECT_WORDS.items()})
        for name, words in spec.objects.items()
        if words
    }
    fields = {name: FieldGrant(read=True, edit=editable) for name, editable in spec.fields.items()}
    with org.lock:
        set_id = org.put_permission_set(
            spec.name, spec.label, objects=objects, fields=fields, user_permissions=spec.permissions
        )
        org.db.execute('UPDATE "PermissionSet" SET "Description" = ? WHERE "Id" = ?', [spec.description, set_id])
    return set_id


def remove_permission_set(org: Org, name: str) -> None:
    """Deletes a set; the caller has checked that it exists and is assigned to nobody."""
    with org.lock:
        for row in org.rows('SELECT "Id" FROM "PermissionSet" WHERE lower("Name") = lower(?)', [name]):
            for child in ("ObjectPermissions", "FieldPermissions"):
                org.db.execute(f'DELETE FROM "{child}" WHERE "ParentId" = ?', [row["Id"]])
            org.db.execute('DELETE FROM "PermissionSet" WHERE "Id" = ?', [row["Id"]])
        org.access.invalidate()
