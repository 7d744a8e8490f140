"""The standard objects: checked against recordings of real orgs where those lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chartlift_sandbox.salesforce.catalogue import natural_keys, object_names, standard_schema
from chartlift_sandbox.salesforce.schema import Field, Schema

COMPARED = {
    "type": "type", "length": "length", "precision": "precision", "scale": "scale", "digits": "digits",
    "nillable": "nillable", "createable": "createable", "updateable": "updateable",
    "reference_to": "referenceTo", "relationship_name": "relationshipName", "restricted": "restrictedPicklist",
    "defaulted_on_create": "defaultedOnCreate", "id_lookup": "idLookup", "compound": "compoundFieldName",
    "name_field": "nameField", "label": "label",
}  # fmt: skip
RECORDED = ("Account", "Contact", "Event", "Lead")
HAND_ADDED = {"Primary_Contact__c", "ns__Description__c", "History__c", "ns__LinkedAccount__c"}
REASONS = {
    ("Event", "WhatId", "reference_to"): "an activity points to the objects that this org has",
}
ADDED = {
    ("Contact", "HasOptedOutOfEmail"): "field-level security hid it from the recording's user",
    ("Contact", "HasOptedOutOfFax"): "same",
    ("Contact", "DoNotCall"): "same",
}
EXPECTED_FIELDS = {"Account": 64, "Contact": 59, "Event": 48, "Lead": 54}


def _folder() -> Path | None:
    root = next(p for p in Path(__file__).parents if (p / "pyproject.toml").is_file())
    folder = root.parent / "shared" / "reference" / "describes"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="module")
def schema() -> Schema:
    return standard_schema()


def _differences(name: str, ours: Field, theirs: dict[str, Any]) -> list[str]:
    found = []
    for attribute, key in COMPARED.items():
        mine, recorded = getattr(ours, attribute), theirs[key]
        if isinstance(mine, tuple):
            mine, recorded = sorted(mine), sorted(recorded)
        if ours.type in {"id", "reference"} and attribute == "length":
            recorded = 18
        if mine != recorded and (name, ours.name, attribute) not in REASONS:
            found.append(f"{name}.{ours.name}.{attribute}: {mine!r} is recorded as {recorded!r}")
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_fields_agree_with_the_recorded_describe(
    schema: Schema, name: str, record_property: pytest.RecordProperty
) -> None:
    folder, sobject = _folder(), schema.objects[name]
    assert len(sobject.fields) - sum(1 for key in ADDED if key[0] == name) == EXPECTED_FIELDS[name]
    if folder is None:
        return
    document = json.loads((folder / f"GET_sobjects_{name}_describe.json").read_text("utf-8"))
    recorded = {f["name"]: f for f in document["fields"] if f["name"] not in HAND_ADDED}
    assert set(sobject.fields) - set(recorded) == {field for owner, field in ADDED if owner == name}
    assert set(recorded) <= set(sobject.fields)
    wrong = [line for field, theirs in recorded.items() for line in _differences(name, sobject.fields[field], theirs)]
    record_property(f"{name} fields that agree", len(recorded) - len(wrong))
    assert wrong == []


@pytest.mark.parametrize("name", ["User", "Task"])
def test_fields_agree_with_the_field_reference(schema: Schema, name: str) -> None:
    folder, sobject = _folder(), schema.objects[name]
    assert len(sobject.fields) >= 39
    if folder is None:
        return
    document = json.loads((folder / "merged_User_Task_EmailMessage_ContentVersion.json").read_text("utf-8"))
    listed = {f["name"]: f for f in document["objects"][name]}
    wrong, agreed = [], 0
    for ours in sobject.fields.values():
        theirs = listed.get(ours.name)
        if theirs is None or theirs["nillable"] is None:
            continue
        pairs = [("nillable", ours.nillable), ("createable", ours.createable), ("updateable", ours.updateable)]
        pairs += [("length", ours.length)] if theirs["length"] else []
        bad = [f"{name}.{ours.name}.{key}" for key, mine in pairs if theirs[key] != mine]
        wrong += bad
        agreed += not bad
    assert wrong == []
    assert agreed >= 38


def test_the_data_files_are_consistent(schema: Schema) -> None:
    prefixes = [schema.objects[name].key_prefix for name in object_names() if not schema.objects[name].view]
    assert len(set(prefixes)) == len(prefixes)
    for sobject in schema.objects.values():
        assert "Id" in sobject.fields
        for found in sobject.fields.values():
            if found.type in {"double", "currency", "percent"}:
                assert found.precision
            if found.type in {"string", "email", "phone", "url", "picklist", "textarea", "combobox"}:
                assert found.length, f"{sobject.name}.{found.name}"
            if found.type == "reference":
                assert found.reference_to or found.relationship_name is None or found.name.startswith("Jigsaw")
            if found.restricted:
                assert schema.values(found), f"{sobject.name}.{found.name}"
            if found.compound is not None:
                assert found.compound in sobject.fields
    for name, key in natural_keys().items():
        assert set(key) <= set(schema.objects[name].fields)


def test_the_audit_permissions_exist_only_with_the_switch() -> None:
    assert "PermissionsCreateAuditFields" in standard_schema(audit_switch=True).objects["PermissionSet"].fields
    assert "PermissionsCreateAuditFields" not in standard_schema(audit_switch=False).objects["PermissionSet"].fields


def test_names_match_in_any_case_and_custom_prefixes_count_up(schema: Schema) -> None:
    found = schema.field("CONTACT", "lastname")
    assert found is not None
    assert found.name == "LastName"
    assert schema.object("nope") is None
    assert schema.next_custom_prefix() == "a00"
