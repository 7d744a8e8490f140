"""Whole SELECTs as a tree: their text in SOQL, and their records as plain Python works them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cmp_to_key
from itertools import combinations
from typing import Any

from oracle_conditions import Operand, compared, folded
from oracle_world import CHILDREN, PARENTS, RATINGS, Row, World

ROOT = "/services/data/v67.0/sobjects"
Record = dict[str, Any]


def shown(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')}+0000"
    if isinstance(value, time):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    return value.isoformat() if isinstance(value, date) else value


def _attributes(entity: str, row: Row, face: str = "") -> Record:
    return {"type": face or entity, "url": f"{ROOT}/{entity}/{row['Id']}"}


@dataclass(frozen=True)
class TypeOf:
    """`TYPEOF relationship WHEN … THEN … ELSE … END`."""

    relationship: str
    branches: tuple[tuple[str, tuple[str, ...]], ...]
    otherwise: tuple[str, ...]

    @property
    def text(self) -> str:
        whens = " ".join(f"WHEN {name} THEN {', '.join(fields)}" for name, fields in self.branches)
        tail = f" ELSE {', '.join(self.otherwise)}" if self.otherwise else ""
        return f"TYPEOF {self.relationship} {whens}{tail} END"

    def record(self, world: World, entity: str, row: Row) -> Record | None:
        found = world.find(row[PARENTS[entity, self.relationship][0]])
        if found is None:
            return None
        kind, parent = found
        for name, fields in self.branches:
            if name == kind:
                return {"attributes": _attributes(kind, parent)} | {f: shown(parent[f]) for f in fields}
        if not self.otherwise:
            return None
        values = {f: kind if f == "Type" else shown(parent[f]) for f in self.otherwise}
        return {"attributes": _attributes(kind, parent, "Name")} | values


@dataclass(frozen=True)
class Order:
    """One sort key."""

    what: Any
    descending: bool = False
    last: bool | None = None

    @property
    def text(self) -> str:
        nulls = "" if self.last is None else f" NULLS {'LAST' if self.last else 'first'}"
        return f"{self.what.text}{' DESC' if self.descending else ''}{nulls}"

    def compare(self, kind: str, left: Any, right: Any) -> int:
        left, right = _sort_key(kind, left), _sort_key(kind, right)
        if left is None or right is None:
            if left is right:
                return 0
            return (1 if left is None else -1) * (1 if self.last else -1)
        return ((left > right) - (left < right)) * (-1 if self.descending else 1)


def _sort_key(kind: str, value: Any) -> Any:
    if kind == "rating" and value is not None:
        places = [rating.lower() for rating in RATINGS]
        low = value.lower()
        return (places.index(low) if low in places else len(places), low)
    return value.lower() if isinstance(value, str) and kind != "id" else value


def sort_kind(what: Any) -> str:
    """The kind by which an operand sorts; only Rating has values with an order of their own."""
    return "rating" if what.kind == "picklist" and what.path.endswith("Rating") else what.kind


@dataclass(frozen=True)
class Select:
    """One SELECT of records. `children` are pairs of a relationship and a SELECT."""

    entity: str
    items: tuple[Any, ...]
    where: Any = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    children: tuple[tuple[str, Select], ...] = ()

    def text(self, source: str = "") -> str:
        chosen = [item.text for item in self.items]
        chosen += [f"({child.text(name)})" for name, child in self.children]
        text = f"SELECT {', '.join(chosen)} FROM {source or self.entity}"
        text += f" WHERE {self.where.text}" if self.where else ""
        text += f" ORDER BY {', '.join(key.text for key in self.order)}" if self.order else ""
        text += "" if self.limit is None else f" LIMIT {self.limit}"
        return text + (f" OFFSET {self.offset}" if self.offset else "")

    def matching(self, world: World, rows: list[Row]) -> list[Row]:
        """Rows that count, in the order asked for, then by id; LIMIT and OFFSET cut."""
        found = [row for row in rows if world.every or not row["IsDeleted"]]
        found = [row for row in found if self.where is None or self.where.holds(world, row)]
        found.sort(key=lambda row: row["Id"])
        for key in reversed(self.order):
            kind = sort_kind(key.what)
            values = {row["Id"]: key.what.of(world, row) for row in found}
            found.sort(
                key=cmp_to_key(lambda a, b, k=key, v=values, s=kind: k.compare(s, v[a["Id"]], v[b["Id"]]))  # type: ignore[misc]
            )
        return found[self.offset :][: self.limit]

    def records(self, world: World, rows: list[Row] | None = None) -> list[Record]:
        """The records that the query service answers."""
        given = world.rows[self.entity] if rows is None else rows
        return [self._record(world, row) for row in self.matching(world, given)]

    def _record(self, world: World, row: Row) -> Record:
        record: Record = {"attributes": _attributes(self.entity, row)}
        for item in self.items:
            if isinstance(item, TypeOf):
                record[item.relationship] = item.record(world, self.entity, row)
            else:
                _place(world, record, self.entity, row, item.path)
        for name, child in self.children:
            entity, link = CHILDREN[self.entity][name]
            mine = [one for one in world.rows[entity] if one[link] == row["Id"]]
            found = child.records(world, mine)
            record[name] = {"totalSize": len(found), "done": True, "records": found} if found else None
        return record


def _place(world: World, record: Record, entity: str, row: Row, path: str) -> None:
    first, _, rest = path.partition(".")
    if not rest:
        record[first] = shown(_own(entity, row, first))
        return
    key, targets = PARENTS[entity, first]
    found = world.find(row[key])
    if found is None or found[0] not in targets:
        record[first] = None
        return
    kind, parent = found
    many = len(targets) > 1
    below = record.setdefault(first, {"attributes": _attributes(kind, parent, "Name" if many else "")})
    if many:
        below[rest] = kind if rest == "Type" else shown(_own(kind, parent, rest))
    else:
        _place(world, below, kind, parent, rest)


def _own(entity: str, row: Row, name: str) -> Any:
    return row["Subject"] if entity == "Task" and name == "Name" else row[name]


@dataclass(frozen=True)
class Aggregate:
    """`COUNT(Id)`, `MAX(Name)` and the like."""

    name: str
    inner: Operand

    @property
    def text(self) -> str:
        return f"{self.name}({self.inner.text})"

    @property
    def kind(self) -> str:
        return "number" if self.name in {"COUNT", "COUNT_DISTINCT", "SUM", "AVG"} else self.inner.kind

    def over(self, world: World, rows: list[Row]) -> Any:
        values = [v for v in (self.inner.of(world, row) for row in rows) if v is not None]
        match self.name:
            case "COUNT":
                return len(values)
            case "COUNT_DISTINCT":
                return len({folded(self.inner.kind, v) for v in values})
            case "SUM":
                return sum(values) if values else None
            case "AVG":
                return sum(values) / len(values) if values else None
            case _:
                pick = min if self.name == "MIN" else max
                return pick(values, key=lambda v: _sort_key(sort_kind(self.inner), v)) if values else None


@dataclass(frozen=True)
class Having:
    """`aggregate operator literal`."""

    left: Aggregate
    operator: str
    literal: str
    value: Any

    @property
    def text(self) -> str:
        return f"{self.left.text} {self.operator} {self.literal}"

    def holds(self, world: World, rows: list[Row]) -> bool:
        return compared(self.left.kind, self.operator, self.left.over(world, rows), self.value)


@dataclass(frozen=True)
class Grouped:
    """A SELECT with aggregates. `way` is ROLLUP, CUBE or nothing; `marks` are keys with a GROUPING column."""

    entity: str
    keys: tuple[Operand, ...]
    aggregates: tuple[Aggregate, ...]
    way: str = ""
    where: Any = None
    having: tuple[Having, ...] = ()
    word: str = "AND"
    marks: tuple[int, ...] = ()
    order: tuple[Order, ...] = ()

    def text(self) -> str:
        chosen = [f"{key.text} k{n}" for n, key in enumerate(self.keys)]
        chosen += [f"{one.text} a{n}" if n % 2 else one.text for n, one in enumerate(self.aggregates)]
        chosen += [f"GROUPING({self.keys[n].text}) g{n}" for n in self.marks]
        text = f"SELECT {', '.join(chosen)} FROM {self.entity}"
        text += f" WHERE {self.where.text}" if self.where else ""
        listed = ", ".join(key.text for key in self.keys)
        text += (f" GROUP BY {self.way}({listed})" if self.way else f" GROUP BY {listed}") if listed else ""
        text += f" HAVING {f' {self.word} '.join(one.text for one in self.having)}" if self.having else ""
        return text + (f" ORDER BY {', '.join(one.text for one in self.order)}" if self.order else "")

    def _sets(self) -> list[tuple[int, ...]]:
        every = tuple(range(len(self.keys)))
        if self.way == "ROLLUP":
            return [every[:n] for n in range(len(every), -1, -1)]
        if self.way == "CUBE":
            return [some for n in range(len(every), -1, -1) for some in combinations(every, n)]
        return [every]

    def groups(self, world: World) -> Iterator[tuple[tuple[int, ...], list[Row]]]:
        """Which keys are in force, and the rows of one group."""
        rows = Select(self.entity, (), self.where).matching(world, world.rows[self.entity])
        for some in self._sets():
            found: dict[Any, list[Row]] = {} if some or self.way else {(): []}
            for row in rows:
                found.setdefault(tuple(self.keys[n].key(world, row) for n in some), []).append(row)
            for group in found.values():
                combine = all if self.word == "AND" else any
                if not self.having or combine(one.holds(world, group) for one in self.having):
                    yield some, group

    def records(self, world: World) -> list[Record]:
        """One record per group, in no particular order."""
        return [self._record(world, some, group) for some, group in self.groups(world)]

    def _record(self, world: World, some: tuple[int, ...], group: list[Row]) -> Record:
        record: Record = {"attributes": {"type": "AggregateResult"}}
        for n, key in enumerate(self.keys):
            values = [v for v in (key.of(world, row) for row in group) if v is not None] if n in some else []
            record[f"k{n}"] = shown(min(values)) if values else None
        unnamed = 0
        for n, one in enumerate(self.aggregates):
            name = f"a{n}" if n % 2 else f"expr{unnamed}"
            unnamed += not n % 2
            record[name] = shown(one.over(world, group))
        return record | {f"g{n}": 0 if n in some else 1 for n in self.marks}
