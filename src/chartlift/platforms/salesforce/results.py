"""CSV answers of the Bulk API: pages, and the three result sets of an ingest job put together.

Rows are known by the key column that the org echoes, never by their position: the order of results is not promised.
"""

from __future__ import annotations

import csv as text_csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute
from pyarrow import csv

from chartlift.platforms.salesforce.answers import Answer
from chartlift.platforms.salesforce.errors import NoAnswer, row_errors
from chartlift.platforms.salesforce.session import Repeat, Session

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("id", pa.string()),
        ("outcome", pa.string()),
        ("created", pa.bool_()),
        ("code", pa.string()),
        ("fields", pa.string()),
    ]
)
CSV = "text/csv"
BLOCK = 1 << 23  # bytes; a record has at most 400,000 characters, and one record must fit into a block
MOST_PAGES = 100_000


class Garbled(Exception):
    """A result set is cut short, doubled or does not add up; the text says how. It is a reason to fetch again."""


def pages(session: Session, path: str, params: Mapping[str, str]) -> Iterator[Answer]:
    """All pages of a CSV resource; the last one has no locator, or the word `null`."""
    given = dict(params)
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        answer = session.call("GET", path, repeat=Repeat.ALWAYS, accept=CSV, params=given, ok=(200,))
        yield answer
        locator = answer.headers.get("sforce-locator", "null")
        if locator in ("", "null"):
            return
        if locator in seen:
            raise NoAnswer(f"GET {path}", "its pages go round in a circle", unsent=False)
        seen.add(locator)
        given["locator"] = locator
    raise NoAnswer(f"GET {path}", "its pages do not end", unsent=False)


def header_of(body: bytes) -> list[str]:
    """The column names in the first line."""
    line = body.split(b"\n", 1)[0].rstrip(b"\r")
    return next(text_csv.reader([line.decode("utf-8-sig", "replace")]), [])


def parse(answer: Answer, wanted: list[str] | None = None, *, nulls: bool = False) -> pa.Table:
    """The rows of a CSV body as text; `wanted` picks columns (any case), `nulls` reads empty cells as NULL.

    Raises:
        Garbled: the body is cut short or is no CSV.
    """
    body = answer.body.replace(b"\0", b"") if b"\0" in answer.body else answer.body
    header = header_of(body)
    picked = header if wanted is None else [_spelled(header, name) for name in wanted]
    names = wanted or header
    if not header or b"\n" not in body.rstrip(b"\r\n"):
        return pa.table([pa.array([], pa.string()) for _ in names], names=names)
    # a body without a proven end may have been cut anywhere, also behind a line end inside quotes
    if not answer.framed and (not body.endswith(b"\n") or body.count(b'"') % 2):
        raise Garbled("the body ends in the middle of a row")
    try:
        table = csv.read_csv(
            pa.BufferReader(body),
            csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=_distinct(header), skip_rows=1),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(
                include_columns=picked,
                column_types=dict.fromkeys(picked, pa.string()),
                null_values=[""],
                strings_can_be_null=nulls,
                quoted_strings_can_be_null=nulls,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise Garbled(f"the body is no CSV table ({type(error).__name__})") from None
    return table.rename_columns(names)


def _spelled(header: list[str], name: str) -> str:
    found = next((column for column in header if column.lower() == name.lower()), None)
    if found is None:
        raise Garbled(f"there is no column {name}")
    return found


def _distinct(header: list[str]) -> list[str]:
    """Names that do not repeat: an echoed column called like one of the org's own must not shadow it."""
    return [f"{name} ({place})" if name in header[:place] else name for place, name in enumerate(header)]


@dataclass(frozen=True, slots=True)
class Sets:
    """The rows of the three result sets, in SCHEMA, and how many each has."""

    rows: pa.Table
    successful: int
    failed: int
    unprocessed: int

    @property
    def total(self) -> int:
        """All rows."""
        return self.successful + self.failed + self.unprocessed


def successful(table: pa.Table) -> pa.Table:
    """Rows of successfulResults (columns key, sf__Id, sf__Created) in SCHEMA."""
    created = pc.equal(pc.utf8_lower(table.column("sf__Created")), "true")
    return _rows(table.column("key"), table.column("sf__Id"), "ok", created)


def failed(table: pa.Table) -> pa.Table:
    """Rows of failedResults (columns key, sf__Id, sf__Error) in SCHEMA, without messages."""
    code, fields = row_errors(table.column("sf__Error"))
    return _rows(table.column("key"), table.column("sf__Id"), "failed", None, code, fields)


def unprocessed(keys: pa.ChunkedArray, outcome: str = "unprocessed") -> pa.Table:
    """Rows nothing happened to (or, with another outcome, of which nothing is known) in SCHEMA."""
    return _rows(keys, pa.chunked_array([pa.nulls(len(keys), pa.string())]), outcome, None)


def _rows(
    key: pa.ChunkedArray,
    record_id: pa.ChunkedArray,
    outcome: str,
    created: pa.ChunkedArray | None,
    code: pa.ChunkedArray | None = None,
    fields: pa.ChunkedArray | None = None,
) -> pa.Table:
    count = len(key)
    empty = pa.array([""] * count, pa.string())
    columns = [
        key,
        pc.if_else(pc.equal(record_id, ""), None, record_id),
        pa.array([outcome] * count, pa.string()),
        created if created is not None else pa.array([False] * count, pa.bool_()),
        code if code is not None else empty,
        fields if fields is not None else empty,
    ]
    return pa.table(columns, names=SCHEMA.names).cast(SCHEMA)


def against(found: pa.Table, sent: pa.ChunkedArray) -> str:
    """What is wrong between result rows and the keys that were sent; empty if each key came back exactly once."""
    keys = found.column("key")
    strangers = pc.sum(pc.is_null(pc.index_in(keys, value_set=sent.combine_chunks()))).as_py() or 0
    doubled = len(keys) - pc.count_distinct(keys, mode="all").as_py()
    lost = len(sent) - (len(keys) - strangers - doubled)
    if strangers or doubled or lost:
        return f"of {len(sent)} rows {lost} are missing, {doubled} came twice, {strangers} are unknown"
    return ""


def doubled(found: pa.Table) -> str:
    """What is wrong if a key came back twice or empty."""
    keys = found.column("key")
    twice = len(keys) - pc.count_distinct(keys, mode="all").as_py()
    return f"{twice} rows came twice" if twice else ""


def only_known(found: pa.Table, sent: pa.ChunkedArray) -> pa.Table:
    """What can be said after results that never added up: rows that came once count, others are unknown."""
    values = pc.value_counts(found.column("key").combine_chunks())
    once = pc.filter(values.field("values"), pc.equal(values.field("counts"), 1))
    ours = pc.is_in(found.column("key"), value_set=pc.filter(once, pc.is_in(once, value_set=sent.combine_chunks())))
    kept = found.filter(ours)
    missing = sent.filter(pc.invert(pc.is_in(sent, value_set=kept.column("key").combine_chunks())))
    return pa.concat_tables([kept, unprocessed(missing, "unknown")])
