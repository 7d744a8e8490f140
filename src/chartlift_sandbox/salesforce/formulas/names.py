"""Names in formulas: fields of the record, fields of its parents, and the globals that begin with a dollar sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from chartlift_sandbox.salesforce.formulas.pieces import KINDS, FormulaError, Piece
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import literal, quote

MAX_PARENTS = 10
OLD = "o:"
"""Prefix of the columns that hold a record's values before the save."""
_CONSTANTS = {"true": Piece("true", "boolean"), "false": Piece("false", "boolean"), "null": Piece("NULL", "null")}
_GLOBALS = {
    "$user": ("User", "$who"),
    "$profile": ("Profile", '(SELECT u."ProfileId" FROM "User" u WHERE u."Id" = $who)'),
    "$userrole": ("UserRole", '(SELECT u."UserRoleId" FROM "User" u WHERE u."Id" = $who)'),
    "$organization": ("Organization", "$org"),
}


class Objects(Protocol):
    """A schema as it is, or as it would be after a deployment."""

    def object(self, name: str) -> SObject | None:
        """The object of that name."""
        ...


@dataclass
class Names:
    """Resolves names over one object; remembers which fields and parameters the SQL uses."""

    schema: Objects
    sobject: SObject
    reads: set[str] = field(default_factory=set)
    params: set[str] = field(default_factory=set)
    _aliases: int = 0

    def use(self, name: str) -> str:
        """SQL of a parameter."""
        self.params.add(name)
        return f"${name}"

    def resolve(self, path: str) -> Piece:
        """The value that a name stands for. Raises FormulaError when there is no such field."""
        constant = _CONSTANTS.get(path.lower())
        if constant is not None:
            return constant
        if path.startswith("$"):
            return self._global(path)
        first, _, rest = path.partition(".")
        if rest:
            link = self._link(self.sobject, first)
            self.reads.add(link.name)
            return self._parent(path, f"r.{quote(link.name)}", self._target(link, first), rest.split("."))
        found = self.own(path)
        return _piece(f"r.{quote(found.name)}", found, own=True)

    def own(self, name: str) -> Field:
        """A field of the record itself."""
        found = self.sobject.field(name)
        if found is None or not found.stored:
            raise FormulaError(f"Field {name} does not exist. Check spelling.")
        self.reads.add(found.name)
        return found

    def before(self, found: Field) -> Piece:
        """The value that a field of the record had before the save."""
        return _piece(f"r.{quote(OLD + found.name)}", found, own=True)

    def _link(self, owner: SObject, name: str) -> Field:
        found = owner.relationship(name.partition(":")[0])
        if found is None or not found.stored:
            raise FormulaError(f"Field {name} does not exist. Check spelling.")
        return found

    def _target(self, link: Field, name: str) -> SObject:
        wanted = name.partition(":")[2]
        chosen = [one for one in link.reference_to if not wanted or one.lower() == wanted.lower()]
        if not wanted and "User" in chosen:
            chosen = ["User"]
        target = self.schema.object(chosen[0]) if chosen else None
        if target is None:
            raise FormulaError(f"Field {name} does not exist. Check spelling.")
        return target

    def _parent(self, path: str, key: str, parent: SObject, rest: list[str]) -> Piece:
        """A value of a parent: one scalar sub-query per step up."""
        if len(rest) > MAX_PARENTS:
            raise FormulaError(f"Relationship {path} spans more than {MAX_PARENTS} levels")
        self._aliases += 1
        alias = f"p{self._aliases}"
        if len(rest) > 1:
            link = self._link(parent, rest[0])
            up = f'(SELECT {alias}.{quote(link.name)} FROM {quote(parent.name)} {alias} WHERE {alias}."Id" = {key})'
            return self._parent(path, up, self._target(link, rest[0]), rest[1:])
        found = parent.field(rest[0])
        if found is None or not found.stored:
            raise FormulaError(f"Field {path} does not exist. Check spelling.")
        sql = f'(SELECT {alias}.{quote(found.name)} FROM {quote(parent.name)} {alias} WHERE {alias}."Id" = {key})'
        return _piece(sql, found, own=False)

    def _global(self, path: str) -> Piece:
        first, _, rest = path.partition(".")
        if first.lower() == "$permission" and rest and "." not in rest:
            return Piece(f"list_contains({self.use('held')}, {literal(rest.lower())})", "boolean")
        known = _GLOBALS.get(first.lower())
        owner = self.schema.object(known[0]) if known is not None else None
        if known is None or owner is None or not rest:
            raise FormulaError(f"Field {path} does not exist. Check spelling.")
        self.use("org" if known[0] == "Organization" else "who")
        return self._parent(path, known[1], owner, rest.split("."))


def _piece(sql: str, found: Field, *, own: bool) -> Piece:
    kind = KINDS.get(found.type, "text")
    if found.type == "percent":
        sql = f"({sql} / 100)"  # to a formula 60 % is 0.6
    elif kind == "text":
        sql = f"coalesce({sql}, '')"
    elif kind == "boolean":
        sql = f"coalesce({sql}, false)"
    return Piece(sql, kind, found.name if own or kind in {"picklist", "multipicklist"} else None)
