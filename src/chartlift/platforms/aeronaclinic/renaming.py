"""Members of an answer by path, and records under the names of the profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartlift.platforms.aeronaclinic.profile import Entity


def select(answer: Any, path: str) -> Any:
    """The member at a path with dots; None if there is none, or the path is ''."""
    if not path:
        return None
    for name in path.split("."):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer


def enveloped(path: str, records: list[Any]) -> Any:
    """The records where an answer would have them."""
    answer: Any = records
    for name in reversed(path.split(".")):
        answer = {name: answer}
    return answer


def renamed(entity: Entity, records: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records with the profile's own names for their members, and with the columns made from words of others.

    A member that the profile has no name for keeps its own; where that is one of ours already, it is kept as `_NAME`.
    A word without a counterpart makes nothing.
    """
    if not entity.names and not entity.values:
        return records
    plain = {theirs: ours for ours, theirs in entity.names.items() if "." not in theirs}
    deep = {ours: theirs for ours, theirs in entity.names.items() if "." in theirs}
    found: list[Mapping[str, Any]] = []
    for record in records:
        one = {_name(name, plain, entity): value for name, value in record.items()}
        one.update((ours, select(record, theirs)) for ours, theirs in deep.items())
        one.update((column, _counterpart(rule, one)) for column, rule in entity.values.items())
        found.append(one)
    return found


def _name(theirs: str, plain: Mapping[str, str], entity: Entity) -> str:
    return plain.get(theirs) or (f"_{theirs}" if theirs in entity.names else theirs)


def _counterpart(rule: Mapping[str, Any], record: Mapping[str, Any]) -> Any:
    value = record.get(rule["from"])
    return rule["words"].get(value) if isinstance(value, str) else None
