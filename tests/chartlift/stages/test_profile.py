from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chartlift.errors import CredentialsError, NotConfirmed, Unreachable, UsageError
from chartlift.model.plan import FieldRule, ObjectMap, ValueMap
from chartlift.model.ports import Tools
from chartlift.model.source import Probe
from chartlift.stages import check, estimate, extract, profile


@dataclass(frozen=True)
class SmallPack:
    maps: tuple[ObjectMap, ...]
    value_maps: Mapping[str, ValueMap]


CONTACT = ObjectMap(
    "contact", "Contact", "patient", "PAT", join={"practice": "practiceId"},
    fields=(
        FieldRule("LastName", ("lastName",), "Text(80)", required=True, on_bad="hold"),
        FieldRule("FirstName", ("firstName",), "Text(3)"),
        FieldRule("Birthdate", ("dateOfBirth",), "Date", "birth_date"),
        FieldRule("NHS_Number__c", ("nhsNumber",), "Text(10)", "nhs_number"),
        FieldRule("MailingPostalCode", ("postcode",), "Text(20)", "postcode", ("practice.country",)),
        FieldRule("LeadSource", ("referralSource",), "Picklist", map="lead_source"),
        FieldRule("OwnerId", ("preferredUserId",), "Lookup(User)", lookup="Owner"),
    ),
)  # fmt: skip
APPOINTMENT = ObjectMap(
    "appointment", "Appointment__c", "appointment", "APT",
    fields=(FieldRule("Status__c", ("appointmentStatus",), "Picklist restricted", map="status", required=True),),
)  # fmt: skip
PACK = SmallPack(
    (CONTACT, APPOINTMENT),
    {
        "lead_source": ValueMap("lead_source", {"Friend / family": "Word of mouth"}),
        "status": ValueMap("status", {"DNA": "No Show", "COMPLETE": "Complete"}),
    },
)


@pytest.fixture
def tools(reading_tools: Tools) -> Tools:
    return replace(reading_tools, pack=PACK)


def findings(report: Any) -> dict[tuple[str, str], Any]:
    return {(finding.code, finding.entity): finding for finding in report.findings}


def profiled(tools: Tools) -> Any:
    extract.run(tools)
    return profile.run(tools)


def test_fields_are_counted_filled_empty_and_missing(tools: Tools, clinic: Any) -> None:
    clinic.fill(4, 0)
    for row, title in zip(clinic.rows["patient"], ["Mr", "Mr", "Mrs", None], strict=True):
        row.update(title=title, email="", middleName="😀x\n")
    report = profiled(tools)
    patient = next(entity for entity in report.entities if entity.name == "patient")
    fields = {field.name: field for field in patient.fields}
    assert (patient.rows, patient.row_bytes > 30) == (4, True)
    title = fields["title"]
    assert (title.filled, title.empty, title.missing, title.distinct, dict(title.values)) == (
        3,
        0,
        1,
        2,
        {"Mr": 2, "Mrs": 1},
    )
    assert (fields["email"].filled, fields["email"].empty) == (0, 4)
    assert fields["middleName"].longest == 5
    assert dict(fields["lastName"].values) == {}


def test_volumes_are_told_by_year(tools: Tools, clinic: Any) -> None:
    clinic.fill(2, 2)
    clinic.rows["appointment"][0]["appointmentTime"] = "2019-02-30T10:00:00"
    clinic.rows["appointment"][1]["appointmentTime"] = "soon"
    report = profiled(tools)
    assert dict(next(e for e in report.entities if e.name == "appointment").years) == {"": 1, "2019": 1, "2025": 2}


def test_references_are_followed_through_merges_and_told_where_they_lead_nowhere(tools: Tools, clinic: Any) -> None:
    clinic.fill(6, 0)
    clinic.rows["patient"][0].update(guardianPatientId=100, preferredUserId=9)
    clinic.rows["patient"][1].update(guardianPatientId=2)
    clinic.rows["patient"][2].update(guardianPatientId=4)
    clinic.rows["patient"][3].update(guardianPatientId=3)
    clinic.deletions = [{"entity": "patient", "entityId": 100, "deletedAt": "2025-01-01T00:00:00Z", "mergedIntoId": 5}]
    clinic.rows["appointment"] = [clinic.appointment(1, 4242), clinic.appointment(2, 100)]
    found = findings(profiled(tools))
    assert found["R-REF", "appointment.patientId"].samples == ("appointment 1",)
    assert found["R-REF", "patient.preferredUserId"].count == 1
    assert found["R-REF-SELF", "patient.guardianPatientId"].samples == ("patient 2",)
    assert found["R-REF-CYCLE", "patient.guardianPatientId"].count == 2
    assert ("R-REF", "patient.guardianPatientId") not in found


def test_an_appointment_moved_to_another_patients_is_told(tools: Tools, clinic: Any) -> None:
    clinic.fill(2, 1)
    clinic.rows["appointment"][0]["rescheduledToAppointmentId"] = clinic.rows["appointment"][1]["appointmentId"]
    found = findings(profiled(tools))
    assert found["R-REF-PATIENT", "appointment.rescheduledToAppointmentId"].count == 1


def test_states_out_of_time_and_minors_alone_are_told(tools: Tools, clinic: Any) -> None:
    clinic.fill(4, 1)
    ages = ["2015-01-01", "2012-01-01", "2010-03-01", "2010-03-02"]
    for row, born in zip(clinic.rows["patient"], ages, strict=True):
        row["dateOfBirth"] = born
    clinic.rows["patient"][1]["guardianPatientId"] = 3
    visits = [
        (2, "2026-02-21T10:00:00"),
        (2, "2026-02-22T10:00:00"),
        (7, "2026-03-02T10:00:00"),
        (6, "2026-05-02T10:00:00"),
    ]
    for row, (status, moment) in zip(clinic.rows["appointment"], visits, strict=True):
        row.update(appointmentStatusId=status, appointmentTime=moment)
    found = findings(profiled(tools))
    assert found["R-STATE-TIME", "appointment.appointmentStatusId open"].samples == ("appointment 10",)
    assert found["R-STATE-TIME", "appointment.appointmentStatusId done"].samples == ("appointment 30",)
    assert found["R-GUARDIAN", "patient.guardianPatientId"].samples == ("patient 1", "patient 4")


def test_duplicates_exact_and_probable(tools: Tools, clinic: Any) -> None:
    clinic.fill(9, 0)
    same = {"lastName": "O\u2019Neill", "firstName": "Siân", "dateOfBirth": "1984-03-29", "postcode": "BT34 1AA"}
    people = [
        same,
        {**same, "lastName": "o'neill", "postcode": "bt341aa"},
        {
            **same,
            "lastName": "Kowalska",
            "previousLastName": "O'Neill",
            "firstName": "Sian",
            "mobilePhone": "07700 900123",
        },
        {**same, "firstName": "Tom"},
        {**same, "dateOfBirth": "1970-01-01"},
        {**same, "dateOfBirth": "1970-01-01"},
        {"firstName": "Ann", "nhsNumber": "999 000 0018", "dateOfBirth": "2001-01-01"},
        {"firstName": "Bob", "nhsNumber": "9990000018", "dateOfBirth": "2002-01-01"},
        {"nhsNumber": "9990000018", "dateOfBirth": "2001-01-01", "mergedIntoPatientId": 1},
    ]
    for row, more in zip(clinic.rows["patient"], people, strict=True):
        row.update(more)
    found = findings(profiled(tools))
    assert found["R-DUP-EXACT", "patient"].samples == ("patient 1 and 2",)
    assert found["R-DUP", "patient"].count == 2
    assert found["R-NHS-DUP", "patient.nhsNumber"].samples == ("patient 7", "patient 8")
    assert found["R-NHS-DUP-BORN", "patient.nhsNumber"].count == 2


def test_all_records_of_a_finding_are_listed_by_key_evidence_and_the_form_of_the_value(
    tools: Tools, clinic: Any
) -> None:
    clinic.fill(9, 0)
    twin = {"lastName": "Ní Bhriain", "firstName": "Aoife", "dateOfBirth": "1984-03-09", "mobilePhone": "0871234567"}
    for row, more in zip(clinic.rows["patient"], [twin, {**twin, "dateOfBirth": "1984-09-03"}], strict=False):
        row.update(more)
    for row in clinic.rows["patient"][2:]:
        row["email"] = "canary@@example.org"
    extract.run(tools)
    listed = profile.records(tools, "r-email-standin patient.email").data["records"]
    assert [one["key"] for one in listed] == [f"patient {number}" for number in range(3, 10)]
    assert {one["value"] for one in listed} == {"xxxxxx@@xxxxxxx.xxx"}
    pair = profile.records(tools, "R-DUP").data["records"]
    assert [(one["key"], one["other"]) for one in pair] == [("patient 1", "patient 2")]
    assert pair[0]["evidence"].startswith("surname same, forename same, birth date swapped, telephone same; score 0.9")
    with pytest.raises(UsageError, match="no finding R-NONE"):
        profile.records(tools, "R-NONE")


def test_families_twins_and_shared_addresses_are_not_duplicates(tools: Tools, clinic: Any) -> None:
    clinic.fill(40, 0)
    home = {
        "addressLine1": "1 Main Street",
        "postcode": "BT34 1AA",
        "homePhone": "028 9649 6012",
        "email": "us@example.org",
    }
    home |= {"lastName": "Byrne", "householdId": 1}
    family = [
        {**home, "firstName": "Sean", "gender": "MALE", "dateOfBirth": "1954-03-29"},
        {
            **home,
            "firstName": "Sean",
            "gender": "MALE",
            "dateOfBirth": "1984-03-29",
        },  # his son, thirty years to the day
        {**home, "firstName": "Maria", "gender": "FEMALE", "dateOfBirth": "2010-05-06"},
        {**home, "firstName": "Marie", "gender": "FEMALE", "dateOfBirth": "2010-05-06"},  # twins
        {**home, "firstName": "Tom", "gender": "MALE", "dateOfBirth": "2012-05-06"},
        {**home, "firstName": "Una", "gender": "FEMALE", "dateOfBirth": "2012-05-06"},
    ]
    others = [
        {"firstName": name, "lastName": "Kelly", "dateOfBirth": f"19{70 + n}-01-02"}
        for n, name in enumerate(["Maria", "Marie"] * 5)
    ]
    for row, more in zip(clinic.rows["patient"], [*family, *others], strict=False):
        row.update(more)
    found = findings(profiled(tools))
    assert not {code for code, _ in found} & {"R-DUP", "R-DUP-EXACT"}
    assert found["R-EMAIL-SHARED", "patient.email"].count == 6


def test_the_packs_rules_are_counted_with_the_fate_the_pack_gives(tools: Tools, clinic: Any) -> None:
    clinic.fill(5, 1)
    changes = [
        {"nhsNumber": "943 476 5910", "dateOfBirth": "31/02/2001"},
        {"nhsNumber": "1111111111", "firstName": "Long enough"},
        {"lastName": "  ", "dateOfBirth": "1970-01-01"},
        {"lastName": "a\ud800b", "referralSource": "Billboard", "postcode": "nowhere"},
        {"referralSource": "FRIEND/FAMILY"},
    ]
    for row, more in zip(clinic.rows["patient"], changes, strict=True):
        row.update(more)
    clinic.rows["appointment"][0]["appointmentStatus"] = "FTA - no charge"
    for row in clinic.rows["appointment"][1:]:
        row["appointmentStatus"] = "dna"
    found = findings(profiled(tools))
    fates = {place: (finding.count, finding.fate, finding.severity) for place, finding in found.items()}
    assert fates["R-NHS", "patient.nhsNumber"] == (1, "withheld", "warning")
    assert fates["R-NHS-REPEATED", "patient.nhsNumber"] == (1, "withheld", "warning")
    assert fates["R-DOB", "patient.dateOfBirth"][1] == "withheld"
    assert fates["R-DOB-EPOCH", "patient.dateOfBirth"] == (1, "sent", "note")
    assert fates["R-REQ", "patient.lastName"] == (1, "held", "error")
    assert fates["R-TEXT-SURROGATE", "patient.lastName"][1] == "held"
    assert fates["R-LEN", "patient.firstName"] == (1, "withheld", "warning")
    assert fates["R-PICK", "patient.referralSource"] == (1, "withheld", "warning")
    assert fates["R-PICK", "appointment.appointmentStatus"] == (1, "held", "error")
    assert found["R-POSTCODE", "patient.postcode"].samples == ("patient 4",)
    assert list(found) == sorted(found, key=lambda place: {"error": 0, "warning": 1, "note": 2}[found[place].severity])


def test_what_the_extraction_found_is_told_again_and_no_value_is(tools: Tools, clinic: Any, memory: Any) -> None:
    clinic.fill(3)
    clinic.rows["patient"][0].update(
        lastName="canary", email="canary@example.org", shoeSize="canary", nhsNumber="canary"
    )
    report = profiled(tools)
    assert ("S-UNMAPPED", "patient.shoeSize") in findings(report)
    assert "canary" not in json.dumps(memory.reports["profile"])
    assert memory.reports["profile"]["exit_code"] == 0


def test_there_is_nothing_to_profile_before_an_extraction(tools: Tools, clinic: Any) -> None:
    with pytest.raises(NotConfirmed, match="extract"):
        profile.run(tools)
    clinic.fill(150)
    clinic.faults.append(lambda _m, path, q: (502, {}, b"") if path == "/patients" and q["page"] != "1" else None)
    with pytest.raises(Unreachable):
        extract.run(tools)
    with pytest.raises(NotConfirmed):
        profile.run(tools)


def test_the_estimate_counts_from_the_map_and_the_volumes(tools: Tools, clinic: Any, memory: Any) -> None:
    clinic.fill(40, 2)
    profiled(tools)
    report = estimate.run(tools)
    assert [(one.object, one.rows, one.batches, one.storage_kb) for one in report.objects] == [
        ("Contact", 40, 1, 80), ("Appointment__c", 80, 1, 160),
    ]  # fmt: skip
    assert (report.records, report.bulk_batches, report.route, report.grade) == (120, 2, "api", "standard")
    assert report.grade_text == "Standard migration. 1 of 3 objects need a mapping; the rest are 1:1."
    assert [(row.source, row.how) for row in report.table] == [
        ("patient", "direct"), ("appointment", "mapping"), ("user", "matched"), ("patient.referralSource", "mapping"),
        ("appointment.appointmentStatus", "mapping"),
    ]  # fmt: skip
    assert (report.run_hours, report.project_days) == ((24.0, 48.0), (2, 7))
    assert memory.reports["estimate"]["records"] == 120


def test_a_large_clinic_is_read_ahead_or_by_files_and_scoped_by_itself(tools: Tools, memory: Any) -> None:
    def rows(patients: int) -> dict[str, Any]:
        names = {"patient": (patients, 700), "appointment": (patients * 13, 200), "household": (patients, 10)}
        return {"entities": [{"name": name, "rows": n, "row_bytes": size} for name, (n, size) in names.items()]}

    memory.reports["profile"] = rows(500_000)
    report = estimate.run(tools)
    assert (report.route, report.grade, report.records) == ("api-ahead", "individual", 7_000_000)
    assert [finding.code for finding in report.findings] == ["E-RECORDS", "E-READ-AHEAD"]
    memory.reports["profile"] = rows(1_200_000)
    report = estimate.run(tools)
    assert (report.route, report.grade, report.records) == ("files", "individual", 16_800_000)
    assert {finding.code for finding in report.findings} == {"E-RECORDS", "E-FILES"}
    assert report.bulk_batches >= 16_800_000 / 20_000
    assert report.project_days > (2, 7)


def test_the_estimate_needs_a_profile(tools: Tools) -> None:
    with pytest.raises(NotConfirmed, match="profile"):
        estimate.run(tools)


class Org:
    name = "salesforce"

    def __init__(self, *answers: Any) -> None:
        self.answers = answers

    def check(self) -> list[Probe]:
        if isinstance(self.answers[0], Exception):
            raise self.answers[0]
        return list(self.answers)


def test_the_check_collects_both_sides_and_forecasts(tools: Tools, clinic: Any, memory: Any) -> None:
    clinic.fill(250)
    org: Any = Org(Probe("login", True, "ok"))
    report = check.run(replace(tools, destination=org))
    assert (report.ok, report.exit_code) == (True, 0)
    assert report.forecast["requests"] >= 10
    assert memory.reports["check"]["ok"]
    asked = len(clinic.requests)
    extract.run(tools)
    assert all(query.get("pageSize") != "1" for _, _, query in clinic.requests[asked:])


def test_a_side_that_is_down_is_a_failed_probe_and_a_refused_secret_an_error(tools: Tools, clinic: Any) -> None:
    clinic.fill(1)
    down: Any = Org(Unreachable("no answer", hint="later"))
    report = check.run(replace(tools, destination=down))
    assert (report.ok, report.exit_code) == (False, 3)
    assert report.destination[0].detail == "no answer. later"
    refused: Any = Org(CredentialsError("refused"))
    with pytest.raises(CredentialsError):
        check.run(replace(tools, destination=refused))
