"""After a whole load an official client finds in the org what an independent reading of the clinic's API expects.

The expectation (`oracle*.py`) is written from the reference, reads the clinic by itself and shares no code with the
product or the sandbox. A third opinion is the sandbox's list of planted defects.
"""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from clinic_wire import ClinicData, read_clinic
from journey import TENANT, sandbox, whole_load
from oracle import Oracle
from oracle_row import Row
from oracle_visits import Visits
from org_wire import Org, differences
from unusual_rows import PATIENTS as UNUSUAL_PATIENTS
from unusual_rows import VISITS as UNUSUAL_VISITS

PATIENTS, SEED, DRAWN = 300, 23, 200
UNITS = {"Account": "account", "Contact": "contact", "Appointment__c": "appointment"}


@dataclass
class Evidence:
    """What was expected, what the org holds, what the load said and what the sandbox planted."""

    expected: dict[str, dict[str, Row]]
    actual: dict[str, dict[str, dict[str, Any]]]
    counts: dict[str, int]
    load: dict[str, Any]
    planted: list[dict[str, Any]]
    touched: set[str]
    clinic: ClinicData


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("oracle")
    with sandbox(folder / "sandbox", PATIENTS, SEED) as place:
        touched = _make_unusual(place)
        load = whole_load(folder / "workspace", place)
        clinic = read_clinic(place["clinic_url"], place["env"])
        planted = requests.get(f"{place['control_url']}/clinic/truth", timeout=30).json()
        with Org(place) as org:
            oracle = Oracle(clinic, org.users(), place["fallback_email"], TENANT, datetime.now(UTC).date())
            visits = Visits(oracle, with_treatments=org.has("Treatment__c"))
            expected = {"Account": oracle.accounts, "Contact": oracle.contacts, "Appointment__c": visits.rows}
            actual = {name: org.records(name, _fields(rows)) for name, rows in expected.items()}
            counts = {name: org.count(name) for name in expected}
    return Evidence(expected, actual, counts, load, planted, touched, clinic)


def _make_unusual(place: dict[str, Any]) -> set[str]:
    """Writes the unusual values into records the generator left sound; their keys."""
    clinic = read_clinic(place["clinic_url"], place["env"])
    planted = requests.get(f"{place['control_url']}/clinic/truth", timeout=30).json()
    flawed = {(defect["entity"], defect["id"]) for defect in planted}
    gone = {*clinic.merged, *clinic.merged.values()}
    people = [one for one in clinic.rows["patient"] if ("patient", one) not in flawed and one not in gone]
    visits = [
        one
        for one, visit in clinic.rows["appointment"].items()
        if ("appointment", one) not in flawed and visit["patientId"] in people[len(UNUSUAL_PATIENTS) :]
    ]
    changes = [("patient", one, new) for one, new in zip(people, UNUSUAL_PATIENTS, strict=False)]
    changes += [("appointment", one, new) for one, new in zip(visits[::9], UNUSUAL_VISITS, strict=False)]
    assert len(changes) == len(UNUSUAL_PATIENTS) + len(UNUSUAL_VISITS)
    for entity, one, new in changes:
        body = {"op": "update", "entity": entity, "id": one, "fields": new}
        requests.post(f"{place['control_url']}/clinic/mutate", json=body, timeout=30).raise_for_status()
    return {f"{TENANT}-{'PAT' if entity == 'patient' else 'APT'}-{one}" for entity, one, _ in changes}


def _fields(rows: dict[str, Row]) -> list[str]:
    return sorted({name for row in rows.values() for name in row.fields})


def test_the_org_counts_as_many_records_as_are_expected(evidence: Evidence) -> None:
    expected = {name: sum(row.fate == "send" for row in rows.values()) for name, rows in evidence.expected.items()}

    assert evidence.counts == expected
    assert expected["Contact"] > DRAWN


def test_the_same_records_stay_behind(evidence: Evidence) -> None:
    for name, rows in evidence.expected.items():
        travelling = {key for key, row in rows.items() if row.fate == "send"}
        assert set(evidence.actual[name]) == travelling, name


def test_200_random_patients_and_their_appointments_agree_in_every_field(evidence: Evidence) -> None:
    contacts, visits = evidence.expected["Contact"], evidence.expected["Appointment__c"]
    drawn = set(random.Random(SEED).sample(sorted(contacts), DRAWN)) | (evidence.touched & set(contacts))
    theirs = {key for key, row in visits.items() if row.fields.get("ContactId__c") in drawn}
    theirs |= evidence.touched & set(visits)
    chosen = {"Account": set(evidence.expected["Account"]), "Contact": drawn, "Appointment__c": theirs}
    wrong = [
        line
        for name, keys in chosen.items()
        for key in sorted(keys)
        for line in differences(name, key, evidence.expected[name][key], evidence.actual[name].get(key))
    ]

    assert len(theirs) > 5 * DRAWN
    assert not wrong, "\n".join([f"{len(wrong)} disagreements", *wrong[:40]])


def test_the_load_reports_as_many_held_skipped_and_withheld(evidence: Evidence) -> None:
    units = {unit["unit"]: unit for unit in evidence.load["units"]}
    for name, unit in UNITS.items():
        rows = evidence.expected[name].values()
        fates = Counter(row.fate for row in rows)
        said = units[unit]["fates"]
        assert (said.get("hold", 0), said.get("skip", 0)) == (fates["hold"], fates["skip"]), name
        withheld = Counter(field for row in rows if row.fate == "send" for field in row.withheld)
        told = Counter[str]()
        for entry in units[unit]["withheld"]:
            told[entry["field"].partition(":")[0]] += entry["rows"]
        assert told == withheld, name


def test_what_the_sandbox_planted_has_the_fate_it_foresaw(evidence: Evidence) -> None:
    weight = {"send": 0, "hold": 1, "skip": 2}
    for entity, name, code in (("patient", "Contact", "PAT"), ("appointment", "Appointment__c", "APT")):
        foreseen: dict[str, str] = {}
        for defect in evidence.planted:
            if defect["entity"] == entity:
                key = f"{TENANT}-{code}-{defect['id']}"
                foreseen[key] = max(foreseen.get(key, "send"), defect["row"], key=weight.__getitem__)
        rows = evidence.expected[name]
        foreseen = {key: fate for key, fate in foreseen.items() if not _changed_since(evidence, key)}
        # a record the clinic no longer lists at all cannot be expected, only be absent
        gone = {key for key in foreseen if key not in rows}
        assert not gone & set(evidence.actual[name])
        assert {key: rows[key].fate for key in foreseen if key in rows} == {
            key: fate for key, fate in foreseen.items() if key in rows
        }


def _changed_since(evidence: Evidence, key: str) -> bool:
    """Whether a record or its patient was made unusual after the defects had been written down."""
    visit = evidence.clinic.rows["appointment"].get(int(key.rsplit("-", 1)[1]), {})
    return not evidence.touched.isdisjoint({key, f"{TENANT}-PAT-{visit.get('patientId')}"})
