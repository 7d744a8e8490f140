"""Rows of the setup objects that have no table: what the org's automation and schema look like to a query.

`provide` puts rows behind an object of `objects/setup/`; a row is a dictionary of API names, `Id` and the audit fields
are filled in where they are missing. Objects for which nobody provides rows are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.catalogue import setup_object
from chartlift_sandbox.salesforce.rulebook import STANDARD_CONTACT, duplicate_rules
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.territories import absent

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

Row = dict[str, Any]
Source = Callable[["Org"], list[Row]]
_SOURCES: dict[str, Source] = {}
_MOMENTS = {"before_save": "RecordBeforeSave", "after_save": "RecordAfterSave"}
_ON = {"insert": "Create", "update": "Update", "both": "CreateAndUpdate"}


def provide(object_name: str, source: Source) -> None:
    """Make `source` answer the rows of a setup object, in place of what answered before."""
    _SOURCES[object_name] = source


def rows(org: Org, object_name: str) -> list[Row]:
    """The rows of a setup object as they are now."""
    source = _SOURCES.get(object_name)
    if source is None:
        return []
    sobject, now, who = setup_object(object_name), org.now(), org.people.automated or None
    common = {
        "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now, "CreatedById": who,
        "LastModifiedById": who, "ManageableState": "unmanaged",
    }  # fmt: skip
    shared = {name: value for name, value in common.items() if name in sobject.fields}
    flags = {f.name: False for f in sobject.fields.values() if f.type == "boolean"}
    return [
        {"Id": ids.make(sobject.key_prefix, number), **flags, **shared, **row}
        for number, row in enumerate(source(org), start=1)
    ]


def _entities(org: Org) -> list[Row]:
    return [_entity(one) for one in org.schema.objects.values() if not absent(org.settings, one.name)]


def _entity(one: SObject) -> Row:
    business = not one.setup
    shown = dict.fromkeys(
        ("IsApexTriggerable", "IsTriggerable", "IsLayoutable", "IsSearchable", "IsMruEnabled", "IsFeedEnabled"),
        business,
    )
    return {
        "Id": one.name, "DurableId": one.name, "QualifiedApiName": one.name, "MasterLabel": one.label,
        "DeveloperName": one.name.removesuffix("__c"), "Label": one.label, "PluralLabel": one.label_plural,
        "KeyPrefix": one.key_prefix or None, "IsQueryable": one.queryable, "IsCustomizable": business,
        "IsEverCreatable": one.createable, "IsEverUpdatable": one.updateable, "IsEverDeletable": one.deletable,
        "IsIdEnabled": True, "IsRetrieveable": True, "IsReplicateable": True, "IsWorkflowEnabled": business,
        "IsProcessEnabled": business, "IsCompactLayoutable": business, "IsSearchLayoutable": business,
        "InternalSharingModel": one.sharing_model, "ExternalSharingModel": "Private",
        "DeploymentStatus": "Deployed" if one.custom else None, "PublisherId": "System", **shown,
    }  # fmt: skip


def _fields(org: Org) -> list[Row]:
    return [_field(one, found) for one in org.schema.objects.values() for found in one.fields.values()]


def _field(one: SObject, found: Field) -> Row:
    return {
        "Id": f"{one.name}.{found.name}", "DurableId": f"{one.name}.{found.name}", "QualifiedApiName": found.name,
        "DeveloperName": found.name.removesuffix("__c"), "MasterLabel": found.label, "Label": found.label,
        "DataType": found.type, "Length": found.length, "Precision": found.precision, "Scale": found.scale,
        "IsIndexed": found.is_lookup_key, "IsNillable": found.nillable, "EntityDefinitionId": one.name,
        "IsCalculated": found.calculated, "IsNameField": found.name_field, "IsHtmlFormatted": found.html,
        "IsApiFilterable": found.filterable, "IsApiSortable": found.sortable, "IsApiGroupable": found.groupable,
        "IsCompound": not found.stored, "RelationshipName": found.relationship_name,
        "IsPolymorphicForeignKey": found.polymorphic, "ExtraTypeInfo": None, "PublisherId": "System",
    }  # fmt: skip


def _validation_rules(org: Org) -> list[Row]:
    named = [
        (rule.name or f"{rule.object_name.removesuffix('__c')}_rule_{number}", rule)
        for number, rule in enumerate(org.validation_rules, start=1)
    ]
    return [
        {
            "ValidationName": name, "Active": rule.active, "Description": rule.description or None,
            "EntityDefinitionId": rule.object_name, "ErrorMessage": rule.message,
            "ErrorDisplayField": rule.error_field or None,
            "FullName": f"{rule.object_name}.{name}",
            "Metadata": {
                "active": rule.active, "errorConditionFormula": rule.formula or rule.condition,
                "errorMessage": rule.message, "errorDisplayField": rule.error_field or None,
                "description": rule.description or None,
            },
        }
        for name, rule in named
    ]  # fmt: skip


def _flows(org: Org) -> list[Row]:
    updates = [
        (f"Set_{one.field}_{number}", f"Set {one.field}", "RecordBeforeSave",
         "CreateAndUpdate" if one.on_update else "Create", True, one.object_name)
        for number, one in enumerate(org.before_save, start=1)
    ]  # fmt: skip
    made = [
        (one.name, one.name.replace("_", " "), _MOMENTS[one.moment], _ON[one.on], one.active, one.object_name)
        for one in org.rules.automations
        if one.action != "fail_apex"
    ]
    return [
        {
            "DurableId": name, "ApiName": name, "Label": label, "ProcessType": "AutoLaunchedFlow",
            "TriggerType": moment, "RecordTriggerType": on, "IsActive": active, "TriggerObjectOrEventId": owner,
            "TriggerObjectOrEventLabel": owner, "VersionNumber": 1, "TriggerOrder": None, "Builder": "Flow Builder",
            "ApiVersion": 67, "ActiveVersionId": ids.make("301", number), "LatestVersionId": ids.make("301", number),
        }
        for number, (name, label, moment, on, active, owner) in enumerate([*updates, *made], start=1)
    ]  # fmt: skip


def _triggers(org: Org) -> list[Row]:
    apex = [one for one in org.rules.automations if one.action == "fail_apex"]
    return [
        {
            "Name": one.name, "TableEnumOrId": one.object_name, "Status": "Active" if one.active else "Inactive",
            "ApiVersion": 67.0, "IsValid": True,
            **{
                f"Usage{moment}{op.title()}": moment == _MOMENTS[one.moment].removeprefix("Record").removesuffix("Save")
                and one.on in {"both", op}
                for moment in ("Before", "After")
                for op in ("insert", "update")
            },
        }
        for one in apex
    ]  # fmt: skip


def _duplicate_rules(org: Org) -> list[Row]:
    rows = [
        {
            "DeveloperName": rule.name, "MasterLabel": rule.label, "SobjectType": rule.object_name,
            "Language": "en_US", "IsActive": rule.active,
        }
        for rule in duplicate_rules(org.rules, standard=org.settings.duplicate_rule_contact)
    ]  # fmt: skip
    if all(row["DeveloperName"] != STANDARD_CONTACT.name for row in rows):
        off = STANDARD_CONTACT
        rows.append(
            {"DeveloperName": off.name, "MasterLabel": off.label, "SobjectType": off.object_name, "Language": "en_US"}
        )
    return rows


def _tabs(org: Org) -> list[Row]:
    shown = [one for one in org.schema.objects.values() if one.has_tab]
    return [
        {
            "DurableId": one.name, "Label": one.label_plural, "IsCustom": one.custom, "SobjectName": one.name,
            "Name": one.name if one.custom else f"standard-{one.name}", "Url": f"{org.base_url}/{one.key_prefix}/o",
            "IsAvailableInAloha": True, "IsAvailableInLightning": True, "IsAvailableInMobile": True,
        }
        for one in shown
    ]  # fmt: skip


for _name, _source in {
    "EntityDefinition": _entities, "FieldDefinition": _fields, "ValidationRule": _validation_rules,
    "FlowDefinitionView": _flows, "DuplicateRule": _duplicate_rules, "TabDefinition": _tabs,
    "ApexTrigger": _triggers,
}.items():  # fmt: skip
    provide(_name, _source)
