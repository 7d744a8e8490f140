"""What happens at the clinic while the demo's cutover runs."""

from __future__ import annotations

from typing import Any

from chartlift.model.ports import Tools

SUPPLIERS = ("Harbour Dental Supplies", "Northgate Laboratories", "Quay Street Waste Services")
PEOPLE = ("O'Brien", "Fairweather", "Lindqvist", "Ó Dálaigh", "Marchetti", "Okonkwo", "van der Berg", "Sørensen")


def own_records() -> list[dict[str, Any]]:
    """Records that the org has before anything is moved: suppliers and their people, none of them a patient."""
    records = [{"op": "insert", "object": "Account", "fields": {"Name": name, "Type": "Vendor"}} for name in SUPPLIERS]
    for number, last in enumerate(PEOPLE):
        fields = {"LastName": last, "FirstName": "Sam" if number % 2 else "Alex", "LeadSource": "Web"}
        fields |= {"Phone": f"020 7946 0{number:03d}"} if number % 3 else {}
        records.append({"op": "insert", "object": "Contact", "fields": fields})
    return records


def in_flight(tools: Tools) -> list[dict[str, Any]]:
    """Bodies for the clinic: one patient missed a visit, one visit moved, one was booked, one phone changed, one visit deleted."""
    rows = tools.staging.sql.execute("""
        SELECT a."appointmentId", a."patientId", a."practiceId", a."userId", a."appointmentTypeId"
        FROM src_appointment AS a JOIN src_patient AS p ON p._id = a."patientId"
        WHERE a."appointmentStatusId" = '2' AND coalesce(a."isDeleted", 'false') <> 'true' AND a."userId" IS NOT NULL
          AND coalesce(p."isDeleted", 'false') <> 'true' AND p."status" = 'ACTIVE' AND p."mergedIntoPatientId" IS NULL
        ORDER BY a._seq LIMIT 4
    """).fetchall()
    missed, moved, gone, *_ = [int(row[0]) for row in rows]
    patient, practice, user, kind = (int(value) for value in rows[0][1:])
    booked = {
        "patientId": patient,
        "practiceId": practice,
        "userId": user,
        "appointmentTypeId": kind,
        "appointmentStatusId": 2,
        "appointmentStatus": "CONFIRMED",
        "appointmentTime": "2026-12-14T09:30:00",
        "duration": 30,
        "origin": "ONLINE",
    }
    return [
        _update("appointment", missed, {"appointmentStatusId": 7, "appointmentStatus": "DNA"}),
        _update("appointment", moved, {"appointmentTime": "2026-12-15T14:00:00"}),
        {"op": "delete", "entity": "appointment", "id": gone},
        _update("patient", patient, {"mobilePhone": "07700 900999"}),
        {"op": "create", "entity": "appointment", "fields": booked},
    ]


def _update(entity: str, record: int, fields: dict[str, Any]) -> dict[str, Any]:
    return {"op": "update", "entity": entity, "id": record, "fields": fields}
