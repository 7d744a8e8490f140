"""Every field of the clinic is mapped, or somebody wrote down why it is not."""

from __future__ import annotations

import pytest

from chartlift import packs

PACK = "aeronaclinic_to_salesforce"
# How many fields each entity of the clinic has; 325 in all.
FIELDS = {
    "practice": 15,
    "user": 13,
    "patient": 74,
    "appointment": 24,
    "course": 15,
    "treatment": 26,
    "clinicalNote": 14,
    "inlineNote": 8,
    "document": 13,
    "invoice": 18,
    "invoiceLine": 9,
    "payment": 16,
    "paymentPlan": 16,
    "carePlanMembership": 11,
    "recall": 10,
    "communication": 19,
    "household": 4,
    "paymentLink": 11,
    "appointmentType": 5,
    "appointmentStatus": 4,
}


def read_columns() -> dict[str, set[str]]:
    """Entity -> columns that some line of the pack reads, directly or through a join."""
    found: dict[str, set[str]] = {}
    for unit in packs.load(PACK).maps:
        names = [*unit.join.values(), *(line.column for line in unit.when)]
        names += [name for rule in unit.fields for name in (*rule.sources, *rule.arguments)]
        for name in names:
            entity, _, column = name.rpartition(".")
            found.setdefault(entity or unit.source, set()).add(column)
    return found


def test_every_field_of_the_clinic_is_listed_once() -> None:
    listed = {entity: len(fields) for entity, fields in packs.coverage(PACK).items()}
    assert listed == FIELDS
    assert sum(listed.values()) == 325


def test_each_disposition_is_mapped_matched_later_or_has_a_reason() -> None:
    for entity, fields in packs.coverage(PACK).items():
        for name, said in fields.items():
            head, colon, reason = said.partition(": ")
            settled = said in {"mapped", "matched", "later"}
            assert settled or (head in {"not loaded", "mapped as rows"} and colon and reason), (
                f"{entity}.{name}: {said}"
            )


@pytest.mark.parametrize("entity", ["practice", "patient", "appointment"])
def test_the_pack_reads_exactly_what_is_called_mapped(entity: str) -> None:
    derived = {"groupName": "groupSlug", "practiceName": "siteKey"}
    key = {"practice": "practiceId", "patient": "patientId", "appointment": "appointmentId"}[entity]
    read = read_columns()[entity]
    for name, said in packs.coverage(PACK)[entity].items():
        known = name == key or derived.get(name, name) in read
        if said == "mapped":
            assert known, f"{entity}.{name} is called mapped, and no line reads it"
        elif name not in {"timezone", "appointments"}:
            assert name not in read, f"{entity}.{name} is called {said!r}, and a line reads it"


def test_fields_of_lists_that_are_called_mapped_are_read_through_joins() -> None:
    read = read_columns()
    for entity in ("appointmentType", "appointmentStatus"):
        for name, said in packs.coverage(PACK)[entity].items():
            assert (name in read[entity]) == (said == "mapped")


def test_kinds_of_rows_without_a_pack_file_are_called_later() -> None:
    sources = {unit.source for unit in packs.load(PACK).maps}
    for entity, fields in packs.coverage(PACK).items():
        late = {name for name, said in fields.items() if said == "later"}
        if entity in sources:
            assert late <= {"treatments", "clinicalNotes", "billingLines"}
