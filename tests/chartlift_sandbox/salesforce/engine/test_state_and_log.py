"""State hash, write log, snapshot, restore, reset, hooks and ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engine_bench import Bench, new_bench

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.dml import SET_NULL
from chartlift_sandbox.salesforce.hooks import FieldUpdate, ValidationRule
from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.writes import PAGE, Only


def test_the_state_hash_sees_business_values_and_nothing_else(fresh: Bench) -> None:
    empty = fresh.org.state_hash()
    contact = fresh.insert("Contact", LastName="A", Phone="1")
    one = fresh.org.state_hash()
    system = fresh.org.state_hash(system=True)
    assert len({empty, one, system}) == 3
    fresh.org.clock.advance(60)
    fresh.dml("update", "Contact", [{"Id": contact, "Phone": "1"}])
    assert fresh.org.state_hash() == one
    assert fresh.org.state_hash(system=True) != system
    fresh.dml("update", "Contact", [{"Id": contact, "Phone": "2"}])
    assert fresh.org.state_hash() != one
    fresh.dml("update", "Contact", [{"Id": contact, "Phone": "1"}])
    assert fresh.org.state_hash() == one
    fresh.org.put_permission_set("Setup", "Setup", objects={}, fields={})
    fresh.org.create_field("Contact", Field("Tick__c", "Tick", "boolean", nillable=False, custom=True))
    assert fresh.org.state_hash() == one
    fresh.dml("delete", "Contact", [{"Id": contact}])
    assert fresh.org.state_hash() == empty
    fresh.dml("undelete", "Contact", [{"Id": contact}])
    assert fresh.org.state_hash() == one


def test_the_state_hash_ignores_the_order_of_rows(fresh: Bench) -> None:
    for n in range(5):
        fresh.insert("Visit__c", Name=f"v{n}", Source_System_ID__c=f"o-{n}")
    before = fresh.org.state_hash()
    fresh.org.db.execute('CREATE TABLE t AS SELECT * FROM "Visit__c" ORDER BY "Id" DESC')
    fresh.org.db.execute('DELETE FROM "Visit__c"')
    fresh.org.db.execute('INSERT INTO "Visit__c" SELECT * FROM t')
    assert fresh.org.state_hash() == before


def test_the_log_has_every_row_with_old_and_new_values(fresh: Bench) -> None:
    start = fresh.org.writes.count
    contact = fresh.insert("Contact", LastName="A", Email="X@Example.com")
    fresh.dml("update", "Contact", [{"Id": contact, "Phone": "1", "LastName": SET_NULL}], job="7500")
    fresh.dml("update", "Contact", [{"Id": contact, "Phone": "1", "Title": SET_NULL}], job="7501")
    fresh.dml("delete", "Contact", [{"Id": contact}])
    made, failed, changed, gone = fresh.org.read_writes(since=start)
    assert (made["op"], made["object"], made["id"], made["user"]) == ("insert", "Contact", contact, fresh.actor.user_id)
    assert made["new"] == {"LastName": "A", "Email": "x@example.com"}
    assert (made["old"], made["ok"], made["error"], made["job"]) == (None, True, None, None)
    assert (failed["ok"], failed["id"], failed["job"]) == (False, contact, "7500")
    assert failed["error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]"
    assert failed["new"]["LastName"] is None
    assert (changed["old"], changed["new"]) == ({"Phone": None, "Title": None}, {"Phone": "1", "Title": None})
    assert gone["old"]["Email"] == "x@example.com"
    assert [row["n"] for row in (made, failed, changed, gone)] == [start + n for n in range(1, 5)]
    assert set(made) == {"n", "time", "job", "user", "op", "object", "id", "old", "new", "ok", "error"}


def test_the_log_pages_through_large_calls(fresh: Bench) -> None:
    start = fresh.org.writes.count
    fresh.dml("insert", "Visit__c", [{"Source_System_ID__c": f"p-{n}"} for n in range(6_000)])
    page = fresh.org.read_writes(since=start + 5_000, limit=10)
    assert [row["new"]["Source_System_ID__c"] for row in page] == [f"p-{n}" for n in range(5_000, 5_010)]
    assert len(fresh.org.read_writes(since=start)) == 6_000


def test_the_log_can_be_asked_for_some_calls_only(fresh: Bench) -> None:
    start = fresh.org.writes.count
    contact = fresh.insert("Contact", LastName="A")
    fresh.dml("insert", "Visit__c", [{"Source_System_ID__c": f"o-{n}"} for n in range(5_000)], job="7500")
    fresh.dml("update", "Contact", [{"Id": contact, "Title": "Dr"}], job="7501")

    def asked(limit: int | None = None, **only: str) -> list[dict[str, Any]]:
        return [row for page in fresh.org.write_pages(start, limit, Only(**only)) for row in page]

    assert [row["op"] for row in asked(object_name="Contact")] == ["insert", "update"]
    assert [row["n"] for row in asked(op="update")] == [start + 5_002]
    assert [row["n"] for row in asked(2_500, job="7500")] == list(range(start + 2, start + 2_502))
    assert asked(object_name="Account") == []
    pages = fresh.org.write_pages(start)
    fresh.insert("Contact", LastName="Later")
    sizes = [len(page) for page in pages if page]
    assert sum(sizes) == 5_002, "a page that was asked for later sees the log as it was"
    assert max(sizes) <= PAGE


def test_failed_rows_in_bulk_are_kept_small(fresh: Bench) -> None:
    text = "far too long; " * 1_000
    fresh.dml("insert", "Visit__c", [{"Note__c": text} for _ in range(400)])
    entry = fresh.org.writes.stored().to_pylist()[-1]
    assert len(entry["bad"]) < 400 * len(text) // 10
    assert fresh.org.read_writes()[-1]["new"]["Note__c"] == text


def test_a_snapshot_brings_everything_back(fresh: Bench, tmp_path: Path) -> None:
    visit = fresh.insert("Visit__c", Name="kept", Source_System_ID__c="s-1")
    before, log = fresh.org.state_hash(system=True), fresh.org.read_writes()
    fresh.org.snapshot(str(tmp_path / "org.snap"))
    fresh.dml("update", "Visit__c", [{"Id": visit, "Name": "changed"}])
    fresh.org.create_field("Visit__c", Field("Later__c", "Later", "string", length=5, custom=True))
    fresh.org.restore(str(tmp_path / "org.snap"))
    assert fresh.org.state_hash(system=True) == before
    assert fresh.org.read_writes() == log
    assert {row[0] for row in fresh.org.db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}.isdisjoint(
        {"_log", "_meta"}
    )
    assert fresh.org.schema.field("Visit__c", "Later__c") is None
    assert fresh.insert("Visit__c", Name="next") > visit
    assert fresh.error("insert", "Visit__c", Source_System_ID__c="S-1")[0] == "DUPLICATE_VALUE"
    with pytest.raises(FileNotFoundError):
        fresh.org.restore(str(tmp_path / "absent"))


def test_reset_and_seed_repeat_the_same_ids(fresh: Bench) -> None:
    other = new_bench()
    users = 'SELECT "Id", "Username" FROM "User" ORDER BY "Id"'
    seeded = fresh.org.rows(users)
    assert seeded == other.org.rows(users)
    other.org.db.close()
    fresh.insert("Contact", LastName="x")
    people = (fresh.org.people.admin, fresh.org.people.integration)
    fresh.org.reset()
    assert fresh.org.rows(users) == seeded
    assert (fresh.org.people.admin, fresh.org.people.integration) == people
    assert fresh.org.read_writes() == []
    assert fresh.org.schema.object("Visit__c") is None


def test_validation_rules_and_field_updates_run_in_their_place(fresh: Bench) -> None:
    fresh.org.validation_rules.append(ValidationRule("Visit__c", '"Count__c" > 5', "Too many", "Count__c"))
    fresh.org.before_save.append(FieldUpdate("Visit__c", "Note__c", "'set by flow'"))
    good, bad = fresh.dml("insert", "Visit__c", [{"Count__c": "5"}, {"Count__c": "6"}])
    assert (bad["code"], bad["message"], bad["fields"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Too many", "Count__c")
    assert fresh.one("Visit__c", good["id"])["Note__c"] == "set by flow"
    update = fresh.dml("update", "Visit__c", [{"Id": good["id"], "Count__c": "7"}])[0]
    assert update["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_row_faults_fail_the_rows_they_name(fresh: Bench) -> None:
    lock = "unable to obtain exclusive access to this record"
    fresh.org.row_faults.append(
        lambda op, name, count: pa.table({"row": [count - 1], "code": ["UNABLE_TO_LOCK_ROW"], "message": [lock]})
        if (op, name) == ("insert", "Visit__c") else None
    )  # fmt: skip
    results = fresh.dml("insert", "Visit__c", [{"Name": "a"}, {"Name": "b"}])
    assert [row["code"] for row in results] == [None, "UNABLE_TO_LOCK_ROW"]


def test_ids_have_the_published_check_characters() -> None:
    assert ids.to18("012000000000000") == "012000000000000AAA"
    assert ids.to18("00D0xORGID00000") == "00D0xORGID00000"[:15] + ids.suffix("00D0xORGID00000")
    assert ids.normalise("0035g0000000001aaa") is None
    assert ids.normalise("0035g000000000") is None
    assert ids.normalise("0035g0000000001") == ids.normalise("0035g0000000001AAA") == "0035g0000000001AAA"


@pytest.mark.parametrize("first", [0, 35, 3_840, 238_320, 62**5 - 5, 40 * 62**5])
def test_blocks_of_ids_equal_single_ids_and_sort_by_number(first: int) -> None:
    block = ids.block("a0Z", first, 50).to_pylist()
    assert block == [ids.make("a0Z", first + n) for n in range(50)]
    assert block == sorted(block)
