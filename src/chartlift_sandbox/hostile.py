"""The hostile clinic: the catalogue's bad values, each planted in a record of its own, and told as a list.

`hostile.json` holds them by family: entity, field, value, what is expected of a reader, description. A value that is an
object with `make` is made (see `_MAKERS` and `hostile_makers`). Whole answers (`envelopes`) are planned as faults.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from chartlift_sandbox import hostile_makers
from chartlift_sandbox.aeronaclinic.answers import encoded
from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.generator.entities import BY_NAME, ENTITIES, Entity
from chartlift_sandbox.generator.world import Record

_SHOWN = 200
"""Longer values are told by their digest alone."""
_MANY = "many"
_LARGE = 1_000_000
_FILE = Path(__file__).with_name("hostile.json")


class HostileError(Exception):
    """A wish that cannot be met; the text says why."""


@cache
def catalogue() -> dict[str, dict[str, list[list[Any]]]]:
    """`values` and `envelopes` by family."""
    return json.loads(_FILE.read_text(encoding="utf-8"))


def families() -> list[str]:
    """Every family on offer, ascending."""
    return sorted({*catalogue()["values"], *catalogue()["envelopes"]})


@dataclass
class Hostile:
    """What was planted in one clinic.

    Attributes:
        planted: `{family, entity, id, field, description, expected}` with `value` or its `sha256`.
    """

    clinic: Clinic
    planted: list[dict[str, Any]] = field(default_factory=list)
    _used: set[tuple[str, int]] = field(default_factory=set)

    def plant(self, wanted: Iterable[str], *, large: bool) -> None:
        """Plants every value of these families; ``large`` also those of millions of characters or many rows."""
        with self.clinic.lock:
            for family in wanted:
                for entity, name, value, expected, description in catalogue()["values"].get(family, ()):
                    if large or not _is_large(value):
                        shown = self._place(BY_NAME[entity], name, value)
                        self._tell(family, entity, name, shown, (description, expected))

    def _tell(self, family: str, entity: str, name: str, shown: tuple[Any, Any], said: tuple[str, str]) -> None:
        key, value = shown
        row = {"family": family, "entity": entity, "id": key, "field": name}
        row |= {"description": said[0], "expected": said[1]}
        raw = encoded(value)
        short = len(raw) <= _SHOWN
        self.planted.append(row | ({"value": value} if short else {"sha256": hashlib.sha256(raw).hexdigest()}))

    def _place(self, kind: Entity, name: str, value: Any) -> tuple[Any, Any]:
        """Changes one record; answers the id as served, and the value."""
        key = self._free(kind)
        row = dict(self.clinic.record(kind.name, key) or {})
        if isinstance(value, dict) and "make" in value:
            value = _MAKERS[value["make"]](self, kind, key, row, name, value)
        else:
            row[name] = value
        self.clinic.put(kind, key, row)
        return row.get(kind.key, key), value

    def _free(self, kind: Entity) -> int:
        """A record that holds no other hostile value; a new one when all do. The first record stays as it is."""
        for key in self.clinic.ids(kind.name)[1:]:
            row = self.clinic.record(kind.name, key)
            if (kind.name, key) not in self._used and row and row.get("status") not in {"ARCHIVED", "DECEASED"}:
                break
        else:
            owner = {"patientId": self.clinic.ids("patient")[0]} if kind.name != "patient" else {}
            key = self.clinic.mutate("create", kind.name, None, owner)
        self._used.add((kind.name, key))
        return key

    def drop(self, _: Entity, __: int, row: Record, name: str, ___: dict[str, Any]) -> None:
        """The key is missing."""
        row.pop(name, None)

    def rename(self, _: Entity, __: int, row: Record, name: str, spec: dict[str, Any]) -> str:
        """The key has another name."""
        row[spec["to"]] = row.pop(name, None)
        return str(spec["to"])

    def repeat(self, _: Entity, __: int, row: Record, name: str, spec: dict[str, Any]) -> str:
        """A text of a length."""
        row[name] = hostile_makers.repeated(spec)
        return row[name]

    def own(self, _: Entity, key: int, row: Record, name: str, __: dict[str, Any]) -> int:
        """A reference to the record itself."""
        row[name] = key
        return key

    def each_other(self, kind: Entity, key: int, row: Record, name: str, _: dict[str, Any]) -> int:
        """Two records that refer to each other."""
        other = self._free(kind)
        self.clinic.put(kind, other, {**(self.clinic.record(kind.name, other) or {}), name: key})
        row[name] = other
        return other

    def same(self, kind: Entity, _: int, row: Record, name: str, __: dict[str, Any]) -> Any:
        """The value of the first record that has one."""
        rows = self.clinic.records(kind.name, self.clinic.ids(kind.name))
        row[name] = next((one[name] for one in rows if one.get(name)), row.get(name))
        return row[name]

    def twin(self, kind: Entity, key: int, row: Record, _: str, spec: dict[str, Any]) -> int:
        """The record once more at the end of the list, perhaps otherwise."""
        owner = {"patientId": row["patientId"]} if kind.name != "patient" else {}
        double = self.clinic.mutate("create", kind.name, None, owner)
        self._used.add((kind.name, double))
        self.clinic.put(kind, double, {**row, **spec.get("changes", {})})
        return key

    def text_of_parent(self, _: Entity, __: int, row: Record, name: str, ___: dict[str, Any]) -> str:
        """A reference written as text."""
        row[name] = str(row[name])
        return row[name]

    def many(self, kind: Entity, _: int, row: Record, name: str, spec: dict[str, Any]) -> int:
        """So many rows of the patient whom the row names."""
        first = self.clinic.mutate("create", kind.name, None, {name: row[name]})
        model = self.clinic.record(kind.name, first) or {}
        for number in range(first + 1, first + int(spec["count"])):
            self.clinic.put(kind, number, {**model, kind.key: number}, new=True)
        return int(row[name])

    def content(self, _: Entity, key: int, row: Record, __: str, spec: dict[str, Any]) -> str:
        """A content, with metadata that fit."""
        found = hostile_makers.content(spec)
        digest = hashlib.sha256(found.body).hexdigest()
        row |= {"sizeBytes": len(found.body), "sha256": digest, "mimeType": found.mime}
        self.clinic.put_content(key, found)
        return digest


_Maker = Callable[[Hostile, Entity, int, Record, str, dict[str, Any]], Any]
_MAKERS: dict[str, _Maker] = {
    "drop": Hostile.drop, "rename": Hostile.rename, "repeat": Hostile.repeat, "own": Hostile.own,
    "each_other": Hostile.each_other, "same": Hostile.same, "twin": Hostile.twin, "many": Hostile.many,
    "text_of_parent": Hostile.text_of_parent, "content": Hostile.content, "archive": Hostile.content,
}  # fmt: skip


def _is_large(value: Any) -> bool:
    return isinstance(value, dict) and (value.get("make") == _MANY or value.get("length", 0) > _LARGE)


def envelopes(wanted: Iterable[str], *, persistent: bool, large: bool) -> list[dict[str, Any]]:
    """Raw faults for the answers as a whole, each on a list of its own as far as there are lists."""
    paths = [entity.path for entity in ENTITIES if entity.paged and entity.name != "patient"]
    found: list[dict[str, Any]] = []
    for family in wanted:
        for what, _ in catalogue()["envelopes"].get(family, ()):
            if what == "B10_body" and not large:
                continue
            on_patients = family in {"B20", "B28", "B78"}
            turn, place = divmod(len(found), len(paths))
            path = "/patients" if on_patients else paths[place]
            nth = 1 + 2 * (sum(one["path"] == "^/patients$" for one in found) if on_patients else turn)
            words = {"when": "persistent"} if persistent else {"nth": nth}
            found.append({"id": f"hostile-{what}", "kind": "envelope", "what": what, "vendor": "clinic", "method": "GET",
                          "path": f"^{path}$", **words})  # fmt: skip
    return found
