"""Destructive changes: what may be deleted, what is still in use, and what was not there."""

import re
from typing import Any

from chartlift_sandbox.salesforce.formulas import FormulaError, compile_formula
from chartlift_sandbox.salesforce.metadata_draft import Draft
from chartlift_sandbox.salesforce.metadata_outcome import ComponentError, MissingComponentError, Outcome
from chartlift_sandbox.salesforce.metadata_rules import RULE_TYPES, exists
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.rulebook import ValidationRule

_ORDER = {"CustomField": 1, "CustomObject": 2, "GlobalValueSet": 3}
_IN_USE = "This {} is referenced elsewhere in salesforce.com. : {}."


class Removal:
    """Deletions of one deployment over its draft of the schema; nothing is changed here.

    Attributes:
        sets: Names of permission sets to delete.
        rules: Type and name of rules and custom permissions to delete.
        replaced: What the same deployment adds; a new version of a rule may no longer use what goes.
    """

    def __init__(self, org: Org, draft: Draft, replaced: list[Any], inert: frozenset[str]) -> None:
        self._org, self._draft, self._inert = org, draft, inert
        self.replaced = replaced
        self.sets: list[str] = []
        self.rules: list[tuple[str, str]] = []

    def run(self, file: str, members: dict[str, list[str]]) -> list[Outcome]:
        """The outcomes of one manifest; what names no component is a warning that names the manifest."""
        outcomes = [Outcome("", file, file, changed=True)]
        going = {name.lower() for name in members.get("CustomObject", [])}
        for kind in sorted(members, key=lambda one: _ORDER.get(one, 0)):
            for name in members[kind]:
                outcome = Outcome(kind, name, file, deleted=True, changed=True)
                try:
                    self._one(kind, name, going)
                except MissingComponentError as error:
                    outcome = Outcome(kind, file, file, problem=str(error), problem_type="Warning")
                except ComponentError as error:
                    outcome = Outcome(kind, name, file, problem=str(error), problem_type="Error")
                outcomes.append(outcome)
        return outcomes

    def _one(self, kind: str, name: str, going: set[str]) -> None:
        if kind == "CustomField":
            owner, _, field = name.partition(".")
            self._draft.remove_field(owner, field, lambda: self._check_formulas(field))
        elif kind == "CustomObject":
            self._draft.remove_object(name, going)
        elif kind == "CustomTab":
            self._draft.remove_tab(name)
        elif kind == "GlobalValueSet":
            self._draft.remove_values(name)
        elif kind == "PermissionSet":
            self._permission_set(name)
        elif kind in RULE_TYPES:
            if not exists(self._org.rules, kind, name):
                raise MissingComponentError(f"No {kind} named: {name} found")
            self.rules.append((kind, name))
        elif kind == "RecordType":
            raise ComponentError("Cannot delete record type through API")
        elif kind == "StandardValueSet":
            raise ComponentError(f"The StandardValueSet called '{name}' is standard and cannot be deleted")
        elif kind not in self._inert:
            raise ComponentError(f"Unknown type name '{kind}' specified in destructiveChanges.xml")

    def _permission_set(self, name: str) -> None:
        with self._org.lock:
            found = self._org.db.execute(
                'SELECT count(a."Id") FROM "PermissionSet" p LEFT JOIN "PermissionSetAssignment" a '
                'ON a."PermissionSetId" = p."Id" AND a."_deleted_at" IS NULL '
                'WHERE lower(p."Name") = lower(?) AND p."_deleted_at" IS NULL GROUP BY p."Id"',
                [name],
            ).fetchone()
        if found is None:
            raise MissingComponentError(f"No PermissionSet named: {name} found")
        if found[0]:
            raise ComponentError(f"The permission set {name} is assigned to users")
        self.sets.append(name)

    def _check_formulas(self, name: str) -> None:
        """No validation rule and no formula may still read a field of that name that is not there.

        Raises:
            ComponentError: one does.
        """
        word = re.compile(rf"\b{re.escape(name.removesuffix('__c'))}__[cr]\b", re.IGNORECASE)
        for owner, label, formula in self._formulas():
            sobject = self._draft.object(owner)
            if sobject is None or not word.search(formula):
                continue
            try:
                compile_formula(self._draft, sobject, formula, None)
            except FormulaError as error:
                raise ComponentError(_IN_USE.format("custom field", label)) from error

    def _formulas(self) -> list[tuple[str, str, str]]:
        """Object, label and text of every formula that will be there."""
        gone = {name.lower() for kind, name in self.rules if kind == "ValidationRule"}
        fresh = [one for one in self.replaced if isinstance(one, ValidationRule)]
        gone |= {f"{one.object_name}.{one.name}".lower() for one in fresh}
        kept = [one for one in self._org.rules.validation if f"{one.object_name}.{one.name}".lower() not in gone]
        rules = [(one.object_name, f"Validation Rule - {one.name}", one.formula) for one in (*kept, *fresh)]
        fields = [
            (sobject.name, f"Custom Field - {one.name}", one.formula)
            for sobject in self._draft.everything()
            for one in sobject.fields.values()
            if one.custom and one.formula
        ]
        return [one for one in (*rules, *fields) if one[2]]
