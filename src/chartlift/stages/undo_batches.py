"""The batches of a rollback, and what they leave in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues
from chartlift.stages.carry.context import KEY, Carry, field_names, key_prefix
from chartlift.stages.carry.cut import BULK_FROM, Batch, split_wires
from chartlift.stages.carry.images import NULL_CELL_SQL
from chartlift.stages.carry.preread import SMALL
from chartlift.stages.merge import write
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.undo import KNOWN, ours


def open_work(work: Carry) -> None:
    """The tables that `send` keeps: what becomes of each row that leaves."""
    work.sql.execute("""
        CREATE OR REPLACE TEMP TABLE spine AS
        SELECT row_number() OVER (ORDER BY key) AS seq, key, id, action AS fate, NULL::VARCHAR AS reason FROM undo
    """)
    work.sql.execute(
        "CREATE OR REPLACE TEMP TABLE landed (key VARCHAR, id VARCHAR, hash VARCHAR, fate VARCHAR, reason VARCHAR)"
    )


def deletes(work: Carry, unit: ObjectMap) -> Iterator[Batch]:
    """Rows we made and nobody touched."""
    table = work.table(
        "SELECT key, NULL::VARCHAR AS hash, id AS \"Id\" FROM undo WHERE unit = ? AND action = 'delete' ORDER BY id",
        [unit.name],
    )
    yield from _parts(work, "delete", table, None)


def restores(work: Carry, unit: ObjectMap) -> Iterator[Batch]:
    """Rows we changed: their pre-image, field by field, where the field still is as we left it."""
    cells = ", ".join(
        f"CASE WHEN {write(f'p.{ident(f)}', ours(f), f'n.{ident(f)}', KNOWN)}"
        f" THEN coalesce(p.{ident(f)}, {NULL_CELL_SQL}) END AS {ident(f)}"
        for f in [KEY, *field_names(unit)]
    )
    source = (
        f"FROM undo AS t JOIN {ident('pres_' + unit.name)} AS p ON p.key = t.key"
        f" JOIN {ident('now_' + unit.name)} AS n ON n.id = t.id LEFT JOIN {ident('ours_' + unit.name)} AS r ON r.key = t.key"
        f" WHERE t.unit = {literal(unit.name)} AND t.action = 'restore' ORDER BY t.key"
    )
    table = work.table(f'SELECT t.key, NULL::VARCHAR AS hash, t.id AS "Id", {cells} {source}')
    pre = work.table(f'SELECT t.key, n.id AS "Id", n.* EXCLUDE (id, deleted, master, stamp, modifier) {source}')
    yield from _parts(work, "restore", table, pre)


def _parts(work: Carry, operation: str, table: pa.Table, pre: pa.Table | None) -> Iterator[Batch]:
    size = work.plan.policies.batch_rows
    for start_row in range(0, table.num_rows, size):
        part = table.slice(start_row, size)
        yield from split_wires(operation, 0, part, bulk=part.num_rows >= BULK_FROM, pre=pre)


def note_done(work: Carry, unit: ObjectMap) -> None:
    """Outcomes into `undo`; rows that needed nothing get their line in the journal, so that nothing counts as landed any more."""
    work.sql.execute("""
        UPDATE undo SET action = 'failed', reason = s.reason FROM spine AS s
        WHERE s.key = undo.key AND s.fate = 'failed' AND undo.action IN ('delete', 'restore')
    """)
    for action, operation in (("gone", "delete"), ("same", "restore")):
        table = work.table(
            "SELECT key, NULL::VARCHAR AS hash, id FROM undo WHERE unit = ? AND action = ?", [unit.name, action]
        )
        if table.num_rows:
            journal_only(work, unit, operation, table)


def journal_only(work: Carry, unit: ObjectMap, operation: str, keys: pa.Table) -> None:
    """A batch that never leaves: the org already is as wanted."""
    journal, rows = work.tools.journal, keys.num_rows
    entry = journal.cut(
        work.run, unit=unit.name, object_name=unit.object, operation=operation, wire="none", level=0, keys=keys
    )
    nulls = pa.nulls(rows, pa.string())
    columns: dict[str, Any] = {
        "key": keys.column("key"),
        "id": keys.column("id"),
        "outcome": pa.array(["ok"] * rows, pa.string()),
        "created": pa.array([False] * rows, pa.bool_()),
        "code": nulls,
        "fields": nulls,
    }
    journal.settle(entry.id, pa.table(columns))


def verify(work: Carry) -> int:
    """Read back: rows that should be gone and are not."""
    left = 0
    for unit in work.plan.maps:
        chosen = f"unit = {literal(unit.name)} AND action = 'delete'"
        ids = work.table(f"SELECT id FROM undo WHERE {chosen}")
        if not ids.num_rows:
            continue
        many = ids.num_rows > SMALL
        if many:  # what still has our key, and by Id what a person took the key from
            work.read("still", unit.object, ["Id"], ByPrefix(KEY, key_prefix(work.plan, unit)))
            bare = f"SELECT id FROM {ident('now_' + unit.name)} WHERE {ident(KEY)} IS NULL"
            ids = work.table(f"SELECT id FROM undo WHERE {chosen} AND id IN ({bare})")
        work.read("still", unit.object, ["Id"], ByValues("Id", tuple(ids.column(0).to_pylist())), more=many)
        left += work.value(f"""
            UPDATE undo SET action = 'failed', reason = 'still there' WHERE {chosen} AND id IN (SELECT "Id" FROM still)
        """)
    return left
