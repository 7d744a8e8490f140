from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from chartlift.errors import StopError, Unreachable
from chartlift.model.source import Page
from chartlift.platforms.aeronaclinic.profile import load
from chartlift.platforms.aeronaclinic.session import Session
from chartlift.platforms.aeronaclinic.source import AeronaSource

Make = Callable[..., Session]
SINCE = datetime(2026, 2, 1, 12, 0, 0, 900_000, tzinfo=UTC)


def rows(page: Page, entity: str) -> list[dict[str, Any]]:
    return pa.table(page.tables[entity]).to_pylist() if entity in page.tables else []


def read(source: AeronaSource, listing: str, entity: str = "", since: datetime | None = None) -> list[dict[str, Any]]:
    return [row for page in source.pages(listing, since=since, cursor=None) for row in rows(page, entity or listing)]


def problems(source: AeronaSource, listing: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for page in source.pages(listing, since=None, cursor=None):
        for code, _, count in page.problems:
            found[code] += count
    return found


def ids(found: list[dict[str, Any]], key: str) -> set[int]:
    return {int(row[key]) for row in found}


def on_request(clinic: Any, number: int, path: str, act: Callable[[], None]) -> None:
    """Run `act` behind the answer of the number-th request of a path."""
    seen = [0]

    def hook(asked: str, _query: dict[str, str]) -> None:
        if asked == path:
            seen[0] += 1
            if seen[0] == number:
                act()

    clinic.after.append(hook)


def drop(clinic: Any, entity: str, key: str, gone: int, *, told: bool) -> None:
    clinic.rows[entity] = [row for row in clinic.rows[entity] if row[key] != gone]
    if told:
        clinic.deletions.append(
            {"entity": entity, "entityId": gone, "deletedAt": "2026-03-01T12:00:00Z", "mergedIntoId": None}
        )


def test_patients_bring_their_appointments_along(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(250)
    pages = list(source.pages("patient", since=None, cursor=None))
    assert [len(rows(page, "patient")) for page in pages] == [100, 100, 50]
    assert sum(len(rows(page, "appointment")) for page in pages) == 500
    assert pages[-1].cursor is None
    assert clinic.asked("/appointments") == []
    assert clinic.asked("/patients")[0]["includeDeceased"] == "true"


def test_any_page_can_be_the_first_of_a_continued_reading(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(250)
    first = next(iter(source.pages("patient", since=None, cursor=None)))
    rest = [row for page in source.pages("patient", since=None, cursor=first.cursor) for row in rows(page, "patient")]
    assert ids(rest, "patientId") == set(range(101, 251))


def test_arrays_cut_short_are_read_from_the_list(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3)
    clinic.rows["appointment"] += [clinic.appointment(1000 + n, 2) for n in range(60)]
    clinic.embed_cap = 50
    found = read(source, "patient", "appointment")
    assert ids(found, "appointmentId") == ids(clinic.rows["appointment"], "appointmentId")
    assert [query["patientId"] for query in clinic.asked("/appointments")] == ["2"]


def test_a_clinic_that_ignores_the_patient_filter_is_not_asked_patient_by_patient(
    source: AeronaSource, clinic: Any
) -> None:
    clinic.fill(150, 3)
    clinic.embed_cap, clinic.ignores = 2, {"patientId"}
    read(source, "patient", "appointment")
    assert len(clinic.asked("/appointments")) <= 1


def test_many_short_arrays_are_left_to_the_list(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(100, 3)
    clinic.embeds = False
    assert read(source, "patient", "appointment") == []
    assert clinic.asked("/appointments") == []


def test_a_row_that_slips_forward_when_another_is_deleted_is_not_lost(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(450, 0)
    on_request(clinic, 2, "/patients", lambda: drop(clinic, "patient", "patientId", 7, told=False))
    found = read(source, "patient")
    assert ids(found, "patientId") == set(range(1, 451))


def test_a_deletion_hidden_by_a_creation_is_found_by_the_list_of_deletions(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(450, 0)

    def swap() -> None:
        drop(clinic, "patient", "patientId", 7, told=True)
        clinic.rows["patient"].append(clinic.patient(900))

    on_request(clinic, 2, "/patients", swap)
    found = read(source, "patient")
    assert ids(found, "patientId") >= set(range(1, 451)) - {7} | {900}
    assert len(clinic.asked("/patients")) == 10
    clinic.requests.clear()
    read(source, "patient")
    assert len(clinic.asked("/patients")) == 5


def test_a_page_size_that_is_capped_in_silence_loses_nothing(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(130, 0)
    clinic.max_size = 30
    assert ids(read(source, "patient"), "patientId") == set(range(1, 131))


@pytest.mark.parametrize(
    "lie", ["self", "total high", "total low", "no next", "empty last", "same page", "wraps around"]
)
def test_pages_that_lie_about_themselves_end_and_lose_nothing(source: AeronaSource, clinic: Any, lie: str) -> None:
    clinic.fill(200 if lie == "empty last" else 230, 0)
    original = clinic._page

    def lying(found: list[dict[str, Any]], query: dict[str, str]) -> Any:
        import json

        if lie == "same page" or (lie == "wraps around" and int(query["page"]) > 3):
            query = {**query, "page": "1"}
        status, headers, body = original(found, query)
        page = json.loads(body)
        if lie == "self" or lie in {"same page", "wraps around"}:
            page["nextPage"] = page["page"]
        if lie == "empty last":
            page["nextPage"] = page["page"] + 1
        if lie == "no next":
            page["nextPage"] = None
        page["total"] = {"total high": 9999, "total low": 3, "wraps around": 9999}.get(lie, page["total"])
        return status, headers, json.dumps(page).encode()

    clinic._page = lying
    found = ids(read(source, "patient"), "patientId")
    assert (
        found == set(range(1, 101)) if lie == "same page" else found == set(range(1, len(clinic.rows["patient"]) + 1))
    )
    assert len(clinic.asked("/patients")) <= 8


def test_one_record_that_the_clinic_cannot_deliver_does_not_stop_the_others(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(250)

    def poison(_method: str, path: str, query: dict[str, str]) -> Any:
        if path != "/patients":
            return None
        page, size = int(query["page"]), int(query["pageSize"])
        return (500, {}, b"<html>") if (page - 1) * size < 142 <= page * size else None

    clinic.faults.append(poison)
    assert ids(read(source, "patient"), "patientId") == set(range(1, 251)) - {142}
    assert problems(source, "patient")["S-UNREADABLE"] == 1


def test_a_record_whose_embedded_rows_break_the_answer_comes_without_them(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(20)

    def poison(_method: str, path: str, query: dict[str, str]) -> Any:
        if path != "/patients" or "embed" not in query:
            return None
        page, size = int(query["page"]), int(query["pageSize"])
        return (500, {}, b"") if (page - 1) * size < 5 <= page * size else None

    clinic.faults.append(poison)
    pages = list(source.pages("patient", since=None, cursor=None))
    assert ids([r for p in pages for r in rows(p, "patient")], "patientId") == set(range(1, 21))
    assert len({r["appointmentId"] for p in pages for r in rows(p, "appointment")}) == 40


def test_a_clinic_that_answers_nothing_usable_is_a_pause(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3)
    clinic.faults.append(lambda _m, path, _q: (502, {}, b"<html>") if path == "/patients" else None)
    with pytest.raises(Unreachable):
        read(source, "patient")


def test_optional_lists_may_be_missing_and_known_statuses_stand_in(source: AeronaSource, clinic: Any) -> None:
    clinic.missing = {"/appointmentStatuses", "/households", "/referralSources", "/deletions"}
    statuses = read(source, "appointmentStatus")
    assert {row["appointmentStatusId"]: row["code"] for row in statuses}["7"] == "DNA"
    assert len(statuses) == 10
    assert read(source, "household") == read(source, "referralSource") == []
    gone = list(source.pages("deletions", since=None, cursor=None))
    assert [page.deleted for page in gone] == [()] * len(load().deletions.of)
    assert gone[1].problems == (("S-NO-LIST", "deletions.appointment", 1),)
    clinic.missing = {"/patients"}
    with pytest.raises(StopError, match="patient"):
        read(source, "patient")


def test_changes_are_asked_for_with_an_overlap_and_bring_no_embedded_rows(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3)
    clinic.rows["patient"][1]["updatedAt"] = "2026-02-01T11:56:00Z"
    assert ids(read(source, "patient", since=SINCE), "patientId") == {2}
    assert clinic.asked("/patients")[0]["updatedSince"] == "2026-02-01T11:55:00Z"
    assert "embed" not in clinic.asked("/patients")[0]
    assert "updatedSince" not in (clinic.requests[-1][2] if read(source, "practice", since=SINCE) else {})


def test_deletions_name_the_survivor(source: AeronaSource, clinic: Any) -> None:
    clinic.deletions = [
        {"entity": "patient", "entityId": 5500200, "deletedAt": "2026-02-11T12:00:00Z", "mergedIntoId": 5500123},
        {"entity": "appointment", "entityId": 7, "deletedAt": "2026-02-11T12:00:00Z"},
        {"entity": "appointment", "entityId": 6, "deletedAt": "2020-02-11T12:00:00Z"},
    ]
    gone = [g for page in source.pages("deletions", since=SINCE, cursor=None) for g in page.deleted]
    assert gone == [("patient", "5500200", "5500123"), ("appointment", "7", None)]
    first = next(iter(source.pages("deletions", since=None, cursor=None)))
    rest = [g for page in source.pages("deletions", since=None, cursor=first.cursor) for g in page.deleted]
    assert rest == [("appointment", "7", None), ("appointment", "6", None)]


def test_entries_that_are_no_records_and_children_of_someone_else_are_counted(
    source: AeronaSource, clinic: Any
) -> None:
    clinic.fill(2, 1)
    clinic.rows["appointment"] = []
    embedded = clinic._embedded

    def odd(patient: dict[str, Any], embed: str) -> dict[str, Any]:
        mine = [{"appointmentId": 5}, {"appointmentId": 6, "patientId": 99}, None]
        return {**embedded(patient, embed), "appointments": mine if patient["patientId"] == 1 else None}

    clinic._embedded = odd
    found = {row["appointmentId"]: row["patientId"] for row in read(source, "patient", "appointment")}
    assert found == {"5": "1", "6": "99"}
    counted = problems(source, "patient")
    assert (counted["R-REF"], counted["R-SHAPE"]) == (1, 1)


def test_one_pin_per_practice_reads_one_practice_after_the_other(session: Make, clinic: Any) -> None:
    clinic.fill(120)
    source = AeronaSource([session(practice="101"), session(practice="102")], load())
    pages = list(source.pages("patient", since=None, cursor=None))
    assert [len(rows(page, "patient")) for page in pages] == [100, 20, 100, 20]
    assert [page.cursor is None for page in pages] == [False, False, False, True]
    rest = [len(rows(page, "patient")) for page in source.pages("patient", since=None, cursor=pages[1].cursor)]
    assert rest == [100, 20]


def test_the_check_tries_each_assumption_with_one_row(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(250)
    probes = {probe.name: probe for probe in source.check()}
    assert probes["patient"].rows == 250
    assert probes["appointment"].rows == 500
    assert all(probe.ok for probe in probes.values())
    assert "without" in probes["patient"].detail
    assert max(int(query.get("pageSize", 1)) for _, _, query in clinic.requests) == 1
    clinic.ignores = {"updatedSince"}
    clinic.missing = {"/users"}
    probes = {probe.name: probe for probe in source.check()}
    assert not probes["updatedSince"].ok
    assert not probes["user"].ok


def test_the_forecast_follows_page_sizes_and_the_allowance(source: AeronaSource) -> None:
    found = source.forecast({"patient": 50_000, "appointment": 650_000, "user": 201, "household": 0})
    reading = 500 + 1300 + 1 + 1 + 4 + 9  # patients, appointments, users, households, short lists, empty ones
    assert found["requests"] == 1 + reading + 3 * 11 + 1  # logins, deletions of eleven kinds
    assert found["hours"] == pytest.approx(found["requests"] / 285 / 4)


def test_reading_is_all_that_ever_leaves(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(120)
    for listing in source.listings(None):
        list(source.pages(listing, since=None, cursor=None))
    assert {(method, path) for method, path, _ in clinic.requests if method != "GET"} == {("POST", "/login")}
