"""The reconciliation's letters: equal, withheld, changed by the server, changed by a person, differs."""

from __future__ import annotations

from typing import Any

from chartlift.model.outcomes import CompareReport, ObjectCompare
from chartlift.stages import load, reconcile
from chartlift.testing.small import add_patient, add_visit


def loaded(bench: Any) -> None:
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)


def unit(report: CompareReport, name: str = "person") -> ObjectCompare:
    return next(each for each in report.units if each.unit == name)


def test_a_clean_load_is_equal_in_every_field(bench: Any) -> None:
    loaded(bench)
    report = reconcile.run(bench.tools)
    assert (report.clean, report.exit_code) == (True, 0)
    assert unit(report).records == {"equal": 3}
    assert unit(report).fields == {"equal": 27, "withheld": 0, "server": 0, "person": 0, "differs": 0}
    assert report.totals["appointments"] == {"source": 6, "landed": 6}


def test_before_a_load_the_top_is_missing_and_holds_the_rest(bench: Any) -> None:
    bench.ready()
    report = reconcile.run(bench.tools)
    assert [u.records for u in report.units] == [{"missing": 1}, {"held": 3}, {"held": 6}]
    assert report.exit_code == 4


def test_held_skipped_and_withheld_are_told_apart_from_equal(bench: Any) -> None:
    add_patient(bench.clinic, 4, onHold="yes")
    add_patient(bench.clinic, 5, isDeleted="true")
    add_patient(bench.clinic, 6, email="nonsense")
    add_visit(bench.clinic, 40, 4)
    loaded(bench)
    report = reconcile.run(bench.tools)
    assert unit(report).records == {"equal": 4, "held": 1, "skipped": 1}
    assert unit(report).fields["withheld"] == 1
    assert unit(report, "visit").records == {"equal": 6, "held": 1}
    assert report.clean


def test_a_persons_change_is_no_difference(bench: Any) -> None:
    loaded(bench)
    bench.org.edit("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"], Email="front@desk.example")
    report = reconcile.run(bench.tools)
    assert unit(report).records == {"changed_by_person": 1, "equal": 2}
    assert unit(report).samples == (("t-PAT-1", "Email", "person"),)
    assert report.clean


def test_a_person_who_clears_or_fills_a_field_counts_too(bench: Any) -> None:
    loaded(bench)
    rows = bench.org.rows("Contact")
    bench.org.edit("Contact", rows["t-PAT-1"]["Id"], Email=None)
    bench.org.edit("Contact", rows["t-PAT-2"]["Id"], NHS_Number__c="9434765919")
    report = reconcile.run(bench.tools)
    assert set(unit(report).samples) == {("t-PAT-1", "Email", "person"), ("t-PAT-2", "NHS_Number__c", "person")}


def test_what_a_person_removed_is_told_as_such(bench: Any) -> None:
    loaded(bench)
    bench.org.remove("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"])
    report = reconcile.run(bench.tools)
    assert unit(report).records == {"equal": 2, "removed_by_person": 1}
    assert unit(report).samples == (("t-PAT-1", "", "removed_by_person"),)


def test_a_value_the_org_never_took_differs(bench: Any, monkeypatch: Any) -> None:
    """Between sending and reading back something else was stored: no rule explains it."""
    real = bench.org._insert

    def forgets(object_name: str, given: Any, user: str) -> str:
        made = real(object_name, given, user)
        if object_name == "Contact" and given["Source_System_ID__c"] == "t-PAT-1":
            bench.org._rows["Contact"][made].update(LastName="Someone", Email="P1@MAIL.EXAMPLE")
        return str(made)

    monkeypatch.setattr(bench.org, "_insert", forgets)
    loaded(bench)
    report = reconcile.run(bench.tools)
    assert (report.clean, report.exit_code) == (False, 4)
    assert unit(report).samples == (("t-PAT-1", "LastName", "differs"),)
    assert unit(report).fields["server"] == 1  # the case of the address


def test_a_record_with_our_key_that_nobody_made_is_unexpected(bench: Any, monkeypatch: Any) -> None:
    loaded(bench)
    monkeypatch.setattr("chartlift.stages.compare.SMALL", 0)  # read by prefix, as for a whole clinic
    site = bench.org.rows("Account")["t-PRA-1"]["Id"]
    bench.org.create("Contact", LastName="Ghost", AccountId=site, Source_System_ID__c="t-PAT-999")
    report = reconcile.run(bench.tools)
    assert unit(report).records == {"equal": 3, "unexpected": 1}
    assert not report.clean


def test_a_row_the_org_refused_is_failed_not_missing(bench: Any) -> None:
    bench.ready()
    bench.org.refuse("t-PAT-2", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    load.run(bench.tools, go=True, without_sample=True)
    report = reconcile.run(bench.tools)
    assert unit(report).records == {"equal": 2, "failed": 1}
    assert unit(report, "visit").records == {"equal": 4, "held": 2}
