"""After a whole load an official client finds in the org what an independent reading of the clinic's API expects.

The expectation (`oracle*.py`) is written from the reference, reads the clinic by itself and shares no code with the
product or the sandbox. A third opinion is the sandbox's list of planted defects (`foreseen.py`).
"""

from collections import Counter
from typing import Any

import pytest
from clinic_wire import Record
from evidence import NOTE, Evidence, gather
from foreseen import OBJECTS, Foreseen, family, ids_by, withheld_fields, withheld_for
from journey import TENANT
from oracle_notes import part_faults
from oracle_row import Row
from org_wire import differences

# patients, seed, whether unusual values are written into sound records
CLINICS = ((250, 23, True), (200, 71, False), (200, 1009, False))


@pytest.fixture(scope="module", params=CLINICS, ids=lambda clinic: f"seed-{clinic[1]}")
def evidence(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    patients, seed, unusual = request.param
    return gather(tmp_path_factory.mktemp("oracle"), patients, seed, unusual=unusual)


def shown(wrong: list[str]) -> str:
    return "\n".join([f"{len(wrong)} disagreements", *wrong[:60]])


def sent(rows: dict[str, Row]) -> set[str]:
    return {key for key, row in rows.items() if row.fate == "send"}


def test_the_org_holds_exactly_the_records_that_should_travel(evidence: Evidence) -> None:
    for name, rows in evidence.expected.rows.items():
        assert set(evidence.actual[name]) == sent(rows), name
        if name != NOTE:
            assert evidence.counts[name] == len(sent(rows)), name
    assert evidence.counts[NOTE] == sum(len(parts) for parts in evidence.parts.values())
    assert min(len(rows) for name, rows in evidence.actual.items() if name not in ("Account", "Payment_Plan__c")) > 150


def test_every_record_agrees_in_every_mapped_field(evidence: Evidence) -> None:
    wrong = [
        line
        for name, rows in evidence.expected.rows.items()
        for key, row in rows.items()
        for line in differences(name, key, row, evidence.actual[name].get(key))
    ]

    assert not wrong, shown(wrong)
    assert sum(len(row.fields) for rows in evidence.expected.rows.values() for row in rows.values()) > 200_000


def test_joining_the_parts_of_each_note_gives_its_text_exactly(evidence: Evidence) -> None:
    travelling = sent(evidence.expected.rows[NOTE])
    wrong = [
        fault
        for key in sorted(travelling)
        for fault in part_faults(key, evidence.expected.texts[key], evidence.parts.get(key, {}))
    ]

    assert not wrong, shown(wrong)
    assert any(len(parts) > 1 for parts in evidence.parts.values())


def test_all_parts_of_a_note_say_who_wrote_it_and_about_whom(evidence: Evidence) -> None:
    shared = ("ContactId__c", "Practitioner__c", "OwnerId", "Author_Name__c", "Note_Type__c", "Text_SHA256__c")
    for key, parts in evidence.parts.items():
        for name, record in parts.items():
            first = parts[key]
            assert [record[field] for field in shared] == [first[field] for field in shared], name


def test_the_load_gives_the_same_fates_for_the_same_reasons(evidence: Evidence) -> None:
    told: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in evidence.expected.rows}
    for unit in evidence.load["units"]:
        for entry in unit["reasons"]:
            told[unit["object"]][entry["fate"], family(entry["reason"])] += entry["rows"]
        assert not unit["failed"]
        assert not {"reject", "failed"} & set(unit["fates"])
    expected = {
        name: Counter((row.fate, family(row.reason)) for row in rows.values() if row.fate != "send")
        for name, rows in evidence.expected.rows.items()
    }

    assert told == expected


def test_the_load_withholds_the_same_fields_for_the_same_reasons(evidence: Evidence) -> None:
    told: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in evidence.expected.rows}
    for unit in evidence.load["units"]:
        for entry in unit["withheld"]:
            field, _, reason = entry["field"].partition(":")
            told[unit["object"]][field, withheld_for(field, reason)] += entry["rows"]
    expected = {
        name: Counter(
            pair
            for key, row in rows.items()
            if row.fate == "send"
            for pair in withheld_fields(row).items()
            # each part of a long note goes without
            for _ in evidence.parts.get(key, [key])
        )
        for name, rows in evidence.expected.rows.items()
    }

    assert told == expected


def test_reconciliation_is_clean_and_counts_the_same_records(evidence: Evidence) -> None:
    equal = Counter[str]()
    for unit in evidence.reconcile["units"]:
        equal[unit["object"]] += unit["records"].get("equal", 0)
        assert unit["fields"]["differs"] == 0

    assert evidence.reconcile["clean"]
    assert {name: equal[name] for name in evidence.counts} == evidence.counts


def test_every_planted_defect_has_the_fate_foreseen_and_nothing_else_stays_behind(evidence: Evidence) -> None:
    foreseen, wrong = Foreseen(evidence.planted, evidence.clinic), list[str]()
    unusual = Touched(evidence)
    for entity, (name, code) in OBJECTS.items():
        for one, record in evidence.records(entity).items():
            key, row = f"{TENANT}-{code}-{one}", evidence.expected.rows[name][f"{TENANT}-{code}-{one}"]
            fate = foreseen.fates[name].get(key, "send")
            if unusual.has(entity, one, record):
                continue
            if fate != row.fate or (key in evidence.actual[name]) != (fate == "send"):
                wrong.append(f"{key}: planted {fate}, expected {row.fate} {row.reason}")
            elif fate != "send" and family(row.reason) not in foreseen.reasons[key]:
                wrong.append(f"{key}: planted {foreseen.reasons[key]}, expected {row.reason}")
        # a record the clinic no longer lists at all cannot be expected, only be absent
        unlisted = set(foreseen.fates[name]) - set(evidence.expected.rows[name])
        wrong += [f"{key}: no longer in the clinic" for key in unlisted & set(evidence.actual[name])]

    assert not wrong, shown(wrong)


def test_every_planted_defect_withholds_the_field_foreseen_and_no_other_is_withheld(evidence: Evidence) -> None:
    foreseen, wrong = Foreseen(evidence.planted, evidence.clinic), list[str]()
    unusual = Touched(evidence)
    for entity, (name, code) in OBJECTS.items():
        for one, record in evidence.records(entity).items():
            key, row = f"{TENANT}-{code}-{one}", evidence.expected.rows[name][f"{TENANT}-{code}-{one}"]
            if row.fate != "send" or unusual.has(entity, one, record):
                continue
            planned, held = foreseen.withheld(entity, one, record), evidence.actual[name].get(key, {})
            if planned != withheld_fields(row):
                wrong.append(f"{key}: planted {planned}, expected {withheld_fields(row)}")
            wrong += [f"{key}: {field} holds {held[field]!r}" for field in planned if held.get(field)]

    assert not wrong, shown(wrong)


class Touched:
    """Which records, or which that decide about them, were made unusual after the defects had been written down."""

    NEAR = (
        ("patient", "patientId"),
        ("appointment", "appointmentId"),
        ("appointment", "rescheduledToAppointmentId"),
        ("treatment", "treatmentId"),
        ("course", "courseId"),
        ("clinicalNote", "amendsNoteId"),
        ("invoice", "invoiceId"),
    )

    def __init__(self, evidence: Evidence) -> None:
        self._touched = evidence.touched
        self._works = ids_by(evidence.clinic.rows["treatment"], "appointmentId")
        self._heads = {one: home["headPatientId"] for one, home in evidence.clinic.rows["household"].items()}

    def has(self, entity: str, one: Any, record: Record) -> bool:
        near = [(kind, record.get(column)) for kind, column in self.NEAR] + [(entity, one)]
        if entity == "appointment":
            near += [("treatment", work) for work in self._works.get(one, [])]
        near.append(("patient", self._heads.get(record.get("householdId"))))
        near += [("treatment", line["treatmentId"]) for line in record.get("lineItems") or []]
        return not self._touched.isdisjoint(near)
