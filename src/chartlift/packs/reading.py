"""Reads one file of a pack, word by word, and refuses what it does not know."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.abc import Traversable
from typing import Any

from chartlift import transforms
from chartlift.errors import PackError
from chartlift.model.plan import Condition, FieldRule, ObjectMap, ValueMap

_FILE_WORDS = frozenset({"object", "source", "key", "join", "when", "fields"})
_FIELD_WORDS = frozenset({"from", "type", "transform", "map", "lookup", "const", "required", "on_bad"})
_OURS = frozenset({"Source_System_ID__c", "Migration_Run__c", "Migration_Hash__c"})
_CALL = re.compile(r"(\w+)(?:\(([\w., ]+)\))?", re.ASCII)
_COLUMN = re.compile(r"\w+(\.\w+)?", re.ASCII)
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*(__c)?", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_LONGEST_NAME = 40
_ON_BAD = ("withhold", "hold_unreadable", "hold")
_TYPES = {
    "Text": r"\((?P<n>\d+)\)",
    "TextArea": "",
    "LongTextArea": r"\((?P<n>\d+)\)",
    "Number": r"\(\d+, ?\d+\)",
    "Currency": r"\(\d+, ?\d+\)",
    "Checkbox": "",
    "Date": "",
    "DateTime": "",
    "Picklist": "",
    "Email": "",
    "Phone": "",
    "Url": "",
    "Lookup": r"\(\w+\)",
    "MasterDetail": r"\(\w+\)",
}
_FLAGS = {"Text": {"ExternalId", "Unique"}, "Picklist": {"restricted"}}
_LENGTHS = {"Text": (1, 255), "LongTextArea": (256, 131_072)}


@dataclass(frozen=True, slots=True)
class Reader:
    """The content of a file, with its name for messages."""

    file: str
    body: Mapping[str, Any]

    def wrong(self, where: str, what: str) -> PackError:
        """The error to raise."""
        return PackError(f"{self.file}: {where}: {what}" if where else f"{self.file}: {what}")

    def text(self, table: Mapping[str, Any], word: str, where: str) -> str:
        """A filled text; '' if the word is not there."""
        value = table.get(word, "")
        if not isinstance(value, str) or (word in table and not value.strip()):
            raise self.wrong(where, f"{word} takes a text")
        return value

    def known(self, table: Mapping[str, Any], words: Iterable[str], where: str) -> None:
        """Refuse words that are not in the list."""
        for word in table:
            if word not in words:
                raise self.wrong(where, f"unknown word {word}; known: {', '.join(sorted(words))}")


def read_toml(place: Traversable, name: str) -> dict[str, Any]:
    """The content of a file; {} if there is none. TOML itself refuses a field that stands there twice."""
    file = place.joinpath(name)
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{name}: {error}") from error


def read_object_map(reader: Reader, value_maps: Mapping[str, ValueMap]) -> ObjectMap:
    """One file of rows."""
    body = reader.body
    reader.known(body, _FILE_WORDS, "")
    names = {word: reader.text(body, word, word) for word in ("object", "source", "key")}
    for word, value in names.items():
        if not value:
            raise reader.wrong(word, "is missing")
    if not _CODE.fullmatch(names["key"]):
        raise reader.wrong("key", f"{names['key']} is not three capital letters")
    join = body.get("join", {})
    if not isinstance(join, dict) or not all(isinstance(c, str) and re.fullmatch(r"\w+", c) for c in join.values()):
        raise reader.wrong("join", 'takes { entity = "column" }, a column of the row itself')
    fields = body.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise reader.wrong("fields", "are missing")
    _each_once(reader, fields)
    return ObjectMap(
        name=reader.file.removesuffix(".toml"),
        object=names["object"],
        source=names["source"],
        code=names["key"],
        join=dict(join),
        when=tuple(_condition(reader, line, join, fields) for line in body.get("when", ())),
        fields=tuple(_rule(reader, target, line, join, value_maps) for target, line in fields.items()),
    )


def _each_once(reader: Reader, fields: Mapping[str, Any]) -> None:
    """The org does not care for case, TOML does."""
    seen: dict[str, str] = {}
    for target in fields:
        if target.lower() in seen:
            raise reader.wrong(target, f"stands here twice (as {seen[target.lower()]} too)")
        seen[target.lower()] = target


def _condition(reader: Reader, line: Any, join: Mapping[str, str], fields: Mapping[str, Any]) -> Condition:
    if not isinstance(line, dict):
        raise reader.wrong("when", 'takes lines { skip = "reason", if = "column" }')
    reader.known(line, ("skip", "hold", "if", "unless"), "when")
    fates = [fate for fate in ("skip", "hold") if fate in line]
    if len(fates) != 1 or ("if" in line) == ("unless" in line):
        raise reader.wrong("when", 'takes skip or hold, and if or unless: { skip = "reason", if = "column" }')
    column, unless = reader.text(line, "if", "when"), reader.text(line, "unless", "when")
    if column:
        _column(reader, "when", column, join)
    elif unless not in fields or "lookup" in fields[unless]:
        raise reader.wrong("when", f"unless names a field of this file that is no lookup, not {unless}")
    return Condition(fates[0], reader.text(line, fates[0], "when"), column, unless)


def _column(reader: Reader, where: str, name: Any, join: Mapping[str, str]) -> str:
    if not isinstance(name, str) or not _COLUMN.fullmatch(name):
        raise reader.wrong(where, f"{name!r} is no column")
    entity, dot, _ = name.rpartition(".")
    if dot and entity not in join:
        raise reader.wrong(where, f"{name}: there is no join to {entity}")
    return name


def _rule(
    reader: Reader, target: str, line: Any, join: Mapping[str, str], value_maps: Mapping[str, ValueMap]
) -> FieldRule:
    if not isinstance(line, dict):
        raise reader.wrong(target, 'takes a table: { from = "column", type = "Text(80)" }')
    reader.known(line, _FIELD_WORDS, target)
    if target in _OURS:
        raise reader.wrong(target, "is filled by the load itself")
    if not _API_NAME.fullmatch(target) or len(target.removesuffix("__c")) > _LONGEST_NAME:
        raise reader.wrong(target, "is no name of a field")
    given = line.get("from", ())
    sources = tuple(_column(reader, target, name, join) for name in ([given] if isinstance(given, str) else given))
    transform, arguments = _call(reader, target, line, join, len(sources))
    rule = FieldRule(
        target=target,
        sources=sources,
        type=_type(reader, target, reader.text(line, "type", target)),
        transform=transform,
        arguments=arguments,
        map=reader.text(line, "map", target),
        lookup=reader.text(line, "lookup", target),
        const=_const(reader, target, line),
        required=_flag(reader, target, line),
        on_bad=line.get("on_bad", "withhold"),
    )
    _agrees(reader, rule, line, value_maps)
    return rule


def _call(
    reader: Reader, target: str, line: Mapping[str, Any], join: Mapping[str, str], sources: int
) -> tuple[str, tuple[str, ...]]:
    found = _CALL.fullmatch(reader.text(line, "transform", target) or "text")
    known = transforms.load()
    if not found or found[1] not in known:
        raise reader.wrong(target, f"unknown transform {line['transform']}; known: {', '.join(known)}")
    arguments = tuple(_column(reader, target, a.strip(), join) for a in found[2].split(",")) if found[2] else ()
    kind = known[found[1]]
    if len(arguments) != kind.arguments:
        raise reader.wrong(target, f"transform {kind.name} takes {kind.arguments} columns in brackets")
    if kind.takes == "list" and kind.name not in ("first", "join_lines") and sources < 2:  # noqa: PLR2004 - a list
        raise reader.wrong(target, f"transform {kind.name} takes a list of columns")
    return found[1], arguments


def _type(reader: Reader, target: str, word: str) -> str:
    if not word:
        raise reader.wrong(target, "type is missing")
    head, *flags = word.split(" ") if ", " not in word else [word]
    name = head.partition("(")[0]
    if name not in _TYPES or not (sizes := re.fullmatch(_TYPES[name], head.removeprefix(name))):
        raise reader.wrong(target, f"unknown type {word}; types: {', '.join(_TYPES)}")
    if not set(flags) <= _FLAGS.get(name, set()):
        raise reader.wrong(target, f"type {name} does not take {' '.join(flags)}")
    if name in _LENGTHS and not _LENGTHS[name][0] <= int(sizes["n"]) <= _LENGTHS[name][1]:
        raise reader.wrong(target, f"{word}: the length has to be {_LENGTHS[name][0]} to {_LENGTHS[name][1]}")
    return word


def _const(reader: Reader, target: str, line: Mapping[str, Any]) -> str | None:
    """A constant; an empty one is a field that is deployed and stays empty."""
    return None if "const" not in line else "" if line["const"] == "" else reader.text(line, "const", target)


def _flag(reader: Reader, target: str, line: Mapping[str, Any]) -> bool:
    value = line.get("required", False)
    if not isinstance(value, bool):
        raise reader.wrong(target, "required takes true or false")
    return value


def _agrees(reader: Reader, rule: FieldRule, line: Mapping[str, Any], value_maps: Mapping[str, ValueMap]) -> None:
    """Whether the words of a line go together."""
    if rule.on_bad not in _ON_BAD:
        raise reader.wrong(rule.target, f"on_bad is {', '.join(_ON_BAD[:-1])} or {_ON_BAD[-1]}, not {rule.on_bad}")
    if rule.map and rule.map not in value_maps:
        raise reader.wrong(rule.target, f"there is no value map {rule.map}")
    if rule.const is not None and (rule.sources or rule.lookup or rule.map):
        raise reader.wrong(rule.target, "const stands alone: no from, lookup or map")
    if not rule.sources and rule.const is None and rule.lookup != "Owner":
        raise reader.wrong(rule.target, "says neither from nor const")
    if rule.lookup and ("transform" in line or rule.map):
        raise reader.wrong(rule.target, "a lookup takes neither transform nor map")
    parent = rule.type.partition("(")[2].rstrip(")") if rule.type.startswith(("Lookup", "MasterDetail")) else ""
    wanted = "User" if rule.lookup in ("User", "Owner", "Practitioner") else rule.lookup.partition(":")[0]
    if parent != wanted:
        raise reader.wrong(rule.target, f"type {rule.type} and lookup {rule.lookup or 'none'} do not agree")


def in_load_order(maps: Sequence[ObjectMap]) -> tuple[ObjectMap, ...]:
    """Parents before children; lookups of an object to itself do not count.

    Raises:
        PackError: a parent is not mapped, two files share a code, or parents go round in a circle.
    """
    by_code: dict[str, ObjectMap] = {}
    for unit in maps:
        if unit.code in by_code:
            raise PackError(f"{unit.name}.toml: key: {unit.code} is the key of {by_code[unit.code].name}.toml too")
        by_code[unit.code] = unit
    graph = {unit.code: _parents(unit, by_code) - {unit.code} for unit in sorted(maps, key=lambda m: m.name)}
    try:
        return tuple(by_code[code] for code in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise PackError(f"parents go round in a circle: {' -> '.join(error.args[1])}") from error


def _parents(unit: ObjectMap, by_code: Mapping[str, ObjectMap]) -> set[str]:
    found: set[str] = set()
    for rule in unit.fields:
        if not rule.lookup or rule.lookup in ("User", "Owner", "Practitioner"):
            continue
        name, _, code = rule.lookup.partition(":")
        here = {code} if code else {c for c, m in by_code.items() if m.object == name}
        if not here or not all(c in by_code and by_code[c].object == name for c in here):
            raise PackError(f"{unit.name}.toml: {rule.target}: parent {rule.lookup} is not mapped")
        found |= here
    return found
