"""The clinic's export as a Source: the same flat entities as through the API, read from files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from chartlift.errors import StopError
from chartlift.model.arrow import ArrowStream
from chartlift.model.ports import Clock
from chartlift.model.source import EntityShape, NoContent, Page, Probe
from chartlift.platforms.aeronaclinic.export.archive import Archive
from chartlift.platforms.aeronaclinic.export.book import Book
from chartlift.platforms.aeronaclinic.export.words import Words
from chartlift.platforms.aeronaclinic.profile import Profile

DELETIONS = "deletions"
_ROWS_PER_HOUR = 1e8


class ExportSource:
    """Implements `model.ports.Source` over an export. A later export is read whole again: `rereads`."""

    rereads = True
    contents = "document"

    def __init__(self, path: Path, password: str, words: Words, profile: Profile, clock: Clock) -> None:
        """Read the export at `path`; nothing is opened before the first question."""
        self.name = words.name
        self._path, self._password = path, password
        self._words, self._profile, self._clock = words, profile, clock
        self._book: Book | None = None
        self._members: dict[str, str] = {}  # id of a document -> the member with its content

    def close(self) -> None:
        """Let go of the file."""
        if self._book is not None:
            self._book.archive.close()
            self._book = None
            self._members = {}

    def now(self) -> datetime:
        """When the export was made, as its manifest says; never later than our own time."""
        self.close()  # a new reading: the file at the path may be another one by now
        ours, said = self._clock.now(), self._opened().exported
        return ours if said is None else min(ours, said)

    def shapes(self) -> tuple[EntityShape, ...]:
        """As through the API; lines of invoices have a file of their own, so they are nobody's part."""
        return tuple(replace(shape, part_of="", falls_with=shape.part_of) for shape in self._profile.shapes())

    def listings(self, since: datetime | None) -> tuple[str, ...]:
        """Every file, whenever it is asked for: an export knows no changes."""
        del since
        listed = [name for name in self._words.file if name in self._profile.entities]
        return (*listed, DELETIONS)

    def check(self) -> list[Probe]:
        """Look through every file and compare it with the manifest."""
        self.close()
        book = self._opened()
        probes = [Probe("export", True, book.about())]
        for name in self.listings(None):
            member = book.member(name)
            needed = name in self._words.required
            if not member:
                said = "the export has no such file" + ("" if needed else "; it can do without")
                probes.append(Probe(name, not needed, said))
                continue
            probes.append(Probe(name, *book.look(name)))
        return probes

    def forecast(self, rows: Mapping[str, int]) -> Mapping[str, float]:
        """Pages to be read, and hours; no limit of the clinic's stands in the way."""
        pages = sum(1 + many // self._words.rows for many in rows.values())
        return {"requests": float(pages), "hours": sum(rows.values()) / _ROWS_PER_HOUR}

    def content(self, key: str) -> Iterator[bytes]:
        """A document's bytes.

        Raises:
            NoContent: the export has no such member.
            CredentialsError, StopError: see `Archive.pieces`.
        """
        archive = self._opened().archive
        if not self._members:
            inside = (name for name in archive.names if name.startswith(self._words.documents))
            self._members = {name.rpartition("/")[2].partition("_")[0]: name for name in inside}
        if key not in self._members:
            raise NoContent("missing")
        yield from archive.pieces(self._members[key])

    def pages(self, listing: str, *, since: datetime | None, cursor: str | None) -> Iterator[Page]:
        """Read a file on from `cursor`, which names the export and the rows that have been read.

        Raises:
            StopError: the export is damaged, or another one than the reading began with.
            CredentialsError: its password is wrong or missing.
        """
        del since
        book = self._opened()
        print_, skip = json.loads(cursor) if cursor else (book.print, 0)
        if print_ != book.print:
            raise StopError(
                "the export is another one than this reading began with", hint="put the earlier export back and go on"
            )
        waiting: Page | None = None
        total = book.total(listing) if listing in self._profile.entities else None
        for done, tables, gone in book.tables(listing, skip):
            if waiting is not None:
                yield waiting
            place = json.dumps([book.print, done])
            waiting = Page(listing, tables, place, total=total, deleted=gone, problems=book.problems())
        last = waiting or Page(listing, self._nothing(listing), None, total=total)
        yield replace(last, cursor=None, problems=(*last.problems, *book.problems(listing)))

    def _nothing(self, listing: str) -> dict[str, ArrowStream]:
        entity = self._profile.entities.get(listing)
        if entity is None:
            return {}
        return {listing: pa.table({name: pa.nulls(0, pa.string()) for name in (*entity.columns, "_raw")})}

    def _opened(self) -> Book:
        if self._book is None:
            archive = Archive(self._path, self._password, self._words.bounds, self._words.documents)
            try:
                self._book = Book(archive, self._words, self._profile)
            except BaseException:
                archive.close()
                raise
        return self._book
