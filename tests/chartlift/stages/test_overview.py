"""The table of the mappings: every line counted from staging, journal and org, with its reasons."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import duckdb

from chartlift.errors import PackError
from chartlift.model.plan import ObjectMap
from chartlift.model.reports import MappingLine
from chartlift.stages import load, overview, reconcile
from chartlift.testing.small import add_patient, add_visit


def line(title: str, *units: str, fields: tuple[str, ...] = (), matched: bool = False) -> SimpleNamespace:
    return SimpleNamespace(title=title, units=units, fields=fields, matched=matched)


LINES = (
    line("Patient → Contact", "person"),
    line("Place → Account", "site"),
    line("State", fields=("Visit__c.State__c",)),
    line("Health number", fields=("Contact.NHS_Number__c", "Contact.Health_Number_Type__c")),
    line("Practitioner → User", fields=("Contact.OwnerId", "Visit__c.Practitioner__c"), matched=True),
)


def table(bench: Any, lines: tuple[SimpleNamespace, ...] = LINES) -> dict[str, MappingLine]:
    tools = replace(bench.tools, pack=SimpleNamespace(overview=lines))
    return {found.title: found for found in reconcile.run(tools).mappings}


def why(found: MappingLine) -> dict[tuple[str, str], int]:
    return {(reason.fate, reason.code): reason.rows for reason in found.reasons}


def loaded(bench: Any) -> None:
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)


def test_a_clean_clinic_goes_whole(bench: Any) -> None:
    loaded(bench)
    found = table(bench)
    person = found["Patient → Contact"]
    assert (person.source, person.sent, person.records, person.verified, person.withheld) == (3, 3, 3, 27, 0)
    assert (person.held, person.skipped, person.failed, person.gone, person.reasons) == (0, 0, 0, 0, ())
    state = found["State"]
    assert (state.source, state.sent, state.verified) == (6, 6, 6)
    assert found["Health number"].source == 0


def test_units_that_no_line_names_get_one_of_their_own(bench: Any) -> None:
    loaded(bench)
    assert [*table(bench)][-1] == "appointment → Visit__c"
    assert table(bench)["appointment → Visit__c"].sent == 6
    assert [*table(bench, ())] == ["practice → Account", "patient → Contact", "appointment → Visit__c"]


def test_held_skipped_and_withheld_come_with_their_reasons(bench: Any) -> None:
    add_patient(bench.clinic, 4, onHold="yes")
    add_patient(bench.clinic, 5, isDeleted="true")
    add_patient(bench.clinic, 6, email="nonsense", nhsNumber="943 476 5919")
    add_patient(bench.clinic, 7, nhsNumber="12")
    add_visit(bench.clinic, 40, 4)
    add_visit(bench.clinic, 60, 6, state="no such")
    loaded(bench)
    found = table(bench)
    person = found["Patient → Contact"]
    assert (person.source, person.sent, person.held, person.skipped, person.withheld) == (7, 5, 1, 1, 3)
    assert why(person) == {
        ("hold", "on_hold"): 1,
        ("skip", "source_deleted"): 1,
        ("withheld", "Email:R-EMAIL"): 1,
        ("withheld", "NHS_Number__c:R-NHS"): 1,
        ("withheld", "Health_Number_Type__c:R-NHS"): 1,
    }
    health = found["Health number"]
    assert (health.source, health.sent, health.held, health.withheld) == (2, 2, 0, 2)
    state = found["State"]
    assert (state.source, state.sent, state.held) == (8, 6, 2)
    assert why(state) == {("hold", "parent:on_hold"): 1, ("hold", "R-PICK@State__c"): 1}
    assert all(reason.text and "None" not in reason.text for line in found.values() for reason in line.reasons)


def test_what_the_org_refuses_is_failed(bench: Any) -> None:
    add_patient(bench.clinic, 4, lastName="R" * 20)
    bench.ready()
    bench.org.refuse("t-PAT-4", "STRING_TOO_LONG")
    load.run(bench.tools, go=True, without_sample=True)
    found = table(bench)
    person = found["Patient → Contact"]
    assert (person.source, person.sent, person.failed) == (4, 3, 1)
    assert [reason.fate for reason in person.reasons] == ["failed"]
    assert "STRING_TOO_LONG" in person.reasons[0].code


def test_what_a_person_removed_is_gone(bench: Any) -> None:
    loaded(bench)
    bench.org.remove("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"])
    person = table(bench)["Patient → Contact"]
    assert (person.source, person.sent, person.gone) == (3, 2, 1)
    assert why(person) == {("removed", ""): 1}


def test_practitioners_are_matched_and_not_moved(bench: Any) -> None:
    bench.clinic.put("user", userId="8", email="nobody@clinic.example", role="HYGIENIST")
    loaded(bench)
    found = table(bench)["Practitioner → User"]
    assert (found.matched, found.source, found.sent, found.records) == (True, 2, 1, 0)
    assert why(found) == {("fallback", "fallback"): 1}
    assert found.verified == 3 + 6  # owners of Contacts, practitioners of visits
    every = table(bench, (line("Practitioner → User", matched=True),))["Practitioner → User"]
    assert every == replace(found, fields=())


def test_a_record_in_parts_has_gone_when_all_of_them_have() -> None:
    sql = duckdb.connect()
    sql.execute("CREATE TABLE rows_note (key VARCHAR, source_id VARCHAR)")
    sql.execute("CREATE TABLE judged (key VARCHAR, source_id VARCHAR, fate VARCHAR, reason VARCHAR)")
    for key, source, fate in (
        ("n-1", "1", "sent"),
        ("n-1-2", "1", "sent"),
        ("n-2", "2", "sent"),
        ("n-2-2", "2", "failed"),
    ):
        sql.execute("INSERT INTO rows_note VALUES (?, ?)", [key, source])
        sql.execute("INSERT INTO judged VALUES (?, ?, ?, ?)", [key, source, fate, "" if fate == "sent" else "TOO_MANY"])
    unit = ObjectMap("note", "Note__c", "note", "NOT")
    found = overview._Line("Note", ("note",), (), matched=False)
    overview._rows(cast("Any", SimpleNamespace(sql=sql)), found, unit, [])
    assert dict(found.counts) == {"source": 2, "sent": 1, "records": 3, "failed": 1}
    assert dict(found.reasons) == {("failed", "TOO_MANY"): 1}
    sql.close()


def test_children_of_a_skipped_record_are_skipped_with_it(bench: Any) -> None:
    add_patient(bench.clinic, 4, isDeleted="true")
    add_visit(bench.clinic, 40, 4)
    loaded(bench)
    state = table(bench)["State"]
    assert (state.source, state.sent, state.skipped, state.held) == (7, 6, 1, 0)
    assert why(state) == {("skip", "source_deleted"): 1}


def test_children_of_a_refused_record_say_so(bench: Any) -> None:
    add_patient(bench.clinic, 4)
    add_visit(bench.clinic, 40, 4)
    bench.ready()
    bench.org.refuse("t-PAT-4", "STRING_TOO_LONG")
    load.run(bench.tools, go=True, without_sample=True)
    assert why(table(bench)["State"]) == {("hold", "parent:failed:STRING_TOO_LONG"): 1}


def test_what_never_moves_is_listed(bench: Any) -> None:
    loaded(bench)
    found = table(bench, (line("User → rebuild list", "user"),))["User → rebuild list"]
    assert (found.source, found.sent, found.listed) == (1, 0, 1)
    assert why(found) == {("rebuild", "rebuild"): 1}


def test_a_line_adds_up_and_agrees_with_the_reconciliation(bench: Any) -> None:
    add_patient(bench.clinic, 4, onHold="yes")
    add_visit(bench.clinic, 40, 4)
    loaded(bench)
    report = reconcile.run(replace(bench.tools, pack=SimpleNamespace(overview=LINES)))
    for found in report.mappings:
        if not found.matched:
            assert found.source == found.sent + found.held + found.skipped + found.failed + found.gone
            not_withheld = sum(reason.rows for reason in found.reasons if reason.fate != "withheld")
            assert not_withheld == found.source - found.sent
    units = {unit.unit: unit for unit in report.units}
    person = next(found for found in report.mappings if found.title == "Patient → Contact")
    assert person.verified == units["person"].fields["equal"]
    assert person.source == sum(units["person"].records.values())
    assert report.as_json()["mappings"][0]["title"] == "Patient → Contact"


def test_a_map_broken_since_the_confirmation_does_not_stop_the_look_back(bench: Any) -> None:
    loaded(bench)

    class Broken:
        def __getattr__(self, name: str) -> object:
            raise PackError(name)

    lines = reconcile.run(replace(bench.tools, pack=Broken())).mappings
    assert [found.sent for found in lines] == [1, 3, 6]
