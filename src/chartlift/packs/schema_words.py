"""Reads what a pack says about values, objects and permission sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chartlift import transforms
from chartlift.model.plan import ObjectMap, ValueMap
from chartlift.model.schema import DesiredObject
from chartlift.packs.reading import Reader


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A wish: who may read what. `read` and `without` name fields as "Object.Field" or "Object.*"."""

    name: str
    label: str
    read: tuple[str, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaWords:
    """The content of objects.toml."""

    objects: tuple[DesiredObject, ...] = ()
    picklists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    picklist_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    value_sets: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    permission_sets: tuple[PermissionSet, ...] = ()


def read_value_maps(reader: Reader) -> dict[str, ValueMap]:
    """Value maps: in the file label -> words of the source, in memory the other way round."""
    return {name: ValueMap(name, _words(reader, name, table)) for name, table in reader.body.items()}


def _words(reader: Reader, name: str, table: Any) -> dict[str, str]:
    if not isinstance(table, dict) or not table:
        raise reader.wrong(name, 'takes lines "Label" = ["word", …]')
    values: dict[str, str] = {}
    folded: dict[str, str] = {}
    for label, words in table.items():
        for word in _texts(reader, f"{name}: {label}", words):
            same = transforms.fold(word)
            if same is None:
                raise reader.wrong(name, f"{word!r} has neither letter nor digit")
            if folded.setdefault(same, label) != label:
                raise reader.wrong(name, f"{word} stands for {folded[same]} and for {label}")
            values[word] = label
    return values


def _texts(reader: Reader, where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v.strip() for v in value):
        raise reader.wrong(where, "takes a list of texts")
    return tuple(value)


def read_objects(reader: Reader, maps: Sequence[ObjectMap]) -> SchemaWords:
    """Objects, pick-lists, labels and permission sets, checked against the maps."""
    body = reader.body
    reader.known(body, ("objects", "labels", "picklists", "value_sets", "permission_sets"), "")
    fields = {f"{unit.object}.{rule.target}": rule for unit in maps for rule in unit.fields}
    described = body.get("objects", {})
    objects = [_object(reader, name, table) for name, table in described.items()]
    mapped = {unit.object for unit in maps}
    for name in described:
        if name not in mapped:
            raise reader.wrong("objects", f"{name} is described here, but no file maps it")
    made = {unit.object: unit for unit in maps if unit.object.endswith("__c") and unit.object not in described}
    objects += [_plain_object(unit) for _, unit in sorted(made.items())]
    picklists, sources = _picklists(reader, body.get("picklists", {}))
    value_sets = dict(body.get("value_sets", {}))
    labels = dict(body.get("labels", {}))
    for name in [*picklists, *sources, *labels, *value_sets.values()]:
        if name not in fields:
            raise reader.wrong(str(name), "is not mapped")
    for name, rule in fields.items():
        listed = rule.map or picklists.get(name) or sources.get(name)
        if rule.type.startswith("Picklist") and not listed:
            raise reader.wrong(name, "is a pick-list without values: give it a map, or values or source here")
    return SchemaWords(tuple(objects), picklists, sources, value_sets, labels, _permission_sets(reader, body, fields))


def _object(reader: Reader, name: str, table: Any) -> DesiredObject:
    reader.known(table, ("label", "plural", "name_format"), name)
    if not name.endswith("__c"):
        raise reader.wrong(name, "is not a custom object")
    words = {word: reader.text(table, word, name) for word in ("label", "plural", "name_format")}
    if not all(words.values()):
        raise reader.wrong(name, "takes label, plural and name_format")
    return DesiredObject(name=name, **words)


def _plain_object(unit: ObjectMap) -> DesiredObject:
    """A mapped object that the file does not describe: its API name in words."""
    words = unit.object.removesuffix("__c").replace("_", " ")
    return DesiredObject(unit.object, words, f"{words}s", f"{unit.code}-{{00000000}}")


def _picklists(
    reader: Reader, tables: Mapping[str, Any]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    values, sources = {}, {}
    for name, table in tables.items():
        reader.known(table, ("values", "source"), name)
        if "values" in table:
            values[name] = _texts(reader, name, table["values"])
        if "source" in table:
            sources[name] = _texts(reader, name, table["source"])
    return values, sources


def _permission_sets(reader: Reader, body: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[PermissionSet, ...]:
    known = {*fields, *(f"{name.partition('.')[0]}.*" for name in fields)}
    made = []
    for name, table in body.get("permission_sets", {}).items():
        reader.known(table, ("label", "read", "except"), name)
        read = _texts(reader, name, table.get("read"))
        without = _texts(reader, name, table["except"]) if "except" in table else ()
        for entry in (*read, *without):
            if entry not in known:
                raise reader.wrong(name, f"{entry} is not mapped")
        made.append(PermissionSet(name, reader.text(table, "label", name) or name, read, without))
    return tuple(made)
