"""Clauses after FROM while a statement is put together, and the order they have to stand in."""

from __future__ import annotations

from typing import Any

from chartlift_sandbox.salesforce.soql.syntax import FromItem, Query


class Stop(Exception):
    """A refusal found while words are put together; the text is added by `parse`."""

    def __init__(self, at: int, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.code = code


class Clause:
    """One clause after FROM: its name, its value and its place in the fixed order."""

    __slots__ = ("at", "name", "value")

    def __init__(self, name: str, value: Any, at: int) -> None:
        self.name, self.value, self.at = name, value, at


_ORDER = ("scope", "where", "with_clause", "group_by", "having", "order_by", "limit", "offset", "purpose", "tracking",
          "all_rows")  # fmt: skip


def compose(select: tuple[Any, ...], sources: tuple[FromItem, ...], clauses: tuple[Clause, ...]) -> Query:
    """One SELECT of its parts.

    Raises:
        Stop: a clause stands where it may not.
    """
    given: dict[str, Any] = {}
    last = -1
    for clause in clauses:
        rank = _ORDER.index(clause.name)
        if rank <= last:
            word = clause.name.split("_", maxsplit=1)[0].replace("purpose", "for").replace("tracking", "update")
            raise Stop(clause.at, f"unexpected token: '{word}'")
        last = rank
        if clause.name not in {"with_clause", "purpose", "tracking"}:
            given[clause.name] = clause.value
        elif clause.name == "purpose":
            given["locked"] = "UPDATE" in clause.value
    return Query(select, sources, **given)
