"""One seeded synthetic clinic: its records, what was changed since, and the truth about every planted defect.

Records are written when they are asked for, from (seed, id) alone; only later changes are kept. So a clinic of any size
starts at once, and a smaller one is a prefix of a larger one with the same seed.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, instant
from chartlift_sandbox.generator.documents import Content, content, count, later_content
from chartlift_sandbox.generator.entities import (
    BY_NAME,
    EMBEDDED,
    ENTITIES,
    Entity,
    feed_of,
    planted_in,
)
from chartlift_sandbox.generator.people import org_users
from chartlift_sandbox.generator.rates import Rates, default_rates
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import PATIENT_BASE, Record, World
from chartlift_sandbox.staff import ClinicError, Staff, line_of, listed_with, listed_without

__all__ = ["Clinic", "ClinicError", "ClockLike"]

_OUTLINES_KEPT, _CHARTS_KEPT = 8_000, 300
"""Patients whose outline is kept (8 kB each), and those whose written rows are (30 kB each)."""
_NO_STAMP = "9999"
_LAST_GENERATED = instant(EPOCH_DAY, 0)  # no generated record was touched later


class ClockLike(Protocol):
    """What the clinic needs of a clock."""

    def now(self) -> datetime:
        """The virtual instant, aware, in UTC."""
        ...


@dataclass
class _Changes:
    """Later changes of one entity: whole records by id, and ids that are gone."""

    records: dict[int, Record] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    created: int = 0


@dataclass
class _Overlay:
    """Changed rows of each entity by the patient they name, and the patients they are or were of; as of one version."""

    version: int = -1
    rows: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    patients: dict[str, set[int]] = field(default_factory=dict)


class Clinic:
    """A clinic of ``patients`` patients; thread-safe.

    Args:
        patients: Number of patients, from 1.
        seed: Everything generated follows from it.
        clock: Gives the instants of later changes; generated values never depend on it.
        rates: How often each class of defect is planted; the shipped ones by default.
    """

    def __init__(self, patients: int, seed: int, clock: ClockLike, rates: Rates | None = None) -> None:
        self.patients, self.seed, self.clock = patients, seed, clock
        self.rates = rates or default_rates()
        self.lock = threading.RLock()
        self.version = 0
        self._staff = Staff(self)
        self.reset()

    def reset(self) -> None:
        """Back to the clinic as generated."""
        with self.lock:
            self.world = World(self.patients, self.seed, self.rates)
            self.version += 1  # never goes back, so nothing cached under an earlier number is taken for new
            self._changes = {entity.name: _Changes() for entity in ENTITIES}
            self._feed: list[Record] = []
            self._feed_as_generated: list[Record] | None = None
            self._planted: list[Planted] | None = None
            self._charts: OrderedDict[int, Chart] = OrderedDict()
            self._written: OrderedDict[int, Chart] = OrderedDict()
            self._last = Chart(self.world, 0)
            self._listed: dict[str, dict[int, Record]] = {}
            self._ids: dict[str, list[int]] = {}
            self._facts: dict[str, dict[int, tuple[str, object]]] = {}
            self._overlay = _Overlay()
            self._contents: dict[int, Content] = {}

    # -- reading ---------------------------------------------------------------------------------------------------

    def ids(self, entity: str) -> Sequence[int]:
        """Ids of the records that are listed, ascending."""
        with self.lock:
            if entity not in self._ids:
                self._ids[entity] = self._generated_ids(BY_NAME[entity])
            return self._ids[entity]

    def record(self, entity: str, key: int) -> Record | None:
        """A record as served, without embedded rows; None if there is none. Do not change what you get."""
        with self.lock:
            changes = self._changes[entity]
            if key in changes.records:
                return changes.records[key]
            return None if key in changes.gone else self._generated(BY_NAME[entity], key)

    def records(self, entity: str, keys: Sequence[int]) -> Iterator[Record]:
        """The records of the given ids, quickest where they ascend."""
        kind, changes = BY_NAME[entity], self._changes[entity]
        if kind.listed is not None or kind.sparse:
            found = (self.record(entity, key) for key in keys)
            yield from (row for row in found if row is not None)
            return
        here, rows = -1, []
        for key in keys:
            place, number = divmod(key - kind.base, kind.stride)
            if key in changes.records or key in changes.gone or not 0 <= place < self.patients:
                row = self.record(entity, key)
            else:
                if place != here:
                    here, rows = place, kind.rows_of(self._chart(place))
                row = rows[number] if number < len(rows) else None
            if row is not None:
                yield row

    def changed_since(self, entity: str, moment: str) -> list[int]:
        """Ids of records with ``updatedAt`` at or after that instant; all, where the entity carries no such stamp."""
        with self.lock:
            keys = self.ids(entity)
            if moment > _LAST_GENERATED and keys and self.stamp(entity, keys[0]) != _NO_STAMP:
                keys = sorted(self._changes[entity].records)
            return [key for key in keys if self.stamp(entity, key) >= moment]

    def stamp(self, entity: str, key: int) -> str:
        """``updatedAt`` of a listed record; where it has none, a text later than any."""
        return self._fact(entity, key)[0]

    def state(self, entity: str, key: int) -> object:
        """``status`` of a patient, ``active`` of anything else."""
        return self._fact(entity, key)[1]

    def children(self, entity: str, patient_id: int) -> list[Record]:
        """Rows of that entity that name the patient, by id, flagged ones included."""
        with self.lock:
            kind = BY_NAME[entity]
            place = patient_id - PATIENT_BASE
            keys = set(self._moved(entity).get(patient_id, ()))
            if 0 <= place < self.patients:
                first = kind.base + place * kind.stride
                keys |= set(range(first, first + kind.count_of(self._chart(place))))
            rows = self.records(entity, sorted(keys))
            return [row for row in rows if row.get("patientId") == patient_id]

    def embedded(self, kind: Entity, patient_id: int) -> list[Record]:
        """The elements of the patient's embedded array of that entity."""
        rows = self.children(kind.name, patient_id)
        return kind.unfold(rows) if kind.unfold is not None else rows

    def content(self, document: int) -> Content | None:
        """What the download of a document gives; None where there is no such document."""
        with self.lock:
            if self.record("document", document) is None:
                return None
            if document in self._contents:
                return self._contents[document]
            place, number = BY_NAME["document"].place_of(document)
            if not 0 <= place < self.patients or number >= count(self._chart(place)):
                return later_content(document)
            return content(self._chart(place), number)

    def totals(self, patient_id: int) -> dict[str, int]:
        """True lengths of the embedded arrays, whatever cap is put on them."""
        with self.lock:
            found = dict.fromkeys((f"{name}Total" for name in EMBEDDED), 0)
            place = patient_id - PATIENT_BASE
            for entity in ENTITIES:
                if entity.embedded_as is None:
                    continue
                cheap = 0 <= place < self.patients and not self._disturbed(entity, patient_id)
                number = entity.owned_by(self._chart(place)) if cheap else len(self.embedded(entity, patient_id))
                found[f"{entity.embedded_as}Total"] = number
            return found

    def deletions(self, entity: str | None = None, since: str | None = None) -> list[Record]:
        """The feed of deleted and merged records, oldest first."""
        with self.lock:
            feed = self._first_feed() + self._feed
            chosen = [
                row for row in feed if entity in {None, row["entity"]} and (since is None or row["deletedAt"] >= since)
            ]
            return sorted(chosen, key=lambda row: (row["deletedAt"], row["entity"], row["entityId"]))

    # -- truth -----------------------------------------------------------------------------------------------------

    def truth(self) -> list[dict[str, object]]:
        """Every planted defect still present: records changed since then keep only those of untouched fields."""
        with self.lock:
            if self._planted is None:
                self._planted = planted_in(self.world, self._chart)
            return [found.as_json() for found in self._planted if self._still(found)]

    def org_users(self) -> list[dict[str, Any]]:
        """The Users the target org should hold."""
        return org_users(self.world.members)

    def credentials(self) -> dict[str, str]:
        """The sign-in that sees all practices of the group, by environment name."""
        return {
            "CHARTLIFT_AERONA_USERNAME": "migration@lagan.example",
            "CHARTLIFT_AERONA_PASSWORD": f"Canal-{self.seed * 7919 % 9973:04}-towpath",
            "CHARTLIFT_AERONA_PIN": f"{1000 + self.seed * 37 % 9000}",
        }

    # -- changing --------------------------------------------------------------------------------------------------

    def mutate(self, op: str, entity: str, key: int | None, fields: dict[str, Any] | None = None) -> int:
        """Changes the clinic as its staff would; answers the record's id.

        Args:
            op: ``create``, ``update``, ``delete``, or ``merge`` (``key`` survives, ``fields["loser"]`` goes into it).
            entity: Name of the entity, singular.
            key: Id of the record; for ``create`` only where a certain id is wanted.
            fields: Values to set.

        Raises:
            ClinicError: unknown entity, record or operation, or a value that the operation needs is missing.
        """
        with self.lock:
            return self._staff.act(op, entity, key, dict(fields or {}))

    def created(self, entity: str) -> int:
        """How many records of that entity the staff have made."""
        return self._changes[entity].created

    def put(self, kind: Entity, key: int, record: Record, *, new: bool = False) -> None:
        """Serve this record from now on; ``new`` counts it as made by the staff. The caller holds the lock."""
        changes = self._changes[kind.name]
        changes.created += new
        listed_with(self._mutable_ids(kind.name), key)
        changes.records[key] = record
        changes.gone.discard(key)
        self._touched(kind, key)

    def put_content(self, document: int, content: Content) -> None:
        """Serve this content for a document. The caller holds the lock."""
        self._contents[document] = content

    def remove(self, kind: Entity, key: int) -> None:
        """Serve that record no more. The caller holds the lock."""
        changes = self._changes[kind.name]
        changes.records.pop(key, None)
        changes.gone.add(key)
        listed_without(self._mutable_ids(kind.name), key)
        self._touched(kind, key)

    def announce(self, row: Record) -> None:
        """Append a line to the deletions feed."""
        self._feed.append(row)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _first_feed(self) -> list[Record]:
        if self._feed_as_generated is None:
            self._feed_as_generated = feed_of(self.world, self._chart)
        return self._feed_as_generated

    def _still(self, found: Planted) -> bool:
        """Whether a planted defect survived what was changed since."""
        name, _, line = str(found.id).partition("-")
        entity, key = ("invoice", int(name)) if line else (found.entity, int(name))
        changes = self._changes[entity]
        if key in changes.gone:
            return False
        if key not in changes.records or found.field is None:
            return True
        before, after = self._generated(BY_NAME[entity], key) or {}, changes.records[key]
        if line:
            before, after = line_of(before, line) or {}, line_of(after, line)
        return after is not None and before.get(found.field) == after.get(found.field)

    def _touched(self, kind: Entity, key: int) -> None:
        self._facts.get(kind.name, {}).pop(key, None)
        self.version += 1

    def _mutable_ids(self, entity: str) -> list[int]:
        self.ids(entity)
        return self._ids[entity]

    def _fact(self, entity: str, key: int) -> tuple[str, object]:
        known = self._facts.setdefault(entity, {})
        if key not in known:
            record = self.record(entity, key) or {}
            known[key] = (str(record.get("updatedAt") or _NO_STAMP), record.get("status", record.get("active")))
        return known[key]

    def _disturbed(self, kind: Entity, patient_id: int) -> bool:
        """Whether a row of that entity was changed that was, or is now, the patient's."""
        changes = self._changes[kind.name]
        if not changes.records and not changes.gone:
            return False
        self._moved(kind.name)
        return patient_id in self._overlay.patients[kind.name]

    def _moved(self, entity: str) -> dict[int, list[int]]:
        """Changed rows by the patient they name now."""
        if self._overlay.version != self.version:
            self._overlay = _Overlay(self.version)
        rows = self._overlay.rows
        if entity not in rows:
            changes, kind = self._changes[entity], BY_NAME[entity]
            rows[entity] = {}
            for key, record in changes.records.items():
                rows[entity].setdefault(record.get("patientId") or 0, []).append(key)
            were = {PATIENT_BASE + kind.place_of(key)[0] for key in (*changes.records, *changes.gone)}
            self._overlay.patients[entity] = were | rows[entity].keys()
        return rows[entity]

    def _chart(self, place: int) -> Chart:
        if self._last.place == place:
            return self._last
        chart = self._charts.get(place)
        if chart is None:
            chart = self._charts[place] = Chart(self.world, place)
            if len(self._charts) > _OUTLINES_KEPT:
                self._charts.popitem(last=False)
        self._written[place] = chart
        self._written.move_to_end(place)
        if len(self._written) > _CHARTS_KEPT:
            self._written.popitem(last=False)[1].forget()
        self._last = chart
        return chart

    def _list(self, kind: Entity) -> dict[int, Record]:
        if kind.name not in self._listed:
            rows = kind.listed(self.world) if kind.listed is not None else []
            self._listed[kind.name] = {row[kind.key]: row for row in rows}
        return self._listed[kind.name]

    def _generated_ids(self, kind: Entity) -> list[int]:
        if kind.listed is not None:
            return sorted(self._list(kind))
        found: list[int] = []
        for place in range(self.patients):
            chart = self._chart(place)
            first = kind.base + place * kind.stride
            if kind.sparse:
                found.extend(row[kind.key] for row in kind.rows_of(chart))
            else:
                found.extend(range(first, first + kind.count_of(chart)))
        return found

    def _generated(self, kind: Entity, key: int) -> Record | None:
        if kind.listed is not None:
            return self._list(kind).get(key)
        place, number = kind.place_of(key)
        if not 0 <= place < self.patients:
            return None
        rows = kind.rows_of(self._chart(place))
        if not kind.sparse:
            return rows[number] if number < len(rows) else None
        return next((row for row in rows if row[kind.key] == key), None)
