"""A source in memory, and a clock that only waiting moves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from chartlift.model.source import EntityShape, NoContent, Page, Probe

DELETIONS = "deletions"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class FakeClock:
    """Waiting moves it, nothing else does."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at `start`."""
        self.time = start
        self.slept = 0.0

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.slept += seconds
        self.time += timedelta(seconds=seconds)

    def stamp(self) -> str:
        """Now, in the canonical form of an instant."""
        return f"{self.time:%Y-%m-%dT%H:%M:%S}.000Z"


class Silence:
    """Progress that nobody watches; it remembers what was said."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.said: list[str] = []

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Remember the text."""
        del done, total
        self.said.append(text)


class FakeSource:
    """Implements `model.ports.Source` over rows in memory: one listing per entity, then one of deletions.

    Cells are text or None; a column that a row does not name is NULL. `calls` are the pages handed out.
    """

    name = "fake"
    rereads = False
    contents = ""

    def __init__(self, shapes: Iterable[EntityShape], clock: FakeClock, *, page_rows: int = 100) -> None:
        """An empty clinic with these entities."""
        self._shapes = tuple(shapes)
        self._clock = clock
        self._page_rows = page_rows
        self._rows: dict[str, dict[str, dict[str, str | None]]] = {shape.name: {} for shape in self._shapes}
        self._deleted: list[tuple[str, str, str | None, datetime]] = []
        self.calls = 0

    def put(self, entity: str, **cells: str | None) -> str:
        """Make or change a row as the clinic's staff would; the stamp is now. Returns its id."""
        shape = self._shape(entity)
        key = cells[shape.id]
        if key is None:
            raise ValueError(f"{entity} without {shape.id}")
        unknown = set(cells) - set(shape.columns)
        if unknown:
            raise ValueError(f"{entity} has no column {', '.join(sorted(unknown))}")
        row = self._rows[entity].setdefault(key, dict.fromkeys(shape.columns))
        row.update(cells)
        if shape.stamp and shape.stamp not in cells:
            row[shape.stamp] = self._clock.stamp()
        self._deleted = [gone for gone in self._deleted if gone[:2] != (entity, key)]
        return key

    def remove(self, entity: str, key: str, survivor: str | None = None) -> None:
        """Delete a row, or merge it into another one."""
        del self._rows[entity][key]
        self._deleted.append((entity, key, survivor, self._clock.now()))

    def check(self) -> list[Probe]:
        """See ports.Source."""
        return [
            Probe(shape.name, ok=True, detail="in memory", rows=len(self._rows[shape.name])) for shape in self._shapes
        ]

    def now(self) -> datetime:
        """See ports.Source."""
        return self._clock.now()

    def shapes(self) -> tuple[EntityShape, ...]:
        """See ports.Source."""
        return self._shapes

    def listings(self, since: datetime | None) -> tuple[str, ...]:
        """See ports.Source."""
        del since
        return (*(shape.name for shape in self._shapes), DELETIONS)

    def pages(self, listing: str, *, since: datetime | None, cursor: str | None) -> Iterator[Page]:
        """See ports.Source; the cursor is the number of rows before the page."""
        at = int(cursor or 0)
        if listing == DELETIONS:
            gone = [(e, k, s) for e, k, s, when in self._deleted if since is None or when >= since]
            self.calls += 1
            yield Page(DELETIONS, {}, None, deleted=tuple(gone[at:]))
            return
        shape = self._shape(listing)
        rows = [row for row in self._rows[listing].values() if _changed(shape, row, since)]
        while True:
            part = rows[at : at + self._page_rows]
            at += self._page_rows
            more = at < len(rows)
            self.calls += 1
            yield Page(listing, {listing: _table(shape, part)}, str(at) if more else None, total=len(rows))
            if not more:
                return

    def content(self, key: str) -> Iterator[bytes]:
        """There is none."""
        del key
        raise NoContent("missing")

    def forecast(self, rows: Mapping[str, int]) -> Mapping[str, float]:
        """See ports.Source."""
        requests = 1.0 + sum(max(1, -(-count // self._page_rows)) for count in rows.values())
        return {"requests": requests, "hours": requests / 1200}

    def _shape(self, name: str) -> EntityShape:
        return next(shape for shape in self._shapes if shape.name == name)


def _changed(shape: EntityShape, row: Mapping[str, str | None], since: datetime | None) -> bool:
    """Entities without a stamp are read whole."""
    if since is None or not shape.stamp:
        return True
    stamp = row[shape.stamp]
    return stamp is None or datetime.fromisoformat(stamp) >= since


def _table(shape: EntityShape, rows: list[dict[str, str | None]]) -> pa.Table:
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in shape.columns}
    raw = [json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False) for row in rows]
    return pa.table(columns | {"_raw": pa.array(raw, pa.string())})
