"""From SOQL text to its words: Lark's LALR parser with a contextual lexer, errors in the platform's form."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.clauses import Clause, Stop, compose
from chartlift_sandbox.salesforce.soql.finding import FindWords
from chartlift_sandbox.salesforce.soql.syntax import (
    Compare,
    Condition,
    FieldRef,
    Find,
    FromItem,
    Function,
    Junction,
    Kind,
    Membership,
    Negation,
    Operand,
    OrderItem,
    Query,
    SelectItem,
    Subquery,
    TypeOf,
    Value,
)

MAX_DEPTH = 60
"""Nested conditions beyond this depth are refused; recursion further on stays bounded."""
_REMEMBERED = 8_000
_QUOTED = re.compile(r"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL)
_AROUND_CALLS = frozenset({"ROLLUP", "CUBE"})
_KINDS = {
    "STRING": Kind.STRING,
    "NUMBER": Kind.NUMBER,
    "TRUE": Kind.BOOLEAN,
    "FALSE": Kind.BOOLEAN,
    "NULL": Kind.NULL,
    "DATE": Kind.DATE,
    "DATETIME": Kind.DATETIME,
    "TIME": Kind.TIME,
    "CURRENCY": Kind.CURRENCY,
}


def _depth(condition: Condition) -> int:
    deepest = 0
    waiting = [(condition, 1)]
    while waiting:
        now, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(now, Junction):
            waiting.extend((part, depth + 1) for part in now.parts)
        elif isinstance(now, Negation):
            waiting.append((now.part, depth + 1))
    return deepest


@v_args(inline=True)
class _Builder(FindWords):
    """Puts the words of `syntax` together bottom-up while Lark parses."""

    def start(self, query: Query) -> Query:
        return query

    def query(self, select: tuple[Any, ...], sources: tuple[FromItem, ...], *clauses: Clause) -> Query:
        return compose(select, sources, clauses)

    def select_list(self, *items: Any) -> tuple[Any, ...]:
        return items

    def plain_item(self, path: Token, alias: str | None) -> SelectItem:
        return SelectItem(self.field(path), alias)

    def function_item(self, call: Function, alias: str | None) -> SelectItem:
        return SelectItem(call, alias)

    def subquery(self, query: Query) -> Subquery:
        return Subquery(query, query.source.at)

    def alias(self, path: Token) -> str:
        if "." in path:
            raise Stop(path.start_pos or 0, f"unexpected token: '{path}'")
        return str(path)

    def typeof(self, path: Token, *rest: Any) -> TypeOf:
        *branches, otherwise = rest
        return TypeOf(self.field(path), tuple(branches), otherwise or ())

    def type_branch(self, name: Token, fields: tuple[FieldRef, ...]) -> tuple[FieldRef, tuple[FieldRef, ...]]:
        return self.field(name), fields

    def path_list(self, *fields: FieldRef) -> tuple[FieldRef, ...]:
        return fields

    def field(self, path: Token) -> FieldRef:
        return FieldRef(str(path), path.start_pos or 0)

    def function(self, name: Token, arguments: tuple[Any, ...] | None) -> Function:
        given = arguments or ()
        nested = any(isinstance(inner, Function) for outer in given for inner in getattr(outer, "arguments", ()))
        if nested and name.upper() not in _AROUND_CALLS:
            raise Stop(name.start_pos or 0, f"unexpected token: '{name}'")
        inner = ", ".join(getattr(argument, "written", getattr(argument, "raw", "")) for argument in given)
        return Function(str(name), given, name.start_pos or 0, f"{name}({inner})")

    def arguments(self, *given: Any) -> tuple[Any, ...]:
        return given

    def from_list(self, *items: FromItem) -> tuple[FromItem, ...]:
        return items

    def from_item(self, name: Token, alias: str | None) -> FromItem:
        return FromItem(str(name), name.start_pos or 0, alias)

    def scope(self, name: Token) -> Clause:
        return Clause("scope", str(name), name.start_pos or 0)

    def where(self, condition: Condition) -> Clause:
        return Clause("where", self._bounded(condition), _first(condition))

    def having(self, condition: Condition) -> Clause:
        return Clause("having", self._bounded(condition), _first(condition))

    def with_clause(self, name: Token) -> Clause:
        if name.upper() not in {"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"}:
            raise Stop(name.start_pos or 0, f"unexpected token: '{name}'")
        return Clause("with_clause", str(name), name.start_pos or 0)

    def group_by(self, *items: Operand) -> Clause:
        return Clause("group_by", items, items[0].at)

    def order_by(self, *items: OrderItem) -> Clause:
        return Clause("order_by", items, items[0].what.at)

    def order_item(self, what: Operand, direction: Token | None, nulls: Token | None) -> OrderItem:
        return OrderItem(what, (direction or "").upper() == "DESC", (nulls or "").upper() == "LAST")

    def limit(self, number: Token) -> Clause:
        return Clause("limit", _whole(number), number.start_pos or 0)

    def offset(self, number: Token) -> Clause:
        return Clause("offset", _whole(number), number.start_pos or 0)

    def purpose(self, *names: Token) -> Clause:
        return Clause("purpose", {name.upper() for name in names}, names[0].start_pos or 0)

    def tracking(self, *names: Token) -> Clause:
        return Clause("tracking", names, names[0].start_pos or 0)

    def all_rows(self) -> Clause:
        return Clause("all_rows", True, 0)

    def conjunction(self, *parts: Condition) -> Junction:
        return Junction("AND", parts)

    def disjunction(self, *parts: Condition) -> Junction:
        return Junction("OR", parts)

    def negation(self, word: Token, part: Condition) -> Negation:
        return Negation(part, word.start_pos or 0)

    def compare(self, left: Operand, operator: Token, value: Value) -> Compare:
        return Compare(left, "!=" if operator == "<>" else operator.upper(), value)

    def belong(self, left: Operand, word: Token, members: Any) -> Membership:
        return _membership(left, "IN", word, members)

    def belong_not(self, left: Operand, word: Token, _in: Token, members: Any) -> Membership:
        return _membership(left, "NOT IN", word, members)

    def set_test(self, left: Operand, word: Token, members: Any) -> Membership:
        return _membership(left, word.upper(), word, members)

    def value_members(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return values

    def query_members(self, query: Query) -> Query:
        return query

    def value_list(self, *values: Value) -> tuple[Value, ...]:
        return values

    def literal(self, token: Token) -> Value:
        at = token.start_pos or 0
        if token.type == "BIND":
            raise Stop(at, "Bind variables only allowed in Apex code")
        if token.type == "LITERAL_N":
            word, number = token.split(":")
            return Value(Kind.WORD, word.strip().upper(), at, int(number))
        raw = str(token)
        return Value(_KINDS[token.type], raw[1:-1] if token.type == "STRING" else raw, at)

    def word(self, token: Token) -> Value:
        return Value(Kind.WORD, token.upper(), token.start_pos or 0)

    def _bounded(self, condition: Condition) -> Condition:
        if _depth(condition) > MAX_DEPTH:
            raise Stop(0, "Query is either selecting too many fields or the filter conditions are too complicated",
                        "QUERY_TOO_COMPLICATED")  # fmt: skip
        return condition


def _first(condition: Condition) -> int:
    while isinstance(condition, Junction):
        condition = condition.parts[0]
    return condition.at if isinstance(condition, Negation) else condition.left.at


def _whole(number: Token) -> int:
    if not number.isdigit():
        raise Stop(number.start_pos or 0, f"unexpected token: '{number}'")
    return int(number[:18])


def _membership(left: Operand, operator: str, word: Token, members: Any) -> Membership:
    at = word.start_pos or 0
    if isinstance(members, Token):
        return Membership(left, operator, at, texts=tuple(_QUOTED.findall(members)))
    if isinstance(members, Query):
        return Membership(left, operator, at, query=members)
    return Membership(left, operator, at, values=members)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder(), start=["start", "find"])


def _refused(text: str, error: UnexpectedInput) -> OrgError:
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            return refusal.malformed(text, len(text), "unexpected token: <EOF>")
        return refusal.malformed(text, token.start_pos or 0, f"unexpected token: '{token[:80]}'")
    if isinstance(error, UnexpectedEOF):
        return refusal.malformed(text, len(text), "unexpected token: <EOF>")
    at = error.pos_in_stream or 0
    if not isinstance(error, UnexpectedCharacters) or at >= len(text):
        return refusal.malformed(text, at, "unexpected token: <EOF>")
    word = re.match(r"\w+|.", text[at:], re.DOTALL)
    found = word.group(0)[:80] if word else text[at]
    if text[at] == "'":
        return refusal.malformed(text, at, f"line 1:{at} mismatched character '<EOF>' expecting '''")
    if found.isascii() and (found.isalnum() or found in "(),=<>!:.;*"):
        return refusal.malformed(text, at, f"unexpected token: '{found}'")
    return refusal.malformed(text, at, f"line 1:{at} no viable alternative at character '{text[at]}'")


def _run(text: str, parser: Callable[[str], Any]) -> Query:
    try:
        return parser(text)
    except UnexpectedInput as error:
        raise _refused(text, error) from None
    except VisitError as error:
        stop = error.orig_exc
        if not isinstance(stop, Stop):
            raise
        raise _stopped(text, stop) from None
    except Stop as stop:
        raise _stopped(text, stop) from None


def _stopped(text: str, stop: Stop) -> OrgError:
    if stop.code != "MALFORMED_QUERY":
        return OrgError(stop.code, stop.message)
    return refusal.malformed(text, stop.at, stop.message)


def _parse_query(text: str) -> Any:
    return _parser().parse(text, start="start")


@lru_cache(maxsize=256)
def _remembered(text: str) -> Query:
    return _run(text, _parse_query)


def parse(text: str) -> Query:
    """Parse one statement.

    Raises:
        OrgError: MALFORMED_QUERY with row and column, or QUERY_TOO_COMPLICATED beyond 100,000 characters.
    """
    if len(text) > refusal.MAX_LENGTH:
        raise refusal.too_complicated(f"SOQL statements cannot be longer than {refusal.MAX_LENGTH} characters.")
    if len(text) <= _REMEMBERED:
        return _remembered(text)
    return _run(text, _parse_query)


def parse_find(text: str) -> Find:
    """Parse one SOSL statement.

    Raises:
        OrgError: MALFORMED_SEARCH with row and column.
    """
    if len(text) > refusal.MAX_LENGTH:
        raise OrgError("MALFORMED_SEARCH", f"SOSL statements cannot be longer than {refusal.MAX_LENGTH} characters.")
    opening = _OPENING.match(text)
    if not opening:
        raise OrgError("MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces.")
    if not _CLOSED.match(text, opening.end()):
        message = f"line 1:{len(text)} mismatched character '<EOF>' expecting '}}'"
        raise refusal.placed("MALFORMED_SEARCH", text, len(text) - 1, message)
    try:
        found: Any = _parser().parse(text, start="find")
    except UnexpectedToken as error:
        at = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        word = "<EOF>" if error.token.type == "$END" else error.token[:80]
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        found = re.match(r"\w+|.", text[at:], re.DOTALL)
        word = found.group(0)[:80] if found else "<EOF>"
    except VisitError as error:
        stop = error.orig_exc
        if not isinstance(stop, Stop):
            raise
        at, word = stop.at, stop.message
    except Stop as stop:
        at, word = stop.at, stop.message
    else:
        return found
    message = word if word.startswith("Malformed") else f"Malformed search token: {word}"
    # the search service names the place before the word
    raise refusal.placed("MALFORMED_SEARCH", text, at - 1, message)


_OPENING = re.compile(r"\s*FIND\s*\{", re.IGNORECASE)
_CLOSED = re.compile(r"(?:\\.|[^}\\])*\}", re.DOTALL)
