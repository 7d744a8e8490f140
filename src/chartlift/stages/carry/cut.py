"""Deterministic batches: which rows, in which order, with which cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.errors import StopError
from chartlift.model.plan import ObjectMap
from chartlift.stages.carry.context import HASH, KEY, RUN, Carry, field_names, self_fields
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import view

BULK_FROM = 400  # rows from which a bulk job costs fewer requests than collections of 200
COLLECTION = 200
EXTRACT = "Run: chartlift extract, then the same command again."


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that leave together. `rows` has the cells to send; `keys` has key, hash and (not for inserts) id."""

    operation: str
    wire: str
    level: int
    rows: pa.Table
    keys: pa.Table
    pre: pa.Table | None = None


def inserts(carry: Carry, unit: ObjectMap, level: int) -> Iterator[Batch]:
    """New rows of one level, in the order of `seq`."""
    yield from _in_batches(carry, "insert", level, f"fate = 'insert' AND level = {level}", _insert_query(carry, unit))


def undeletes(carry: Carry) -> Iterator[Batch]:
    """Rows that our own rollback put into the recycle bin: they come back under their old Id."""
    query = 'SELECT s.key, s.id AS "Id", NULL::VARCHAR AS hash FROM spine AS s WHERE /*rows*/ ORDER BY s.seq'
    yield from _in_batches(carry, "undelete", 0, "fate = 'undelete'", query)


def actual_hash(unit: ObjectMap, base: str) -> str:
    """SQL: the hash of what really can be sent now: an own parent that has not landed counts as withheld."""
    own = self_fields(unit)
    if not own:
        return base
    parts = ", ".join(
        f"CASE WHEN v.{ident(name)} IS NOT NULL THEN coalesce(s.{ident('key:' + name)}, chr(2)) ELSE chr(2) END"
        for name in own
    )
    return f"md5(concat_ws(chr(31), {base}, {parts}))"


def _insert_query(carry: Carry, unit: ObjectMap) -> str:
    cells = ", ".join(f"v.{ident(name)}" for name in field_names(unit))
    return (
        f"SELECT s.key, s.key AS {ident(KEY)}, {literal(carry.run)} AS {ident(RUN)},"
        f" {actual_hash(unit, 's.base')} AS {ident(HASH)}, {cells}"
        f" FROM {view(unit)} AS v JOIN spine AS s ON s.place = v.seq AND s.key = v.key"  # `seq` skips what is far away
        " WHERE /*rows*/"  # both lie in the order of `seq`; sorting wide rows again would cost more than sending them
    )


def _in_batches(carry: Carry, operation: str, level: int, chosen: str, query: str) -> Iterator[Batch]:
    policies = carry.plan.policies
    carry.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE cuts AS
        SELECT min(seq) AS first, max(seq) AS last, count(*) AS rows FROM (
          SELECT seq, (row_number() OVER (ORDER BY seq) - 1) // {policies.batch_rows} AS by_rows,
                 sum(bytes) OVER (ORDER BY seq) // {policies.batch_bytes} AS by_bytes
          FROM spine WHERE {chosen}
        ) GROUP BY by_rows, by_bytes ORDER BY first
    """)
    for first, last, count in carry.sql.execute("SELECT first, last, rows FROM cuts ORDER BY first").fetchall():
        rows = f"s.{chosen.replace(' AND ', ' AND s.')} AND s.seq BETWEEN {first} AND {last}"
        table = carry.table(query.replace("/*rows*/", rows))
        if table.num_rows != count:
            raise StopError(f"{count} rows were judged and {table.num_rows} are there to be sent", hint=EXTRACT)
        yield from split_wires(operation, level, table, bulk=count >= BULK_FROM and operation != "undelete")


def split_wires(
    operation: str, level: int, table: pa.Table, *, bulk: bool, pre: pa.Table | None = None
) -> Iterator[Batch]:
    """Bulk for the many, collections for the few and for cells that Bulk CSV would read as "clear this"."""
    if not bulk:
        for start in range(0, table.num_rows, COLLECTION):
            yield _batch(operation, "rows", level, table.slice(start, COLLECTION), pre)
        return
    odd = _odd_rows(table)
    plain = table if odd is None else table.filter(pc.invert(odd))
    if plain.num_rows:
        yield _batch(operation, "bulk", level, plain, pre)
    if odd is not None:
        rest = table.filter(odd)
        for start in range(0, rest.num_rows, COLLECTION):
            yield _batch(operation, "rows", level, rest.slice(start, COLLECTION), pre)


def _odd_rows(table: pa.Table) -> pa.ChunkedArray | None:
    """Rows with a cell that is literally `#N/A`; None if there are none."""
    flags = None
    for column in table.columns:
        hit = pc.fill_null(pc.equal(column, "#N/A"), False)
        if pc.any(hit).as_py():
            flags = hit if flags is None else pc.or_(flags, hit)
    return flags


def _batch(operation: str, wire: str, level: int, table: pa.Table, pre: pa.Table | None) -> Batch:
    key = table.column("key")
    hashes = table.column(HASH) if HASH in table.column_names else table.column("hash")
    columns = {"key": key, "hash": hashes}
    if "Id" in table.column_names:
        columns["id"] = table.column("Id")
    keys = pa.table(columns)
    rows = table.drop_columns([name for name in ("key", "hash") if name in table.column_names])
    mine = None if pre is None else pre.filter(pc.is_in(pre.column("key"), value_set=key.combine_chunks()))
    return Batch(operation, wire, level, rows, keys, mine)
