"""status, audit and purge over real books."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from chartlift.errors import StopError
from chartlift.model.ports import Tools
from chartlift.stages import audit, purge, status
from chartlift.store import files, keys
from chartlift.store.audit import Trail
from chartlift.store.journal import SqlJournal
from chartlift.store.staging import DuckStaging
from chartlift.store.vault import KeyVault

MASTER = bytes(range(32))
PLAN = {"fingerprint": "f1", "confirmed_by": "Ann", "confirmed_at": "2026-03-01T10:00:00Z", "maps": []}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Tools]:
    home = tmp_path / "clinic"
    ring = keys.create(home, "smile", MASTER)
    journal, trail = SqlJournal.open(home, ring.for_journal()), Trail.open(home, ring)
    nothing = cast("Any", None)
    yield Tools(
        home=home,
        tenant="smile",
        who="Ann",
        source=nothing,
        destination=nothing,
        staging=nothing,
        journal=journal,
        audit=trail,
        progress=nothing,
        clock=nothing,
        pack=nothing,
        vault=KeyVault(home, "smile", MASTER),
    )
    journal.close()
    trail.close()


def outcomes(names: list[str], words: list[str]) -> pa.Table:
    nulls = pa.nulls(len(names), pa.string())
    columns = {"key": names, "id": names, "outcome": words, "created": [word == "ok" for word in words]}
    return pa.table(columns | {"code": nulls, "fields": nulls})


def cut(books: Tools, run: str, names: list[str]) -> int:
    rows = pa.table({"key": names, "hash": names})
    entry = books.journal.cut(
        run, unit="patient", object_name="Contact", operation="insert", wire="bulk", level=0, keys=rows
    )
    return entry.id


def load(books: Tools, *, tell: bool = True) -> str:
    run = books.journal.start_run("load", fingerprint="f1", who="Ann")
    said = outcomes(["a", "b", "c"], ["ok", "ok", "failed"])
    batch = cut(books, run, ["a", "b", "c"])
    books.journal.settle(batch, said)
    if tell:
        books.audit.outcomes(run=run, batch=batch, object_name="Contact", fingerprint="f1", who="Ann", rows=said)
    rows = pa.table({"key": ["d", "e"], "fate": ["hold", "skip"], "reason": ["x", "y"]})
    books.journal.put_fates(run, "patient", rows)
    return run


def prepare(books: Tools) -> None:
    for step in ("check", "extract", "profile", "people"):
        books.journal.put_report(step, "", {})
    books.journal.put("plan", PLAN)
    books.audit.act("schema deployed", who="Ann", fingerprint="f1")
    books.journal.decide("sample", "f1", "accepted", by="Ann")


def test_a_new_workspace_starts_with_the_check(books: Tools) -> None:
    report = status.run(books)
    assert (report.next, report.unknown, report.runs, report.units, dict(report.plan)) == ("check", 0, (), (), {})
    assert not any(step.done for step in report.steps)


def test_status_names_the_next_step_all_the_way(books: Tools) -> None:
    journal = books.journal
    seen = []
    for step in ("check", "extract", "profile", "people"):
        seen.append(status.run(books).next)
        journal.put_report(step, "", {})
    seen.append(status.run(books).next)
    journal.put("plan", PLAN)
    books.audit.act("schema deployed", who="Ann", fingerprint="another plan")
    seen.append(status.run(books).next)
    books.audit.act("schema deployed", who="Ann", fingerprint="f1")
    seen.append(status.run(books).next)
    journal.decide("sample", "f1", "accepted", by="Ann")
    seen.append(status.run(books).next)
    run = load(books)
    assert status.run(books).next == "load"
    journal.end_run(run, "done")
    seen.append(status.run(books).next)
    journal.put_report("reconcile", "", {})
    seen.append(status.run(books).next)
    first = ["check", "extract", "profile", "people", "confirm"]
    assert seen == [*first, "schema", "sample", "load", "reconcile", "purge"]


def test_status_counts_rows_and_knows_what_is_unknown(books: Tools) -> None:
    prepare(books)
    run = load(books)
    cut(books, run, ["f", "g"])
    report = status.run(books)
    body = json.loads(json.dumps(report.as_json()))
    assert body["unknown"] == 2
    assert (body["step"], body["exit_code"], body["next"]) == ("status", 0, "load")
    (state,) = body["runs"]
    assert {name: state[name] for name in ("outcome", "rows", "ok", "failed", "unknown")} == {
        "outcome": "running",
        "rows": 5,
        "ok": 2,
        "failed": 1,
        "unknown": 2,
    }
    (unit,) = body["units"]
    assert (unit["unit"], unit["object"], unit["written"]) == ("patient", "Contact", {"insert": 2})
    assert (unit["failed"], unit["unknown"], unit["kept_back"]) == (1, 2, {"hold": 1, "skip": 1})
    assert body["plan"]["confirmed_by"] == "Ann"


def test_status_says_why_a_confirmation_is_void(books: Tools) -> None:
    prepare(books)
    books.journal.put("plan", None)
    books.journal.put("plan_voided", "the map changed")
    report = status.run(books)
    assert dict(report.plan) == {"voided": "the map changed"}
    assert report.next == "confirm"


def test_audit_lists_verifies_and_finds_gaps(books: Tools) -> None:
    load(books)
    load(books, tell=False)
    report = audit.run(books, verify=True)
    assert (report.sound, report.exit_code, report.broken) == (True, 0, "")
    assert [entry["act"] for entry in report.entries] == ["outcomes"]
    assert report.uncovered == (2,)
    assert json.loads(json.dumps(report.as_json()))["head"].startswith("1:")
    assert audit.run(books).sound is None
    cast("Any", books.audit)._db._sql.execute("UPDATE entry SET who = 'Mallory'")
    altered = audit.run(books, verify=True)
    assert (altered.sound, altered.exit_code) == (False, 3)
    assert "entry 1 was changed" in altered.broken


def fill(books: Tools) -> None:
    ring = keys.unlock(books.home, "smile", MASTER)
    store = DuckStaging.open(books.home, ring.for_staging())
    store.sql.execute("CREATE TABLE src_patient AS SELECT 'x' AS name")
    store.close()
    files.Files(books.home, ring.for_files()).put([b"x-ray"])


def test_purge_explains_and_destroys_nothing(books: Tools) -> None:
    fill(books)
    before = sorted(path.name for path in books.home.rglob("*"))
    report = purge.run(books)
    assert (report.went, report.purged, report.exit_code) == (False, False, 0)
    assert {holding.name for holding in report.holdings} == {"staging", "journal", "files"}
    assert all(holding.bytes > 0 for holding in report.holdings)
    assert sorted(path.name for path in books.home.rglob("*")) == before


def test_purge_destroys_the_key_and_the_data_and_keeps_the_proof(books: Tools) -> None:
    fill(books)
    load(books)
    report = purge.run(books, go=True)
    assert (report.went, report.purged, report.audit_sound) == (True, True, True)
    left = {path.name for path in books.home.rglob("*")} - {"audit.db-wal", "audit.db-shm"}
    assert left == {"keys.json", "audit.db", "audit.head"}
    ring = keys.unlock(books.home, "smile", MASTER)
    assert ring.purged
    entries = audit.run(books, verify=True)
    assert entries.sound
    last = entries.entries[-1]
    assert last["act"] == "purge"
    assert last["detail"]["written"][0]["ok"] == 2
    again = purge.run(books, go=True)
    assert (again.went, again.purged, again.holdings) == (False, True, ())
    state = status.run(books)
    assert (state.purged, state.next, state.unknown) == (True, "", 0)
    assert state.steps[0].at


def test_purge_refuses_while_rows_are_without_a_fate(books: Tools) -> None:
    cut(books, books.journal.start_run("load", fingerprint="f1", who="Ann"), ["a"])
    with pytest.raises(StopError, match="1 rows are without a fate"):
        purge.run(books, go=True)
    assert not keys.unlock(books.home, "smile", MASTER).purged


def test_a_purge_that_was_killed_after_the_key_went_is_finished(books: Tools) -> None:
    fill(books)
    books.journal.close()
    keys.destroy_data_key(books.home, "smile", MASTER)
    report = purge.run(replace(books, journal=cast("Any", None)), go=True)
    assert report.went
    assert not (books.home / "staging.duckdb").exists()
    assert not (books.home / "journal.db").exists()
