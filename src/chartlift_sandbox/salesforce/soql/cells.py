"""How values look in CSV (Bulk) and in JSON (REST)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from chartlift_sandbox.salesforce.schema import NUMBER_TYPES

_PLAIN_FROM, _PLAIN_TO = "1e-3", "1e7"


def cell_sql(sql: str, kind: str, *, java: bool, zulu: bool = True) -> str:
    """The text of a value in a CSV cell, as SQL; null is the empty text.

    Args:
        sql: The value.
        kind: Its type as describe shows it.
        java: Whether doubles look as Java writes them (`120.0`, `9.12E8`) or as short as can be (`120`).
        zulu: Whether date-times end in Z, else in +0000.
    """
    match kind:
        case "boolean":
            text = f"CAST({sql} AS VARCHAR)"
        case "datetime":
            text = f"strftime({sql}, '%Y-%m-%dT%H:%M:%S.000{'Z' if zulu else '+0000'}')"
        case "date" | "int" | "long":
            text = f"CAST({sql} AS VARCHAR)"
        case "time":
            whole = f"CASE WHEN microsecond({sql}) % 1000000 = 0 THEN '.000' ELSE '' END"
            text = f"left(CAST({sql} AS VARCHAR) || {whole}, 12) || 'Z'"
        case _ if kind in NUMBER_TYPES:
            text = java_sql(sql) if java else f"regexp_replace(CAST({sql} AS VARCHAR), '\\.0$', '')"
        case _:
            text = sql
    return f"coalesce({text}, '')"


def java_sql(sql: str) -> str:
    """A double as Java's Double.toString writes it, as SQL."""
    size = f"abs({sql})"
    text = f"CAST({size} AS VARCHAR)"
    sign = f"CASE WHEN {sql} < 0 THEN '-' ELSE '' END"
    mantissa = f"split_part({text}, 'e', 1)"
    spelt = f"{mantissa} || CASE WHEN contains({mantissa}, '.') THEN '' ELSE '.0' END"
    power = f"CAST(CAST(split_part({text}, 'e', 2) AS INTEGER) AS VARCHAR)"
    whole, rest = f"split_part({text}, '.', 1)", f"split_part({text}, '.', 2)"
    large, small = f"rtrim({whole} || {rest}, '0')", f"ltrim({rest}, '0')"
    return (
        f"CASE WHEN {sql} = 0 OR ({size} >= {_PLAIN_FROM} AND {size} < {_PLAIN_TO}) THEN CAST({sql} AS VARCHAR) "
        f"WHEN contains({text}, 'e') THEN {sign} || {spelt} || 'E' || {power} "
        f"WHEN {size} >= 1 THEN {sign} || {_scientific(large)} || 'E' || (length({whole}) - 1) "
        f"ELSE {sign} || {_scientific(small)} || 'E-' || (length({rest}) - length({small}) + 1) END"
    )


def _scientific(digits: str) -> str:
    return f"left({digits}, 1) || '.' || CASE WHEN length({digits}) > 1 THEN substr({digits}, 2) ELSE '0' END"


def _instant(value: datetime) -> str:
    return f"{value.isoformat(timespec='milliseconds')}+0000"


def _moment(value: time) -> str:
    return f"{value.isoformat(timespec='milliseconds')}Z"


def _day(value: date) -> str:
    return value.isoformat()


_JSON: dict[str, Callable[[Any], Any]] = {"datetime": _instant, "date": _day, "time": _moment}


def json_values(values: list[Any], kind: str) -> list[Any]:
    """Values of one column as JSON holds them: numbers and booleans as such, moments as text."""
    form = _JSON.get(kind)
    return values if form is None else [None if value is None else form(value) for value in values]
