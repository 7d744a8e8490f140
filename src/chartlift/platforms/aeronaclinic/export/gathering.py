"""What a row of one file takes from another: the rows that belong to it as an array, its owner's columns, its totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.platforms.aeronaclinic.export.words import Gather
from chartlift.platforms.aeronaclinic.profile import Entity, Profile
from chartlift.platforms.aeronaclinic.wire import Number, compact

Columns = Callable[[str, tuple[str, ...]], Iterator[Mapping[str, pa.Array]]]
"""entity, columns -> its rows, batch by batch"""
Rows = Callable[[Gather], Iterator[Mapping[str, str | None]]]


class Gatherer:
    """Reads the other file when it is first needed, and keeps of it what is needed: keys and short texts."""

    def __init__(self, profile: Profile, columns: Columns, rows: Rows) -> None:
        """Read other files with `columns` (entities) and `rows` (files that are nothing but parts)."""
        self._profile, self._columns, self._rows = profile, columns, rows
        self._arrays: dict[tuple[str, str], dict[str | None, str]] = {}
        self._totals: dict[str, Counter[str | None]] = {}
        self._owners: dict[str, pa.Table] = {}

    def array(self, gather: Gather, keys: pa.Array) -> pa.Array:
        """For each key its rows of another file as JSON; `[]` where it has none."""
        name = (gather.into, gather.column)
        if name not in self._arrays:
            parts: defaultdict[str | None, list[str]] = defaultdict(list)
            for row in self._rows(gather):
                if all((row[word] or "").strip().upper() == value for word, value in gather.where.items()):
                    members = {member: _member(row[member], kind) for member, kind in gather.members.items()}
                    parts[row[gather.by]].append(compact(members))
            self._arrays[name] = {key: f"[{','.join(items)}]" for key, items in parts.items()}
        found = self._arrays[name]
        return pa.array([found.get(key, "[]") for key in keys.to_pylist()], pa.string())

    def total(self, entity: str, keys: pa.Array) -> pa.Array:
        """For each patient the number of its rows of an entity."""
        if entity not in self._totals:
            column, counts = self._profile.entities[entity].patient, Counter[str | None]()
            for batch in self._columns(entity, (column,)):
                counts.update(batch[column].to_pylist())
            self._totals[entity] = counts
        return pa.array([str(self._totals[entity][key]) for key in keys.to_pylist()], pa.string())

    def owned(self, child: Entity, owner: Entity, keys: pa.Array) -> dict[str, pa.Array]:
        """For each key of an owner the columns that its parts take from it."""
        if owner.name not in self._owners:
            taken = tuple(dict.fromkeys((owner.id, *child.copied)))
            parts = [pa.table(dict(batch)) for batch in self._columns(owner.name, taken)]
            nothing = pa.table({name: pa.nulls(0, pa.string()) for name in taken})
            self._owners[owner.name] = pa.concat_tables(parts).combine_chunks() if parts else nothing
        rows = self._owners[owner.name]
        places = pc.index_in(keys, value_set=rows.column(owner.id))
        return {name: rows.column(name).take(places).combine_chunks() for name in child.copied}


def _member(cell: str | None, kind: str) -> Any:
    if cell is None or kind == "text":
        return cell
    if kind == "boolean":
        return {"true": True, "false": False}.get(cell.strip().casefold(), cell)
    return Number(cell) if cell.strip().lstrip("-").replace(".", "", 1).isdigit() and cell.isascii() else cell
