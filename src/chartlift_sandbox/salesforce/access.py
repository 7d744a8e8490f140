"""Who may see and change what: profiles, permission sets and field-level security.

A profile owns one hidden permission set, as on the platform, so everything is a union over permission sets:
FieldPermissions and ObjectPermissions rows are the truth, cached per user until they change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce import sharing, territories
from chartlift_sandbox.salesforce.catalogue import AUDIT_PERMISSIONS, user_permissions
from chartlift_sandbox.salesforce.schema import ACTIVITY_OBJECTS, Field
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

GRANT_OBJECTS = frozenset(
    {
        "PermissionSet",
        "PermissionSetAssignment",
        "FieldPermissions",
        "ObjectPermissions",
        "User",
        "UserRole",
        "GroupMember",
    }
)
SETUP_WRITERS = frozenset({"ManageUsers", "ModifyAllData", "AssignPermissionSets"})


@dataclass(frozen=True, slots=True)
class ObjectGrant:
    """What a permission set allows on one object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False

    def union(self, other: ObjectGrant) -> ObjectGrant:
        """Both grants together."""
        return ObjectGrant(*(getattr(self, name) or getattr(other, name) for name in ObjectGrant.__slots__))


@dataclass(frozen=True, slots=True)
class FieldGrant:
    """What a permission set allows on one field; edit implies read."""

    read: bool = True
    edit: bool = True


FULL = ObjectGrant(read=True, create=True, edit=True, delete=True, view_all=True, modify_all=True)
READ_ALL = ObjectGrant(read=True, view_all=True)


@dataclass(frozen=True, slots=True)
class UserAccess:
    """The union of a user's permission sets; `fields` maps object to field to "may edit"."""

    permissions: frozenset[str] = frozenset()
    objects: dict[str, ObjectGrant] = field(default_factory=dict)
    fields: dict[str, dict[str, bool]] = field(default_factory=dict)


class Access:
    """Answers access questions for one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._users: dict[str, UserAccess] = {}
        self._visible: dict[tuple[str, str, int], frozenset[str]] = {}
        self._owners: dict[str, list[str]] = {}

    def invalidate(self) -> None:
        """Forget what was read; the next question reads the tables again."""
        self._users.clear()
        self._visible.clear()
        self._owners.clear()
        self._org.note_schema_change()

    def of(self, user_id: str) -> UserAccess:
        """Everything a user may do; empty for an unknown user."""
        found = self._users.get(user_id)
        if found is None:
            with self._org.lock:
                found = self._users[user_id] = self._read(user_id)
        return found

    def _set_ids(self, user_id: str) -> list[str]:
        rows = self._org.rows(
            'SELECT p."Id" FROM "PermissionSet" p JOIN "User" u ON p."ProfileId" = u."ProfileId" '
            'WHERE p."IsOwnedByProfile" AND u."Id" = ? UNION '
            'SELECT a."PermissionSetId" FROM "PermissionSetAssignment" a WHERE a."AssigneeId" = ? AND NOT a."IsRevoked"'
            ' AND (a."ExpirationDate" IS NULL OR a."ExpirationDate" > ?) AND a."_deleted_at" IS NULL',
            [user_id, user_id, self._org.now()],
        )
        return [row["Id"] for row in rows]

    def owners_for(self, user_id: str) -> list[str]:
        """Ids of the owners whose records are a user's own for sharing; see `sharing.read_owners`."""
        found = self._owners.get(user_id)
        if found is None:
            found = self._owners[user_id] = sharing.read_owners(self._org, user_id)
        return found

    def set_names(self, user_id: str) -> list[str]:
        """API names of the permission sets of a user, the profile's own included."""
        sql = 'SELECT "Name" FROM "PermissionSet" WHERE "Id" IN (SELECT unnest(?))'
        return [row["Name"] for row in self._org.rows(sql, [self._set_ids(user_id)])]

    def _read(self, user_id: str) -> UserAccess:
        sets = self._set_ids(user_id)
        names = list(self._permission_columns())
        columns = ", ".join(
            f"coalesce(bool_or({quote('Permissions' + name)}), false) AS {quote(name)}" for name in names
        )
        row = self._org.rows(f'SELECT {columns} FROM "PermissionSet" WHERE "Id" IN (SELECT unnest(?))', [sets])[0]
        return UserAccess(frozenset(name for name in names if row[name]), self._object_grants(sets), self._fields(sets))

    def _permission_columns(self) -> tuple[str, ...]:
        """Permissions that exist in this org: the audit ones only while their switch is on."""
        on = self._org.settings.set_audit_fields
        return tuple(name for name in user_permissions() if on or name not in AUDIT_PERMISSIONS)

    def _object_grants(self, sets: list[str]) -> dict[str, ObjectGrant]:
        flags = ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
        columns = ", ".join(f'bool_or("Permissions{flag}")' for flag in flags)
        rows = self._org.db.execute(
            f'SELECT "SobjectType", {columns} FROM "ObjectPermissions" '
            'WHERE "ParentId" IN (SELECT unnest(?)) AND "_deleted_at" IS NULL GROUP BY 1',
            [sets],
        ).fetchall()
        return {row[0]: ObjectGrant(*row[1:]) for row in rows}

    def _fields(self, sets: list[str]) -> dict[str, dict[str, bool]]:
        rows = self._org.db.execute(
            'SELECT "SobjectType", "Field", bool_or("PermissionsEdit") FROM "FieldPermissions" WHERE "PermissionsRead" '
            'AND "ParentId" IN (SELECT unnest(?)) AND "_deleted_at" IS NULL GROUP BY 1, 2',
            [sets],
        ).fetchall()
        grants: dict[str, dict[str, bool]] = {}
        for object_name, name, edit in rows:
            grants.setdefault(object_name, {})[name.partition(".")[2]] = bool(edit)
        return grants

    def object_grant(self, user_id: str, permissions: frozenset[str], object_name: str) -> ObjectGrant:
        """What the user may do with records of an object."""
        sobject = self._org.schema.object(object_name)
        if sobject is None or territories.absent(self._org.settings, sobject.name):
            return ObjectGrant()
        if sobject.setup:
            writes = bool(permissions & SETUP_WRITERS)
            return ObjectGrant(read=True, create=writes, edit=writes, delete=writes, view_all=True, modify_all=writes)
        if "ModifyAllData" in permissions:
            return FULL
        granted = self.of(user_id).objects.get(sobject.name, ObjectGrant())
        return granted.union(READ_ALL) if "ViewAllData" in permissions else granted

    def visible(self, user_id: str, object_name: str) -> frozenset[str]:
        """API names of the fields of an object that the user can see."""
        sobject = self._org.schema.object(object_name)
        if sobject is None:
            return frozenset()
        key = (user_id, sobject.name, self._org.schema.version)
        found = self._visible.get(key)
        if found is None:
            granted = self._granted(user_id, sobject.name)
            everything = sobject.setup and not sobject.custom
            names = [f.name for f in sobject.fields.values() if everything or is_exempt(f) or f.name in granted]
            found = self._visible[key] = frozenset(names)
        return found

    def editable(self, user_id: str, object_name: str, found: Field) -> bool:
        """Whether field-level security lets the user write the field."""
        if is_exempt(found):
            return True
        owner = self._org.schema.object(object_name)
        if owner is None or (owner.setup and not found.custom):
            return owner is not None
        return self._granted(user_id, owner.name).get(found.name, False)

    def _granted(self, user_id: str, object_name: str) -> dict[str, bool]:
        """Fields that were granted, those of contacts that person accounts show included."""
        fields = self.of(user_id).fields
        granted = fields.get(object_name, {})
        if object_name != "Account" or not self._org.settings.person_accounts:
            return granted
        contact = {name.removesuffix("__c") + "__pc": edit for name, edit in fields.get("Contact", {}).items()}
        return contact | granted


def is_exempt(found: Field) -> bool:
    """Whether a field is outside field-level security: system, required and master-detail fields, and names."""
    return found.always_visible or found.master_detail or found.name_field or (found.custom and found.required)


def spread_activity(name: str) -> tuple[str, ...]:
    """`Activity` stands for Task and Event; any other name for itself."""
    return ACTIVITY_OBJECTS if name == "Activity" else (name,)
