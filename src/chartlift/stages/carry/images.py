"""What "ours" means: the newest post-image of each key, and the changes it calls for."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute

from chartlift.model.plan import ObjectMap
from chartlift.stages.carry.context import HASH, KEY, Carry, field_names, self_fields
from chartlift.stages.carry.cut import BULK_FROM, Batch, actual_hash, split_wires
from chartlift.stages.merge import kept, write
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import view

pc = pyarrow.compute
NULL_CELL_SQL = "chr(0) || 'null'"


def read_ours(work: Carry, unit: ObjectMap, among: str = "") -> None:
    """`ours`: key, touched (others wrote to it), SystemModstamp and the fields as the org stored them, of what has landed.

    The images come batch by batch, never all at once; `among` is a query for the keys that are wanted, all of them if empty.
    """
    texts = ["SystemModstamp", *field_names(unit)]
    listed = ", ".join(f"{ident(name)} VARCHAR" for name in texts)
    work.sql.execute(f"CREATE OR REPLACE TEMP TABLE ours (batch BIGINT, key VARCHAR, touched BOOLEAN, {listed})")
    chosen = f" AND key IN ({among})" if among else ""
    for batch in work.tools.journal.batches(unit=unit.name, statuses=("verified",)):
        image = work.tools.journal.blob(batch.id, "post")
        if image is None or not image.num_rows:
            continue
        shared = ", ".join(ident(name) for name in ("key", *texts) if name in image.column_names)
        touched = "coalesce(touched, false)" if "touched" in image.column_names else "false"
        work.sql.register("image", image)
        work.sql.execute(
            f"INSERT INTO ours BY NAME SELECT {batch.id} AS batch, {touched} AS touched, {shared} FROM image"
            f" WHERE key IN (SELECT key FROM landed WHERE hash IS NOT NULL){chosen}"
        )
        work.sql.unregister("image")
    if work.value("SELECT count(*) > count(DISTINCT key) FROM ours"):
        work.sql.execute(
            "DELETE FROM ours USING (SELECT key, max(batch) AS newest FROM ours GROUP BY key) AS n"
            " WHERE n.key = ours.key AND ours.batch < n.newest"
        )


def read_made(work: Carry, unit: ObjectMap) -> None:
    """`made`: keys of the rows of this object that we inserted and did not delete since."""
    work.keep("made", pa.table({"key": work.tools.journal.made_by_us(unit.object)}))


def compute_changes(work: Carry, unit: ObjectMap, me: str) -> None:
    """`changes`: per row to update the cells that differ and that nobody else changed since, and the fields that are kept.

    Reads `org_wide` (now) and `ours`.
    """
    known = "(r.key IS NOT NULL)"
    cells, tests, keeps = [], [], []
    for name in field_names(unit):
        column = ident(name)
        skip = f"list_contains(list_transform(s.withheld, lambda code: split_part(code, ':', 1)), {literal(name)})"
        if name in self_fields(unit):
            skip = f"(v.{column} IS NULL AND s.{ident('key:' + name)} IS NOT NULL)"
        send = f"(NOT {skip} AND {write(f'v.{column}', f'r.{column}', f'o.{column}', known)})"
        stays = f"NOT {skip} AND {kept(f'v.{column}', f'r.{column}', f'o.{column}', known)}"
        cells.append(f"CASE WHEN {send} THEN coalesce(v.{column}, {NULL_CELL_SQL}) END AS {column}")
        tests.append(send)
        keeps.append(f"CASE WHEN {stays} THEN {literal(name)} END")
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE changes AS
        SELECT s.seq, s.key, s.id AS "Id", {actual_hash(unit, "s.base")} AS hash, ({" OR ".join(tests)}) AS differs,
               o."{KEY}" IS NULL AS unlinked, s.key IN (SELECT key FROM made) AS mine,
               {known} AND o."SystemModstamp" <> r."SystemModstamp" AND o."LastModifiedById" <> {literal(me)} AS touched,
               list_filter([{", ".join(keeps)}]::VARCHAR[], lambda name: name IS NOT NULL) AS kept, {", ".join(cells)}
        FROM spine AS s JOIN {view(unit)} AS v ON v.key = s.key
        JOIN org_wide AS o ON o."Id" = s.id LEFT JOIN ours AS r ON r.key = s.key
        WHERE s.fate = 'update' ORDER BY s.seq
    """)


def updates(work: Carry, unit: ObjectMap) -> Iterator[Batch]:
    """Batches of `changes`: a key of ours is added to rows that are linked now, a new hash to rows that we made."""
    fields = ", ".join(ident(name) for name in field_names(unit))
    table = work.table(f"""
        SELECT key, "Id", CASE WHEN unlinked THEN key END AS "{KEY}", CASE WHEN mine THEN hash END AS "{HASH}", hash, {fields}
        FROM changes WHERE differs OR unlinked ORDER BY seq
    """)
    pre = work.table("""
        SELECT c.key, o.* FROM changes AS c JOIN org_wide AS o ON o."Id" = c."Id" WHERE c.differs OR c.unlinked ORDER BY c.seq
    """)
    rows = work.plan.policies.batch_rows
    for start in range(0, table.num_rows, rows):
        part = table.slice(start, rows)
        for batch in split_wires("update", 0, part, bulk=part.num_rows >= BULK_FROM, pre=pre):
            chosen = part.filter(pc.is_in(part.column("key"), value_set=batch.keys.column("key").combine_chunks()))
            keys = chosen.select(["key", "hash", "Id"]).rename_columns(["key", "hash", "id"])
            yield Batch("update", batch.wire, 0, batch.rows, keys, batch.pre)


def sames(work: Carry) -> pa.Table:
    """Rows that are already as the source wants them: key, hash, id; journalled without anything being sent."""
    return work.table('SELECT key, hash, "Id" AS id FROM changes WHERE NOT differs AND NOT unlinked ORDER BY seq')


def post_of(unit: ObjectMap) -> str:
    """SQL: the post-image of rows `d` of an update, read back as `o`.

    A field that we did not send and that is neither as we left it (`r`) nor as the source wants it belongs to somebody else:
    our own old value stays "ours", so that a rollback still sees the edit.
    """
    fields = ", ".join(
        f"CASE WHEN r.key IS NULL OR c.{ident(n)} IS NOT NULL OR o.{ident(n)} IS NOT DISTINCT FROM r.{ident(n)}"
        f" OR o.{ident(n)} IS NOT DISTINCT FROM v.{ident(n)} THEN o.{ident(n)} ELSE r.{ident(n)} END AS {ident(n)}"
        for n in field_names(unit)
    )
    return f"""
        SELECT d.key, d.created, coalesce(r.touched, false) OR coalesce(c.touched, false) AS touched,
               o."Id", o."{KEY}", o."SystemModstamp", {fields}
        FROM done AS d JOIN org_post AS o ON o."Id" = d.id
        LEFT JOIN ours AS r ON r.key = d.key LEFT JOIN changes AS c ON c.key = d.key LEFT JOIN {view(unit)} AS v ON v.key = d.key
        WHERE d.outcome = 'ok' ORDER BY d.key
    """


def no_changes(work: Carry, unit: ObjectMap) -> None:
    """An empty `changes`, so that a verification after a stop finds the table."""
    fields = ", ".join(f"{ident(name)} VARCHAR" for name in field_names(unit))
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE changes (seq BIGINT, key VARCHAR, "Id" VARCHAR, hash VARCHAR, differs BOOLEAN,
          unlinked BOOLEAN, mine BOOLEAN, touched BOOLEAN, kept VARCHAR[], {fields})
    """)
