"""After a delta the stored translation is what a translation of everything would be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chartlift.model.plan import ConfirmedPlan
from chartlift.stages import delta, load
from chartlift.stages.carry.prepare import prepare
from chartlift.stages.translation import stale, view
from chartlift.testing import extracted
from chartlift.testing.small import add_patient, add_visit

NUMBERS = ("9434765919", "4010232137")  # valid check digits


def stored(bench: Any, plan: ConfirmedPlan) -> dict[str, list[Any]]:
    """Every unit's rows as the carry reads them, in the order of their keys; `seq` may have gaps after a delta."""
    found = {}
    for unit in plan.maps:
        rows = bench.sql.execute(f"SELECT * EXCLUDE (seq) FROM {view(unit)} AS v ORDER BY key").to_arrow_table()
        found[unit.name] = rows.select(sorted(rows.column_names)).to_pylist()
    return found


def in_full(bench: Any, plan: ConfirmedPlan) -> dict[str, list[Any]]:
    bench.sql.execute("DELETE FROM translated")
    prepare(bench.tools, plan)
    return stored(bench, plan)


def pick_up(bench: Any, plan: ConfirmedPlan) -> dict[str, list[Any]]:
    extracted(bench.tools)
    assert stale(bench.tools, plan)
    prepare(bench.tools, plan)
    assert not stale(bench.tools, plan)
    return stored(bench, plan)


def edited(bench: Any) -> None:
    bench.clinic.put("patient", patientId="2", lastName="Changed", email="nonsense")


def visit_moved(bench: Any) -> None:
    bench.clinic.put("appointment", appointmentId="10", patientId="3", note="moved")


def deleted(bench: Any) -> None:
    bench.clinic.remove("appointment", "21")


def patient_gone(bench: Any) -> None:
    bench.clinic.remove("patient", "3")


def merged(bench: Any) -> None:
    bench.clinic.put("patient", patientId="1", mergedIntoPatientId="2")


def merged_away(bench: Any) -> None:
    bench.clinic.remove("patient", "1", survivor="3")


def head_merged(bench: Any) -> None:
    """Patient 4, who is not touched, points at one who is merged."""
    bench.clinic.put("patient", patientId="1", mergedIntoPatientId="2")


def site_renamed(bench: Any) -> None:
    bench.clinic.put("practice", practiceId="1", name="Renamed")


def added(bench: Any) -> None:
    add_patient(bench.clinic, 8, headId="2")
    add_visit(bench.clinic, 80, 8)


def twin_born(bench: Any) -> None:
    bench.clinic.put("patient", patientId="3", nhsNumber=NUMBERS[0], healthType="NHS")


CHANGES = (
    edited, visit_moved, deleted, patient_gone, merged, merged_away, head_merged, site_renamed, added, twin_born,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_incremental_equals_full(bench: Any, change: Any) -> None:
    add_patient(bench.clinic, 4, headId="1", nhsNumber=NUMBERS[0], healthType="NHS")
    add_visit(bench.clinic, 40, 4)
    plan = bench.ready()
    prepare(bench.tools, plan)
    before = stored(bench, plan)
    bench.later()
    change(bench)
    after = pick_up(bench, plan)
    assert after != before
    assert after == in_full(bench, plan)


@pytest.mark.parametrize("seed", [1, 2])
def test_incremental_equals_full_after_many_deltas(bench: Any, seed: int) -> None:
    dice = random.Random(seed)
    add_patient(bench.clinic, 4, headId="1", nhsNumber=NUMBERS[0], healthType="NHS")
    plan = bench.ready()
    prepare(bench.tools, plan)
    for change in dice.sample((edited, visit_moved, deleted, merged, site_renamed, added, twin_born), 4):
        bench.later()
        change(bench)
        pick_up(bench, plan)
    assert stored(bench, plan) == in_full(bench, plan)


def test_a_patient_who_comes_back_is_as_before(bench: Any) -> None:
    plan = bench.ready()
    prepare(bench.tools, plan)
    before = stored(bench, plan)
    bench.later()
    bench.clinic.remove("patient", "2")
    assert pick_up(bench, plan) != before
    bench.later()
    add_patient(bench.clinic, 2)
    assert pick_up(bench, plan) == before


def test_a_delta_carries_what_depends_on_what_changed(bench: Any) -> None:
    """The patient's own row is untouched; the name of her practice and the head of her family are not."""
    add_patient(bench.clinic, 4, headId="1")
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)
    bench.later()
    site_renamed(bench)
    delta.run(bench.tools, go=True)
    rows = bench.org.rows("Contact")
    assert {row["Site_Name__c"] for row in rows.values()} == {"Renamed"}
    assert rows["t-PAT-4"]["Head__c"] == rows["t-PAT-1"]["Id"]
    bench.later()
    head_merged(bench)
    delta.run(bench.tools, go=True)
    rows = bench.org.rows("Contact")
    assert rows["t-PAT-4"]["Head__c"] == rows["t-PAT-2"]["Id"]


def test_nothing_is_translated_twice(bench: Any) -> None:
    plan = bench.ready()
    prepare(bench.tools, plan)
    said = bench.tools.progress.said
    said.clear()
    prepare(bench.tools, plan)
    assert said == []
