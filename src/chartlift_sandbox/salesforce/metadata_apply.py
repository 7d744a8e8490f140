"""Applies a checked deployment to the schema, the tables and the permission rows."""

from collections.abc import Callable
from dataclasses import replace

from chartlift_sandbox.salesforce import metadata_rules
from chartlift_sandbox.salesforce.metadata_deploy import Deployment
from chartlift_sandbox.salesforce.metadata_draft import Change
from chartlift_sandbox.salesforce.metadata_sources import Sources
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.permissions import remove_permission_set, store_permission_set
from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.store import quote

_TAB_FIELDS = (("LastViewedDate", "Last Viewed Date"), ("LastReferencedDate", "Last Referenced Date"))


def apply(deployment: Deployment, sources: Sources) -> None:
    """Makes the changes in the order in which they were checked. The caller holds the org's lock."""
    org = deployment.org
    for change in deployment.draft.changes:
        _APPLY[change.kind](org, change)
    for kind, name in deployment.removal.rules:
        metadata_rules.remove(org.rules, kind, name)
    for rule in deployment.rules:
        metadata_rules.put(org.rules, rule)
    for name, granted in deployment.custom_grants.items():
        org.rules.grants.pop(name.lower(), None)
        if granted:
            org.rules.grants[name.lower()] = granted
    for spec in deployment.sets:
        store_permission_set(org, spec)
    for name in deployment.removal.sets:
        remove_permission_set(org, name)
    org.access.invalidate()
    for one in deployment.outcomes:
        if one.deleted and not one.failed:
            sources.forget(one.kind, one.name)
    now, failed = org.clock.now(), {(one.kind, one.name) for one in deployment.outcomes if one.failed}
    for (kind, name), xml in deployment.sources.items():
        if (kind, name) not in failed:
            sources.record(kind, name, xml, now, deployment.actor.user_id)


def _object(org: Org, change: Change) -> None:
    made = change.sobject
    assert made is not None
    old = org.schema.object(made.name)
    if old is not None:
        old.label, old.label_plural, old.sharing_model = made.label, made.label_plural, made.sharing_model
        org.schema.add_object(old)
        return
    made.key_prefix = org.schema.next_custom_prefix()
    org.create_object(made)


def _field(org: Org, change: Change) -> None:
    new = change.field
    assert new is not None
    org.create_field(change.object, new)


def _tab(org: Org, change: Change) -> None:
    owner = org.schema.object(change.object)
    if owner is None or owner.has_tab:
        return
    owner.has_tab = True
    for name, label in _TAB_FIELDS:
        shown = Field(name, label, "datetime", createable=False, updateable=False, groupable=False, always_visible=True)
        org.create_field(owner.name, shown)


def _remove_tab(org: Org, change: Change) -> None:
    owner = org.schema.object(change.object)
    if owner is None:
        return
    owner.has_tab = False
    for name, _ in _TAB_FIELDS:
        org.drop_field(owner.name, name)


def _remove_value_set(org: Org, change: Change) -> None:
    org.schema.value_sets.pop(change.object, None)


def _value_set(org: Org, change: Change) -> None:
    org.set_value_set(change.object, change.values)


def _remove_field(org: Org, change: Change) -> None:
    gone = change.field
    assert gone is not None
    org.drop_field(change.object, gone.name)
    org.db.execute('DELETE FROM "FieldPermissions" WHERE "Field" = ?', [f"{change.object}.{gone.name}"])


def rename_field(org: Org, owner: str, found: Field, name: str) -> None:
    """Gives a custom field another name; its values and who may see it stay. The caller holds the org's lock."""
    relation = name.removesuffix("__c") + "__r" if found.relationship_name else None
    org.create_field(owner, replace(found, name=name, relationship_name=relation))
    old_column, table = quote(found.name), quote(owner)
    if found.formula is None:
        org.db.execute(f"UPDATE {table} SET {quote(name)} = {old_column} WHERE {old_column} IS NOT NULL")
    new = f"{owner}.{name}"
    org.db.execute('UPDATE "FieldPermissions" SET "Field" = ? WHERE "Field" = ?', [new, f"{owner}.{found.name}"])
    org.drop_field(owner, found.name)


def _remove_object(org: Org, change: Change) -> None:
    org.drop_object(change.object)
    for child in ("FieldPermissions", "ObjectPermissions"):
        org.db.execute(f'DELETE FROM "{child}" WHERE "SobjectType" = ?', [change.object])


_APPLY: dict[str, Callable[[Org, Change], None]] = {
    "object": _object,
    "field": _field,
    "tab": _tab,
    "value_set": _value_set,
    "remove_tab": _remove_tab,
    "remove_value_set": _remove_value_set,
    "remove_field": _remove_field,
    "remove_object": _remove_object,
}
