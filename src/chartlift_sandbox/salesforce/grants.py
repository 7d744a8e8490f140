"""Writes permission sets and profiles with their object and field grants, straight into the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce.access import FieldGrant, ObjectGrant, spread_activity
from chartlift_sandbox.salesforce.catalogue import user_permissions as known_permissions
from chartlift_sandbox.salesforce.literals import ARROW_TYPES
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

_OBJECT_COLUMNS = {
    "PermissionsRead": "read",
    "PermissionsCreate": "create",
    "PermissionsEdit": "edit",
    "PermissionsDelete": "delete",
    "PermissionsViewAllRecords": "view_all",
    "PermissionsModifyAllRecords": "modify_all",
}


def insert_rows(org: Org, object_name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Insert rows of a setup object past the rules of DML, with ids and system fields; answers the ids."""
    if not rows:
        return []
    sobject = org.schema.objects[object_name]
    ids = org.take_ids(sobject.key_prefix, len(rows)).to_pylist()
    stamp = {
        "CreatedDate": org.now(), "LastModifiedDate": org.now(), "SystemModstamp": org.now(),
        "CreatedById": org.people.automated or None, "LastModifiedById": org.people.automated or None,
    }  # fmt: skip
    stamp = {name: value for name, value in stamp.items() if name in sobject.fields}
    full = [{"Id": record_id, **stamp, **row} for record_id, row in zip(ids, rows, strict=True)]
    names = dict.fromkeys(name for row in full for name in row)
    table = pa.table(
        {name: pa.array([row.get(name) for row in full], ARROW_TYPES[sobject.fields[name].sql_type]) for name in names}
    )
    columns = ", ".join(quote(name) for name in table.column_names)
    org.query_with({"_rows": table}, f"INSERT INTO {quote(object_name)} ({columns}) SELECT {columns} FROM _rows")
    return ids


def put_permission_set(
    org: Org,
    name: str,
    label: str,
    objects: dict[str, ObjectGrant],
    fields: dict[str, FieldGrant],
    permissions: frozenset[str],
) -> str:
    """Create or replace a permission set by API name; answers its Id."""
    row = org.rows('SELECT "Id" FROM "PermissionSet" WHERE lower("Name") = lower(?) AND NOT "IsOwnedByProfile"', [name])
    if row:
        set_id = row[0]["Id"]
        for table in ("FieldPermissions", "ObjectPermissions"):
            org.db.execute(f'DELETE FROM {quote(table)} WHERE "ParentId" = ?', [set_id])
    else:
        set_id = insert_rows(
            org, "PermissionSet", [{"Name": name, "Label": label, "IsCustom": True, "Type": "Regular"}]
        )[0]
    flags = {f"Permissions{permission}": permission in permissions for permission in known_permissions()}
    sets = ", ".join(f"{quote(column)} = {str(on).lower()}" for column, on in flags.items())
    org.db.execute(
        f'UPDATE "PermissionSet" SET "Label" = $label, "SystemModstamp" = $now, {sets} WHERE "Id" = $id',
        {"label": label, "now": org.now(), "id": set_id},
    )
    _grant(org, set_id, objects, fields)
    return set_id


def put_profile_grants(
    org: Org,
    profile: str,
    objects: dict[str, ObjectGrant],
    fields: dict[str, FieldGrant],
    permissions: frozenset[str],
) -> str:
    """Create a profile with its own permission set, or add grants to an existing one; answers the profile's Id."""
    row = org.rows(
        'SELECT p."Id", s."Id" AS set_id FROM "Profile" p JOIN "PermissionSet" s ON s."ProfileId" = p."Id" '
        'WHERE lower(p."Name") = lower(?)',
        [profile],
    )
    if row:
        profile_id, set_id = row[0]["Id"], row[0]["set_id"]
        for kind, names in (("FieldPermissions", list(fields)), ("ObjectPermissions", list(objects))):
            column = "Field" if kind == "FieldPermissions" else "SobjectType"
            org.db.execute(
                f'DELETE FROM {quote(kind)} WHERE "ParentId" = ? AND {quote(column)} IN (SELECT unnest(?))',
                [set_id, names],
            )
    else:
        flags = {f"Permissions{permission}": True for permission in permissions}
        base = {"Name": profile, "UserType": "Standard", **flags}
        profile_id = insert_rows(org, "Profile", [base])[0]
        own = {"Name": f"X{profile_id[:15]}", "Label": profile, "IsOwnedByProfile": True, "ProfileId": profile_id}
        set_id = insert_rows(org, "PermissionSet", [{**own, "Type": "Profile", **flags}])[0]
    _grant(org, set_id, objects, fields)
    return profile_id


def _grant(org: Org, set_id: str, objects: dict[str, ObjectGrant], fields: dict[str, FieldGrant]) -> None:
    rows = []
    for name, grant in objects.items():
        flags = {column: getattr(grant, attribute) for column, attribute in _OBJECT_COLUMNS.items()}
        rows += [{"ParentId": set_id, "SobjectType": target, **flags} for target in spread_activity(name)]
    insert_rows(org, "ObjectPermissions", rows)
    insert_rows(org, "FieldPermissions", [row for name, grant in fields.items() for row in _field(set_id, name, grant)])
    org.access.invalidate()


def _field(set_id: str, name: str, grant: FieldGrant) -> list[dict[str, Any]]:
    object_name, _, field = name.partition(".")
    return [
        {
            "ParentId": set_id,
            "SobjectType": target,
            "Field": f"{target}.{field}",
            "PermissionsRead": grant.read or grant.edit,
            "PermissionsEdit": grant.edit,
        }
        for target in spread_activity(object_name)
    ]
