"""The log of every row that a DML call touched, failed rows included.

Large calls are kept as compressed Arrow and rendered only when somebody reads them, a page at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc

NEW, OLD = "n:", "o:"
PAGE = 2_000
_COMPRESS_FROM = 262_144
"""Bytes; a few rejected notes can be larger than thousands of good rows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One DML call: `first` is the number of its first row; `good` and `bad` have columns row, id, (error,) values."""

    first: int
    count: int
    time: datetime
    job: str | None
    user_id: str
    op: str
    object_name: str
    good: bytes | pa.Table
    bad: bytes | pa.Table
    rolled_back: str | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """Which calls of the log are wanted; None takes any."""

    object_name: str | None = None
    op: str | None = None
    job: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Whether a call is one of them."""
        wanted = ((self.object_name, entry.object_name), (self.op, entry.op), (self.job, entry.job))
        return all(word in {None, found} for word, found in wanted)


EVERYTHING = Only()


def _pack(table: pa.Table) -> bytes | pa.Table:
    return table if table.nbytes < _COMPRESS_FROM else _packed(table)


def _packed(table: bytes | pa.Table) -> bytes:
    if isinstance(table, bytes):
        return table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _unpack(data: bytes | pa.Table) -> pa.Table:
    return data if isinstance(data, pa.Table) else pa.ipc.open_stream(data).read_all()


def _plain(value: Any) -> Any:
    """A stored value as JSON carries it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.000Z"
    return value.isoformat() if isinstance(value, date) else value


class WriteLog:
    """All DML of one org since it was seeded, numbered from 1."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.count = 0

    def add(self, entry: Entry) -> None:
        """Append a call; its `first` is set here."""
        packed = replace(entry, first=self.count + 1, good=_pack(_table(entry.good)), bad=_pack(_table(entry.bad)))
        self._entries.append(packed)
        self.count += entry.count

    def mark(self) -> int:
        """A place to which `roll_back` can refer."""
        return len(self._entries)

    def roll_back(self, mark: int, error: str) -> None:
        """Note that every call since the mark was undone with its transaction."""
        self._entries[mark:] = [replace(entry, rolled_back=error) for entry in self._entries[mark:]]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.count = 0

    def pages(
        self, since: int = 0, limit: int | None = None, only: Only = EVERYTHING
    ) -> Iterator[list[dict[str, Any]]]:
        """Rows with n > since, at most `limit`, in order, a few thousand at a time; see `read`.

        Take the first page with the org's lock held: from then on later writes are not seen.
        """
        entries = list(self._entries)
        yield []
        left = limit
        for entry in entries:
            if entry.first + entry.count - 1 <= since or not only.matches(entry):
                continue
            start = max(0, since - entry.first + 1)
            stop = entry.count if left is None else min(entry.count, start + left)
            good, bad = _unpack(entry.good), _unpack(entry.bad)
            for at in range(start, stop, PAGE):
                yield _render(entry, good, bad, at, min(stop, at + PAGE))
            if left is not None:
                left -= stop - start
                if left <= 0:
                    return

    def read(self, since: int = 0, limit: int | None = None, only: Only = EVERYTHING) -> list[dict[str, Any]]:
        """Rows with n > since, at most `limit`, in order; `old` and `new` map field to value or are None."""
        return [row for page in self.pages(since, limit, only) for row in page]

    def stored(self) -> pa.Table:
        """The whole log, still packed, as a table that `restore` takes."""
        names = [one.name for one in fields(Entry)]
        rows = [{name: getattr(entry, name) for name in names} for entry in self._entries]
        for row in rows:
            row["good"], row["bad"] = _packed(row["good"]), _packed(row["bad"])
        return pa.Table.from_pylist(rows, schema=LOG_SCHEMA)

    def restore(self, table: pa.Table, count: int) -> None:
        """Go on after what `stored` gave."""
        self._entries = [Entry(**row) for row in table.to_pylist()]
        self.count = count


LOG_SCHEMA = pa.schema(
    [
        ("first", pa.int64()),
        ("count", pa.int64()),
        ("time", pa.timestamp("us")),
        *((name, pa.string()) for name in ("job", "user_id", "op", "object_name")),
        ("good", pa.binary()),
        ("bad", pa.binary()),
        ("rolled_back", pa.string()),
    ]
)


def _table(data: bytes | pa.Table) -> pa.Table:
    assert isinstance(data, pa.Table)
    return data


def _slice(table: pa.Table, start: int, stop: int) -> pa.Table:
    row = table.column("row")
    return table.filter(pc.and_(pc.greater_equal(row, start), pc.less(row, stop)))


def _values(row: dict[str, Any], prefix: str) -> dict[str, Any] | None:
    picked = {name[len(prefix) :]: _plain(value) for name, value in row.items() if name.startswith(prefix)}
    return picked or None


def _render(entry: Entry, done: pa.Table, failed: pa.Table, start: int, stop: int) -> list[dict[str, Any]]:
    good = [(row, None) for row in _slice(done, start, stop).to_pylist()]
    bad = [(row, row["error"]) for row in _slice(failed, start, stop).to_pylist()]
    return [
        {
            "n": entry.first + row["row"],
            "time": entry.time.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "job": entry.job,
            "user": entry.user_id,
            "op": entry.op,
            "object": entry.object_name,
            "id": row["id"],
            "old": _values(row, OLD),
            "new": _values(row, NEW),
            "ok": error is None and entry.rolled_back is None,
            "error": error or entry.rolled_back,
        }
        for row, error in sorted(good + bad, key=lambda pair: pair[0]["row"])
    ]
