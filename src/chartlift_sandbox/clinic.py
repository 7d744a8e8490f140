"""One seeded synthetic clinic: its records, what was changed since, and the truth about every planted defect.

Records are written when they are asked for, from (seed, id) alone; only later changes are kept. So a clinic of any size
starts at once, and a smaller one is a prefix of a larger one with the same seed.
"""

import threading
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, as_instant, instant
from chartlift_sandbox.generator.documents import Content, content
from chartlift_sandbox.generator.entities import (
    BY_NAME,
    CREATED_AFTER,
    EMBEDDED,
    ENTITIES,
    Entity,
    feed_of,
    feed_row,
    fresh,
    planted_in,
)
from chartlift_sandbox.generator.people import org_users
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import PATIENT_BASE, Record, World

_CHARTS_KEPT = 300
_NO_STAMP = "9999"
_LAST_GENERATED = instant(EPOCH_DAY, 0)  # no generated record was touched later


class ClockLike(Protocol):
    """What the clinic needs of a clock."""

    def now(self) -> datetime:
        """The virtual instant, aware, in UTC."""
        ...


class ClinicError(Exception):
    """A change that cannot be made; ``status`` is the HTTP status the control door should answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class _Changes:
    """Later changes of one entity: whole records by id, and ids that are gone."""

    records: dict[int, Record] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    created: int = 0


class Clinic:
    """A clinic of ``patients`` patients; thread-safe.

    Args:
        patients: Number of patients, from 1.
        seed: Everything generated follows from it.
        clock: Gives the instants of later changes; generated values never depend on it.
    """

    def __init__(self, patients: int, seed: int, clock: ClockLike) -> None:
        self.patients, self.seed, self.clock = patients, seed, clock
        self.lock = threading.RLock()
        self.version = 0
        self.reset()

    def reset(self) -> None:
        """Back to the clinic as generated."""
        with self.lock:
            self.world = World(self.patients, self.seed)
            self.version += 1  # never goes back, so nothing cached under an earlier number is taken for new
            self._changes = {entity.name: _Changes() for entity in ENTITIES}
            self._feed: list[Record] = []
            self._feed_as_generated: list[Record] | None = None
            self._charts: OrderedDict[int, Chart] = OrderedDict()
            self._listed: dict[str, dict[int, Record]] = {}
            self._ids: dict[str, list[int]] = {}
            self._facts: dict[str, dict[int, tuple[str, object]]] = {}
            self._overlay: tuple[int, dict[str, dict[int, list[int]]]] = (-1, {})

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
        """The records of the given ids."""
        for key in keys:
            found = self.record(entity, key)
            if found is not None:
                yield found

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
            kind = BY_NAME["document"]
            place, number = kind.place_of(document)
            known = self.record("document", document) is not None and 0 <= place < self.patients
            return content(self._chart(place), number) if known else None

    def totals(self, patient_id: int) -> dict[str, int]:
        """True lengths of the embedded arrays, whatever cap is put on them."""
        with self.lock:
            found = dict.fromkeys((f"{name}Total" for name in EMBEDDED), 0)
            place = patient_id - PATIENT_BASE
            for entity in ENTITIES:
                if entity.embedded_as is None:
                    continue
                untouched = not self._changes[entity.name].records and not self._changes[entity.name].gone
                cheap = untouched and 0 <= place < self.patients
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
            return [found.as_json() for found in planted_in(self.world) if self._still(found)]

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
        changes: dict[str, Callable[[Entity, int, dict[str, Any]], int]] = {
            "update": self._update, "delete": self._delete, "merge": self._merge,
        }  # fmt: skip
        with self.lock:
            kind = BY_NAME.get(entity)
            if kind is None:
                raise ClinicError("NOT_FOUND", f"no entity {entity!r}", 404)
            if op == "create":
                return self._create(kind, key, dict(fields or {}))
            if op not in changes:
                raise ClinicError("VALIDATION", f"no operation {op!r}")
            if key is None or self.record(entity, key) is None:
                raise ClinicError("NOT_FOUND", f"no {entity} {key}", 404)
            return changes[op](kind, key, dict(fields or {}))

    def _create(self, kind: Entity, key: int | None, fields: dict[str, Any]) -> int:
        changes = self._changes[kind.name]
        if key is None:
            key = int(fields.get(kind.key) or kind.base + CREATED_AFTER + changes.created)
        if self.record(kind.name, key) is not None:
            raise ClinicError("CONFLICT", f"{kind.name} {key} exists", 409)
        missing = [name for name in kind.needs if fields.get(name) is None]
        if missing:
            raise ClinicError("VALIDATION", f"{', '.join(missing)} needed")
        moment = self.clock.now()
        record = fresh(kind, self.world, changes.created, moment)
        changes.created += 1
        record |= {name: as_instant(moment) for name in ("createdAt", "updatedAt") if name in record}
        patient = self.record("patient", int(fields["patientId"])) if "patientId" in kind.needs else None
        if patient is not None and "practiceId" in record:
            site = self.record("practice", patient["practiceId"]) or {"practiceId": patient["practiceId"]}
            record |= {name: site[name] for name in ("practiceId", "currency") if name in site and name in record}
        record |= fields | {kind.key: key}
        self._put(kind, key, record)
        return key

    def _update(self, kind: Entity, key: int, fields: dict[str, Any]) -> int:
        before = self.record(kind.name, key) or {}
        record = deepcopy(before) | fields | {kind.key: key}
        if "updatedAt" in before and "updatedAt" not in fields:
            record["updatedAt"] = max(as_instant(self.clock.now()), str(before["updatedAt"]))
        self._put(kind, key, record)
        return key

    def _delete(self, kind: Entity, key: int, _: dict[str, Any]) -> int:
        changes = self._changes[kind.name]
        changes.records.pop(key, None)
        changes.gone.add(key)
        keys = self._mutable_ids(kind.name)
        keys.pop(bisect_left(keys, key))
        self._facts.get(kind.name, {}).pop(key, None)
        self.version += 1
        self._feed.append(feed_row(kind.name, key, as_instant(self.clock.now()), "DELETED", None))
        return key

    def _merge(self, kind: Entity, key: int, fields: dict[str, Any]) -> int:
        loser = fields.get("loser")
        if kind.name != "patient" or loser is None or self.record("patient", int(loser)) is None or int(loser) == key:
            raise ClinicError("VALIDATION", "merge needs a patient and fields.loser, another patient")
        self._update(kind, int(loser), {"mergedIntoPatientId": key})
        self._feed.append(feed_row("patient", int(loser), as_instant(self.clock.now()), "MERGED", key))
        return key

    # -- inside ----------------------------------------------------------------------------------------------------

    def _first_feed(self) -> list[Record]:
        if self._feed_as_generated is None:
            self._feed_as_generated = feed_of(self.world)
        return self._feed_as_generated

    def _still(self, found: Planted) -> bool:
        """Whether a planted defect survived what was changed since."""
        changes = self._changes[found.entity]
        if found.id in changes.gone:
            return False
        if found.id not in changes.records or found.field is None:
            return True
        before = self._generated(BY_NAME[found.entity], found.id) or {}
        return before.get(found.field) == changes.records[found.id].get(found.field)

    def _put(self, kind: Entity, key: int, record: Record) -> None:
        changes = self._changes[kind.name]
        keys = self._mutable_ids(kind.name)
        at = bisect_left(keys, key)
        if at == len(keys) or keys[at] != key:
            insort(keys, key)
        changes.records[key] = record
        changes.gone.discard(key)
        self._facts.get(kind.name, {}).pop(key, None)
        self.version += 1

    def _mutable_ids(self, entity: str) -> list[int]:
        self.ids(entity)
        return self._ids[entity]

    def _fact(self, entity: str, key: int) -> tuple[str, object]:
        known = self._facts.setdefault(entity, {})
        if key not in known:
            record = self.record(entity, key) or {}
            known[key] = (record.get("updatedAt") or _NO_STAMP, record.get("status", record.get("active")))
        return known[key]

    def _moved(self, entity: str) -> dict[int, list[int]]:
        """Changed rows by the patient they name now."""
        if self._overlay[0] != self.version:
            self._overlay = (self.version, {})
        index = self._overlay[1]
        if entity not in index:
            index[entity] = {}
            for key, record in self._changes[entity].records.items():
                index[entity].setdefault(record.get("patientId") or 0, []).append(key)
        return index[entity]

    def _chart(self, place: int) -> Chart:
        chart = self._charts.get(place)
        if chart is None:
            chart = self._charts[place] = Chart(self.world, place)
            if len(self._charts) > _CHARTS_KEPT:
                self._charts.popitem(last=False)
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
            chart = Chart(self.world, place)
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
