"""A clinic of four entities with its own little pack: enough for every rule of a carry, small enough to be read whole."""

from __future__ import annotations

from pathlib import Path

from chartlift import packs
from chartlift.model.source import EntityShape
from chartlift.testing.fake_org import FakeOrg
from chartlift.testing.fakes import FakeClock, FakeSource

SHAPES = (
    EntityShape("practice", "practiceId", ("practiceId", "name", "timezone", "updatedAt"), stamp="updatedAt"),
    EntityShape("user", "userId", ("userId", "email", "role", "updatedAt"), stamp="updatedAt"),
    EntityShape(
        "patient",
        "patientId",
        (
            *("patientId", "practiceId", "userId", "lastName", "email", "born", "headId", "onHold", "nhsNumber"),
            *("healthType", "isDeleted", "mergedIntoPatientId", "updatedAt"),
        ),
        patient="patientId",
        id_form="[0-9]{1,11}",
        stamp="updatedAt",
        survivor="mergedIntoPatientId",
        refs={"practiceId": "practice", "userId": "user"},
    ),
    EntityShape(
        "appointment",
        "appointmentId",
        ("appointmentId", "patientId", "userId", "state", "cost", "note", "isDeleted", "updatedAt"),
        patient="patientId",
        stamp="updatedAt",
        refs={"patientId": "patient", "userId": "user"},
    ),
)

FILES = {
    "site.toml": """
object = "Account"
source = "practice"
key = "PRA"

[fields]
Name = { from = "name", type = "Text(80)", required = true }
""",
    "person.toml": """
object = "Contact"
source = "patient"
key = "PAT"
join = { practice = "practiceId" }
when = [{ skip = "source_deleted", if = "isDeleted" }, { hold = "on_hold", if = "onHold" }]

[fields]
AccountId = { from = "practiceId", type = "Lookup(Account)", lookup = "Account:PRA", required = true }
OwnerId = { from = "userId", type = "Lookup(User)", lookup = "Owner" }
LastName = { from = "lastName", type = "Text(20)", required = true }
Email = { from = "email", type = "Email", transform = "email" }
Birthdate = { from = "born", type = "Date", transform = "birth_date", on_bad = "hold" }
Head__c = { from = "headId", type = "Lookup(Contact)", lookup = "Contact:PAT" }
NHS_Number__c = { from = "nhsNumber", type = "Text(10)", transform = "nhs_number" }
Site_Name__c = { from = "practice.name", type = "Text(80)" }
Health_Number_Type__c = { from = "healthType", type = "Text(20)", transform = "health_number_type(nhsNumber)" }
""",
    "visit.toml": """
object = "Visit__c"
source = "appointment"
key = "APT"
when = [{ skip = "source_deleted", if = "isDeleted" }]

[fields]
Contact__c = { from = "patientId", type = "Lookup(Contact)", lookup = "Contact:PAT", required = true }
Practitioner__c = { from = "userId", type = "Lookup(User)", lookup = "User" }
State__c = { from = "state", type = "Picklist restricted", map = "state", on_bad = "hold" }
Cost__c = { from = "cost", type = "Currency(16,2)", transform = "money" }
Note__c = { from = "note", type = "LongTextArea(1000)" }
Origin__c = { const = "migrated", type = "Text(20)" }
""",
    "value_maps.toml": """
[state]
Booked = ["BOOKED", "B"]
"No Show" = ["DNA"]
""",
    "objects.toml": """
[objects.Visit__c]
label = "Visit"
plural = "Visits"
name_format = "V-{0000}"
""",
    "coverage.toml": """
[practice]
practiceId = "mapped"
name = "mapped"
timezone = "not loaded: only tells how to read times"
updatedAt = "not loaded: watermark"

[user]
userId = "matched"
email = "matched"
role = "not loaded: shown to whoever matches clinicians"
updatedAt = "not loaded: watermark"

[patient]
patientId = "mapped"
practiceId = "mapped"
userId = "mapped"
lastName = "mapped"
email = "mapped"
born = "mapped"
headId = "mapped"
onHold = "mapped"
nhsNumber = "mapped"
healthType = "mapped"
isDeleted = "mapped"
mergedIntoPatientId = "matched"
updatedAt = "not loaded: watermark"

[appointment]
appointmentId = "mapped"
patientId = "mapped"
userId = "mapped"
state = "mapped"
cost = "mapped"
note = "mapped"
isDeleted = "mapped"
updatedAt = "not loaded: watermark"
""",
}
STANDARD = {
    "Account": {"Name": "!Text(80)"},
    "Contact": {
        "AccountId": "Lookup(Account)",
        "LastName": "!Text(80)",
        "Email": "Email",
        "Birthdate": "Date",
        "MailingCity": "Text(40)",
    },
}
CLINICIAN = "o.byrne@clinic.example"
FALLBACK = "manager@clinic.example"


def small_pack(folder: Path) -> packs.Pack:
    """The pack, written to a folder and loaded from there as an edited one would be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return packs.load("small", folder=folder)


def small_org(clock: FakeClock) -> FakeOrg:
    """An org with Accounts, Contacts and two Users for the clinic's people."""
    org = FakeOrg(clock, STANDARD)
    org.add_user(CLINICIAN)
    org.add_user(FALLBACK)
    return org


def small_clinic(clock: FakeClock, *, patients: int = 3, visits: int = 2) -> FakeSource:
    """One practice, one clinician, patients numbered from 1 with visits numbered 10 times patient plus n."""
    clinic = FakeSource(SHAPES, clock, page_rows=4)
    clinic.put("practice", practiceId="1", name="Lagan Dental", timezone="Europe/London")
    clinic.put("user", userId="7", email=CLINICIAN, role="DENTIST")
    for number in range(1, patients + 1):
        add_patient(clinic, number)
        for visit in range(visits):
            add_visit(clinic, number * 10 + visit, number)
    return clinic


def add_patient(clinic: FakeSource, number: int, **more: str | None) -> None:
    """A patient without anything remarkable."""
    usual = {"practiceId": "1", "userId": "7", "lastName": f"Name{number}", "email": f"p{number}@mail.example"}
    clinic.put("patient", **(usual | {"patientId": str(number), "born": "1980-02-01", "isDeleted": "false"} | more))


def add_visit(clinic: FakeSource, number: int, patient: int, **more: str | None) -> None:
    """A visit of a patient."""
    usual = {"patientId": str(patient), "userId": "7", "state": "BOOKED", "cost": "12.5", "isDeleted": "false"}
    clinic.put("appointment", **(usual | {"appointmentId": str(number)} | more))
