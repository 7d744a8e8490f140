"""Long texts: who gets rows of parts, and that the parts give the text back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chartlift import transforms
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.stages.columns import MOST_PARTS
from chartlift.stages.continuation import fill_parts
from chartlift.testing import PackCase, small_pack
from chartlift.testing.pack_contract import empty_staging
from chartlift.testing.small import SHAPES

LIMIT = 32_768
NOTE = FieldRule("Note__c", ("note",), "LongTextArea(32768)", "note_text", ("state",), on_bad="hold")


class Notes:
    """Visits with notes, and the parts that were made of them."""

    def __init__(self, sql: Any, unit: ObjectMap) -> None:
        self.sql, self.unit = sql, unit
        self._tools: Any = SimpleNamespace(staging=SimpleNamespace(sql=sql))

    def put(self, key: str, note: str | None, form: str = "PLAIN") -> None:
        self.sql.execute("DELETE FROM src_appointment WHERE _id = ?", [key])
        self.sql.execute("INSERT INTO src_appointment (_id, _seq, note, state) VALUES (?, 1, ?, ?)", [key, note, form])

    def fill(self, among: str = "") -> None:
        fill_parts(self._tools, self.unit, among)

    def parts(self, key: str) -> list[dict[str, Any]]:
        rows = self.sql.execute("SELECT * FROM parts_visit WHERE _id = ? ORDER BY part", [key]).to_arrow_table()
        return rows.to_pylist()


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    case = PackCase(small_pack(tmp_path), SHAPES, {}, tmp_path)
    visit = next(unit for unit in case.pack.maps if unit.name == "visit")
    sql = empty_staging(case)
    yield Notes(sql, replace(visit, fields=(visit.fields[0], NOTE)))
    sql.close()


@pytest.mark.parametrize("note", [None, "", "Seen.", "x" * LIMIT, ("y" * 31 + "\n") * 992])
def test_what_fits_needs_no_parts(notes: Notes, note: str | None) -> None:
    notes.put("1", note)
    notes.fill()
    assert [row for row in notes.parts("1") if row["parts"] > 1] == []


@pytest.mark.parametrize(
    "note",
    [
        "x" * (LIMIT + 1),
        ("y" * 31 + "\n") * 994,  # by the count of line ends
        "😀" * (LIMIT // 2) + "!",
        "word " * 20_000,
        ("👩‍👩‍👧‍👦" * 6 + " ") * 500,
        "a\r\nb" * 30_000,
    ],
)
def test_the_parts_of_a_long_note_give_it_back(notes: Notes, note: str) -> None:
    notes.put("1", note)
    notes.put("2", "Seen.")
    notes.fill()
    rows, whole = notes.parts("1"), transforms.clean(note) or ""
    assert len(rows) > 1
    assert [(row["part"], row["parts"]) for row in rows] == [(n + 1, len(rows)) for n in range(len(rows))]
    assert "".join(row["v"] for row in rows) == whole
    assert all(transforms.units(row["v"]) <= 32_000 and row["v"] == row["v"].strip() for row in rows)
    assert {row["sha256"] for row in rows} == {hashlib.sha256(whole.encode()).hexdigest()}
    assert notes.parts("2") == []


def test_markup_is_one_part_of_plain_text(notes: Notes) -> None:
    notes.put("1", "<p>Seen &amp; <b>well</b></p><p>Next week</p>", "HTML")
    notes.fill()
    (row,) = notes.parts("1")
    assert (row["v"], row["note"], row["bad"], row["parts"]) == ("Seen & well\nNext week", "R-TEXT-HTML", False, 1)


@pytest.mark.parametrize(
    "note", ["x" * 32_001 + " " * 40_000 + "y", "a" + "\u0301" * 40_000, "x" * 32_000 * (MOST_PARTS + 1)]
)
def test_what_cannot_be_cut_or_has_too_many_parts_is_held_whole(notes: Notes, note: str) -> None:
    notes.put("1", note)
    notes.fill()
    rows = [(row["v"], row["note"], row["bad"], row["parts"], row["sha256"]) for row in notes.parts("1")]
    assert rows == [(None, "R-LONG", True, 1, None)]


def test_only_what_changed_is_made_again(notes: Notes) -> None:
    notes.put("1", "x" * 40_000)
    notes.put("2", "y" * 40_000)
    notes.fill()
    notes.put("1", "short now")
    notes.put("2", "z" * 80_000)
    notes.fill("SELECT '1'")
    assert notes.parts("1") == []
    assert [len(row["v"]) for row in notes.parts("2")] == [32_000, 8_000]
