"""Rules as metadata: validation rules, duplicate rules with their matching rules, and custom permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol
from xml.etree.ElementTree import Element

from chartlift_sandbox.salesforce.formulas import FormulaError, compile_formula
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError
from chartlift_sandbox.salesforce.metadata_zip import FileError, Package, children_of, flag_of, text_of
from chartlift_sandbox.salesforce.rulebook import STANDARD_CONTACT, DuplicateRule, MatchField, Rulebook, ValidationRule
from chartlift_sandbox.salesforce.schema import SObject

RULE_TYPES = ("ValidationRule", "DuplicateRule", "CustomPermission")
_MESSAGE_CHARS = 255
_STANDARD_FIELDS = {
    "Contact": STANDARD_CONTACT.fields,
    "Lead": (MatchField("Email"), MatchField("LastName"), MatchField("FirstName", blank_matches=True)),
    "Account": (MatchField("Name", fuzzy=True), MatchField("BillingCity", blank_matches=True)),
}
"""What the matching rules that every org has compare, simplified."""


class SchemaView(Protocol):
    """A schema as it would be after the deployment."""

    def object(self, name: str) -> SObject | None:
        """The object of that name."""
        ...


def read_validation_rule(owner: str, element: Element, schema: SchemaView) -> ValidationRule:
    """A `validationRules` element of an object file.

    Raises:
        ComponentError: a word is missing, the formula does not compile, or the display field does not exist.
    """
    sobject = schema.object(owner)
    if sobject is None:
        raise ComponentError(f"Entity Enumeration Or ID: bad value for restricted picklist field: {owner}")
    name, message = text_of(element, "fullName") or "", text_of(element, "errorMessage") or ""
    formula = text_of(element, "errorConditionFormula") or ""
    for word, value in (("fullName", name), ("errorConditionFormula", formula), ("errorMessage", message)):
        if not value:
            raise ComponentError(f"Required field is missing: {word}")
    if not name.isidentifier():
        raise ComponentError(f"The validation name is not valid: {name}")
    if len(message) > _MESSAGE_CHARS:
        raise ComponentError(f"Error Message: data value too large: {message} (max length={_MESSAGE_CHARS})")
    try:
        compile_formula(schema, sobject, formula)
    except FormulaError as error:
        raise ComponentError(f"Error: {error}" if not str(error).startswith("Field ") else str(error)) from error
    shown = text_of(element, "errorDisplayField") or ""
    if shown and sobject.field(shown) is None:
        raise ComponentError(f"In field: errorDisplayField - no CustomField named {owner}.{shown} found")
    return ValidationRule(
        sobject.name, "", message, shown, name, formula, text_of(element, "description") or "", flag_of(element, "active")
    )  # fmt: skip


def read_duplicate_rule(name: str, root: Element, package: Package, schema: SchemaView) -> DuplicateRule:
    """A DuplicateRule file; its matching rule is read from the package, else it is one that every org has.

    Raises:
        ComponentError: unknown object, or a matching rule that is nowhere.
    """
    owner, _, short = name.partition(".")
    sobject = schema.object(owner)
    if sobject is None or not short:
        raise ComponentError(f"Entity Enumeration Or ID: bad value for restricted picklist field: {owner}")
    label = text_of(root, "masterLabel")
    if label is None:
        raise ComponentError("Required field is missing: masterLabel")
    matching = next((text_of(one, "matchingRule") for one in children_of(root, "duplicateRuleMatchRules")), None) or ""
    fields = _match_fields(sobject, matching, package) or _STANDARD_FIELDS.get(sobject.name, ())
    if not fields:
        raise ComponentError(f"In field: matchingRule - no MatchingRule named {owner}.{matching} found")
    return DuplicateRule(
        sobject.name, short, label, fields, _action(root, "Insert"), _action(root, "Update"),
        text_of(root, "alertText") or STANDARD_CONTACT.message, flag_of(root, "isActive"), matching,
    )  # fmt: skip


def _action(root: Element, op: str) -> str:
    """Block, alert or report: allowing without an alert lets the record through."""
    if (text_of(root, f"actionOn{op}") or "Allow") == "Block":
        return "block"
    return "alert" if any(one.text == "Alert" for one in children_of(root, f"operationsOn{op}")) else "report"


def _match_fields(sobject: SObject, matching: str, package: Package) -> tuple[MatchField, ...]:
    try:
        root = package.files.get(f"matchingRules/{sobject.name}.matchingRule")
    except FileError as error:
        raise ComponentError(str(error), error.place) from error
    for rule in children_of(root, "matchingRules") if root is not None else ():
        if text_of(rule, "fullName") == matching:
            return tuple(_match_field(sobject, one) for one in children_of(rule, "matchingRuleItems"))
    return ()


def _match_field(sobject: SObject, item: Element) -> MatchField:
    found = sobject.field(text_of(item, "fieldName") or "")
    if found is None or not found.stored:
        raise ComponentError(f"Field {text_of(item, 'fieldName')} does not exist. Check spelling.")
    fuzzy = (text_of(item, "matchingMethod") or "Exact") != "Exact"
    return MatchField(found.name, fuzzy, text_of(item, "blankValueBehavior") == "MatchBlanks")


def read_custom_grants(root: Element, known: set[str]) -> list[str]:
    """Custom permissions that a PermissionSet file switches on.

    Raises:
        ComponentError: one that neither the org nor the package has.
    """
    granted = []
    for one in children_of(root, "customPermissions"):
        name = text_of(one, "name") or ""
        if name.lower() not in known:
            raise ComponentError(f"In field: customPermission - no CustomPermission named {name} found")
        if flag_of(one, "enabled"):
            granted.append(name)
    return granted


def put(book: Rulebook, rule: ValidationRule | DuplicateRule | str) -> None:
    """Add a rule or a custom permission to the org's, in place of the one of its name."""
    if isinstance(rule, str):
        remove(book, "CustomPermission", rule)
        book.custom_permissions.append(rule)
        return
    here: list = book.validation if isinstance(rule, ValidationRule) else book.duplicates
    for place, old in enumerate(here):
        if (old.object_name, old.name.lower()) == (rule.object_name, rule.name.lower()):
            here[place] = replace(rule)
            return
    here.append(rule)


def exists(book: Rulebook, kind: str, full_name: str) -> bool:
    """Whether the org has a rule or custom permission of that name."""
    return full_name.lower() in {one.lower() for one in _names(book, kind)}


def _names(book: Rulebook, kind: str) -> list[str]:
    if kind == "CustomPermission":
        return book.custom_permissions
    rules: list = book.validation if kind == "ValidationRule" else book.duplicates
    return [f"{one.object_name}.{one.name}" for one in rules]


def remove(book: Rulebook, kind: str, full_name: str) -> None:
    """Take a rule or a custom permission away; nothing happens when there is none."""
    wanted = full_name.lower()
    if kind == "CustomPermission":
        book.custom_permissions[:] = [one for one in book.custom_permissions if one.lower() != wanted]
        return
    here: list = book.validation if kind == "ValidationRule" else book.duplicates
    here[:] = [one for one in here if f"{one.object_name}.{one.name}".lower() != wanted]
