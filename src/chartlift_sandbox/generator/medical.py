"""Medical items in both of their shapes: embedded in the patient, and as rows of a list of their own."""

from chartlift_sandbox.generator.world import Record

ARRAYS = {"ALLERGY": "allergies", "CONDITION": "medicalConditions", "MEDICATION": "medications"}
_OF_THE_LIST = frozenset({"type", "patientId", "updatedAt"})


def medical_items(patient: Record) -> list[Record]:
    """The list rows of a patient's embedded items, by id; an item that carries no id is in no list."""
    rows = [
        {"type": kind, "patientId": patient["patientId"], **item, "updatedAt": patient["updatedAt"]}
        for kind, name in ARRAYS.items()
        for item in patient.get(name) or []
        if isinstance(item, dict) and isinstance(item.get("medicalItemId"), int)
    ]
    return sorted(rows, key=lambda row: row["medicalItemId"])


def without_item(patient: Record, key: int) -> Record:
    """The patient's embedded arrays without the item of that id."""
    return {name: [i for i in patient.get(name) or [] if i.get("medicalItemId") != key] for name in ARRAYS.values()}


def with_item(patient: Record, row: Record) -> Record:
    """The patient's embedded arrays with a list row put in its place, by id."""
    arrays = without_item(patient, row["medicalItemId"])
    name = ARRAYS.get(str(row.get("type")))
    if name is not None:
        item = {key: value for key, value in row.items() if key not in _OF_THE_LIST}
        arrays[name] = sorted([*arrays[name], item], key=lambda one: one.get("medicalItemId") or 0)
    return arrays
