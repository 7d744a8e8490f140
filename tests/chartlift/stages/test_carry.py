"""carry over a small clinic and a fake org: what becomes of each row, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chartlift.model.ports import Step
from chartlift.stages import delta, load, status
from chartlift.testing.small import add_patient, add_visit


def go(bench: Any) -> Any:
    return load.run(bench.tools, go=True, without_sample=True)


def tried(bench: Any) -> list[tuple[str, str]]:
    """(object, operation) of every row the org was asked to write, and forget them."""
    said = [(write[0], write[1]) for write in bench.org.writes]
    bench.org.writes.clear()
    return said


def test_explaining_writes_nothing_and_says_what_doing_does(bench: Any) -> None:
    bench.ready()
    explained = load.run(bench.tools, go=False)
    assert tried(bench) == []
    assert bench.tools.journal.runs() == []
    done = go(bench)
    assert [u.fates for u in explained.units] == [u.fates for u in done.units]
    assert len(tried(bench)) == 1 + 3 + 6


def test_rows_are_stamped_and_point_at_their_parents(bench: Any) -> None:
    bench.ready()
    report = go(bench)
    people, visits = bench.org.rows("Contact"), bench.org.rows("Visit__c")
    assert sorted(people) == ["t-PAT-1", "t-PAT-2", "t-PAT-3"]
    assert {row["Migration_Run__c"] for row in people.values()} == {report.run}
    assert all(row["Migration_Hash__c"] for row in visits.values())
    assert visits["t-APT-20"]["Contact__c"] == people["t-PAT-2"]["Id"]
    assert people["t-PAT-1"]["AccountId"] == bench.org.rows("Account")["t-PRA-1"]["Id"]
    assert (visits["t-APT-10"]["State__c"], visits["t-APT-10"]["Cost__c"]) == ("Booked", "12.5")


def test_a_second_load_writes_nothing(bench: Any) -> None:
    bench.ready()
    go(bench)
    tried(bench)
    again = go(bench)
    assert [set(u.fates) for u in again.units] == [{"unchanged"}] * 3
    assert tried(bench) == []


def test_held_parents_hold_their_children_with_their_reason(bench: Any) -> None:
    add_patient(bench.clinic, 8, onHold="yes")
    add_visit(bench.clinic, 80, 8)
    add_visit(bench.clinic, 99, 77)  # a patient nobody knows
    add_patient(bench.clinic, 9, isDeleted="true")
    add_visit(bench.clinic, 90, 9)
    bench.ready()
    units = {u.unit: {(fate, reason): n for fate, reason, n in u.reasons} for u in go(bench).units}
    assert units["person"] == {("hold", "on_hold"): 1, ("skip", "source_deleted"): 1}
    assert units["visit"] == {
        ("hold", "parent:on_hold"): 1,
        ("hold", "R-REF@Contact__c"): 1,
        ("skip", "source_deleted"): 1,
    }


def test_levels_and_a_circle_of_own_parents(bench: Any) -> None:
    """4 -> 5 -> 6 goes in three levels; 7 and 8 point at each other, so one edge comes after both are there."""
    for number, head in ((4, "5"), (5, "6"), (6, None), (7, "8"), (8, "7")):
        add_patient(bench.clinic, number, headId=head)
    bench.ready()
    report = go(bench)
    rows = bench.org.rows("Contact")
    heads = {key: next((k for k, r in rows.items() if r["Id"] == row["Head__c"]), None) for key, row in rows.items()}
    assert heads["t-PAT-4"] == "t-PAT-5"
    assert heads["t-PAT-5"] == "t-PAT-6"
    assert (heads["t-PAT-7"], heads["t-PAT-8"]) == ("t-PAT-8", "t-PAT-7")
    assert bench.fates(report, "person") == {"insert": 8}
    tried(bench)
    assert bench.fates(go(bench), "person") == {"unchanged": 8}
    assert tried(bench) == []


def test_what_changed_at_the_clinic_is_updated_cell_by_cell(bench: Any) -> None:
    bench.ready()
    go(bench)
    bench.org.edit("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"], MailingCity="Derry")
    bench.later()
    bench.clinic.put("patient", patientId="1", lastName="New", email=None)
    report = delta.run(bench.tools, go=True)
    row = bench.org.rows("Contact")["t-PAT-1"]
    assert (row["LastName"], row["Email"], row["MailingCity"]) == ("New", None, "Derry")
    assert bench.fates(report, "person")["update"] == 1


def test_a_value_that_became_unusable_is_left_as_it_was(bench: Any) -> None:
    """Withheld means: not sent. It does not mean cleared."""
    bench.ready()
    go(bench)
    bench.later()
    bench.clinic.put("patient", patientId="1", email="nonsense", lastName="New")
    delta.run(bench.tools, go=True)
    row = bench.org.rows("Contact")["t-PAT-1"]
    assert (row["LastName"], row["Email"]) == ("New", "p1@mail.example")


def test_a_persons_change_is_kept(bench: Any) -> None:
    bench.ready()
    go(bench)
    bench.org.edit("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"], Email="front@desk.example")
    bench.later()
    bench.clinic.put("patient", patientId="1", email="clinic@mail.example", lastName="New")
    delta.run(bench.tools, go=True)
    row = bench.org.rows("Contact")["t-PAT-1"]
    assert (row["LastName"], row["Email"]) == ("New", "front@desk.example")


@pytest.mark.parametrize(("survivor", "reason"), [(None, "deleted_by_person"), ("t-PAT-2", "merged_by_person")])
def test_what_people_removed_is_never_made_again(bench: Any, survivor: str | None, reason: str) -> None:
    bench.ready()
    go(bench)
    rows = bench.org.rows("Contact")
    other = rows[survivor]["Id"] if survivor else None
    bench.org.remove("Contact", rows["t-PAT-1"]["Id"], survivor=other)
    tried(bench)
    report = go(bench)
    person = next(u for u in report.units if u.unit == "person")
    assert ("hold", reason, 1) in person.reasons
    assert ("Contact", "insert") not in tried(bench)


def test_a_row_the_org_knows_already_waits_for_a_decision(bench: Any) -> None:
    bench.org.create("Account", Name="LAGAN  dental")
    bench.ready()
    report = load.run(bench.tools, go=False)
    assert bench.fates(report, "site") == {"hold": 1}
    found = report.matches[0]
    assert (found[0], found[1], found[3]) == ("Account", "t-PRA-1", "Name")
    bench.tools.journal.decide("match", found[1], found[2], by="tester")
    go(bench)
    assert bench.org.rows("Account")["t-PRA-1"]["Id"] == found[2]


# ---------------------------------------------------------------- accidents


def test_a_refused_row_fails_alone_and_holds_its_children(bench: Any) -> None:
    bench.ready()
    bench.org.refuse("t-PAT-2", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    report = go(bench)
    person = next(u for u in report.units if u.unit == "person")
    visit = next(u for u in report.units if u.unit == "visit")
    assert report.exit_code == 4
    assert person.failed == (("t-PAT-2", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),)
    assert visit.reasons == (("hold", "parent:failed:FIELD_CUSTOM_VALIDATION_EXCEPTION", 2),)
    assert [set(u.fates) for u in go(bench).units] == [{"unchanged"}, {"unchanged", "insert"}, {"unchanged", "insert"}]


def test_a_locked_row_goes_again(bench: Any) -> None:
    bench.ready()
    bench.org.refuse("t-PAT-2", "UNABLE_TO_LOCK_ROW")
    assert bench.fates(go(bench), "person") == {"insert": 3}
    assert len(bench.org.rows("Contact")) == 3


def test_another_rows_unique_value_is_no_proof_that_ours_is_there(bench: Any) -> None:
    """DUPLICATE_VALUE is settled by key, run and hash; the row that caused it is somebody else's."""
    bench.ready()
    bench.org.refuse("t-PAT-2", "DUPLICATE_VALUE")
    report = go(bench)
    assert bench.fates(report, "person") == {"failed": 1, "insert": 2}
    landed = bench.tools.journal.landed().column("key").to_pylist()
    assert "t-PAT-2" not in landed


def many(bench: Any) -> None:
    """Enough patients for the bulk wire."""
    for number in range(4, 411):
        add_patient(bench.clinic, number)
    bench.clinic._page_rows = 500


def test_an_answer_that_got_lost_is_asked_for(bench: Any) -> None:
    many(bench)
    bench.ready()
    bench.org.lose_answer = True
    report = go(bench)
    assert bench.fates(report, "person") == {"insert": 410}
    assert len(bench.org.rows("Contact")) == 410
    assert tried(bench).count(("Contact", "insert")) == 410


class Killed(BaseException):
    """The process is gone."""


def dying_at(kind: str, write: Callable[..., Any]) -> Callable[..., Any]:
    def writes(object_name: str, *given: Any, on_step: Callable[[Step], None], **more: Any) -> Any:
        def step(said: Step) -> None:
            on_step(said)
            if said.kind == kind and object_name == "Contact":
                raise Killed

        return write(object_name, *given, on_step=step, **more)

    return writes


@pytest.mark.parametrize("kind", ["creating", "created", "closed", "done"])
def test_a_kill_on_the_bulk_wire_neither_doubles_nor_loses_a_row(
    bench: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(bench)
    bench.ready()
    with monkeypatch.context() as patched:
        patched.setattr(bench.org, "write", dying_at(kind, bench.org.write))
        with pytest.raises(Killed):
            go(bench)
    assert status.run(bench.tools).unknown == 410
    report = go(bench)
    assert report.resumed
    assert status.run(bench.tools).unknown == 0
    assert len(bench.org.rows("Contact")) == 410
    assert tried(bench).count(("Contact", "insert")) == 410
    assert len(bench.org.rows("Visit__c")) == 6


def test_a_kill_on_the_rows_wire_is_settled_by_key(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.ready()
    with monkeypatch.context() as patched:
        patched.setattr(bench.org, "write", dying_at("done", bench.org.write))
        with pytest.raises(Killed):
            go(bench)
    go(bench)
    assert tried(bench).count(("Contact", "insert")) == 3
    assert status.run(bench.tools).unknown == 0
