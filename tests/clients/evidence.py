"""One whole load of one clinic, and everything that has to agree about it."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import unusual_rows
import unusual_work
from clinic_wire import ClinicData, Record, read_clinic
from journey import TENANT, Journey, sandbox, whole_load
from oracle_notes import PARTWISE, whole_note
from oracle_whole import Expected, expect
from org_wire import Org

NOTE = "Clinical_Note__c"
Actual = dict[str, dict[str, dict[str, Any]]]


@dataclass
class Evidence:
    """What was expected, what the org holds, what the product said and what the sandbox planted.

    ``actual`` has a long note once, under its own key, without what belongs to a part; ``parts`` has every part.
    ``touched`` are (entity, id) pairs whose content was made unusual after the defects had been written down.
    """

    expected: Expected
    actual: Actual
    parts: dict[str, dict[str, dict[str, Any]]]
    counts: dict[str, int]
    load: dict[str, Any]
    reconcile: dict[str, Any]
    planted: list[dict[str, Any]]
    touched: set[tuple[str, int]]
    clinic: ClinicData

    def records(self, entity: str) -> dict[Any, Record]:
        """The clinic's rows of an entity; lines of invoices by "<invoice>-<line>", with their patient."""
        if entity != "invoiceLine":
            return dict(self.clinic.rows[entity])
        return {
            f"{one}-{line['invoiceLineId']}": line | {"patientId": invoice["patientId"], "invoiceId": one}
            for one, invoice in self.clinic.rows["invoice"].items()
            for line in invoice["lineItems"] or []
        }


def gather(home: Path, patients: int, seed: int, *, unusual: bool) -> Evidence:
    """Starts a clinic and an org, moves the one into the other, and reads everything back."""
    with sandbox(home / "sandbox", patients, seed) as place:
        touched = make_unusual(place) if unusual else set[tuple[str, int]]()
        journey = Journey(home / "workspace", place)
        load = whole_load(journey, place["fallback_email"], sampled=unusual)
        reconcile = journey.step("reconcile")
        clinic = read_clinic(place["clinic_url"], place["env"])
        with Org(place) as org:
            today = datetime.now(UTC).date()
            expected = expect(clinic, org.users(), place["fallback_email"], TENANT, today)
            actual = {name: org.records(name, field_names(rows, name)) for name, rows in expected.rows.items()}
            counts = {name: org.count(name) for name in expected.rows}
        planted = read_planted(place)
    parts = by_note(actual[NOTE])
    actual[NOTE] = {key: parts[key][key] for key in parts if key in parts[key]}
    return Evidence(expected, actual, parts, counts, load, reconcile, planted, touched, clinic)


def read_planted(place: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list of planted defects."""
    return requests.get(f"{place['control_url']}/clinic/truth", timeout=60).json()


def field_names(rows: Mapping[str, Any], object_name: str) -> list[str]:
    """Every field that the oracle has an opinion about."""
    names = {name for row in rows.values() for name in row.fields}
    return sorted(names | (set(PARTWISE) if object_name == NOTE else set()))


def by_note(records: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The records of notes grouped by the key of the note."""
    grouped: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for key, record in records.items():
        grouped[whole_note(key)][key] = record
    return dict(grouped)


class Clerk:
    """Writes into a clinic through the control door, and remembers where."""

    def __init__(self, place: Mapping[str, Any]) -> None:
        self._url = f"{place['control_url']}/clinic/mutate"
        self.touched: set[tuple[str, int]] = set()

    def update(self, entity: str, one: int, fields: Record) -> None:
        """Changes a record."""
        name = "coursesOfTreatment" if entity == "course" else entity
        self._post({"op": "update", "entity": name, "id": one, "fields": fields})
        self.touched.add((entity, one))

    def create(self, entity: str, fields: Record) -> None:
        """Adds a record."""
        self.touched.add((entity, self._post({"op": "create", "entity": entity, "fields": fields})))

    def _post(self, body: Record) -> int:
        answer = requests.post(
            self._url, data=json.dumps(body), headers={"Content-Type": "application/json"}, timeout=120
        )
        answer.raise_for_status()
        return answer.json()["id"]


def make_unusual(place: Mapping[str, Any]) -> set[tuple[str, int]]:
    """Writes the unusual values into records the generator left sound; which."""
    clinic, clerk = read_clinic(place["clinic_url"], place["env"]), Clerk(place)
    flawed = {(defect["entity"], defect["id"]) for defect in read_planted(place)}
    gone = {*clinic.merged, *clinic.merged.values()}
    people = [one for one in clinic.rows["patient"] if ("patient", one) not in flawed and one not in gone]
    for one, new in zip(people, unusual_rows.PATIENTS, strict=False):
        clerk.update("patient", one, new)
    sound = set(people[len(unusual_rows.PATIENTS) :])
    for entity, changes, step in (
        ("appointment", unusual_rows.VISITS, 9),
        ("treatment", unusual_work.TREATMENTS, 3),
        ("course", unusual_work.COURSES, 3),
        ("clinicalNote", unusual_work.NOTES, 3),
        ("document", unusual_work.DOCUMENTS, 3),
        ("invoice", unusual_work.INVOICES, 3),
    ):
        rows = clinic.rows[entity].items()
        free = [one for one, row in rows if (entity, one) not in flawed and row["patientId"] in sound]
        assert len(free[::step]) >= len(changes), (entity, len(free))
        for one, new in zip(free[::step], changes, strict=False):
            clerk.update(entity, one, new)
    _surround(clinic, clerk, sound)
    return clerk.touched


def _surround(clinic: ClinicData, clerk: Clerk, sound: set[int]) -> None:
    """Gives patients who have none care plans and recalls of an unusual kind."""
    for entity, rows, base in (
        ("carePlanMembership", unusual_work.CARE_PLANS, unusual_work.PLAN),
        ("recall", unusual_work.RECALLS, unusual_work.RECALL),
    ):
        taken = {row["patientId"] for row in clinic.rows[entity].values()}
        for one, given in zip(sorted(sound - taken), rows, strict=False):
            clerk.touched.add(("patient", one))
            for row in given:
                clerk.create(entity, base | row | {"patientId": one})
