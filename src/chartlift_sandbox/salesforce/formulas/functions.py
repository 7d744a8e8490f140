"""The functions of formulas, each as SQL of its arguments' SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chartlift_sandbox.salesforce.formulas.pieces import FormulaError, Piece, blank_test, expect, same_kind

Make = Callable[[str, list[Piece]], Piece]
MANY = 99


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments a function takes, and what it makes of them."""

    least: int
    most: int
    make: Make


def fixed(result: str, template: str, *kinds: str) -> Make:
    """A function whose SQL is a template over arguments of given kinds; `a|b` allows two kinds."""

    def make(what: str, given: list[Piece]) -> Piece:
        sql = [expect(what, one, *kind.split("|")) for one, kind in zip(given, kinds, strict=False)]
        return Piece(template.format(*sql), result)

    return make


def _joined(word: str) -> Make:
    def make(what: str, given: list[Piece]) -> Piece:
        return Piece(f"({word.join(expect(what, one, 'boolean') for one in given)})", "boolean")

    return make


def _of_numbers(name: str) -> Make:
    def make(what: str, given: list[Piece]) -> Piece:
        return Piece(f"{name}({', '.join(expect(what, one, 'number') for one in given)})", "number")

    return make


def _is_blank(_: str, given: list[Piece]) -> Piece:
    return Piece(blank_test(given[0]), "boolean")


def _is_null(_: str, given: list[Piece]) -> Piece:
    """A text is never null, so this is false for every text."""
    return Piece("false" if given[0].kind == "text" else blank_test(given[0]), "boolean")


def _replace_blank(what: str, given: list[Piece]) -> Piece:
    kind = same_kind(what, given)
    return Piece(f"CASE WHEN {blank_test(given[0])} THEN {given[1].sql} ELSE {given[0].sql} END", kind)


def _if(what: str, given: list[Piece]) -> Piece:
    test = expect(what, given[0], "boolean")
    return _chosen(what, [(test, given[1])], given[2])


def _chosen(what: str, branches: list[tuple[str, Piece]], otherwise: Piece) -> Piece:
    kind = same_kind(what, [*(piece for _, piece in branches), otherwise])
    if kind in {"picklist", "multipicklist"}:
        expect(what, next(piece for _, piece in branches if piece.kind == kind), "text")
    whens = " ".join(f"WHEN {test} THEN {piece.sql}" for test, piece in branches)
    sql = f"CASE {whens} ELSE {otherwise.sql} END"
    return Piece(f"coalesce({sql}, '')" if kind == "text" else sql, kind)


def _case(what: str, given: list[Piece]) -> Piece:
    """CASE(value, when, then, …, otherwise); a picklist is compared with texts."""
    if len(given) % 2:
        raise FormulaError(
            f"Incorrect number of parameters for {what}. Expected {len(given) + 1}, received {len(given)}"
        )
    value, *rest = given
    kind = "text" if value.kind == "picklist" else value.kind
    tests = [expect(what, one, kind) for one in rest[0:-1:2]]
    subject = f"coalesce({value.sql}, '')" if value.kind == "picklist" else value.sql
    branches = [
        (f"{subject} IS NOT DISTINCT FROM {test}", then) for test, then in zip(tests, rest[1:-1:2], strict=True)
    ]
    return _chosen(what, branches, rest[-1])


def _is_picklist_value(what: str, given: list[Piece]) -> Piece:
    if given[0].kind != "picklist":
        raise FormulaError(f"Incorrect parameter type for {what}. Expected Picklist, received {given[0].kind.title()}")
    return Piece(f"(coalesce({given[0].sql}, '') = {expect(what, given[1], 'text')})", "boolean")


def _text(what: str, given: list[Piece]) -> Piece:
    one = given[0]
    shown = {
        "number": f"regexp_replace(CAST({one.sql} AS VARCHAR), '\\.0$', '')",
        "datetime": f"strftime({one.sql}, '%Y-%m-%d %H:%M:%SZ')",
        "date": f"CAST({one.sql} AS VARCHAR)",
        "time": f"CAST({one.sql} AS VARCHAR)",
        "picklist": one.sql,
    }.get(one.kind)
    if shown is None:
        expect(what, one, "number", "date", "datetime", "picklist")
    return Piece(f"coalesce({shown}, '')", "text")


def _merge(what: str, given: list[Piece]) -> Piece:
    """Not a function that people write: a merge field of an e-mail, which takes values of any kind."""
    one = given[0]
    if one.kind == "text":
        return one
    if one.kind in {"boolean", "multipicklist"}:
        return Piece(f"coalesce(CAST({one.sql} AS VARCHAR), '')", "text")
    return _text(what, given)


def _mod(what: str, given: list[Piece]) -> Piece:
    left, right = (expect(what, one, "number") for one in given)
    return Piece(f"({left} - floor({left} / nullif({right}, 0)) * {right})", "number")


def _date_value(what: str, given: list[Piece]) -> Piece:
    return Piece(f"try_cast({expect(what, given[0], 'text', 'datetime', 'date')} AS DATE)", "date")


_DATE = "try_cast(format('{{:04d}}-{{:02d}}-{{:02d}}', try_cast({0} AS INT), try_cast({1} AS INT), try_cast({2} AS INT)) AS DATE)"
_ADD_MONTHS = "CAST({0} + try_cast(least(greatest({1}, -12000), 12000) AS INT) * INTERVAL 1 MONTH AS DATE)"
_FIND = "CAST(instr({1}, {0}) AS DOUBLE)"
_FIND_FROM = (
    "CASE WHEN instr(substr({1}, try_cast({2} AS INT)), {0}) = 0 THEN 0 "
    "ELSE instr(substr({1}, try_cast({2} AS INT)), {0}) + try_cast({2} AS INT) - 1 END"
)


def _find(what: str, given: list[Piece]) -> Piece:
    template = _FIND if len(given) == 2 else _FIND_FROM  # noqa: PLR2004 - FIND(sought, text[, start])
    return fixed("number", template, "text", "text", "number")(what, given)


def _padded(name: str) -> Make:
    def make(what: str, given: list[Piece]) -> Piece:
        text, width = expect(what, given[0], "text"), expect(what, given[1], "number")
        filler = expect(what, given[2], "text") if given[2:] else "' '"
        return Piece(f"{name}({text}, least(try_cast({width} AS INT), 4000), {filler})", "text")

    return make


def _part(name: str) -> Make:
    return fixed("number", f"CAST({name}({{0}}) AS DOUBLE)", "date")


FUNCTIONS = {
    "AND": Function(1, MANY, _joined(" AND ")),
    "OR": Function(1, MANY, _joined(" OR ")),
    "NOT": Function(1, 1, fixed("boolean", "(NOT {0})", "boolean")),
    "IF": Function(3, 3, _if),
    "CASE": Function(4, MANY, _case),
    "ISBLANK": Function(1, 1, _is_blank),
    "ISNULL": Function(1, 1, _is_null),
    "BLANKVALUE": Function(2, 2, _replace_blank),
    "NULLVALUE": Function(2, 2, _replace_blank),
    "ISPICKVAL": Function(2, 2, _is_picklist_value),
    "INCLUDES": Function(
        2, 2, fixed("boolean", "list_contains(string_split(coalesce({0}, ''), ';'), {1})", "multipicklist", "text")
    ),
    "ISNUMBER": Function(1, 1, fixed("boolean", "(try_cast(trim({0}) AS DOUBLE) IS NOT NULL)", "text")),
    "LEN": Function(1, 1, fixed("number", "CAST(length({0}) AS DOUBLE)", "text")),
    "LEFT": Function(2, 2, fixed("text", "left({0}, greatest(try_cast({1} AS INT), 0))", "text", "number")),
    "RIGHT": Function(2, 2, fixed("text", "right({0}, greatest(try_cast({1} AS INT), 0))", "text", "number")),
    "MID": Function(
        3, 3,
        fixed("text", "substr({0}, greatest(try_cast({1} AS INT), 1), greatest(try_cast({2} AS INT), 0))",
              "text", "number", "number"),
    ),
    "TRIM": Function(1, 1, fixed("text", "trim({0})", "text")),
    "UPPER": Function(1, 1, fixed("text", "upper({0})", "text")),
    "LOWER": Function(1, 1, fixed("text", "lower({0})", "text")),
    "SUBSTITUTE": Function(3, 3, fixed("text", "replace({0}, {1}, {2})", "text", "text", "text")),
    "CONTAINS": Function(2, 2, fixed("boolean", "contains({0}, {1})", "text", "text")),
    "BEGINS": Function(2, 2, fixed("boolean", "starts_with({0}, {1})", "text", "text")),
    "REGEX": Function(2, 2, fixed("boolean", "regexp_full_match({0}, {1})", "text", "text")),
    "FIND": Function(2, 3, _find),
    "LPAD": Function(2, 3, _padded("lpad")),
    "RPAD": Function(2, 3, _padded("rpad")),
    "BR": Function(0, 0, fixed("text", "chr(10)")),
    "TEXT": Function(1, 1, _text),
    "$MERGE": Function(1, 1, _merge),
    "VALUE": Function(1, 1, fixed("number", "try_cast(trim({0}) AS DOUBLE)", "text")),
    "ABS": Function(1, 1, fixed("number", "abs({0})", "number")),
    "ROUND": Function(2, 2, fixed("number", "round({0}, try_cast({1} AS INT))", "number", "number")),
    "FLOOR": Function(1, 1, fixed("number", "floor({0})", "number")),
    "CEILING": Function(1, 1, fixed("number", "ceil({0})", "number")),
    "SQRT": Function(1, 1, fixed("number", "CASE WHEN {0} >= 0 THEN sqrt({0}) END", "number")),
    "MOD": Function(2, 2, _mod),
    "MIN": Function(1, MANY, _of_numbers("least")),
    "MAX": Function(1, MANY, _of_numbers("greatest")),
    "DATE": Function(3, 3, fixed("date", _DATE, "number", "number", "number")),
    "DATEVALUE": Function(1, 1, _date_value),
    "DATETIMEVALUE": Function(1, 1, fixed("datetime", "try_cast({0} AS TIMESTAMP)", "text|date|datetime")),
    "YEAR": Function(1, 1, _part("year")),
    "MONTH": Function(1, 1, _part("month")),
    "DAY": Function(1, 1, _part("day")),
    "WEEKDAY": Function(1, 1, fixed("number", "CAST(dayofweek({0}) + 1 AS DOUBLE)", "date")),
    "ADDMONTHS": Function(2, 2, fixed("date", _ADD_MONTHS, "date", "number")),
}  # fmt: skip
