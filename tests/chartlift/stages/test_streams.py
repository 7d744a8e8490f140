"""What is read and sent in pieces: pieces that do not add up, rows that get lost between judging and sending, sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chartlift.errors import StopError
from chartlift.model.ports import Everywhere, Torn
from chartlift.model.selection import Everything
from chartlift.platforms.salesforce.render import bulk_columns, render, text_table
from chartlift.stages import load, reconcile, rollback
from chartlift.stages.carry import cut, open_tables, spine
from chartlift.stages.carry.context import READS, Carry
from chartlift.testing.small import add_patient


def work_of(bench: Any) -> Carry:
    return open_tables(bench.tools, bench.plan, Everything())


def tearing(bench: Any, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """The org's answers come whole and are then taken back, so many times; counts the attempts."""
    attempts: list[int] = []
    whole = bench.org.pages

    def pages(*words: Any, **named: Any) -> Iterator[Any]:
        attempts.append(1)
        yield from whole(*words, **named)
        if len(attempts) <= times:
            raise Torn("half an answer")

    monkeypatch.setattr(bench.org, "pages", pages)
    return attempts


@pytest.mark.parametrize("more", [False, True])
def test_pages_that_do_not_add_up_count_for_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch, more: bool) -> None:
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)
    work = work_of(bench)
    work.read("found", "Account", ["Id"], Everywhere())
    before = work.value("SELECT count(*) FROM found")
    attempts = tearing(bench, monkeypatch, 2)
    work.read("found", "Contact", ["Id"], Everywhere(), more=more)
    assert len(attempts) == 3
    assert work.value("SELECT count(*) FROM found") == 3 + (before if more else 0)


def test_pages_that_never_add_up_pause_the_run(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.ready()
    attempts = tearing(bench, monkeypatch, 99)
    with pytest.raises(Torn):
        work_of(bench).read("found", "Contact", ["Id"], Everywhere())
    assert len(attempts) == READS


def test_a_row_that_got_lost_between_judging_and_sending_stops_the_run(bench: Any) -> None:
    plan = bench.ready()
    work = work_of(bench)
    spine.build(work, plan.maps[0])
    spine.build(work, plan.maps[1])
    assert [batch.rows.num_rows for batch in cut.inserts(work, plan.maps[1], 0)] == [3]
    work.sql.execute("UPDATE spine SET place = -1 WHERE key = 't-PAT-2'")
    with pytest.raises(StopError, match="3 rows were judged and 2"):
        list(cut.inserts(work, plan.maps[1], 0))


def test_the_bytes_that_batches_are_cut_by_are_not_fewer_than_those_of_the_csv(bench: Any) -> None:
    for number in range(4, 500):
        add_patient(bench.clinic, number, lastName="Óg, " + "Ü" * (number % 20))
    bench.clinic._page_rows = 500
    plan = bench.ready()
    work = work_of(bench)
    spine.build(work, plan.maps[0])
    spine.build(work, plan.maps[1])
    batches = list(cut.inserts(work, plan.maps[1], 0))
    sent = sum(render(bulk_columns(text_table(b.rows), keep=()), gzip=False).plain_size for b in batches)
    judged = work.value("SELECT sum(bytes) FROM spine WHERE fate = 'insert'")
    assert sum(batch.rows.num_rows for batch in batches) > 400
    assert sent <= judged < 4 * sent


def test_nobody_is_asked_for_children_where_there_are_only_ours(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)
    asked: list[list[str]] = []
    whole = bench.org.pages

    def pages(name: str, fields: list[str], *rest: Any, **named: Any) -> Iterator[Any]:
        asked.append(fields)
        yield from whole(name, fields, *rest, **named)

    monkeypatch.setattr(bench.org, "pages", pages)
    assert rollback.run(bench.tools, go=False).kept == ()
    assert not [fields for fields in asked if "CreatedById" in fields]
    bench.org.create("Contact", LastName="Stranger")
    rollback.run(bench.tools, go=False)
    assert [fields for fields in asked if "CreatedById" in fields]


def test_what_we_left_is_read_for_rows_that_differ_alone(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.ready()
    load.run(bench.tools, go=True, without_sample=True)
    kinds: list[str] = []
    blob = bench.tools.journal.blob

    def noted(batch: int, kind: str) -> Any:
        kinds.append(kind)
        return blob(batch, kind)

    monkeypatch.setattr(bench.tools.journal, "blob", noted)
    report = reconcile.run(bench.tools)
    assert report.clean
    assert "post" not in kinds
    bench.org.edit("Contact", bench.org.rows("Contact")["t-PAT-1"]["Id"], Email="front@desk.example")
    person = next(unit for unit in reconcile.run(bench.tools).units if unit.unit == "person")
    assert (person.records["changed_by_person"], person.records["equal"]) == (1, 2)
    assert "post" in kinds
