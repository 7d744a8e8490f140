"""What the staff of a clinic do to its records: create, change, delete, merge. Every list that shows a record follows."""

from bisect import bisect_left, insort
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from chartlift_sandbox.generator.days import as_instant
from chartlift_sandbox.generator.entities import BY_NAME, CREATED_AFTER, Entity, feed_row, fresh
from chartlift_sandbox.generator.medical import ARRAYS, medical_items, with_item, without_item
from chartlift_sandbox.generator.world import Record

if TYPE_CHECKING:
    from chartlift_sandbox.clinic import Clinic


class ClinicError(Exception):
    """A change that cannot be made; ``status`` is the HTTP status the control door should answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Staff:
    """The operations over one clinic; the caller holds its lock."""

    def __init__(self, clinic: "Clinic") -> None:
        self._clinic = clinic

    def act(self, op: str, entity: str, key: int | None, fields: Record) -> int:
        """Carries one operation out and answers the record's id; see ``Clinic.mutate``."""
        changes: dict[str, Callable[[Entity, int, Record], int]] = {
            "update": self._update, "delete": self._delete, "merge": self._merge,
        }  # fmt: skip
        kind = BY_NAME.get(entity)
        if kind is None:
            raise ClinicError("NOT_FOUND", f"no entity {entity!r}", 404)
        if op == "create":
            return self._create(kind, key, fields)
        if op not in changes:
            raise ClinicError("VALIDATION", f"no operation {op!r}")
        if key is None or self._clinic.record(entity, key) is None:
            raise ClinicError("NOT_FOUND", f"no {entity} {key}", 404)
        return changes[op](kind, key, fields)

    def _create(self, kind: Entity, key: int | None, fields: Record) -> int:
        clinic = self._clinic
        turn = clinic.created(kind.name)
        if key is None:
            key = int(fields.get(kind.key) or kind.base + CREATED_AFTER + turn)
        if clinic.record(kind.name, key) is not None:
            raise ClinicError("CONFLICT", f"{kind.name} {key} exists", 409)
        missing = [name for name in kind.needs if fields.get(name) is None]
        if missing:
            raise ClinicError("VALIDATION", f"{', '.join(missing)} needed")
        moment = clinic.clock.now()
        record = fresh(kind, clinic.world, turn, moment, key)
        record |= {name: as_instant(moment) for name in ("createdAt", "updatedAt") if name in record}
        record |= self._site(record, fields)
        record |= fields | {kind.key: key}
        clinic.put(kind, key, record, new=True)
        if kind.name == "medicalItem":
            self._into_patient(record)
        return key

    def _site(self, record: Record, fields: Record) -> Record:
        """Location and currency of the patient's home, for a new record that has either."""
        patient = self._clinic.record("patient", int(fields["patientId"])) if fields.get("patientId") else None
        if patient is None or "practiceId" not in record:
            return {}
        site = self._clinic.record("practice", patient["practiceId"]) or {"practiceId": patient["practiceId"]}
        return {name: site[name] for name in ("practiceId", "currency") if name in site and name in record}

    def _update(self, kind: Entity, key: int, fields: Record) -> int:
        clinic = self._clinic
        before = clinic.record(kind.name, key) or {}
        record = deepcopy(before) | fields | {kind.key: key}
        if "updatedAt" in before and "updatedAt" not in fields:
            record["updatedAt"] = max(as_instant(clinic.clock.now()), str(before["updatedAt"]))
        clinic.put(kind, key, record)
        if kind.name == "medicalItem":
            self._out_of_patient(before)
            self._into_patient(record)
        elif kind.name == "patient" and fields.keys() & ARRAYS.values():
            self._items_follow(before, record)
        return key

    def _delete(self, kind: Entity, key: int, _: Record) -> int:
        clinic = self._clinic
        before = clinic.record(kind.name, key) or {}
        clinic.remove(kind, key)
        clinic.announce(feed_row(kind.name, key, as_instant(clinic.clock.now()), "DELETED", None))
        if kind.name == "medicalItem":
            self._out_of_patient(before)
        return key

    def _merge(self, kind: Entity, key: int, fields: Record) -> int:
        clinic, loser = self._clinic, fields.get("loser")
        if kind.name != "patient" or loser is None or clinic.record("patient", int(loser)) is None or int(loser) == key:
            raise ClinicError("VALIDATION", "merge needs a patient and fields.loser, another patient")
        self._update(kind, int(loser), {"mergedIntoPatientId": key})
        clinic.announce(feed_row("patient", int(loser), as_instant(clinic.clock.now()), "MERGED", key))
        return key

    # -- medical items are shown twice: in the patient, and in a list of their own ---------------------------------

    def _into_patient(self, row: Record) -> None:
        patient = self._patient_of(row)
        if patient is not None:
            self._write_patient(patient, with_item(patient, row))

    def _out_of_patient(self, row: Record) -> None:
        patient = self._patient_of(row)
        if patient is not None:
            self._write_patient(patient, without_item(patient, row["medicalItemId"]))

    def _patient_of(self, row: Record) -> Record | None:
        return self._clinic.record("patient", row["patientId"]) if isinstance(row.get("patientId"), int) else None

    def _write_patient(self, patient: Record, arrays: Record) -> None:
        stamp = max(as_instant(self._clinic.clock.now()), str(patient["updatedAt"]))
        self._clinic.put(BY_NAME["patient"], patient["patientId"], patient | arrays | {"updatedAt": stamp})

    def _items_follow(self, before: Record, after: Record) -> None:
        kind = BY_NAME["medicalItem"]
        now = {row["medicalItemId"]: row for row in medical_items(after)}
        for row in medical_items(before):
            if row["medicalItemId"] not in now:
                self._clinic.remove(kind, row["medicalItemId"])
        for key, row in now.items():
            self._clinic.put(kind, key, row)


def listed_with(keys: list[int], key: int) -> None:
    """Puts an id into an ascending list, once."""
    at = bisect_left(keys, key)
    if at == len(keys) or keys[at] != key:
        insort(keys, key)


def listed_without(keys: list[int], key: int) -> None:
    """Takes an id out of an ascending list, if it is there."""
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        keys.pop(at)


def line_of(invoice: Record, line: str) -> Any:
    """The line item of an invoice whose id is that text; None if there is none."""
    items = invoice.get("lineItems") or []
    return next((one for one in items if isinstance(one, dict) and str(one.get("invoiceLineId")) == line), None)
