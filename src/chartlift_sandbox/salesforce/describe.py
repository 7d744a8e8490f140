"""Describe: what the caller can see of an object, in the shape of the REST API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from chartlift_sandbox.salesforce.access import is_exempt
from chartlift_sandbox.salesforce.catalogue import in_data_api, setup_names
from chartlift_sandbox.salesforce.errors import not_found
from chartlift_sandbox.salesforce.object_traits import is_child, scopes, traits
from chartlift_sandbox.salesforce.schema import NUMBER_TYPES, Field, PicklistValue, SObject
from chartlift_sandbox.salesforce.soql.virtual import object_for

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

MASTER_RECORD_TYPE = "012000000000000AAA"
_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long",
    "date": "xsd:date", "datetime": "xsd:dateTime", "time": "xsd:time", "address": "urn:address",
    "base64": "xsd:base64Binary", **dict.fromkeys(NUMBER_TYPES, "xsd:double"),
}  # fmt: skip
PERSON_NAME_LENGTH = 121
SHORT_TEXT = 255
"""Longest text area that can be filtered, sorted and grouped."""
_NOT_AGGREGATABLE = frozenset({"boolean", "address", "multipicklist", "base64"})
_ACTIVE_FLAGS = ("layoutable", "mruEnabled", "searchable", "triggerable", "feedEnabled")


def describe_global(org: Org, actor: Actor, version: str, *, tooling: bool = False) -> dict[str, Any]:
    """The objects that the caller can read; those of the Tooling API are about setup, all of them."""
    names = {one.name for one in org.schema.objects.values() if one.setup or not tooling}
    names = {name for name in names if org.readable(actor, name)}
    made = setup_names() if tooling else filter(in_data_api, setup_names())
    found = [_found(org, actor, name, tooling=tooling) for name in sorted({*names, *made})]
    entries = [_summary(org, actor, sobject, version, tooling=tooling) for sobject in found]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}


def _found(org: Org, actor: Actor, object_name: str, *, tooling: bool = False) -> SObject:
    """The object, one without a table too. Raises OrgError NOT_FOUND when the caller cannot see it."""
    sobject = org.schema.object(object_name)
    if sobject is not None and org.readable(actor, sobject.name):
        return sobject
    made = None if sobject is not None else object_for(object_name, tooling=tooling)
    if made is None:
        raise not_found()
    return made


def describe_object(org: Org, actor: Actor, object_name: str, version: str, *, tooling: bool = False) -> dict[str, Any]:
    """The whole describe of one object. Raises OrgError NOT_FOUND when the caller cannot see it."""
    sobject = _found(org, actor, object_name, tooling=tooling)
    known = org.schema.object(sobject.name) is not None
    visible = org.visible_fields(actor, sobject.name) if known else frozenset(sobject.fields)
    summary = _summary(org, actor, sobject, version, tooling=tooling)
    base = org.base_url
    summary["urls"] |= {
        "uiDetailTemplate": f"{base}/{{ID}}",
        "uiEditTemplate": f"{base}/{{ID}}/e",
        "uiNewRecord": f"{base}/{sobject.key_prefix}/e",
    }
    return {
        "actionOverrides": [],
        **summary,
        "childRelationships": _children(org, actor, sobject),
        "compactLayoutable": not sobject.setup,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [_field(org, actor, sobject, f) for f in sobject.fields.values() if f.name in visible],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": _record_types(org, sobject, version),
        "searchLayoutable": not sobject.setup and traits(sobject.name).get("searchable", True),
        "sobjectDescribeOption": "FULL",
        "supportedScopes": scopes(sobject.name, sobject.label_plural),
    }


def object_summary(org: Org, actor: Actor, object_name: str, version: str) -> dict[str, Any]:
    """The element of describeGlobal for one object. Raises OrgError NOT_FOUND when the caller cannot see it."""
    return _summary(org, actor, _found(org, actor, object_name), version)


def _summary(org: Org, actor: Actor, sobject: SObject, version: str, *, tooling: bool = False) -> dict[str, Any]:
    grant = org.grant(actor, sobject.name)
    base = f"/services/data/v{version}/{'tooling/' if tooling else ''}sobjects/{sobject.name}"
    business = not sobject.setup
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": sobject.createable and grant.create,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.deletable and grant.delete,
        "deprecatedAndHidden": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.key_prefix,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "mergeable": sobject.mergeable,
        "name": sobject.name,
        "queryable": sobject.queryable,
        "replicateable": True,
        "retrieveable": True,
        "undeletable": sobject.undeletable,
        "updateable": sobject.updateable and grant.edit,
        **dict.fromkeys(_ACTIVE_FLAGS, business),
        **traits(sobject.name),
        "urls": {
            "compactLayouts": f"{base}/describe/compactLayouts",
            "rowTemplate": f"{base}/{{ID}}",
            "approvalLayouts": f"{base}/describe/approvalLayouts",
            "describe": f"{base}/describe",
            "quickActions": f"{base}/quickActions",
            "layouts": f"{base}/describe/layouts",
            "listviews": f"{base}/listviews",
            "sobject": base,
        },
    }


def _master_record_type(sobject: SObject, version: str) -> dict[str, Any]:
    layout = f"/services/data/v{version}/sobjects/{sobject.name}/describe/layouts/{MASTER_RECORD_TYPE}"
    return {
        "active": True, "available": True, "defaultRecordTypeMapping": True, "developerName": "Master",
        "master": True, "name": "Master", "recordTypeId": MASTER_RECORD_TYPE, "urls": {"layout": layout},
    }  # fmt: skip


def _record_types(org: Org, sobject: SObject, version: str) -> list[dict[str, Any]]:
    rows = org.rows(
        'SELECT "Id", "Name", "DeveloperName", "IsActive" FROM "RecordType" WHERE "SobjectType" = ? ORDER BY "Id"',
        [sobject.name],
    )
    master = _master_record_type(sobject, version)
    layouts = f"/services/data/v{version}/sobjects/{sobject.name}/describe/layouts"
    named = [
        {
            "active": row["IsActive"], "available": row["IsActive"], "defaultRecordTypeMapping": place == 0,
            "developerName": row["DeveloperName"], "master": False, "name": row["Name"], "recordTypeId": row["Id"],
            "urls": {"layout": f"{layouts}/{row['Id']}"},
        }
        for place, row in enumerate(rows)
    ]  # fmt: skip
    return [*named, {**master, "defaultRecordTypeMapping": not named}]


def _children(org: Org, actor: Actor, sobject: SObject) -> list[dict[str, Any]]:
    found = []
    for child, lookup in org.schema.children(sobject.name):
        if not is_child(lookup.name) or not org.readable(actor, child.name):
            continue
        if lookup.name not in org.visible_fields(actor, child.name):
            continue
        name = lookup.child_relationship_name
        found.append(
            {
                "cascadeDelete": lookup.master_detail or lookup.delete_constraint == "Cascade",
                "childSObject": child.name,
                "deprecatedAndHidden": False,
                "field": lookup.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": f"{name}__r" if name and lookup.custom and not name.endswith("__r") else name,
                "restrictedDelete": lookup.delete_constraint == "Restrict",
            }
        )
    return found


def _field(org: Org, actor: Actor, sobject: SObject, found: Field) -> dict[str, Any]:
    editable = org.access.editable(actor.user_id, sobject.name, found)
    entries = org.schema.values(found)
    offers = _offers(org, sobject, found)
    return {
        **_identity(found),
        **_sizes(found),
        **_writing(org, actor, found, editable=editable),
        **_relations(found),
        "picklistValues": [_entry(entry, found, offers) for entry in entries],
        "restrictedPicklist": found.restricted,
        **_queries(found),
        **_rarities(found),
        "controllerName": found.controller,
        "dependentPicklist": found.controller is not None,
    }


def _identity(found: Field) -> dict[str, Any]:
    return {
        "autoNumber": found.auto_number is not None,
        "calculated": found.calculated,
        "calculatedFormula": found.formula,
        "caseSensitive": found.case_sensitive,
        "compoundFieldName": found.compound,
        "custom": found.custom,
        "externalId": found.external_id,
        "extraTypeInfo": _extra_type(found),
        "htmlFormatted": found.html,
        "idLookup": found.is_lookup_key,
        "inlineHelpText": found.help_text,
        "label": found.label,
        "name": found.name,
        "nameField": found.name_field,
        "soapType": _SOAP_TYPES.get(found.type, "xsd:string"),
        "type": found.type,
        "unique": found.unique,
    }


def _extra_type(found: Field) -> str | None:
    if found.type == "textarea":
        return "richtextarea" if found.html else "plaintextarea"
    if found.name == "PhotoUrl":
        return "imageurl"
    person = found.compound == "Name" and not found.custom and found.name != "Name"
    return (
        "personname"
        if person or (found.name == "Name" and not found.createable and found.length == PERSON_NAME_LENGTH)
        else None
    )


def _sizes(found: Field) -> dict[str, Any]:
    single = found.type in {"id", "reference"}
    return {
        "byteLength": found.length if single else 3 * found.length,
        "digits": found.digits,
        "length": found.length,
        "precision": found.precision,
        "scale": found.scale,
    }


def _writing(org: Org, actor: Actor, found: Field, *, editable: bool) -> dict[str, Any]:
    audit = found.audit and org.settings.set_audit_fields and "CreateAuditFields" in actor.permissions
    default: Any = found.default
    if found.type == "boolean":
        default = found.default == "true"
    return {
        "createable": (found.createable and editable) or audit,
        "defaultValue": default,
        "defaultValueFormula": None,
        "defaultedOnCreate": found.defaulted_on_create or found.type == "boolean" or found.auto_number is not None,
        "nillable": found.nillable and not found.required,
        "permissionable": not is_exempt(found),
        "updateable": found.updateable and editable,
    }


def _relations(found: Field) -> dict[str, Any]:
    return {
        "cascadeDelete": found.master_detail or (found.custom and found.delete_constraint == "Cascade"),
        "namePointing": found.name_pointing or found.polymorphic,
        "polymorphicForeignKey": found.polymorphic,
        "referenceTargetField": None,
        "referenceTo": list(found.reference_to),
        "relationshipName": found.relationship_name,
        "relationshipOrder": found.relationship_order,
        "restrictedDelete": found.custom and found.delete_constraint == "Restrict",
        "writeRequiresMasterRead": False,
    }


def _queries(found: Field) -> dict[str, Any]:
    long_text = found.type == "textarea" and found.length > SHORT_TEXT
    return {
        "aggregatable": found.type not in _NOT_AGGREGATABLE and not long_text,
        "filterable": found.filterable and not long_text,
        "groupable": found.groupable and not long_text,
        "queryByDistance": found.type in {"address", "location"},
        "searchPrefilterable": found.type == "reference" and not found.always_visible,
        "sortable": found.sortable and not long_text,
    }


def _rarities(found: Field) -> dict[str, Any]:
    """Keys that say the same for every field of this org."""
    return {
        "aiPredictionField": False,
        "deprecatedAndHidden": False,
        "displayLocationInDecimal": False,
        "encrypted": found.type == "encryptedstring",
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "highScaleNumber": False,
        "mask": None,
        "maskType": None,
    }


def _offers(org: Org, sobject: SObject, found: Field) -> list[str]:
    """The values of the controlling field in the order that `validFor` counts them."""
    controller = sobject.field(found.controller) if found.controller else None
    if controller is None:
        return []
    if controller.type == "boolean":
        return ["unchecked", "checked"]
    return [one.value for one in org.schema.values(controller)]


def _valid_for(entry: PicklistValue, offers: list[str]) -> str | None:
    """Base64 of one bit per controlling value, the first the highest; whole groups of three bytes."""
    if not offers:
        return None
    bits = bytearray(3 * (len(offers) // 24 + 1))
    for place, value in enumerate(offers):
        if value in entry.valid_for:
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bits).decode()


def _entry(entry: PicklistValue, found: Field, offers: list[str]) -> dict[str, Any]:
    default = entry.default or (found.default is not None and entry.value == found.default)
    return {
        "active": entry.active, "defaultValue": default, "label": entry.label, "validFor": _valid_for(entry, offers),
        "value": entry.value
    }  # fmt: skip
