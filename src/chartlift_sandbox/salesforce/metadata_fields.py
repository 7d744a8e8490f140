"""Turns a CustomField element into a field of the schema, and says what a real org would refuse about it.

Sources: Metadata WSDL v63 (elements and enumerations), describes of custom fields in recorded orgs.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from chartlift_sandbox.salesforce.lookup_filters import OPERATIONS, combined
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError
from chartlift_sandbox.salesforce.metadata_zip import children_of, flag_of, number_of, text_of
from chartlift_sandbox.salesforce.schema import Field, FilterItem, PicklistValue

_API_NAME = re.compile(r"[A-Za-z](?!\w*__\w*__)\w{0,39}__c")
_RELATIONSHIP = re.compile(r"[A-Za-z](?!\w*__)\w{0,39}")
_FORMULA_LENGTH = 1300
_TEXT_MAX, _LONG_MIN, _LONG_MAX, _DIGITS_MAX = 255, 256, 131_072, 18
_EXTERNAL_TYPES = {"Text", "Number", "Email", "AutoNumber"}
_NEVER_REQUIRED = {"LongTextArea", "Html", "Checkbox", "MultiselectPicklist", "AutoNumber"}
_FIXED_LENGTH = {"TextArea": 255, "Email": 80, "Phone": 40, "Url": 255, "Picklist": 255, "MultiselectPicklist": 4099}
_DESCRIBED_AS = {
    "Text": "string", "TextArea": "textarea", "LongTextArea": "textarea", "Html": "textarea", "Number": "double",
    "Currency": "currency", "Percent": "percent", "Checkbox": "boolean", "Date": "date", "DateTime": "datetime",
    "Time": "time", "Picklist": "picklist", "MultiselectPicklist": "multipicklist", "Email": "email",
    "Phone": "phone", "Url": "url", "Lookup": "reference", "MasterDetail": "reference", "AutoNumber": "string",
}  # fmt: skip
_UNGROUPED = {"Number", "Currency", "Percent", "DateTime", "Time", "LongTextArea", "Html", "MultiselectPicklist"}
_UNFILTERED = {"LongTextArea", "Html"}
_NUMBER_PLACE = re.compile(r"\{0+\}")
_DATE_PLACE = re.compile(r"\{(?:YYYY|YY|MM|DD)\}")


def is_field_name(name: str) -> bool:
    """Whether a custom field may have that API name."""
    return _API_NAME.fullmatch(name) is not None


def read_field(element: Element) -> Field:
    """The field that a CustomField element declares.

    Raises:
        ComponentError: the declaration is incomplete or contradicts itself.
    """
    name, kind = text_of(element, "fullName") or "", text_of(element, "type")
    if not is_field_name(name):
        raise ComponentError(f"The Custom Field name is not valid: {name}")
    for required in ("label", "type"):
        if text_of(element, required) is None:
            raise ComponentError(f"Required field is missing: {required}")
    if kind is None or kind not in _DESCRIBED_AS:
        raise ComponentError(f"'{kind}' is not a valid value for the enum 'FieldType'")
    _check_flags(element, kind)
    words: dict[str, Any] = {
        "name": name,
        "label": text_of(element, "label"),
        "type": _DESCRIBED_AS[kind],
        "custom": True,
        "external_id": flag_of(element, "externalId"),
        "id_lookup": flag_of(element, "externalId"),
        "unique": flag_of(element, "unique"),
        "case_sensitive": flag_of(element, "unique") and flag_of(element, "caseSensitive"),
        "required": flag_of(element, "required"),
        "nillable": not flag_of(element, "required"),
        "always_visible": flag_of(element, "required"),
        "help_text": text_of(element, "inlineHelpText"),
        "groupable": kind not in _UNGROUPED,
        "filterable": kind not in _UNFILTERED,
        "sortable": kind not in _UNFILTERED | {"MultiselectPicklist"},
        "length": _FIXED_LENGTH.get(kind, 0),
    }
    words |= _worked_out(element, kind)
    return Field(**(_default(element, kind) | words))


def _worked_out(element: Element, kind: str) -> dict[str, Any]:
    """What a type adds, and a formula: nobody writes it, and the platform itself gives such a text its length."""
    formula = text_of(element, "formula")
    if formula is None or kind != "Text":
        words = _DETAILS[kind](element, kind) if kind in _DETAILS else {}
    else:
        words = {"length": _FORMULA_LENGTH}
    if formula is None:
        return words
    return words | {"calculated": True, "formula": formula, "createable": False, "updateable": False}


def _check_flags(element: Element, kind: str) -> None:
    if flag_of(element, "externalId") and kind not in _EXTERNAL_TYPES:
        raise ComponentError(f"Can not specify 'externalId' for a CustomField of type {kind}")
    if flag_of(element, "unique") and kind not in _EXTERNAL_TYPES - {"AutoNumber"}:
        raise ComponentError(f"Can not specify 'unique' for a CustomField of type {kind}")
    if flag_of(element, "required") and kind in _NEVER_REQUIRED:
        raise ComponentError(f"Can not specify 'required' for a CustomField of type {kind}")


def _must(element: Element, name: str, kind: str) -> str:
    text = text_of(element, name)
    if text is None:
        raise ComponentError(f"Must specify '{name}' for a CustomField of type {kind}")
    return text


def _text(element: Element, kind: str) -> dict[str, Any]:
    _must(element, "length", kind)
    length = number_of(element, "length")
    if not 1 <= length <= _TEXT_MAX:
        raise ComponentError(f"Text field length must be between 1 and {_TEXT_MAX}: {length}")
    return {"length": length}


def _long_text(element: Element, kind: str) -> dict[str, Any]:
    _must(element, "length", kind)
    _must(element, "visibleLines", kind)
    length = number_of(element, "length")
    if not _LONG_MIN <= length <= _LONG_MAX:
        raise ComponentError(f"{kind} length must be between {_LONG_MIN} and {_LONG_MAX}: {length}")
    return {"length": length, "html": kind == "Html"}


def _number(element: Element, kind: str) -> dict[str, Any]:
    _must(element, "precision", kind)
    _must(element, "scale", kind)
    precision, scale = number_of(element, "precision"), number_of(element, "scale")
    if not 1 <= precision <= _DIGITS_MAX or not 0 <= scale <= precision:
        raise ComponentError(
            f"Precision must be between 1 and {_DIGITS_MAX}, scale at most precision: {precision},{scale}"
        )
    return {"precision": precision, "scale": scale}


def _checkbox(element: Element, kind: str) -> dict[str, Any]:
    default = _must(element, "defaultValue", kind).lower()
    return {"nillable": False, "defaulted_on_create": True, "default": "true" if default == "true" else "false"}


def _picklist(element: Element, kind: str) -> dict[str, Any]:
    value_set = element.find(element.tag.split("}")[0] + "}valueSet")
    if value_set is None:
        raise ComponentError(f"Must specify 'valueSet' for a CustomField of type {kind}")
    words: dict[str, Any] = {
        "restricted": flag_of(value_set, "restricted"),
        "controller": text_of(value_set, "controllingField"),
    }
    if kind == "MultiselectPicklist":
        _must(element, "visibleLines", kind)
        words["precision"] = number_of(element, "visibleLines")
    if (shared := text_of(value_set, "valueSetName")) is not None:
        return words | {"value_set": shared, "restricted": True}
    values = tuple(
        v for definition in children_of(value_set, "valueSetDefinition") for v in read_values(definition, "value")
    )
    values = _dependent(value_set, values)
    if not values:
        raise ComponentError(f"Must specify at least one value for a CustomField of type {kind}")
    default = next((one.value for one in values if one.default and one.active), None)
    return words | {"picklist": values, "default": default, "defaulted_on_create": default is not None}


def _dependent(value_set: Element, values: tuple[PicklistValue, ...]) -> tuple[PicklistValue, ...]:
    """The entries with the controlling values that offer them."""
    offered: dict[str, list[str]] = {}
    for setting in children_of(value_set, "valueSettings"):
        controlling = [one.text or "" for one in children_of(setting, "controllingFieldValue")]
        offered.setdefault(text_of(setting, "valueName") or "", []).extend(controlling)
    return tuple(replace(one, valid_for=tuple(offered.get(one.value, ()))) for one in values)


def _filter(element: Element) -> dict[str, Any]:
    """The filter of a lookup, if it is active and required. Raises ComponentError for logic that is none."""
    for one in children_of(element, "lookupFilter"):
        if not flag_of(one, "active") or flag_of(one, "isOptional"):
            continue
        items = [
            FilterItem(text_of(item, "field") or "", text_of(item, "operation") or "", text_of(item, "value") or "")
            for item in children_of(one, "filterItems")
            if text_of(item, "valueField") is None
        ]
        if len(items) == len(children_of(one, "filterItems")) and all(i.operation in OPERATIONS for i in items):
            logic = text_of(one, "booleanFilter") or ""
            if logic and combined(logic, ["true"] * len(items)) is None:
                raise ComponentError(f"Invalid filter logic: {logic}")
            return {
                "lookup_filter": tuple(items), "filter_logic": logic, "filter_message": text_of(one, "errorMessage"),
            }  # fmt: skip
    return {}


def read_values(element: Element, tag: str) -> tuple[PicklistValue, ...]:
    """The entries of a value set, in order.

    Raises:
        ComponentError: an entry without a name, or one name twice.
    """
    out: dict[str, PicklistValue] = {}
    for one in children_of(element, tag):
        name = text_of(one, "fullName")
        if name is None:
            raise ComponentError("Required field is missing: fullName")
        if name.lower() in out:
            raise ComponentError(f"Duplicate picklist value: {name}")
        active, default = flag_of(one, "isActive", default=True), flag_of(one, "default")
        out[name.lower()] = PicklistValue(name, text_of(one, "label") or name, active=active, default=default)
    return tuple(out.values())


def _lookup(element: Element, kind: str) -> dict[str, Any]:
    name, target = text_of(element, "fullName") or "", _must(element, "referenceTo", kind)
    relationship = text_of(element, "relationshipName")
    if relationship is None:
        raise ComponentError("Must specify 'relationshipName' for a CustomField of type " + kind)
    if not _RELATIONSHIP.fullmatch(relationship):
        raise ComponentError(f"The Child Relationship Name is not valid: {relationship}")
    words: dict[str, Any] = {
        "length": 18,
        "reference_to": (target,),
        "relationship_name": name[: -len("__c")] + "__r",
        "child_relationship_name": relationship + "__r",
    }
    if kind == "MasterDetail":
        reparentable = flag_of(element, "reparentableMasterDetail")
        return words | {
            "master_detail": True, "relationship_order": number_of(element, "relationshipOrder"), "nillable": False,
            "required": True, "always_visible": True, "updateable": reparentable, "reparentable": reparentable,
            "delete_constraint": "Cascade",
        }  # fmt: skip
    constraint = text_of(element, "deleteConstraint")
    if constraint not in {None, "SetNull", "Restrict", "Cascade"}:
        raise ComponentError(f"'{constraint}' is not a valid value for the enum 'DeleteConstraint'")
    if flag_of(element, "required") and constraint == "SetNull":
        raise ComponentError("Must specify either cascade delete or restrict delete for required lookup foreign key")
    fallback = "Restrict" if flag_of(element, "required") else "SetNull"
    return words | {"delete_constraint": constraint or fallback} | _filter(element)


def _auto_number(element: Element, kind: str) -> dict[str, Any]:
    shape = _must(element, "displayFormat", kind)
    return auto_number_words(shape, number_of(element, "startingNumber", 1)) | {"length": 30}


def auto_number_words(shape: str, start: int) -> dict[str, Any]:
    """Attributes of a field numbered by the org.

    Raises:
        ComponentError: the format has no place for the number.
    """
    rest = _DATE_PLACE.sub("", _NUMBER_PLACE.sub("", shape, count=1))
    if not _NUMBER_PLACE.search(shape) or "{" in rest or "}" in rest:
        raise ComponentError(f"The display format is not valid: {shape}")
    return {
        "auto_number": shape, "starting_number": start, "createable": False, "updateable": False, "nillable": False,
        "defaulted_on_create": True,
    }  # fmt: skip


def _default(element: Element, kind: str) -> dict[str, Any]:
    text = text_of(element, "defaultValue")
    if text is None or kind in {"Checkbox", "AutoNumber"}:
        return {}
    literal = re.fullmatch(r"""(["'])(.*)\1""", text)
    return {"default": literal.group(2) if literal else text, "defaulted_on_create": True}


_DETAILS: dict[str, Callable[[Element, str], dict[str, Any]]] = {
    "Text": _text,
    "LongTextArea": _long_text,
    "Html": _long_text,
    "Number": _number,
    "Currency": _number,
    "Percent": _number,
    "Checkbox": _checkbox,
    "Picklist": _picklist,
    "MultiselectPicklist": _picklist,
    "Lookup": _lookup,
    "MasterDetail": _lookup,
    "AutoNumber": _auto_number,
}
