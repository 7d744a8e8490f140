"""Deterministic batches: which rows, in which order, with which cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.model.plan import ObjectMap
from chartlift.stages.carry.context import HASH, KEY, RUN, Carry, field_names, self_fields
from chartlift.stages.merge import kept, write
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import view

NULL_CELL_SQL = "chr(0) || 'null'"
BULK_FROM = 400  # rows from which a bulk job costs fewer requests than collections of 200
COLLECTION = 200


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
        f" FROM {view(unit)} AS v JOIN spine AS s ON s.key = v.key"
        " WHERE /*rows*/ ORDER BY s.seq"
    )


def _in_batches(carry: Carry, operation: str, level: int, chosen: str, query: str) -> Iterator[Batch]:
    policies = carry.plan.policies
    carry.sql.execute(f"""
        CREATE OR REPLACE TABLE cuts AS
        SELECT min(seq) AS first, max(seq) AS last, count(*) AS rows FROM (
          SELECT seq, (row_number() OVER (ORDER BY seq) - 1) // {policies.batch_rows} AS by_rows,
                 sum(bytes) OVER (ORDER BY seq) // {policies.batch_bytes} AS by_bytes
          FROM spine WHERE {chosen}
        ) GROUP BY by_rows, by_bytes ORDER BY first
    """)
    for first, last, count in carry.sql.execute("SELECT first, last, rows FROM cuts ORDER BY first").fetchall():
        rows = f"s.{chosen.replace(' AND ', ' AND s.')} AND s.seq BETWEEN {first} AND {last}"
        table = carry.table(query.replace("/*rows*/", rows))
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
    plain = table.filter(pa.array([not flag for flag in odd])) if any(odd) else table
    if plain.num_rows:
        yield _batch(operation, "bulk", level, plain, pre)
    if any(odd):
        rest = table.filter(pa.array(odd))
        for start in range(0, rest.num_rows, COLLECTION):
            yield _batch(operation, "rows", level, rest.slice(start, COLLECTION), pre)


def _odd_rows(table: pa.Table) -> list[bool]:
    """Rows with a cell that is literally `#N/A`."""
    flags = None
    for column in table.columns:
        hit = pc.fill_null(pc.equal(column, "#N/A"), False)
        if pc.any(hit).as_py():
            flags = hit if flags is None else pc.or_(flags, hit)
    return [False] * table.num_rows if flags is None else flags.to_pylist()


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


def updates(carry: Carry, unit: ObjectMap) -> Iterator[Batch]:
    """Changed rows: only cells that differ, only where nobody else wrote since; `changes` and `kept_fields` stay for the report.

    Reads `org_wide` (now) and `ours` (post-images).
    """
    names = field_names(unit)
    known = "(r.key IS NOT NULL)"
    cells, tests, keeps = [], [], []
    for name in names:
        column = ident(name)
        skip = f"list_contains(list_transform(s.withheld, x -> split_part(x, ':', 1)), {literal(name)})"
        if name in self_fields(unit):
            skip = f"(v.{column} IS NULL AND s.{ident('key:' + name)} IS NOT NULL)"
        send = f"(NOT {skip} AND {write(f'v.{column}', f'r.{column}', f'o.{column}', known)})"
        cells.append(f"CASE WHEN {send} THEN coalesce(v.{column}, {NULL_CELL_SQL}) END AS {column}")
        tests.append(send)
        keeps.append(
            f"CASE WHEN NOT {skip} AND {kept(f'v.{column}', f'r.{column}', f'o.{column}', known)} THEN {literal(name)} END"
        )
    carry.sql.execute(f"""
        CREATE OR REPLACE TABLE changes AS
        SELECT s.seq, s.key, s.id AS "Id", {actual_hash(unit, "s.base")} AS hash, ({" OR ".join(tests)}) AS differs,
               o."{KEY}" IS NULL AS unlinked, coalesce(r.created, false) AS mine,
               list_filter([{", ".join(keeps)}], x -> x IS NOT NULL) AS kept, {", ".join(cells)}
        FROM spine AS s JOIN {view(unit)} AS v ON v.key = s.key
        JOIN org_wide AS o ON o."Id" = s.id LEFT JOIN ours AS r ON r.key = s.key
        WHERE s.fate = 'update' ORDER BY s.seq
    """)
    fields = ", ".join(ident(name) for name in names)
    table = carry.table(f"""
        SELECT key, "Id", CASE WHEN unlinked THEN key END AS "{KEY}", CASE WHEN mine THEN hash END AS "{HASH}", hash, {fields}
        FROM changes WHERE differs OR unlinked ORDER BY seq
    """)
    pre = carry.table("""
        SELECT c.key, o.* FROM changes AS c JOIN org_wide AS o ON o."Id" = c."Id" WHERE c.differs OR c.unlinked ORDER BY c.seq
    """)
    rows = carry.plan.policies.batch_rows
    for start in range(0, table.num_rows, rows):
        part = table.slice(start, rows)
        for batch in split_wires("update", 0, part, bulk=part.num_rows >= BULK_FROM, pre=pre):
            keys = part.filter(pc.is_in(part.column("key"), value_set=batch.keys.column("key").combine_chunks()))
            yield Batch(
                "update",
                batch.wire,
                0,
                batch.rows,
                keys.select(["key", "hash", "Id"]).rename_columns(["key", "hash", "id"]),
                batch.pre,
            )


def sames(carry: Carry) -> pa.Table:
    """Rows that are already as the source wants them: key, hash, id; journalled without anything being sent."""
    return carry.table('SELECT key, hash, "Id" AS id FROM changes WHERE NOT differs AND NOT unlinked ORDER BY seq')
