"""Rows that come inside other records, as rows of their own: embedded arrays, lines of an invoice, flat billing lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chartlift.platforms.aeronaclinic import flatten
from chartlift.platforms.aeronaclinic.flatten import Problems, Record
from chartlift.platforms.aeronaclinic.profile import Embedded, Entity, Profile
from chartlift.platforms.aeronaclinic.renaming import renamed
from chartlift.platforms.aeronaclinic.session import Session
from chartlift.platforms.aeronaclinic.walk import Place, Walk, count, parameters
from chartlift.platforms.aeronaclinic.wire import Number

Get = Callable[[Session, Entity, Mapping[str, str], int, int], Any]
"""session, entity, query, page number, tries -> the answer's JSON"""


@dataclass
class Inside:
    """What was found inside some records: rows by entity, and records that say nothing about their parts."""

    rows: dict[str, list[Record]] = field(default_factory=dict)
    bare: list[tuple[str, str]] = field(default_factory=list)  # (entity, id)

    def add(self, entity: str, rows: Iterable[Record]) -> None:
        """Put rows to those of the entity."""
        self.rows.setdefault(entity, []).extend(rows)


class Unfolder:
    """Takes records apart; arrays that were cut short are read from the list instead."""

    def __init__(self, profile: Profile, get: Get) -> None:
        """Unfold as the profile says; `get` asks the clinic again where needed."""
        self._profile = profile
        self._get = get
        self._unfiltered: set[str] = set()  # listings that ignore the patient filter

    def inside(
        self, session: Session, entity: Entity, records: Sequence[Record], problems: Problems, *, asked: bool
    ) -> Inside:
        """All rows inside the records; `asked`: arrays that come on request only were asked for."""
        found = Inside()
        for array in self._profile.wanted(entity):
            if not array.total:
                self._parts(entity, array, records, found, problems)
            elif asked:
                self._arrays(session, entity, array, records, found, problems)
        return found

    # ------------------------------------------------------------ parts that always come along

    def _parts(
        self, entity: Entity, array: Embedded, records: Sequence[Record], found: Inside, problems: Problems
    ) -> None:
        """Lines of invoices. Of two versions of an invoice on one page the lines of the newer one count."""
        child = self._profile.entities[array.entity]
        found.add(child.name, ())
        for record in _newest(entity, records):
            rows = record.get(array.member)
            if not isinstance(rows, list):
                key = flatten.cell(record.get(entity.id))
                problems["R-PARTS", f"{entity.name}.{array.member}"] += 1
                found.bare += [(entity.name, key)] if key else []
                continue
            copied = {name: record.get(name) for name in child.copied}
            lines = self._alive(_records(rows, child, problems))
            found.add(child.name, ({**copied, **{k: row[k] for k in row if k not in copied}} for row in lines))

    # ------------------------------------------------------------ arrays that come on request

    def _arrays(
        self, session: Session, entity: Entity, array: Embedded, records: Sequence[Record], found: Inside,
        problems: Problems,
    ) -> None:  # fmt: skip
        """Rows of an embedded array of all the records."""
        child = self._profile.entities[array.entity]
        listed = self._profile.entities[array.group or array.entity]
        short: list[str | None] = []
        for name in dict.fromkeys((listed.name, child.name)):
            found.add(name, ())
        for record in records:
            rows = record.get(array.member)
            whole = _records(rows if isinstance(rows, list) else [], child, problems)
            owner = flatten.cell(record.get(entity.id))
            cut = len(whole) < (count(record.get(array.total)) or 0)
            short += [owner] if cut else []
            whole = self._alive(whole)
            whole = [_owned(row, child.patient, owner, problems) for row in whole]
            if not array.group:
                found.add(child.name, whole)
            elif not cut:  # some lines of an invoice would pass for all of them
                heads, lines = _grouped(listed, child, whole, problems)
                found.add(listed.name, heads)
                found.add(child.name, lines)
        problems["R-EMBED", f"{entity.name}.{array.member}"] += len(short)
        if len(short) <= self._worth_asking(records, array, listed):
            for owner in short:
                self._again(session, listed, owner, found, problems)

    def _alive(self, rows: list[Record]) -> list[Record]:
        flag = self._profile.flag
        return [row for row in rows if not row.get(flag)] if flag else rows

    def _again(self, session: Session, listed: Entity, owner: str | None, found: Inside, problems: Problems) -> None:
        rows = self._of_patient(session, listed, owner, problems)
        found.add(listed.name, rows)
        inner = self.inside(session, listed, rows, problems, asked=False)
        found.bare += inner.bare
        for name, more in inner.rows.items():
            found.add(name, more)

    def _worth_asking(self, records: Sequence[Record], array: Embedded, listed: Entity) -> int:
        """Patients that may be asked for one by one before reading the whole list later is cheaper."""
        rows = sum((count(record.get(array.total)) or 0) for record in records)
        return rows // self._profile.size(listed) + 1

    def _of_patient(self, session: Session, listed: Entity, owner: str | None, problems: Problems) -> list[Record]:
        """All rows of one patient from the list endpoint; nothing if the endpoint ignores the filter."""
        if owner is None or listed.name in self._unfiltered:
            return []

        paging = self._profile.paging_of(listed)
        filtered = listed.names.get(listed.patient, listed.patient)

        def fetch(page: int, size: int, _embedded: bool, tries: int, token: str) -> Any:
            query = {**parameters(paging, page, size, token), **listed.parameters, filtered: owner}
            return self._get(session, listed, query, page, tries)

        found: list[Record] = []
        walk = Walk(listed, paging, self._profile.size(listed), fetch, problems)
        for records, _, _ in walk.pages(Place(page=paging.first)):
            if any(flatten.cell(record.get(listed.patient)) != owner for record in records):
                self._unfiltered.add(listed.name)
                return []
            found += records
        return found


def _records(rows: list[Any], child: Entity, problems: Problems) -> list[Record]:
    whole: list[Record] = [row for row in rows if isinstance(row, dict)]
    if len(whole) < len(rows):
        problems["R-SHAPE", child.name] += len(rows) - len(whole)
    return renamed(child, whole)


def _newest(entity: Entity, records: Sequence[Record]) -> list[Record]:
    """One record of each id: the one with the latest stamp, of equal stamps the last."""
    kept: dict[str | None, Record] = {}
    for record in records:
        key = flatten.cell(record.get(entity.id))
        other = kept.get(key)
        if other is None or str(record.get(entity.stamp) or "") >= str(other.get(entity.stamp) or ""):
            kept[key] = record
    return list(kept.values())


def _owned(row: Record, column: str, owner: str | None, problems: Problems) -> Record:
    """An embedded row with its patient: it may leave him out, or name another one."""
    if row.get(column) is None:
        return {**row, column: Number(owner) if owner else None}
    if flatten.cell(row[column]) != owner:
        problems["R-REF", f"embedded.{column}"] += 1
    return row


def _grouped(
    group: Entity, child: Entity, rows: Sequence[Record], problems: Problems
) -> tuple[list[Record], list[Record]]:
    """Flat rows as the records they repeat, each once, and the rows proper; where heads disagree the first wins."""
    apart = frozenset(group.keys)
    heads: dict[str | None, Record] = {}
    torn = set()
    for row in rows:
        key = flatten.cell(row.get(group.id))
        head = {name: row.get(name) for name in group.keys}
        if heads.setdefault(key, head) != head:
            torn.add(key)
    if torn:
        problems["R-BAL", f"{group.name}.{group.id}"] += len(torn)
    lines: list[Record] = [
        {
            **{name: heads[flatten.cell(row.get(group.id))].get(name) for name in child.copied},
            **{name: value for name, value in row.items() if name not in apart},
        }
        for row in rows
    ]
    return list(heads.values()), lines
