from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chartlift.errors import Unreachable
from chartlift.model.ports import Tools
from chartlift.stages import extract, landing

LATER = "2026-03-01T13:00:00Z"


def table(tools: Tools, query: str) -> list[tuple[Any, ...]]:
    return tools.staging.sql.execute(query).fetchall()


def value(tools: Tools, query: str) -> Any:
    return table(tools, query)[0][0]


def counts(report: Any) -> dict[str, Any]:
    return {count.entity: count for count in report.entities}


def codes(report: Any) -> set[tuple[str, str]]:
    return {(finding.code, finding.entity) for finding in report.findings}


def test_a_clinic_lands_flat_sorted_and_complete(reading_tools: Tools, clinic: Any, memory: Any) -> None:
    clinic.fill(230)
    clinic.rows["patient"][4] = clinic.patient(5, practiceId=None, practiceName="Elsewhere  Dental")
    listed = clinic.rows["practice"][0]
    clinic.rows["patient"][5] = clinic.patient(6, practiceId=None, practiceName=f" {listed['name'].upper()} ")
    report = extract.run(reading_tools)
    assert report.complete
    assert (report.kind, report.extraction) == ("full", 1)
    assert {name: count.rows for name, count in counts(report).items()} == {
        "practice": 2, "practiceGroup": 1, "practiceNamed": 1, "user": 1, "appointmentType": 1, "appointmentStatus": 1,
        "referralSource": 1, "household": 1, "patient": 230, "appointment": 460, "course": 0, "treatment": 0,
        "clinicalNote": 0, "document": 0, "invoice": 0, "invoiceLine": 0, "paymentPlan": 0, "carePlanMembership": 0,
        "recall": 0, "paymentLink": 0,
    }  # fmt: skip
    assert table(
        reading_tools,
        "SELECT _id, _patient, \"siteKey\", _seq, _extraction, _conflict FROM src_patient WHERE _id = '5'",
    ) == [("5", "5", "PRN-elsewhere-dental", 5, 1, False)]
    assert value(reading_tools, "SELECT \"siteKey\" FROM src_patient WHERE _id = '6'") == f"PRA-{listed['practiceId']}"
    assert value(reading_tools, "SELECT list(_id ORDER BY rowid) = list(_id ORDER BY _seq) FROM src_appointment")
    assert value(reading_tools, "SELECT max(_seq) = count(*) AND min(_seq) = 1 FROM src_appointment")
    assert (
        table(
            reading_tools,
            "SELECT table_name FROM duckdb_tables() WHERE regexp_matches(table_name, '^(land|page|nest)_')",
        )
        == []
    )
    assert memory.reports["extract"]["entities"]
    assert memory.acts == ["extract"]
    assert report.forecast["requests"] >= 10


def test_embedded_rows_spare_the_list_unless_one_belongs_to_nobody(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(230)
    extract.run(reading_tools)
    assert len([q for q in clinic.asked("/appointments") if q["pageSize"] != "1"]) == 1
    clinic.rows["appointment"].append(clinic.appointment(99_999, 4242))
    report = extract.run(replace(reading_tools, options={"full": True}))
    assert counts(report)["appointment"].new == 1
    assert value(reading_tools, "SELECT _patient FROM src_appointment WHERE _id = '99999'") == "4242"


def test_a_second_call_reads_nothing_and_says_so(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(3)
    extract.run(reading_tools)
    asked = len(clinic.requests)
    report = extract.run(reading_tools)
    assert (report.kind, len(clinic.requests)) == ("nothing", asked)
    assert counts(report)["patient"].rows == 3


def test_an_interrupted_reading_goes_on_behind_the_last_page(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(330)
    clinic.faults.append(lambda _m, path, q: (502, {}, b"") if path == "/patients" and q["page"] != "1" else None)
    with pytest.raises(Unreachable):
        extract.run(reading_tools)
    clinic.faults.clear()
    clinic.requests.clear()
    report = extract.run(reading_tools, since="last")
    assert (report.kind, report.extraction) == ("full", 1)
    assert [q["page"] for q in clinic.asked("/patients") if q["pageSize"] == "100"] == ["2", "3", "4"]
    assert clinic.asked("/practices") == []
    assert counts(report)["patient"].rows == 330


CHILD = """
import sys, duckdb
from pathlib import Path
from types import SimpleNamespace
from datetime import UTC, datetime
from chartlift.platforms.aeronaclinic import connect
from chartlift.stages import extract, landing

class Clock:
    def now(self): return datetime.now(UTC)
    def sleep(self, seconds): raise SystemExit("no waiting in this test")

class Quiet:
    def report(self, step): return {"forecast": {"requests": 1, "hours": 0}}
    def put_report(self, step, run, report): print(report["entities"], flush=True)
    def act(self, act, **more): pass
    def step(self, text, done=0, total=None): pass

url, home = sys.argv[1:]
secrets = {"CHARTLIFT_AERONA_USERNAME": "u", "CHARTLIFT_AERONA_PASSWORD": "secret", "CHARTLIFT_AERONA_PIN": "1"}
source = connect(url, secrets=secrets, clock=Clock(), state=Path(home))
staging = SimpleNamespace(sql=duckdb.connect(home + "/staging.duckdb"))
tools = SimpleNamespace(source=source, staging=staging, journal=Quiet(), audit=Quiet(), progress=Quiet(), clock=Clock(),
                        options={}, who="child")
extract.run(tools)
"""


def test_killed_between_pages_it_loses_and_doubles_nothing(clinic: Any, clinic_url: str, tmp_path: Path) -> None:
    clinic.fill(900, 1)
    command = [sys.executable, "-c", CHILD, clinic_url, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    slow = [0.0]
    clinic.faults.append(lambda _m, path, _q: time.sleep(slow[0]) if path == "/patients" else None)
    slow[0] = 0.15
    for pages in (2, 5):
        child = subprocess.Popen(command, env=environment)
        while len(clinic.asked("/patients")) < pages and child.poll() is None:
            time.sleep(0.01)
        assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    slow[0] = 0.0
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    sql = duckdb.connect(str(tmp_path / "staging.duckdb"))
    found = sql.execute("SELECT count(*), count(DISTINCT _id), max(_seq) FROM src_patient").fetchone()
    assert found == (900, 900, 900)
    assert sql.execute("SELECT count(DISTINCT _id) FROM src_appointment").fetchone() == (900,)
    assert len(clinic.asked("/patients")) <= 9 + 2  # each kill costs the page that was on its way


def test_of_two_versions_the_newer_stamp_wins_and_a_tie_is_held(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(4, 0)
    clinic.rows["patient"] += [
        clinic.patient(2, lastName="Newer", updatedAt="2026-01-06T00:00:00+01:00"),
        clinic.patient(3),
        clinic.patient(4, lastName="Other"),
        clinic.patient(1, lastName="Older", updatedAt="2025-01-06T00:00:00Z"),
    ]
    report = extract.run(reading_tools)
    query = 'SELECT _id, "lastName", _conflict FROM src_patient WHERE _seq < 4 ORDER BY _seq'
    assert table(reading_tools, query) == [
        ("1", "Name1", False), ("2", "Newer", False), ("3", "Name3", False),
    ]  # fmt: skip
    assert value(reading_tools, "SELECT _conflict FROM src_patient WHERE _id = '4'")
    assert counts(report)["patient"].conflicts == 1
    assert ("R-CONFLICT", "patient") in codes(report)
    assert report.complete


def test_ids_that_are_none_are_kept_and_held(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(2, 0)
    for bad in (None, "", "007", "-1", "1.0E10", "123456789012", " 5", "abc"):
        clinic.rows["patient"].append(clinic.patient(bad))
    report = extract.run(reading_tools)
    assert counts(report)["patient"].conflicts == 8
    assert value(reading_tools, "SELECT count(*) FROM src_patient WHERE _id IS NULL OR _id = ''") == 0
    assert value(reading_tools, "SELECT count(*) FROM src_patient WHERE NOT _conflict") == 2


def test_redirects_are_followed_to_the_end_and_cycles_and_gaps_are_told(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(9, 0)
    for loser, survivor in ((1, 2), (2, 3), (4, 5), (5, 6), (6, 4), (7, 7), (8, 4), (9, 4242)):
        clinic.rows["patient"][loser - 1]["mergedIntoPatientId"] = survivor
    clinic.deletions = [
        {
            "entity": "patient",
            "entityId": 100,
            "deletedAt": "2025-01-01T00:00:00Z",
            "reason": "MERGED",
            "mergedIntoId": 1,
        },
        {"entity": "patient", "entityId": 101, "deletedAt": "2025-01-01T00:00:00Z", "reason": "DELETED"},
    ]
    report = extract.run(reading_tools)
    found = {key: (survivor, problem) for _, key, survivor, problem in table(reading_tools, "FROM src_merged")}
    assert found == {
        "1": ("3", None), "2": ("3", None), "100": ("3", None), "9": ("4242", "missing"),
        "4": (None, "cycle"), "5": (None, "cycle"), "6": (None, "cycle"), "7": (None, "cycle"), "8": (None, "cycle"),
    }  # fmt: skip
    assert report.merged == {"": 3, "cycle": 5, "missing": 1}
    assert table(reading_tools, "SELECT entity, id, survivor, extraction FROM src_deleted ORDER BY id") == [
        ("patient", "100", "1", 1), ("patient", "101", None, 1),
    ]  # fmt: skip


def test_a_chain_longer_than_ten_counts_as_a_cycle(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(12, 0)
    for loser in range(1, 12):
        clinic.rows["patient"][loser - 1]["mergedIntoPatientId"] = loser + 1
    extract.run(reading_tools)
    found = dict(table(reading_tools, "SELECT id, problem FROM src_merged"))
    assert found == {str(n): ("cycle" if n == 1 else None) for n in range(1, 12)}


def test_a_delta_marks_what_changed_and_nothing_else(reading_tools: Tools, clinic: Any, clock: Any) -> None:
    clinic.fill(5)
    extract.run(reading_tools)
    clock.sleep(3600)
    clinic.rows["patient"][1].update(lastName="Married", updatedAt=LATER)
    clinic.rows["patient"][2].update(updatedAt=LATER)
    clinic.rows["appointment"].append(clinic.appointment(777, 4, updatedAt=LATER))
    clinic.rows["patient"].append(clinic.patient(6, updatedAt=LATER))
    report = extract.run(reading_tools, since="last")
    assert (report.kind, report.extraction) == ("delta", 2)
    assert table(reading_tools, "SELECT _id, _seq FROM src_patient WHERE _extraction = 2 ORDER BY _seq") == [
        ("2", 2),
        ("6", 6),
    ]
    assert table(reading_tools, "SELECT _id, _patient, _seq FROM src_appointment WHERE _extraction = 2") == [
        ("777", "4", 11)
    ]
    assert value(reading_tools, "SELECT \"updatedAt\" FROM src_patient WHERE _id = '3'") == LATER
    assert (counts(report)["patient"].new, counts(report)["patient"].changed) == (1, 1)
    again = extract.run(reading_tools, since="last")
    assert [(c.new, c.changed) for c in again.entities if c.new or c.changed] == []


def test_a_row_committed_late_with_an_earlier_stamp_is_found_by_the_overlap(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(2, 0)
    extract.run(reading_tools)
    clock.sleep(600)
    clinic.rows["patient"].append(clinic.patient(3, updatedAt="2026-03-01T11:56:00Z"))
    assert counts(extract.run(reading_tools, since="last"))["patient"].new == 1


def test_the_watermark_is_the_clinics_time_when_its_clock_is_behind(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(2, 0)
    inner = clinic._answer

    def behind(*asked: Any) -> Any:
        status, headers, body = inner(*asked)
        return status, {**headers, "Date": "Sun, 01 Mar 2026 11:45:00 GMT"}, body

    clinic._answer = behind
    extract.run(reading_tools)
    clinic.rows["patient"].append(clinic.patient(3, updatedAt="2026-03-01T11:46:00Z"))
    assert counts(extract.run(reading_tools, since="last"))["patient"].new == 1


def test_deleted_and_merged_rows_count_as_changed_and_stay_in_staging(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(5)
    extract.run(reading_tools)
    clock.sleep(3600)
    clinic.rows["patient"] = [row for row in clinic.rows["patient"] if row["patientId"] not in {2, 3}]
    clinic.deletions = [
        {"entity": "patient", "entityId": 2, "deletedAt": LATER, "mergedIntoId": 1},
        {"entity": "patient", "entityId": 3, "deletedAt": LATER, "mergedIntoId": None},
    ]
    report = extract.run(reading_tools, since="last")
    assert table(reading_tools, "SELECT _id FROM src_patient WHERE _extraction = 2 ORDER BY _seq") == [("2",), ("3",)]
    assert counts(report)["patient"].deleted == 2
    assert table(reading_tools, "SELECT id, survivor FROM src_merged") == [("2", "1")]
    clock.sleep(3600)
    extract.run(reading_tools, since="last")
    assert table(reading_tools, "SELECT _id FROM src_patient WHERE _extraction = 3") == []


def test_a_new_redirect_of_a_survivor_marks_the_rows_before_it(reading_tools: Tools, clinic: Any, clock: Any) -> None:
    clinic.fill(3, 0)
    clinic.rows["patient"][0]["mergedIntoPatientId"] = 2
    extract.run(reading_tools)
    clock.sleep(3600)
    clinic.rows["patient"][1].update(mergedIntoPatientId=3, updatedAt=LATER)
    extract.run(reading_tools, since="last")
    assert table(reading_tools, "SELECT _id FROM src_patient WHERE _extraction = 2 ORDER BY _seq") == [("1",), ("2",)]


def test_a_whole_reading_again_replaces_and_finds_what_vanished(reading_tools: Tools, clinic: Any, clock: Any) -> None:
    clinic.fill(5)
    extract.run(reading_tools)
    clock.sleep(3600)
    clinic.rows["patient"] = [row for row in clinic.rows["patient"] if row["patientId"] != 2]
    clinic.rows["appointment"] = [row for row in clinic.rows["appointment"] if row["patientId"] != 2]
    clinic.rows["patient"][0]["lastName"] = "Changed without a stamp"
    clinic.rows["appointment"].append(clinic.appointment(5, 1))
    report = extract.run(replace(reading_tools, options={"full": True}))
    assert (report.kind, report.extraction) == ("full", 2)
    assert table(reading_tools, "SELECT entity, id FROM src_deleted ORDER BY id") == [
        ("patient", "2"), ("appointment", "20"), ("appointment", "21"),
    ]  # fmt: skip
    assert table(reading_tools, "SELECT _id FROM src_patient WHERE _extraction = 2 ORDER BY _seq") == [("1",), ("2",)]
    assert value(reading_tools, "SELECT _seq FROM src_appointment WHERE _id = '5'") == 1
    assert value(reading_tools, "SELECT max(_seq) = count(*) FROM src_appointment")
    clinic.rows["patient"].append(clinic.patient(2))
    extract.run(replace(reading_tools, options={"full": True}))
    assert table(reading_tools, "SELECT id FROM src_deleted WHERE entity = 'patient'") == []
    assert value(reading_tools, "SELECT _extraction FROM src_patient WHERE _id = '2'") == 3


def test_a_total_that_is_never_reached_is_a_finding_and_deletes_nothing(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(30, 0)
    extract.run(reading_tools)
    original = clinic._page

    def lying(rows: Any, query: Any) -> Any:
        status, headers, body = original([row for row in rows if row.get("patientId") != 4], query)
        return status, headers, json.dumps({**json.loads(body), "total": 99}).encode()

    clinic._page = lying
    report = extract.run(replace(reading_tools, options={"full": True}))
    assert not report.complete
    assert ("S-COUNT", "patient") in codes(report)
    assert table(reading_tools, "SELECT id FROM src_deleted WHERE entity = 'patient'") == []


def test_patients_that_count_more_than_there_is_are_told_by_key(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(3)
    embedded = clinic._embedded
    clinic._embedded = lambda patient, embed: {
        **embedded(patient, embed),
        "appointmentsTotal": 3 if patient["patientId"] == 2 else 2,
    }
    report = extract.run(reading_tools)
    finding = next(f for f in report.findings if f.entity == "patient.appointmentsTotal")
    assert (finding.code, finding.count, finding.samples) == ("R-EMBED", 1, ("patient 2",))


def test_findings_and_progress_hold_counts_and_no_values(reading_tools: Tools, clinic: Any, memory: Any) -> None:
    clinic.fill(2)
    clinic.rows["patient"][0].update(shoeSize="canary-44", lastName="canary-name")
    report = extract.run(reading_tools)
    assert ("S-UNMAPPED", "patient.shoeSize") in codes(report)
    assert "canary" not in json.dumps(memory.reports) + "".join(memory.steps)
    assert any(step.startswith("extract patient 2/2") for step in memory.steps)


def test_what_needs_more_memory_is_undone_whole_and_done_again_with_more(
    reading_tools: Tools, clinic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.fill(30)
    settle, tries = landing.settle, []

    def demanding(sql: Any, *given: Any, **named: Any) -> Any:
        tries.append(sql.execute("SELECT current_setting('memory_limit')").fetchone()[0])
        found = settle(sql, *given, **named)
        sql.execute("CREATE OR REPLACE TEMP TABLE demanding AS SELECT repeat('x', 120_000_000) AS text")
        return found

    monkeypatch.setattr(landing, "settle", demanding)
    report = extract.run(reading_tools)
    assert tries == ["122.0 MiB", "305.1 MiB"]
    assert (report.complete, counts(report)["patient"].rows, counts(report)["patient"].new) == (True, 30, 30)
    assert value(reading_tools, "SELECT count(*) = 30 AND count(DISTINCT _id) = 30 FROM src_patient")
    assert value(reading_tools, "SELECT count(*) = 60 AND count(DISTINCT _id) = 60 FROM src_appointment")


def test_an_empty_clinic_is_a_complete_reading(reading_tools: Tools) -> None:
    report = extract.run(reading_tools)
    assert report.complete
    assert counts(report)["patient"].rows == 0
