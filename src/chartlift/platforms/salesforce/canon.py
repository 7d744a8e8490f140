"""What the org answers, turned into canonical text columns (the rules live in `transforms`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import pyarrow as pa
import pyarrow.compute

from chartlift import transforms
from chartlift.model.schema import FieldDescribe
from chartlift.platforms.salesforce.plain import NUMBERS, is_plain

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them


def record_value(record: Mapping[str, Any], path: str) -> str | None:
    """A field of a REST record as text; `Account.Name` walks into the parent, names in any case."""
    value: Any = record.get(path)
    if isinstance(value, str):
        return value
    value = record
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part) if part in value else _any_case(value, part)
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _any_case(value: Mapping[str, Any], part: str) -> Any:
    wanted = part.lower()
    return next((found for key, found in value.items() if key.lower() == wanted), None)


def raw_table(records: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> pa.Table:
    """A text table of REST records as they are, columns named as asked; `Canon.table` makes it canonical."""
    return pa.Table.from_arrays([_column(records, path) for path in fields], names=list(fields))


def _column(records: Sequence[Mapping[str, Any]], path: str) -> pa.Array:
    """One field of all records; most are text under the very name, and then nothing is looked at twice."""
    given = [record.get(path) for record in records]
    if None not in given:
        try:
            return pa.array(given, pa.string())
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass  # numbers, truth values or parents are among them: each is looked at below
    return pa.array([record_value(record, path) for record in records], pa.string())


class Canon:
    """Canonical text for whole Arrow columns, by the SQL macros."""

    def __init__(self) -> None:
        """Nothing is opened before the first table."""
        self._sql: Any = None

    def table(self, found: pa.Table, fields: Sequence[str], kinds: Sequence[str]) -> pa.Table:
        """Columns of `found` (by position) as canonical text under the names asked for; row order stays."""
        if found.num_rows == 0:
            return pa.table([pa.array([], pa.string()) for _ in fields], names=list(fields))
        columns = [_whole(column, kind) for column, kind in zip(found.columns, kinds, strict=True)]
        odd = [i for i, column in enumerate(columns) if not is_plain(column, kinds[i])]
        for place, column in zip(odd, self._by_macros([columns[i] for i in odd], [kinds[i] for i in odd]), strict=True):
            columns[place] = column
        return pa.table(columns, names=list(fields))

    def _by_macros(self, columns: list[pa.ChunkedArray], kinds: list[str]) -> list[pa.ChunkedArray]:
        """Columns as the macros of their kinds give them."""
        if not columns:
            return []
        sql = self._connection()
        calls = [f"{transforms.canonical_macro(kind)}(c{i}) AS c{i}" for i, kind in enumerate(kinds)]
        sql.register("answer", pa.table(columns, names=[f"c{i}" for i in range(len(columns))]))
        try:
            done = sql.execute(f"SELECT {', '.join(calls)} FROM answer").to_arrow_table(len(columns[0]))
        finally:
            sql.unregister("answer")
        return [column.cast(pa.string()) for column in done.columns]

    def _connection(self) -> Any:
        if self._sql is None:
            import duckdb

            # in memory, and nothing may be swapped to a file: the values are patients'
            self._sql = duckdb.connect(":memory:", config={"threads": 1, "temp_directory": ""})
            # canonical.sql alone, which the others build on: all macros would take ten times as long (0.2 s)
            macros = resources.files(transforms).joinpath("canonical.sql")
            self._sql.execute(macros.read_text(encoding="utf-8"))
        return self._sql


def _whole(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Whole numbers without the `.0` bulk queries put behind them, which the macro would spend 10 µs a value on."""
    if kind not in NUMBERS or is_plain(column, kind):
        return column
    return pc.replace_substring_regex(column, r"^(-?[1-9][0-9]*|0)\.0$", r"\1")


def kinds_of(fields: Sequence[str], described: Mapping[str, FieldDescribe]) -> list[str]:
    """The describe type of each field asked for; parents' fields count as text, their ids as ids."""
    return [_kind(field, described) for field in fields]


def _kind(field: str, described: Mapping[str, FieldDescribe]) -> str:
    if "." in field:
        return "id" if field.lower().endswith(".id") else "string"
    found = described.get(field)
    return found.type if found else "string"
