"""The log of every row that a DML call touched, failed rows included.

Large calls are kept as compressed Arrow and rendered only when somebody reads them; `flush` renders everything into
the table `_writes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import orjson
import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc

NEW, OLD = "n:", "o:"
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


def _pack(table: pa.Table) -> bytes | pa.Table:
    if table.nbytes < _COMPRESS_FROM:
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

    def load(self, count: int) -> None:
        """Start after `count` rows that a restored `_writes` table holds."""
        self._entries.clear()
        self.count = count

    def read(self, since: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows with n > since, at most `limit`, in order; `old` and `new` map field to value or are None."""
        rows: list[dict[str, Any]] = []
        for entry in self._entries:
            if entry.first + entry.count - 1 <= since:
                continue
            if limit is not None and len(rows) >= limit:
                break
            room = None if limit is None else limit - len(rows)
            start = max(0, since - entry.first + 1)
            stop = entry.count if room is None else min(entry.count, start + room)
            rows += _render(entry, start, stop)
        return rows

    def drain(self) -> pa.Table:
        """Everything that is not in the table `_writes` yet, shaped like it; the log is empty afterwards."""
        rows = self.read()
        self._entries.clear()
        for row in rows:
            row["user_id"] = row.pop("user")
            row["time"] = datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.000+0000")  # noqa: DTZ007 (stored without zone)
            for key in ("old", "new"):
                row[key] = None if row[key] is None else orjson.dumps(row[key]).decode()
        return pa.Table.from_pylist(rows, schema=WRITES_SCHEMA)


WRITES_SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("time", pa.timestamp("us")),
        *((name, pa.string()) for name in ("job", "user_id", "op", "object", "id", "old", "new")),
        ("ok", pa.bool_()),
        ("error", pa.string()),
    ]
)


def _table(data: bytes | pa.Table) -> pa.Table:
    assert isinstance(data, pa.Table)
    return data


def _slice(data: bytes | pa.Table, start: int, stop: int) -> pa.Table:
    table = _unpack(data)
    row = table.column("row")
    return table.filter(pc.and_(pc.greater_equal(row, start), pc.less(row, stop)))


def _values(row: dict[str, Any], prefix: str) -> dict[str, Any] | None:
    picked = {name[len(prefix) :]: _plain(value) for name, value in row.items() if name.startswith(prefix)}
    return picked or None


def _render(entry: Entry, start: int, stop: int) -> list[dict[str, Any]]:
    good = [(row, None) for row in _slice(entry.good, start, stop).to_pylist()]
    bad = [(row, row["error"]) for row in _slice(entry.bad, start, stop).to_pylist()]
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
