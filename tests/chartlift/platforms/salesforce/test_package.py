from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from chartlift.errors import PlanError
from chartlift.model.schema import DesiredField, DesiredObject, DesiredSchema, FieldDescribe
from chartlift.platforms.salesforce import access
from chartlift.platforms.salesforce.package import package, relation_name, value_set_xml, zipped
from chartlift.platforms.salesforce.typewords import field_type, will_do

NS = "{http://soap.sforce.com/2006/04/metadata}"


def wanted() -> DesiredSchema:
    field = DesiredField
    return DesiredSchema(
        objects=(
            DesiredObject("Appointment__c", "Appointment", "Appointments", "APT-{00000000}"),
            DesiredObject("Invoice__c", "Invoice", "Invoices", "INV-{00000000}"),
            DesiredObject("Invoice_Line__c", "Invoice Line", "Invoice Lines", "INL-{00000000}"),
            DesiredObject("Clinical_Note__c", "Clinical Note", "Clinical Notes", "NOT-{00000000}"),
        ),
        fields=(
            field(
                "Appointment__c", "Source_System_ID__c", "Source System ID", "Text(64)", external_id=True, unique=True
            ),
            field("Appointment__c", "ContactId__c", "Contact", "Lookup(Contact)", required=True),
            field("Appointment__c", "Practitioner__c", "Practitioner", "Lookup(User)"),
            field("Appointment__c", "Rescheduled_To__c", "Rescheduled To", "Lookup(Appointment__c)"),
            field("Appointment__c", "Status__c", "Status", "Picklist", values=("Booked", "R & D"), restricted=True),
            field("Appointment__c", "Cost__c", "Cost", "Currency(16,2)"),
            field("Appointment__c", "Emergency__c", "Emergency", "Checkbox"),
            field("Appointment__c", "Notes__c", "Notes", "LongTextArea(32768)"),
            field("Invoice_Line__c", "InvoiceId__c", "Invoice", "MasterDetail(Invoice__c)"),
            field("Clinical_Note__c", "Note_Text__c", "Text", "LongTextArea(32768)"),
            field("Contact", "Allergies__c", "Allergies", "LongTextArea(32768)"),
            field("Contact", "Preferred_Name__c", "Preferred Name", "Text(40)"),
        ),
        value_sets={"LeadSource": ("Google Ads",)},
        standard_fields=(
            "Contact.LastName",
            "Contact.Birthdate",
            "Contact.MailingCity",
            "Contact.MailingStreet",
            "Account.Name",
            "Contact.OwnerId",
        ),
    )


def files(desired: DesiredSchema) -> dict[str, Element]:
    values = [{"fullName": "Web", "default": "false", "label": "Web"}]
    archive = zipfile.ZipFile(io.BytesIO(package(desired, access.sets(desired), {"LeadSource": values}, "67.0")))
    return {name: fromstring(archive.read(name)) for name in archive.namelist()}


def fields_of(root: Element) -> dict[str, dict[str, str]]:
    return {
        part.findtext(f"{NS}fullName", ""): {leaf.tag.removeprefix(NS): leaf.text or "" for leaf in part}
        for part in root.iter(f"{NS}fields")
    }


def grants(root: Element, kind: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    for part in root.iter(f"{NS}{kind}"):
        yield part.findtext(f"{NS}{name}", ""), {leaf.tag.removeprefix(NS): leaf.text or "" for leaf in part}


def test_the_same_schema_gives_the_same_bytes() -> None:
    desired = wanted()
    first = package(desired, access.sets(desired), {}, "67.0")
    assert first == package(wanted(), access.sets(wanted()), {}, "67.0")
    assert zipped({"b": "1", "a": "2"}) == zipped({"a": "2", "b": "1"})


def test_the_manifest_names_every_component_that_is_in_the_zip() -> None:
    found = files(wanted())
    listed = {
        types.findtext(f"{NS}name", ""): [member.text for member in types.iter(f"{NS}members")]
        for types in found["package.xml"].iter(f"{NS}types")
    }
    assert len(listed["CustomField"]) == 12
    assert listed["CustomObject"] == ["Appointment__c", "Clinical_Note__c", "Invoice_Line__c", "Invoice__c"]
    assert sorted(found) == sorted(
        [
            "package.xml",
            "objects/Contact.object",
            "standardValueSets/LeadSource.standardValueSet",
            *(f"objects/{name}.object" for name in listed["CustomObject"] if name),
            *(f"permissionsets/{name}.permissionset" for name in listed["PermissionSet"] if name),
        ]
    )


def test_objects_are_private_and_details_follow_their_master() -> None:
    found = files(wanted())
    assert found["objects/Appointment__c.object"].findtext(f"{NS}sharingModel") == "Private"
    assert found["objects/Invoice_Line__c.object"].findtext(f"{NS}sharingModel") == "ControlledByParent"
    assert found["objects/Contact.object"].findtext(f"{NS}sharingModel") is None
    name = found["objects/Appointment__c.object"].find(f"{NS}nameField")
    assert name is not None
    assert name.findtext(f"{NS}type") == "AutoNumber"
    assert name.findtext(f"{NS}displayFormat") == "APT-{00000000}"


def test_each_field_type_has_its_elements() -> None:
    fields = fields_of(files(wanted())["objects/Appointment__c.object"])
    key = fields["Source_System_ID__c"]
    assert (key["length"], key["externalId"], key["unique"], key["caseSensitive"]) == ("64", "true", "true", "false")
    assert (fields["Cost__c"]["precision"], fields["Cost__c"]["scale"]) == ("18", "2")
    assert fields["Notes__c"]["visibleLines"] == "10"
    assert "required" not in fields["Emergency__c"]
    assert fields["Emergency__c"]["defaultValue"] == "false"
    assert fields["ContactId__c"]["deleteConstraint"] == "Restrict"
    assert "deleteConstraint" not in fields["Practitioner__c"]
    assert fields["Rescheduled_To__c"]["deleteConstraint"] == "SetNull"
    names = [field["relationshipName"] for field in fields.values() if "relationshipName" in field]
    assert len(set(names)) == 3


def test_picklist_values_are_escaped() -> None:
    root = files(wanted())["objects/Appointment__c.object"]
    values = [part.findtext(f"{NS}fullName") for part in root.iter(f"{NS}value")]
    assert values == ["Booked", "R & D"]
    assert [part.text for part in root.iter(f"{NS}restricted")] == ["true"]


def test_required_and_master_detail_fields_are_never_granted() -> None:
    for name in ("Integration", "Clinical_Reader", "Front_Desk"):
        root = files(wanted())[f"permissionsets/Chartlift_{name}.permissionset"]
        granted = dict(grants(root, "fieldPermissions", "field"))
        assert not {"Appointment__c.ContactId__c", "Invoice_Line__c.InvoiceId__c"} & set(granted)
        assert "Appointment__c.Status__c" in granted


def test_mapped_standard_fields_are_granted_unless_everybody_has_them() -> None:
    assert access.granted_standard(wanted().standard_fields) == ["Contact.Birthdate", "Contact.MailingAddress"]
    assert access.integration(wanted()).fields["Contact.Birthdate"] is True


def test_the_front_desk_sees_nothing_clinical() -> None:
    found = access.front_desk(wanted())
    assert "Clinical_Note__c" not in {grant.object for grant in found.objects}
    assert not {"Contact.Allergies__c", "Appointment__c.Notes__c", "Clinical_Note__c.Note_Text__c"} & set(found.fields)
    assert found.fields["Contact.Preferred_Name__c"] is True
    assert not any(grant.delete or grant.modify_all for grant in found.objects)


def test_the_clinical_reader_only_reads() -> None:
    found = access.clinical_reader(wanted())
    assert not any(found.fields.values())
    assert not any(grant.create or grant.edit or grant.delete for grant in found.objects)
    assert "Clinical_Note__c" in {grant.object for grant in found.objects}


def test_audit_fields_are_in_a_set_of_their_own() -> None:
    assert all(not item.users for item in access.sets(wanted()))
    assert "CreateAuditFields" in access.audit_fields().users


def test_relation_names_are_short_and_distinct() -> None:
    long = [relation_name("A_Very_Long_Object_Name_Indeed__c", f"With_A_Long_Field_Name_{n}__c") for n in (1, 2)]
    assert len(set(long)) == 2
    assert all(len(name) <= 40 and "__" not in name and name[0].isalpha() and name[-1] != "_" for name in long)


def test_a_shared_value_set_keeps_what_each_value_has() -> None:
    text = value_set_xml([{"fullName": "Won", "default": "true", "label": "Gewonnen", "closed": "true"}])
    assert "<closed>true</closed>" in text
    assert "<label>Gewonnen</label>" in text


@pytest.mark.parametrize("word", ["Text", "Text(x)", "Number", "Blob(3)", "", "Lookup()", "Currency(a,b)"])
def test_words_that_are_no_type(word: str) -> None:
    with pytest.raises(PlanError):
        field_type(word)


def test_flags_behind_a_type_do_not_matter() -> None:
    assert field_type("Text(64) ExternalId Unique") == field_type("Text(64)")
    assert field_type("Text(4000)").name == "LongTextArea"


@pytest.mark.parametrize(
    ("word", "there", "expected"),
    [
        ("Text(40)", {"type": "string", "length": 80}, True),
        ("Text(80)", {"type": "string", "length": 40}, False),
        ("Text(80)", {"type": "picklist", "length": 255}, False),
        ("Number(6,2)", {"type": "double", "precision": 8, "scale": 2}, True),
        ("Number(6,2)", {"type": "double", "precision": 8, "scale": 3}, False),
        ("Lookup(Contact)", {"type": "reference", "reference_to": ("Contact",)}, True),
        ("Lookup(Contact)", {"type": "reference", "reference_to": ("Lead",)}, False),
        ("Date", {"type": "date"}, True),
    ],
)
def test_whether_a_field_that_is_there_will_do(word: str, there: dict[str, Any], expected: bool) -> None:
    wish = DesiredField("Contact", "X__c", "X", word)
    assert will_do(wish, FieldDescribe(name="X__c", **there)) is expected
