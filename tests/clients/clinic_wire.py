"""Reads the clinic's API the plainest way there is: sign in, walk every list, keep the rows as they come."""

from dataclasses import dataclass, field
from typing import Any

import requests

Record = dict[str, Any]
TOKEN = "AERONA-AUTH-TOKEN"
LISTS = {
    "practice": ("/practices", "practiceId"),
    "user": ("/users", "userId"),
    "appointmentType": ("/appointmentTypes", "appointmentTypeId"),
    "appointmentStatus": ("/appointmentStatuses", "appointmentStatusId"),
    "referralSource": ("/referralSources", "referralSourceId"),
    "patient": ("/patients", "patientId"),
    "appointment": ("/appointments", "appointmentId"),
    "treatment": ("/treatments", "treatmentId"),
    "course": ("/coursesOfTreatment", "courseId"),
    "clinicalNote": ("/clinicalNotes", "noteId"),
    "document": ("/documents", "documentId"),
    "invoice": ("/invoices", "invoiceId"),
    "paymentPlan": ("/paymentPlans", "paymentPlanId"),
    "carePlanMembership": ("/carePlanMemberships", "membershipId"),
    "recall": ("/recalls", "recallId"),
    "household": ("/households", "householdId"),
}
EVERYTHING = {"includeArchived": "true", "includeDeceased": "true", "includeInactive": "true"}


@dataclass
class ClinicData:
    """Rows by entity and id; ``conflicts`` are ids that came twice with equal stamps and different content."""

    rows: dict[str, dict[int, Record]] = field(default_factory=dict)
    conflicts: set[tuple[str, int]] = field(default_factory=set)
    deleted: set[tuple[str, int]] = field(default_factory=set)
    merged: dict[int, int] = field(default_factory=dict)

    def add(self, entity: str, key: str, row: Record) -> None:
        """Keeps the newer of two rows with one id."""
        held = self.rows.setdefault(entity, {})
        known = held.get(row[key])
        if known is not None and known != row and known["updatedAt"] == row["updatedAt"]:
            self.conflicts.add((entity, row[key]))
        if known is None or row["updatedAt"] > known["updatedAt"]:
            held[row[key]] = row
        if row.get("isDeleted"):
            self.deleted.add((entity, row[key]))


def read_clinic(url: str, env: dict[str, str]) -> ClinicData:
    """The whole clinic as its API tells it."""
    signed_in = requests.post(
        f"{url}/login",
        json={
            "username": env["CHARTLIFT_AERONA_USERNAME"],
            "password": env["CHARTLIFT_AERONA_PASSWORD"],
            "practicePin": env["CHARTLIFT_AERONA_PIN"],
        },
        timeout=30,
    )
    signed_in.raise_for_status()
    data = ClinicData()
    with requests.Session() as session:
        session.headers[TOKEN] = signed_in.headers[TOKEN]
        for entity, (path, key) in LISTS.items():
            for row in _walk(session, url + path, EVERYTHING | ({"embed": "medical"} if entity == "patient" else {})):
                data.add(entity, key, row | ({} if "updatedAt" in row else {"updatedAt": ""}))
        for gone in _walk(session, f"{url}/deletions", {}):
            if gone["mergedIntoId"] is None:
                data.deleted.add((gone["entity"], gone["entityId"]))
            elif gone["entity"] == "patient":
                data.merged[gone["entityId"]] = gone["mergedIntoId"]
    for patient in data.rows["patient"].values():
        if patient["mergedIntoPatientId"] is not None:
            data.merged[patient["patientId"]] = patient["mergedIntoPatientId"]
    return data


def _walk(session: requests.Session, url: str, params: dict[str, str]) -> list[Record]:
    rows: list[Record] = []
    page: int | None = 1
    while page is not None:
        answer = session.get(url, params=params | {"page": str(page), "pageSize": "500"}, timeout=60)
        answer.raise_for_status()
        body = answer.json()
        if isinstance(body, list):
            return body
        rows += body["items"]
        page = body["nextPage"]
    return rows
