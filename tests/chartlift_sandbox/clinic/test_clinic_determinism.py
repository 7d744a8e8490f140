import json
from collections.abc import Callable
from typing import Any

from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.generator.entities import ENTITIES

CHARTED = [entity.name for entity in ENTITIES if entity.rows is not None and entity.name != "household"]


def rows(clinic: Clinic, entity: str) -> list[dict[str, Any]]:
    return list(clinic.records(entity, clinic.ids(entity)))


def test_a_seed_gives_the_same_clinic_twice(still_clock: Any) -> None:
    one, two = Clinic(60, 5, still_clock), Clinic(60, 5, still_clock)
    still_clock.advance(86_400 * 500)
    for entity in ENTITIES:
        assert rows(one, entity.name) == rows(two, entity.name)
    assert one.truth() == two.truth()
    assert one.org_users() == two.org_users()


def test_another_seed_gives_another_clinic(still_clock: Any) -> None:
    assert rows(Clinic(20, 5, still_clock), "patient") != rows(Clinic(20, 6, still_clock), "patient")


def test_a_smaller_clinic_is_a_prefix_of_a_larger_one(still_clock: Any) -> None:
    small, large = Clinic(90, 5, still_clock), Clinic(320, 5, still_clock)
    for entity in CHARTED:
        few = rows(small, entity)
        assert few == list(large.records(entity, large.ids(entity)[: len(few)])), entity
    assert rows(small, "practice") == rows(large, "practice")
    known = {row["userId"]: row for row in rows(large, "user")}
    assert all(known[row["userId"]] == row for row in rows(small, "user"))


def test_any_record_can_be_written_alone(still_clock: Any) -> None:
    whole = Clinic(120, 9, still_clock)
    for entity in CHARTED:
        for key in list(whole.ids(entity))[-40::7]:
            assert Clinic(120, 9, still_clock).record(entity, key) == whole.record(entity, key)


def test_what_was_forgotten_is_written_again_the_same(still_clock: Any) -> None:
    clinic = Clinic(340, 6, still_clock)  # more patients than written charts are kept
    for entity in ("patient", "appointment", "treatment", "clinicalNote", "invoice", "document"):
        keys = clinic.ids(entity)[:30]
        before = json.dumps(list(clinic.records(entity, keys)))
        rows(clinic, entity)
        assert json.dumps(list(clinic.records(entity, keys))) == before, entity


def test_ids_are_unique_ascending_and_short(still_clock: Any) -> None:
    clinic = Clinic(150, 3, still_clock)
    for entity in ENTITIES:
        keys = list(clinic.ids(entity.name))
        assert keys == sorted(set(keys))
        assert keys == [row[entity.key] for row in rows(clinic, entity.name)]
        assert all(0 < key < 10**11 for key in keys)


def test_both_currencies_and_all_statuses_occur(still_clock: Any) -> None:
    for seed in range(4):
        clinic = Clinic(160, seed, still_clock)
        assert {row["currency"] for row in rows(clinic, "practice")} == {"GBP", "EUR"}
        assert {row["appointmentStatusId"] for row in rows(clinic, "appointment")} >= set(range(1, 11))


def test_every_field_of_the_sample_records_is_served(desk: Callable[..., Any]) -> None:
    served = desk(patients=30).get("/patients/5500000").json
    for name in (
        "nextOfKinRelationship",
        "marketingConsentAt",
        "medicalAlertText",
        "billingLinesTotal",
        "billingLines",
    ):
        assert name in served
    assert len(served) == 74


def test_nothing_generated_is_younger_than_the_fixed_today(still_clock: Any) -> None:
    clinic = Clinic(160, 2, still_clock)
    stamps = [row["updatedAt"] for e in ("patient", "appointment", "user") for row in rows(clinic, e)]
    assert max(stamps) < "2026-11-01"
    ahead = [r for r in rows(clinic, "appointment") if "2026-11-01" < str(r["appointmentTime"]) < "21"]
    assert len(ahead) > 5
