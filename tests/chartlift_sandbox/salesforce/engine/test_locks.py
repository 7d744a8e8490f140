"""Records under approval, and parents that two batches of a parallel job want at once."""

from __future__ import annotations

from engine_bench import PERSON, Bench

from chartlift_sandbox.salesforce.call import DmlOptions


def test_a_record_under_approval_waits_for_its_approver(fresh: Bench) -> None:
    held, free = (fresh.insert("Visit__c", Name=name) for name in ("held", "free"))
    fresh.org.rules.locked.append(held)
    for op, values in (("update", {"Note__c": "x"}), ("delete", {})):
        rows = fresh.dml(op, "Visit__c", [{"Id": held, **values}, {"Id": free, **values}])
        assert [row["code"] for row in rows] == ["ENTITY_IS_LOCKED", None]
    assert fresh.dml("update", "Visit__c", [{"Id": held, "Note__c": "p"}], options=PERSON)[0]["success"]
    fresh.org.settings.modify_all_passes_locks = True
    assert fresh.dml("update", "Visit__c", [{"Id": held, "Note__c": "m"}])[0]["success"]


def test_neighbouring_batches_lock_a_shared_parent(fresh: Bench) -> None:
    one, other = (fresh.insert("Visit__c", Name=name) for name in ("one", "other"))
    parents = [one] * 10 + [one, other] * 5 + [other] * 10
    rows = [{"Visit__c": parent} for parent in parents]
    parallel, serial = DmlOptions(channel="bulk"), DmlOptions(channel="bulk", serial=True)
    assert all(row["success"] for row in fresh.dml("insert", "Line__c", rows, options=parallel, job="750"))
    fresh.org.settings.parallel_lock_rows = 10
    assert all(row["success"] for row in fresh.dml("insert", "Line__c", rows, options=serial, job="750"))
    answers = fresh.dml("insert", "Line__c", rows, options=parallel, job="750")
    failed = [row["row"] for row in answers if not row["success"]]
    assert failed == [10, 12, 14, 16, 18, *range(20, 30)]
    bad = answers[10]
    assert (bad["code"], bad["fields"]) == ("UNABLE_TO_LOCK_ROW", "")
    assert bad["message"] == f"unable to obtain exclusive access to this record or 1 records: {one}"
