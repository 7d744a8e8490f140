"""Lookup filters keep parents out; dependent picklists are described but, as on the platform, not enforced."""

from __future__ import annotations

import base64
from xml.etree.ElementTree import fromstring

import pytest
from engine_bench import Bench

from chartlift_sandbox.salesforce.access import FieldGrant
from chartlift_sandbox.salesforce.metadata_fields import ComponentError, read_field
from chartlift_sandbox.salesforce.schema import Field

NS = "http://soap.sforce.com/2006/04/metadata"
VALUES = "".join(
    f"<value><fullName>{name}</fullName><default>false</default><label>{name}</label></value>"
    for name in ("Crown", "Recall")
)
DEPENDENT = (
    "<fullName>Kind__c</fullName><label>Kind</label><type>Picklist</type><valueSet><controllingField>Status__c"
    f"</controllingField><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>{VALUES}"
    "</valueSetDefinition><valueSettings><controllingFieldValue>Booked</controllingFieldValue><controllingFieldValue>Old"
    "</controllingFieldValue><valueName>Crown</valueName></valueSettings></valueSet>"
)
ITEM = "<filterItems><field>Contact.{}</field><operation>{}</operation><value>{}</value></filterItems>"


def _filtered(name: str, *items: tuple[str, str, str], more: str = "", optional: str = "false") -> str:
    inner = "".join(ITEM.format(*item) for item in items)
    return (
        f"<fullName>{name}</fullName><label>{name}</label><type>Lookup</type><referenceTo>Contact</referenceTo>"
        f"<relationshipName>{name.removesuffix('__c')}s</relationshipName><lookupFilter><active>true</active>{more}{inner}"
        f"<isOptional>{optional}</isOptional></lookupFilter>"
    )


def _deployed(bench: Bench, inner: str) -> Field:
    made = read_field(fromstring(f'<fields xmlns="{NS}">{inner}</fields>'))
    bench.org.create_field("Visit__c", made)
    grants = {f"Visit__c.{made.name}": FieldGrant()}
    name = f"See_{made.name.removesuffix('__c')}"
    granted = bench.org.put_permission_set(name, name, objects={}, fields=grants)
    bench.insert("PermissionSetAssignment", AssigneeId=bench.actor.user_id, PermissionSetId=granted)
    return made


def _shown(bench: Bench, name: str) -> dict:
    return next(one for one in bench.org.describe(bench.actor, "Visit__c")["fields"] if one["name"] == name)


def test_a_dependent_picklist_is_described_and_not_enforced(fresh: Bench, tmp_path) -> None:  # noqa: ANN001
    _deployed(fresh, DEPENDENT)
    fresh.org.snapshot(str(tmp_path / "s"))
    fresh.org.restore(str(tmp_path / "s"))
    found = _shown(fresh, "Kind__c")
    assert (found["dependentPicklist"], found["controllerName"]) == (True, "Status__c")
    bits = {one["value"]: base64.b64decode(one["validFor"]) for one in found["picklistValues"]}
    assert bits == {"Crown": b"\xa0\0\0", "Recall": b"\0\0\0"}  # the first and the third of the statuses
    fresh.insert("Visit__c", Status__c="No Show", Kind__c="Recall")
    assert _shown(fresh, "Status__c")["picklistValues"][0]["validFor"] is None


def test_a_filter_has_logic_of_its_own(fresh: Bench) -> None:
    items = (("Title", "equals", "Child"), ("LastName", "equals", "Kay"), ("Birthdate", "lessThan", "2000-01-01"))
    _deployed(fresh, _filtered("Any__c", *items, more="<booleanFilter>1 AND (2 OR NOT 3)</booleanFilter>"))
    rows = [("Child", "Kay", "1980-01-01"), ("Child", "Lee", "2010-01-01"), ("Child", "Lee", "1980-01-01"),
            ("Adult", "Kay", "2010-01-01")]  # fmt: skip
    people = [fresh.insert("Contact", Title=title, LastName=last, Birthdate=day) for title, last, day in rows]
    done = fresh.dml("insert", "Visit__c", [{"Any__c": one} for one in people])
    assert [row["success"] for row in done] == [True, True, False, False]
    for logic in ("1 AND 2", "1 AND 2 AND 4", "1 + 2 + 3", "1 AND (2 OR", "__import__('os')"):
        with pytest.raises(ComponentError, match="logic"):
            _deployed(fresh, _filtered("Bad__c", *items, more=f"<booleanFilter>{logic}</booleanFilter>"))


def test_a_text_that_is_worked_out_needs_no_length() -> None:
    inner = "<fullName>Sum__c</fullName><label>Sum</label><type>Text</type><formula>Name</formula>"
    made = read_field(fromstring(f'<fields xmlns="{NS}">{inner}</fields>'))
    assert (made.length, made.calculated, made.createable) == (1300, True, False)


def test_a_filter_keeps_parents_out(fresh: Bench) -> None:
    words = "<errorMessage>Patients only</errorMessage>"
    _deployed(fresh, _filtered("Patient__c", ("Title", "equals", "Patient, Child"), more=words))
    _deployed(fresh, _filtered("Adult__c", ("Birthdate", "lessThan", "2008-01-01"), ("Title", "notEqual", "Child")))
    _deployed(fresh, _filtered("Anyone__c", ("Title", "equals", "Nobody"), optional="true"))
    patient = fresh.insert("Contact", LastName="P", Title="patient", Birthdate="1980-02-03")
    child = fresh.insert("Contact", LastName="C", Title="Child", Birthdate="2001-02-03")
    other = fresh.insert("Contact", LastName="O")
    rows = [{"Patient__c": one} for one in (patient, child, other, None)]
    assert [row["success"] for row in fresh.dml("insert", "Visit__c", rows)] == [True, True, False, True]
    refused = fresh.error("insert", "Visit__c", Patient__c=other)
    assert refused == ("FIELD_FILTER_VALIDATION_EXCEPTION", "Patients only", "Patient__c")
    visit = fresh.insert("Visit__c", Adult__c=patient, Anyone__c=other)
    for one in (child, other):
        refused = fresh.error("update", "Visit__c", Id=visit, Adult__c=one)
        assert refused[1] == "Value does not exist or does not match filter criteria."
