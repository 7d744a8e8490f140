"""What describeValueType tells about the metadata types with effect: the elements of each. Source: WSDL v63."""

from typing import Any

# a star: required; the letter after the colon is the type: s string, b boolean, i int, d double, else a complex type
_WORDS = {
    "CustomObject": "deploymentStatus:s description:s enableActivities:b enableBulkApi:b enableHistory:b "
    "enableReports:b enableSearch:b enableSharing:b enableStreamingApi:b fields:CustomField label:s "
    "nameField:CustomField pluralLabel:s sharingModel:s validationRules:ValidationRule visibility:s",
    "CustomField": "caseSensitive:b complianceGroup:s defaultValue:s deleteConstraint:s description:s displayFormat:s "
    "externalId:b formula:s formulaTreatBlanksAs:s inlineHelpText:s label:s length:i lookupFilter:LookupFilter "
    "precision:i referenceTo:s relationshipLabel:s relationshipName:s relationshipOrder:i "
    "reparentableMasterDetail:b required:b scale:i securityClassification:s startingNumber:i trackHistory:b type:s "
    "unique:b valueSet:ValueSet visibleLines:i writeRequiresMasterRead:b",
    "ValidationRule": "active:b* description:s errorConditionFormula:s* errorDisplayField:s errorMessage:s*",
    "PermissionSet": "customPermissions:PermissionSetCustomPermissions description:s "
    "fieldPermissions:PermissionSetFieldPermissions hasActivationRequired:b label:s* license:s "
    "objectPermissions:PermissionSetObjectPermissions tabSettings:PermissionSetTabSetting "
    "userPermissions:PermissionSetUserPermission",
    "StandardValueSet": "groupingStringEnum:s sorted:b* standardValue:StandardValue",
    "GlobalValueSet": "customValue:CustomValue* description:s masterLabel:s* sorted:b*",
    "CustomTab": "customObject:b description:s label:s motif:s url:s",
    "CustomPermission": "description:s isLicensed:b* label:s*",
    "DuplicateRule": "actionOnInsert:s* actionOnUpdate:s* alertText:s description:s "
    "duplicateRuleMatchRules:DuplicateRuleMatchRule isActive:b* masterLabel:s* operationsOnInsert:s "
    "operationsOnUpdate:s securityOption:s* sortOrder:i*",
}
_PARENTS = {"CustomField": "CustomObject", "ValidationRule": "CustomObject"}
_SIMPLE = {"s": "string", "b": "boolean", "i": "int", "d": "double"}


def value_type(kind: str) -> dict[str, Any] | None:
    """DescribeValueTypeResult of a type; None for those without effect on data."""
    words = _WORDS.get(kind)
    if words is None:
        return None
    shown: dict[str, Any] = {
        "apiCreatable": kind != "StandardValueSet", "apiDeletable": kind != "StandardValueSet", "apiReadable": True,
        "apiUpdatable": True,
    }  # fmt: skip
    if kind in _PARENTS:
        shown["parentField"] = _field("fullName", "s", required=True) | {
            "foreignKeyDomain": _PARENTS[kind], "isForeignKey": True,
        }  # fmt: skip
    fields = [_field("fullName", "s", required=True, named=True)]
    for word in words.split():
        name, _, of = word.partition(":")
        fields.append(_field(name, of.rstrip("*"), required=of.endswith("*")))
    return shown | {"valueTypeFields": fields}


def _field(name: str, of: str, *, required: bool, named: bool = False) -> dict[str, Any]:
    return {
        "isForeignKey": False, "isNameField": named, "minOccurs": int(required), "name": name,
        "soapType": _SIMPLE.get(of, of), "valueRequired": required,
    }  # fmt: skip
