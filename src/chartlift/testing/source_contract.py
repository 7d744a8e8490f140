"""What every source has to keep to, whatever the vendor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from chartlift.model.source import EntityShape, Page, Source

SAFE = ("GET", "HEAD")


@dataclass
class SourceCase:
    """A connected source over a clinic that nobody else changes meanwhile.

    `edit` and `remove` change one row as the clinic's staff would and return (entity, id). `requests` tells what the
    vendor saw as (method, path); `logins` are the paths that may be posted to. `now` is our own time.
    """

    source: Source
    now: Callable[[], datetime]
    edit: Callable[[], tuple[str, str]]
    remove: Callable[[], tuple[str, str]]
    requests: Callable[[], list[tuple[str, str]]] = list
    logins: tuple[str, ...] = ()
    readings: dict[str, list[Page]] = field(default_factory=dict)

    def reading(self, listing: str) -> list[Page]:
        """All pages of a listing from its start, read once."""
        if listing not in self.readings:
            self.readings[listing] = list(self.source.pages(listing, since=None, cursor=None))
        return self.readings[listing]

    def tables(self) -> Iterator[tuple[EntityShape, str, pa.Table]]:
        """Every table of a whole reading, with its shape and its listing."""
        shapes = {shape.name: shape for shape in self.source.shapes()}
        for listing in self.source.listings(None):
            for page in self.reading(listing):
                for name, stream in page.tables.items():
                    yield shapes[name], listing, table(stream)


def table(stream: Any) -> pa.Table:
    """An Arrow stream as a table."""
    return pa.table(stream)


class SourceContract:
    """Inherit it in a test module and give it a fixture `source_case`; checks that change the clinic come last."""

    def test_shapes_are_consistent(self, source_case: SourceCase) -> None:
        """Names once, and every column that a shape points at is one of its own."""
        shapes = source_case.source.shapes()
        names = [shape.name for shape in shapes]
        assert len(set(names)) == len(names) > 0
        for shape in shapes:
            assert len(set(shape.columns)) == len(shape.columns), shape.name
            pointed = {shape.id, shape.patient, shape.stamp, shape.survivor, shape.dated, shape.state, *shape.counts}
            pointed |= {*shape.refs, *shape.lists, *shape.volatile, *shape.person.values()}
            assert pointed - {""} <= set(shape.columns), shape.name
            assert {*shape.refs.values(), *shape.counts.values()} <= set(names), shape.name
            assert not shape.part_of or shape.part_of in shape.refs, shape.name
            assert not [name for name in shape.columns if name.startswith("_")], shape.name

    def test_nests_gather_columns_that_there_are(self, source_case: SourceCase) -> None:
        """A nest gathers rows of an entity that is read, by columns of that entity."""
        shapes = {shape.name: shape for shape in source_case.source.shapes()}
        for nest in (shape for shape in shapes.values() if shape.nests):
            child = shapes[nest.nests]
            picked = {*nest.pick.equals, nest.pick.first, nest.pick.last} if nest.pick else set()
            assert not child.nests, nest.name
            assert {nest.by, nest.order, nest.without, *picked, *nest.columns} - {""} <= set(child.columns), nest.name
            assert nest.pick is None or bool(nest.pick.first) != bool(nest.pick.last), nest.name

    def test_check_tries_every_listing(self, source_case: SourceCase) -> None:
        """All probes are good on a healthy clinic, and count what a reading brings."""
        probes = source_case.source.check()
        assert [probe.name for probe in probes if not probe.ok] == []
        counted = {probe.name: probe.rows for probe in probes if probe.rows is not None}
        assert counted
        for listing in set(counted) & set(source_case.source.listings(None)):
            totals = [page.total for page in source_case.reading(listing) if page.total is not None]
            assert set(totals) <= {counted[listing]}, listing

    def test_pages_bring_text_in_the_shape_promised(self, source_case: SourceCase) -> None:
        """The columns of the shape and `_raw`, all text, in every page; `_raw` is a JSON object."""
        seen = set()
        for shape, listing, rows in source_case.tables():
            seen.add(shape.name)
            assert set(rows.column_names) == {*shape.columns, "_raw"}, (listing, shape.name)
            assert {str(kind) for kind in rows.schema.types} <= {"string", "large_string", "string_view"}, shape.name
            for text in rows.column("_raw").slice(0, 3).to_pylist():
                assert isinstance(json.loads(text), dict), shape.name
        assert seen == {shape.name for shape in source_case.source.shapes() if not shape.nests}

    def test_pages_cover_the_totals(self, source_case: SourceCase) -> None:
        """A listing brings as many rows as it says it has, and ends with the one page that has no cursor."""
        for listing in source_case.source.listings(None):
            pages = source_case.reading(listing)
            assert [page.listing for page in pages] == [listing] * len(pages)
            assert [number for number, page in enumerate(pages) if page.cursor is None] == [len(pages) - 1], listing
            totals = {page.total for page in pages if page.total is not None}
            if totals:
                rows = sum(table(page.tables[listing]).num_rows for page in pages)
                assert totals == {rows}, listing

    def test_a_listing_goes_on_after_any_page(self, source_case: SourceCase) -> None:
        """Reading on from a page's cursor brings what followed it, no more and no less."""
        longest = max(source_case.source.listings(None), key=lambda name: len(source_case.reading(name)))
        pages = source_case.reading(longest)
        for number, page in enumerate(pages[:-1]):
            rest = list(source_case.source.pages(longest, since=None, cursor=page.cursor))
            assert _ids(source_case, longest, rest) == _ids(source_case, longest, pages[number + 1 :]), number
            if number == 1:
                break  # two places are enough: each costs requests of the clinic's budget

    def test_ids_are_unique(self, source_case: SourceCase) -> None:
        """A listing brings no usable id twice, unless as the same row or with a stamp that tells which is newer."""
        versions: dict[tuple[str, str], set[tuple[str | None, str]]] = {}
        for shape, listing, rows in source_case.tables():
            if listing == shape.name:
                stamps = rows.column(shape.stamp).to_pylist() if shape.stamp else [None] * rows.num_rows
                ids, raws = rows.column(shape.id).to_pylist(), rows.column("_raw").to_pylist()
                for key, stamp, raw in zip(ids, stamps, raws, strict=True):
                    versions.setdefault((shape.name, key or raw), set()).add((stamp, raw))
        assert versions
        doubled = {key: {stamp for stamp, _ in said} for key, said in versions.items() if len(said) > 1}
        assert len(doubled) <= len(versions) // 100, "ids that stand for several rows are defects, not the rule"

    def test_rows_of_patients_name_their_patient(self, source_case: SourceCase) -> None:
        """The patient column is filled almost always: without it a row belongs to no graph."""
        for shape, _, rows in source_case.tables():
            if shape.patient and rows.num_rows:
                assert rows.column(shape.patient).null_count <= rows.num_rows // 10, shape.name

    def test_the_forecast_grows_with_the_clinic(self, source_case: SourceCase) -> None:
        """Requests and hours, more of both for more rows."""
        listings = source_case.source.listings(None)
        small = source_case.source.forecast(dict.fromkeys(listings, 10))
        large = source_case.source.forecast(dict.fromkeys(listings, 100_000))
        assert 0 < small["requests"] < large["requests"]
        assert 0 < small["hours"] < large["hours"]

    def test_its_time_is_never_later_than_ours(self, source_case: SourceCase) -> None:
        """A watermark in our future would lose changes."""
        moment = source_case.source.now()
        assert moment.tzinfo is not None
        assert moment <= source_case.now() + timedelta(seconds=1)

    def test_a_change_comes_with_the_next_reading(self, source_case: SourceCase) -> None:
        """`since` brings the changed row, and not the whole clinic again unless the source cannot do otherwise."""
        whole = sum(rows.num_rows for _, _, rows in source_case.tables())
        since = source_case.source.now()
        entity, key = source_case.edit()
        rows, _ = _changes(source_case, since)
        assert (entity, key) in rows
        assert len(rows) < whole or source_case.source.rereads

    def test_a_deletion_comes_with_the_next_reading(self, source_case: SourceCase) -> None:
        """Told as a deletion, or as the row with its mark; a source that brings everything again may leave it out."""
        since = source_case.source.now()
        entity, key = source_case.remove()
        rows, gone = _changes(source_case, since)
        assert (entity, key) in gone | rows or source_case.source.rereads

    def test_nothing_was_ever_written(self, source_case: SourceCase) -> None:
        """Of all that the vendor saw, only logins were no reading."""
        seen = source_case.requests()
        assert [call for call in seen if call[0] not in SAFE and call[1] not in source_case.logins] == []


def _ids(case: SourceCase, listing: str, pages: list[Page]) -> list[str | None]:
    shapes = {shape.name: shape for shape in case.source.shapes()}
    if listing not in shapes:
        return [gone[1] for page in pages for gone in page.deleted]
    return [key for page in pages for key in table(page.tables[listing]).column(shapes[listing].id).to_pylist()]


def _changes(case: SourceCase, since: datetime) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(entity, id) of the rows and of the deletions since then."""
    shapes = {shape.name: shape for shape in case.source.shapes()}
    rows: set[tuple[str, str]] = set()
    gone: set[tuple[str, str]] = set()
    for listing in case.source.listings(since):
        for page in case.source.pages(listing, since=since, cursor=None):
            gone |= {(entity, key) for entity, key, _ in page.deleted}
            for name, stream in page.tables.items():
                rows |= {(name, key) for key in table(stream).column(shapes[name].id).to_pylist()}
    return rows, gone
