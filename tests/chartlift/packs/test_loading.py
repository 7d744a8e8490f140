"""A pack loads as it is, and each mistake in one is refused with file and field."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest

from chartlift import packs, transforms
from chartlift.errors import PackError

PACK = "aeronaclinic_to_salesforce"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the pack that a test may spoil."""
    copy = tmp_path / "map"
    with resources.as_file(resources.files(packs).joinpath(PACK)) as place:
        shutil.copytree(place, copy)
    return copy


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def test_parents_load_before_their_children() -> None:
    codes = [unit.code for unit in packs.load(PACK).maps]
    assert sorted(codes) == ["APT", "DOC", "GRP", "ILN", "INV", "NOT", "PAT", "PLN", "PRA", "PRN", "TRT"]
    assert codes.index("GRP") < codes.index("PRA") < codes.index("PAT") < codes.index("APT") < codes.index("TRT")
    assert codes.index("PRN") < codes.index("PAT") < codes.index("DOC")
    assert codes.index("TRT") < codes.index("NOT")
    assert max(codes.index("INV"), codes.index("TRT")) < codes.index("ILN")


def test_the_seed_s_fields_keep_their_names() -> None:
    fields = {f"{unit.object}.{rule.target}" for unit in packs.load(PACK).maps for rule in unit.fields}
    assert fields >= {
        "Account.Name",
        "Contact.AccountId",
        "Contact.Practitioner__c",
        "Contact.Medical_Record_Number__c",
        "Contact.NHS_Number__c",
        "Contact.Allergies__c",
        "Contact.Medical_Conditions__c",
        "Contact.Insurance_Policy_Number__c",
        "Contact.Insurance_Provider__c",
        "Contact.Blood_Type__c",
        "Contact.LeadSource",
        "Appointment__c.ContactId__c",
        "Appointment__c.Status__c",
        "Appointment__c.Practitioner__c",
        "Appointment__c.Appointment_Type__c",
        "Appointment__c.Cost__c",
        "Appointment__c.Appointment_Date_Time__c",
        "Treatment__c.ContactId__c",
        "Treatment__c.AppointmentId__c",
        "Treatment__c.Tooth_Number__c",
        "Treatment__c.Procedure_Code__c",
        "Treatment__c.Cost__c",
        "Clinical_Note__c.ContactId__c",
        "Clinical_Note__c.Note_Type__c",
        "Clinical_Note__c.Note_Text__c",
        "Clinical_Note__c.Practitioner__c",
        "Clinical_Note__c.Original_Create_Date__c",
        "Document__c.File_URL__c",
        "Document__c.File_Type__c",
        "Document__c.Upload_Date__c",
        "Invoice__c.ContactId__c",
        "Invoice__c.Invoice_Number__c",
        "Invoice__c.Invoice_Date__c",
        "Invoice__c.Amount__c",
        "Invoice__c.Amount_Due__c",
        "Invoice__c.Payment_Status__c",
    }


def test_what_must_not_be_lost_holds_the_row() -> None:
    rules = {f"{unit.object}.{rule.target}": rule for unit in packs.load(PACK).maps for rule in unit.fields}
    for name in (
        "Allergies__c",
        "Medical_Conditions__c",
        "HasOptedOutOfEmail",
        "SMS_Opt_Out__c",
        "Post_Opt_Out__c",
        "DoNotCall",
    ):
        assert rules[f"Contact.{name}"].on_bad == "hold", name
    for name in ("Notes__c", "Status__c", "Appointment_Date_Time__c"):
        assert rules[f"Appointment__c.{name}"].on_bad == "hold", name
    for name in (
        "Contact.AccountId",
        "Contact.LastName",
        "Account.Name",
        "Appointment__c.ContactId__c",
        "Appointment__c.Status__c",
    ):
        held = [r for u in packs.load(PACK).maps for r in u.fields if f"{u.object}.{r.target}" == name]
        assert all(rule.required for rule in held), name


def test_ten_states_of_a_visit_have_a_value_and_nothing_is_guessed() -> None:
    words = {
        transforms.fold(word): label for word, label in packs.load(PACK).value_maps["appointment_status"].values.items()
    }
    assert words["dna"] == words["didnotattend"] == words["fta"] == "No Show"
    assert words["latecancel"] == "Late Cancellation"
    assert "ftanocharge" not in words
    assert len(set(words.values())) == 10


def test_an_edited_folder_goes_before_the_pack(folder: Path) -> None:
    edit(folder, "value_maps.toml", '"Google organic"', '"Google organic", "Google"')
    assert packs.load(PACK, folder=folder).value_maps["lead_source"].values["Google"] == "Web"


def test_labels_come_from_names_unless_said() -> None:
    pack = packs.load(PACK)
    assert pack.label("Contact", "Medical_Record_Number__c") == "Medical Record Number"
    assert pack.label("Appointment__c", "ContactId__c") == "Contact"


def test_the_front_desk_does_not_read_medical_history() -> None:
    desk = next(p for p in packs.load(PACK).permission_sets if p.name == "front_desk")
    assert {"Contact.Allergies__c", "Contact.Medical_Conditions__c", "Appointment__c.Notes__c"} <= set(desk.without)


MISTAKES = [
    ("contact.toml", 'key = "PAT"', 'key = "PAT"\ncolour = "red"', "contact.toml: unknown word colour"),
    ("contact.toml", 'key = "PAT"', 'key = "Patient"', "contact.toml: key: Patient is not three capital letters"),
    ("contact.toml", 'key = "PAT"', 'key = "PRA"', "PRA is the key of"),
    ("contact.toml", 'source = "patient"', "source = 5", "contact.toml: source: source takes a text"),
    ("contact.toml", "FirstName = { from", "FirstName = { form", "contact.toml: FirstName: unknown word form"),
    (
        "contact.toml",
        "FirstName =",
        'firstName = { from = "firstName", type = "Text(40)" }\nFirstName =',
        "contact.toml: FirstName: stands here twice",
    ),
    (
        "contact.toml",
        'transform = "blood_type"',
        'transform = "bloodtype"',
        "contact.toml: Blood_Type__c: unknown transform bloodtype",
    ),
    (
        "contact.toml",
        'transform = "alert_text"',
        'transform = "alert_text(status)"',
        "Medical_Alert__c: transform alert_text takes 0 columns",
    ),
    ("contact.toml", 'map = "gender"', 'map = "sex"', "contact.toml: Gender__c: there is no value map sex"),
    (
        "contact.toml",
        'LastName = { from = "lastName", type = "Text(80)"',
        'LastName = { from = "lastName", type = "Text(800)"',
        "LastName: Text(800): the length has to be 1 to 255",
    ),
    (
        "contact.toml",
        'type = "Text(10)"',
        'type = "String(10)"',
        "contact.toml: NHS_Number__c: unknown type String(10)",
    ),
    (
        "contact.toml",
        'type = "Text(10)"',
        'type = "Text(10) restricted"',
        "NHS_Number__c: type Text does not take restricted",
    ),
    (
        "contact.toml",
        "allergy_lines(practice.timezone)",
        "allergy_lines(clinic.timezone)",
        "Allergies__c: clinic.timezone: there is no join to clinic",
    ),
    ("contact.toml", 'skip = "merged"', 'drop = "merged"', "contact.toml: when: unknown word drop"),
    (
        "appointment.toml",
        'lookup = "Contact:PAT", required',
        'lookup = "Contact:PATX", required',
        "appointment.toml: ContactId__c: parent Contact:PATX is not mapped",
    ),
    (
        "document.toml",
        'const = ""',
        'const = "", from = "contentUrl"',
        "document.toml: File_URL__c: const stands alone",
    ),
    ("appointment.toml", 'from = "surgery", ', "", "appointment.toml: Surgery__c: says neither from nor const"),
    (
        "contact.toml",
        'transform = "money"',
        'transform = "money", on_bad = "panic"',
        "contact.toml: Care_Plan_Monthly_Fee__c: on_bad is withhold, hold_unreadable or hold, not panic",
    ),
    (
        "appointment.toml",
        'lookup = "Account:PRA"',
        'lookup = "User"',
        "appointment.toml: Location__c: type Lookup(Account) and lookup User do not agree",
    ),
    ("appointment.toml", "required = true, on_bad", 'required = "yes", on_bad', "required takes true or false"),
    (
        "appointment.toml",
        "Surgery__c =",
        "Migration_Run__c =",
        "appointment.toml: Migration_Run__c: is filled by the load itself",
    ),
    ("appointment.toml", "Surgery__c =", '"Surgery room" =', "appointment.toml: Surgery room: is no name of a field"),
    ("appointment.toml", "[fields]", "[fields", "appointment.toml: "),
    (
        "account.toml",
        'lookup = "Account:GRP"',
        'lookup = "Account:PAT"',
        "account.toml: ParentId: parent Account:PAT is not mapped",
    ),
    ("value_maps.toml", 'Male = ["MALE"]', 'Male = ["MALE", "fe male"]', "value_maps.toml: gender: fe male stands for"),
    (
        "value_maps.toml",
        'Male = ["MALE"]',
        'Male = ["--"]',
        "value_maps.toml: gender: '--' has neither letter nor digit",
    ),
    (
        "objects.toml",
        "[objects.Appointment__c]",
        "[objects.Visit__c]",
        "objects.toml: objects: Visit__c is described here, but no file maps it",
    ),
    (
        "clinical_note.toml",
        'unless = "Note_Text__c"',
        'unless = "Text__c"',
        "clinical_note.toml: when: unless names a field of this file that is no lookup, not Text__c",
    ),
    (
        "clinical_note.toml",
        'unless = "Note_Text__c"',
        'if = "text", unless = "Note_Text__c"',
        "clinical_note.toml: when: takes skip or hold, and if or unless",
    ),
    ("treatment.toml", 'course = "courseId"', 'course = "j.courseId"', "treatment.toml: join: takes"),
    (
        "treatment.toml",
        "(_owner, course._owner)",
        "(_owner)",
        "treatment.toml: Course_Reference__c: transform same_patient takes 2 columns in brackets",
    ),
    (
        "objects.toml",
        '"Contact.NHS_Exemption__c" = {',
        '"Contact.Exemption__c" = {',
        "objects.toml: Contact.Exemption__c: is not mapped",
    ),
    (
        "objects.toml",
        '"Contact.NHS_Exemption__c" = { source = ["patient.nhsExemptionCode"] }',
        "",
        "Contact.NHS_Exemption__c: is a pick-list without values",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), MISTAKES, ids=[f"{i}" for i in range(len(MISTAKES))])
def test_a_mistake_is_named(folder: Path, file: str, old: str, new: str, message: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackError) as raised:
        packs.load(PACK, folder=folder)
    assert message in raised.value.message
    assert raised.value.exit_code == 2


def test_a_field_that_stands_twice_is_refused(folder: Path) -> None:
    edit(folder, "contact.toml", "FirstName =", 'FirstName = { from = "title", type = "Text(40)" }\nFirstName =')
    with pytest.raises(PackError, match=r"contact\.toml"):
        packs.load(PACK, folder=folder)


def test_parents_that_go_round_in_a_circle_are_refused(folder: Path) -> None:
    line = 'Patient__c = { from = "name", type = "Lookup(Contact)", lookup = "Contact:PAT" }'
    edit(folder, "account_named.toml", "[fields]", f"[fields]\n{line}")
    with pytest.raises(PackError, match="circle"):
        packs.load(PACK, folder=folder)


def test_an_unknown_pack_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PackError) as raised:
        packs.load("paper_to_salesforce")
    assert PACK in raised.value.hint
