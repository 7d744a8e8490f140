"""One file of the export as Arrow batches of text: CSV by Arrow's reader, JSON record by record.

A CSV is looked through once before it is read: its encoding and heads, how many rows it has, which rows are ragged, and
which language each column speaks (see `cells`).
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from chartlift.errors import StopError
from chartlift.model.source import LONE_SURROGATE
from chartlift.platforms.aeronaclinic.export import cells, decoding
from chartlift.platforms.aeronaclinic.export.archive import Archive
from chartlift.platforms.aeronaclinic.export.cells import Style
from chartlift.platforms.aeronaclinic.export.decoding import Dialect
from chartlift.platforms.aeronaclinic.export.words import fold

_LARGEST_BLOCK = 1 << 30
_HEAD = 1 << 17
_GROWN = ("straddling", "block size", "truncated", "CSV parser got out of sync")


@dataclass(frozen=True)
class Sheet:
    """What was found out about a CSV. `columns`: our column -> positions of its heads, the best one first."""

    name: str
    dialect: Dialect
    columns: Mapping[str, tuple[int, ...]]
    rows: int
    sha256: str
    ragged: tuple[int, ...]  # numbers of rows, the line of heads being row 1
    styles: Mapping[str, Style] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)  # head -> cells that are filled
    clashes: Mapping[str, int] = field(default_factory=dict)  # column with several heads -> rows that do not agree
    damaged: Mapping[str, int] = field(default_factory=dict)  # column -> cells with half a character
    quoted: bool = False  # every cell is quoted: then an empty one says nothing about being empty on purpose

    @property
    def heads(self) -> tuple[str, ...]:
        """As in the file; of two equal ones the later has its number behind it."""
        seen: Counter[str] = Counter()
        names = []
        for head in self.dialect.heads:
            seen[head] += 1
            names.append(head if seen[head] == 1 else f"{head}#{seen[head]}")
        return tuple(names)


def match(heads: tuple[str, ...], columns: tuple[str, ...], aliases: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """Our column -> positions of the heads that mean it; its own name goes before an alias."""
    own = {fold(column): column for column in columns}
    found: dict[str, list[int]] = {}
    for known in (own, {alias: column for alias, column in aliases.items() if alias not in own}):
        for place, head in enumerate(heads):
            column = known.get(fold(head))
            if column in columns:
                found.setdefault(column, []).append(place)
    return {column: tuple(places) for column, places in found.items()}


def survey(
    archive: Archive, name: str, columns: tuple[str, ...], aliases: Mapping[str, str], kinds: Mapping[str, str],
    block: int,
) -> Sheet:  # fmt: skip
    """Look through a CSV.

    Raises:
        StopError: it is no text, has no heads, or its quotes do not close.
        CredentialsError: see `Archive.pieces`.
    """
    digest = hashlib.sha256()
    pieces = _hashed(archive.pieces(name), digest)
    encoding, mark = decoding.encoding(pieces)
    for _ in pieces:  # a mark says it all: the rest is for the hash
        pass
    found = decoding.dialect(encoding, mark, _start(archive, name, encoding, mark))
    matched = match(found.heads, columns, aliases)
    bare = Sheet(name, found, matched, 0, digest.hexdigest(), ())
    return _counted(archive, bare, kinds, block)


def _hashed(pieces: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _start(archive: Archive, name: str, encoding: str, mark: int) -> bytes:
    start = b""
    for piece in decoding.text(archive.pieces(name), encoding, mark):
        start += piece
        if len(start) >= _HEAD:
            break
    return start[:_HEAD]


def _counted(archive: Archive, sheet: Sheet, kinds: Mapping[str, str], block: int) -> Sheet:
    """The same with everything that only a look at every row can tell."""
    ragged: list[int] = []
    out: dict[str, set[str]] = {column: set() for column in sheet.columns}
    taken = {place for places in sheet.columns.values() for place in places}
    unmapped: Counter[str] = Counter()
    clashes: Counter[str] = Counter()
    damaged: Counter[str] = Counter()
    rows, nothing, empty = 0, 0, 0
    for batch in batches(archive, sheet, block, ragged):
        rows += batch.num_rows
        for place, head in enumerate(sheet.heads):
            column = batch.column(place)
            nothing += column.null_count
            empty += pc.sum(pc.equal(column, "")).as_py() or 0
            if place not in taken:
                unmapped[head] += len(column) - column.null_count
        for name, places in sheet.columns.items():
            out[name] |= cells.ruled_out(kinds.get(name, ""), batch.column(places[0]))
            if sheet.dialect.encoding != "utf-8":
                halves = pc.match_substring(batch.column(places[0]), LONE_SURROGATE)
                damaged[name] += pc.sum(halves).as_py() or 0
            for other in places[1:]:
                differ = pc.not_equal(batch.column(places[0]), batch.column(other))
                clashes[name] += pc.sum(differ).as_py() or 0
    styles = {name: cells.style(kinds.get(name, ""), out[name]) for name in sheet.columns}
    return Sheet(
        sheet.name, sheet.dialect, sheet.columns, rows, sheet.sha256, tuple(ragged), styles,
        {head: many for head, many in unmapped.items() if many}, {c: many for c, many in clashes.items() if many},
        damaged=damaged,
        quoted=sheet.dialect.quoted and empty > 0 and nothing == 0,
    )  # fmt: skip


def batches(
    archive: Archive, sheet: Sheet, block: int, ragged: list[int] | None = None, skip: int = 0
) -> Iterator[pa.RecordBatch]:
    """The rows from `skip` on, all cells text, NULL where nothing stands between two delimiters.

    A cell that does not fit into a block makes the block grow; what had been read is passed over.
    """
    done = skip
    while True:
        ahead, torn = done, []
        try:
            for batch in _reader(archive, sheet, block, torn):
                if ahead >= batch.num_rows:
                    ahead -= batch.num_rows
                    continue
                part = batch.slice(ahead)
                ahead = 0
                done += part.num_rows
                yield part
        except pa.ArrowInvalid as error:
            if block >= _LARGEST_BLOCK or not any(word in str(error) for word in _GROWN):
                raise StopError(
                    f"{sheet.name} in the export is no CSV that can be read", hint="a quote that does not close?"
                ) from None
            block *= 4
            continue
        if ragged is not None:
            ragged += torn
        return


def _reader(archive: Archive, sheet: Sheet, block: int, torn: list[int]) -> Iterator[pa.RecordBatch]:
    said = sheet.dialect
    names = [f"c{number}" for number in range(len(said.heads))]
    pieces = decoding.text(archive.pieces(sheet.name), said.encoding, said.mark)
    stream = io.BufferedReader(decoding.Stream(pieces), 1 << 16)

    def short_or_long(row: csv.InvalidRow) -> str:
        torn.append(row.number or 0)
        return "skip"

    try:
        reader = csv.open_csv(
            stream,
            read_options=csv.ReadOptions(
                use_threads=False, block_size=block, skip_rows=said.lines, column_names=names
            ),
            parse_options=csv.ParseOptions(
                delimiter=said.delimiter, newlines_in_values=True, invalid_row_handler=short_or_long
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    yield from reader
    if stream.read(1):
        raise StopError(f"{sheet.name} in the export was not read to its end")


def columns_of(batch: pa.RecordBatch, sheet: Sheet, wanted: tuple[str, ...], zone: str) -> dict[str, pa.Array]:
    """The wanted columns as the API would send them; those that the file does not have are NULL."""
    found = {}
    for name in wanted:
        places = sheet.columns.get(name, ())
        if not places:
            found[name] = pa.nulls(batch.num_rows, pa.string())
            continue
        column = pc.coalesce(*(batch.column(place) for place in places))
        if sheet.quoted:
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        found[name] = cells.read(column, sheet.styles[name], zone)
    return found
