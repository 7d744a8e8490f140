"""Long texts that continue in further rows: `parts_UNIT(_id, part, parts, v, note, bad, sha256)`.

It has a row for each text that needs more than the quick macro: HTML and RTF, and what is longer than the field. All others
are answered by the statement itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from chartlift import transforms
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.stages.columns import MOST_PARTS
from chartlift.stages.sqltext import ident
from chartlift.stages.statement import text_limit

_AT_ONCE = 500  # texts in memory
_COLUMNS = pa.schema(
    [
        ("_id", pa.string()),
        ("part", pa.int32()),
        ("parts", pa.int32()),
        ("v", pa.string()),
        ("note", pa.string()),
        ("bad", pa.bool_()),
        ("sha256", pa.string()),
    ]
)


def fill_parts(tools: Tools, unit: ObjectMap, among: str = "") -> None:
    """Make the table of a unit anew, or with `among` (a query for ids) only what it says of these rows."""
    rule = next((r for r in unit.fields if _kind(r) == "parts"), None)
    if rule is None:
        return
    sql, table = tools.staging.sql, parts_of(unit)
    sql.execute(f"CREATE TABLE IF NOT EXISTS {table} ({table_columns()})")
    chosen = f" AND _id IN ({among})" if among else ""
    sql.execute(f"DELETE FROM {table} WHERE true{chosen}")
    reader = sql.cursor()
    reader.execute(f"USE {ident(sql.execute('SELECT current_catalog()').fetchone()[0])}")  # a cursor starts elsewhere
    reader.execute(_hard_texts(unit, rule, chosen))
    while batch := reader.fetchmany(_AT_ONCE):
        rows = [row for source_id, *given in batch for row in _rows(rule, source_id, given)]
        sql.register("incoming", pa.Table.from_pylist(rows, schema=_COLUMNS))
        sql.execute(f"INSERT INTO {table} SELECT * FROM incoming")
        sql.unregister("incoming")
    reader.close()


def parts_of(unit: ObjectMap) -> str:
    """Name of the table, quoted."""
    return ident("parts_" + unit.name)


def table_columns() -> str:
    """The table's columns as SQL."""
    return "_id VARCHAR, part INTEGER, parts INTEGER, v VARCHAR, note VARCHAR, bad BOOLEAN, sha256 VARCHAR"


def _kind(rule: FieldRule) -> str:
    return "" if rule.lookup or rule.const is not None else transforms.load()[rule.transform].kind


def _hard_texts(unit: ObjectMap, rule: FieldRule, chosen: str) -> str:
    """SQL for id, text and arguments of the rows that the quick macro does not answer, or whose answer is too long."""
    given = [ident(name) for name in (*rule.sources[:1], *rule.arguments)]
    columns = ", ".join(["_id", *given])
    return (
        f"SELECT {columns} FROM (SELECT {columns}, tq_{rule.transform}({', '.join(given)}) AS quick"
        f" FROM {ident('src_' + unit.source)} WHERE {given[0]} IS NOT NULL{chosen})"
        f" WHERE quick IS NULL OR NOT fits(quick.v, {text_limit(rule.type)})"
    )


def _rows(rule: FieldRule, source_id: str, given: list[Any]) -> Iterator[dict[str, Any]]:
    outcome = transforms.load()[rule.transform].reference(*given)
    texts = [outcome.v] if outcome.v is None else transforms.cut(outcome.v, text_limit(rule.type) or 0)
    if texts is None or len(texts) > MOST_PARTS:
        texts, outcome = [None], transforms.Outcome(None, "R-LONG", bad=True)
    whole = None if outcome.v is None else hashlib.sha256(outcome.v.encode()).hexdigest()
    for number, text in enumerate(texts, 1):
        yield {
            "_id": source_id,
            "part": number,
            "parts": len(texts),
            "v": text,
            "note": outcome.note,
            "bad": outcome.bad,
            "sha256": whole,
        }
