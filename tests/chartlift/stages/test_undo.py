"""Rollback: what we made goes, what we changed gets its old values back, what others did since stays."""

from __future__ import annotations

from typing import Any

import pytest

from chartlift.errors import UsageError
from chartlift.stages import delta, load, rollback


def loaded(bench: Any) -> str:
    bench.ready()
    return str(load.run(bench.tools, go=True, without_sample=True).run)


def record(bench: Any, key: str, object_name: str = "Contact") -> str:
    return str(bench.org.rows(object_name)[key]["Id"])


def link(bench: Any) -> str:
    """An Account that was there before us, linked to our practice and so changed by the load."""
    there = bench.org.create("Account", Name="lagan dental")
    bench.ready()
    bench.tools.journal.decide("match", "t-PRA-1", there, by="tester")
    load.run(bench.tools, go=True, without_sample=True)
    return str(there)


def test_everything_goes_and_the_org_is_as_before(bench: Any) -> None:
    bench.org.create("Account", Name="Elsewhere")
    bench.ready()
    before = bench.org.state()
    load.run(bench.tools, go=True, without_sample=True)
    report = rollback.run(bench.tools, go=True)
    assert report.actions == {"Account": {"delete": 1}, "Contact": {"delete": 3}, "Visit__c": {"delete": 6}}
    assert bench.org.state() == before
    assert bench.tools.journal.landed().num_rows == 0


def test_explaining_walks_the_same_list_and_writes_nothing(bench: Any) -> None:
    loaded(bench)
    before = bench.org.state()
    explained = rollback.run(bench.tools, go=False)
    assert bench.org.state() == before
    done = rollback.run(bench.tools, go=True)
    assert (explained.fingerprint, explained.actions) == (done.fingerprint, done.actions)


def test_a_second_rollback_finds_nothing(bench: Any) -> None:
    loaded(bench)
    rollback.run(bench.tools, go=True)
    state, written = bench.org.state(), len(bench.org.writes)
    again = rollback.run(bench.tools, go=True)
    assert again.actions == {}
    assert (bench.org.state(), len(bench.org.writes)) == (state, written)


def test_a_record_that_a_person_changed_stays_with_its_parents(bench: Any) -> None:
    loaded(bench)
    bench.org.edit("Visit__c", record(bench, "t-APT-10", "Visit__c"), Note__c="called back")
    report = rollback.run(bench.tools, go=True)
    kept = {key: reason for _, key, _, reason in report.kept}
    assert kept == {
        "t-APT-10": "a person changed Note__c",
        "t-PAT-1": "a kept record points to it",
        "t-PRA-1": "a kept record points to it",
    }
    assert sorted(bench.org.rows("Visit__c")) == ["t-APT-10"]


def test_a_change_outside_the_map_keeps_the_record_too(bench: Any) -> None:
    loaded(bench)
    bench.org.edit("Contact", record(bench, "t-PAT-3"), MailingCity="Derry")
    kept = {key: reason for _, key, _, reason in rollback.run(bench.tools, go=True).kept}
    assert kept["t-PAT-3"] == "a person changed it outside the mapped fields"


def test_what_others_hung_under_our_record_keeps_it(bench: Any) -> None:
    loaded(bench)
    bench.org.create("Contact", LastName="Stranger", AccountId=record(bench, "t-PRA-1", "Account"))
    report = rollback.run(bench.tools, go=True)
    assert {(key, reason) for _, key, _, reason in report.kept} == {("t-PRA-1", "others added Contact records to it")}
    assert sorted(row["LastName"] for row in bench.org.rows("Contact").values()) == ["Stranger"]


@pytest.mark.parametrize("survivor", [None, "t-PAT-2"])
def test_what_people_removed_themselves_needs_nothing(bench: Any, survivor: str | None) -> None:
    loaded(bench)
    other = record(bench, survivor) if survivor else None
    bench.org.remove("Contact", record(bench, "t-PAT-1"), survivor=other)
    report = rollback.run(bench.tools, go=True)
    assert report.exit_code == 0
    assert ("kept" in report.actions["Contact"]) is bool(survivor)
    assert bench.org.rows("Contact") == {}


def test_a_record_that_was_there_gets_its_old_values(bench: Any) -> None:
    there = link(bench)
    assert bench.org.rows("Account")["t-PRA-1"]["Name"] == "Lagan Dental"
    report = rollback.run(bench.tools, go=True)
    assert report.actions["Account"] == {"restore": 1}
    row = bench.org.rows("Account")[there]
    assert (row["Name"], row["Source_System_ID__c"]) == ("lagan dental", None)


def test_of_a_record_that_was_there_a_persons_field_stays(bench: Any) -> None:
    there = link(bench)
    bench.org.edit("Account", there, Name="Lagan Dental Group")
    report = rollback.run(bench.tools, go=True)
    row = bench.org.rows("Account")[there]
    assert (row["Name"], row["Source_System_ID__c"]) == ("Lagan Dental Group", None)
    assert [(key, reason) for _, key, _, reason in report.kept] == [("t-PRA-1", "a person changed Name")]


def test_one_run_is_undone_to_what_the_run_before_left(bench: Any) -> None:
    first = loaded(bench)
    bench.later()
    bench.clinic.put("patient", patientId="1", lastName="New")
    second = delta.run(bench.tools, go=True).run
    report = rollback.run(bench.tools, go=True, run_id=second)
    assert report.actions["Contact"] == {"restore": 1}
    assert bench.org.rows("Contact")["t-PAT-1"]["LastName"] == "Name1"
    assert rollback.run(bench.tools, go=False, run_id=first).actions["Contact"] == {"delete": 3}
    with pytest.raises(UsageError):
        rollback.run(bench.tools, go=False, run_id=second)


def test_an_older_run_does_not_undo_what_a_later_one_changed(bench: Any) -> None:
    first = loaded(bench)
    bench.later()
    bench.clinic.put("patient", patientId="1", lastName="New")
    delta.run(bench.tools, go=True)
    report = rollback.run(bench.tools, go=True, run_id=first)
    assert ("t-PAT-1", "changed by a later run") in {(key, reason) for _, key, _, reason in report.kept}
    assert bench.org.rows("Contact")["t-PAT-1"]["LastName"] == "New"


def test_a_load_after_a_rollback_brings_back_the_same_ids(bench: Any) -> None:
    loaded(bench)
    before = {key: row["Id"] for key, row in bench.org.rows("Contact").items()}
    rollback.run(bench.tools, go=True)
    bench.later()
    bench.clinic.put("patient", patientId="1", lastName="New")
    delta.run(bench.tools, go=True)
    load.run(bench.tools, go=True, without_sample=True)
    rows = bench.org.rows("Contact")
    assert {key: row["Id"] for key, row in rows.items()} == before
    assert rows["t-PAT-1"]["LastName"] == "New"
    assert len(bench.org.rows("Visit__c")) == 6


def test_what_a_person_deleted_before_a_rollback_is_not_brought_back_by_a_load(bench: Any) -> None:
    loaded(bench)
    bench.org.remove("Contact", record(bench, "t-PAT-1"))
    rollback.run(bench.tools, go=True)
    report = load.run(bench.tools, go=True, without_sample=True)
    contacts = next(unit for unit in report.units if unit.object == "Contact")
    assert ("hold", "deleted_by_person", 1) in contacts.reasons
    assert "t-PAT-1" not in bench.org.rows("Contact")
    assert "t-PAT-2" in bench.org.rows("Contact")


def test_many_rows_are_read_by_prefix_and_those_without_their_key_by_id(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(bench)
    monkeypatch.setattr("chartlift.stages.undo.SMALL", 0)
    bench.org.edit("Contact", record(bench, "t-PAT-3"), Source_System_ID__c=None)
    bench.org.edit("Visit__c", record(bench, "t-APT-10", "Visit__c"), Note__c="called back")
    kept = {key: reason for _, key, _, reason in rollback.run(bench.tools, go=True).kept}
    assert kept["t-APT-10"] == "a person changed Note__c"
    assert kept["t-PAT-3"] == "a person changed it outside the mapped fields"
    assert len(bench.org.rows("Contact")) == 2


def test_a_refused_deletion_is_told_and_can_be_done_again(bench: Any) -> None:
    loaded(bench)
    bench.org.refuse(record(bench, "t-APT-10", "Visit__c"), "INSUFFICIENT_ACCESS_OR_READONLY")
    report = rollback.run(bench.tools, go=True)
    assert report.exit_code == 4
    assert ("Visit__c", "t-APT-10") in {(name, key) for name, key, _ in report.failed}
