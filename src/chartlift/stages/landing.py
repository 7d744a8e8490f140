"""From landed pages to the `src_*` tables: which version of a row counts, what is new, what changed, what is gone.

Pages are put down as they came (`pages`), so that a reading can be continued after any page. `settle` turns them into
`src_<entity>`, `src_deleted`, `src_merged` and the nests, all in SQL and in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chartlift.model.reports import EntityCount
from chartlift.model.source import EntityShape
from chartlift.stages import nests, pages
from chartlift.stages.memory import give_back
from chartlift.stages.sqltext import ident, literal

_MANY = 10_000  # changed rows that are not updated in their places any more
_AT_ONCE = 16 << 20  # bytes of rows that are sorted as a whole
LONGEST_CHAIN = 10  # merges of merges that are followed

_STATE = """
CREATE TABLE IF NOT EXISTS extraction (
  number INTEGER, kind VARCHAR, since TIMESTAMP, started TIMESTAMP, watermark TIMESTAMP, finished TIMESTAMP);
CREATE TABLE IF NOT EXISTS extraction_listing (
  number INTEGER, listing VARCHAR, cursor VARCHAR, done BOOLEAN, total BIGINT, pages BIGINT, passes INTEGER,
  short BIGINT);
CREATE TABLE IF NOT EXISTS extraction_problem (number INTEGER, code VARCHAR, place VARCHAR, count BIGINT);
CREATE TABLE IF NOT EXISTS src_deleted (entity VARCHAR, id VARCHAR, survivor VARCHAR, extraction INTEGER);
CREATE TABLE IF NOT EXISTS src_absent (entity VARCHAR, id VARCHAR);
CREATE TABLE IF NOT EXISTS src_merged (entity VARCHAR, id VARCHAR, survivor VARCHAR, problem VARCHAR);
"""


def prepare(sql: Any, shapes: Sequence[EntityShape]) -> None:
    """Make the tables that are not there yet."""
    sql.execute(_STATE + pages.STATE)
    for shape in shapes:
        if shape.nests:
            nests.prepare(sql, shape)
            continue
        pages.prepare(sql, shape)
        columns = ", ".join(f"{ident(c)} VARCHAR" for c in shape.columns)
        sql.execute(
            f"CREATE TABLE IF NOT EXISTS {ident('src_' + shape.name)} ({columns}, _id VARCHAR, _patient VARCHAR, "
            "_seq BIGINT, _raw VARCHAR, _extraction INTEGER, _conflict BOOLEAN)"
        )


def settle(
    sql: Any, shapes: Sequence[EntityShape], number: int, *, kind: str, complete: set[str], doubted: set[str]
) -> list[EntityCount]:
    """Make `src_*` from what has landed, inside the caller's transaction.

    `kind` full replaces, delta adds and changes; rows that are gone from a listing in `complete` count as deleted, those
    gone from one in `doubted` are only noted, in `src_absent`.
    """
    read = [shape for shape in shapes if not shape.nests]
    sql.execute("CREATE OR REPLACE TEMP TABLE land_back (entity VARCHAR, id VARCHAR); DELETE FROM src_absent")
    counts = {}
    for shape in sorted(
        read, key=lambda one: bool(one.part_of or one.falls_with)
    ):  # parts after what they are parts of
        whole = (shape.refs[shape.part_of] if shape.part_of else shape.name) in complete
        counts[shape.name] = _entity(sql, shape, read, number, kind=kind, whole=whole)
        if shape.falls_with:
            _fallen(sql, shape)
        if shape.name in doubted:
            _absent(sql, shape)
    _deleted(sql, read, number)
    remerged = _merged(sql, read, number)
    nests.build(sql, shapes, number, remerged)
    found = [_count(sql, shape, *counts[shape.name]) for shape in read]
    for owner in {shape.refs[shape.part_of] for shape in read if shape.part_of}:
        sql.execute(f"DROP TABLE {ident('land_owner_' + owner)}")
    pages.clear(sql, read)
    sql.execute("DROP TABLE land_pick; DROP TABLE land_act; DROP TABLE land_back")
    return found


def _entity(
    sql: Any, shape: EntityShape, read: Sequence[EntityShape], number: int, *, kind: str, whole: bool
) -> tuple[int, int]:
    """One entity's rows into `src_*`: (new rows, changed rows). `whole`: what did not come is gone."""
    owner = shape.refs[shape.part_of] if shape.part_of else ""
    pages.spread(sql, shape)
    give_back()
    if owner:
        _current(sql, shape, owner)
    _pick(sql, shape)
    counts = _apply(sql, shape, number)
    sql.execute(
        "INSERT INTO land_back SELECT d.entity, d.id FROM src_deleted d SEMI JOIN land_pick p ON p._id = d.id "
        "WHERE d.entity = $1",
        [shape.name],
    )
    if owner:
        _parts_gone(sql, shape, owner, whole=whole and kind == "full")
    elif whole:
        _vanished(sql, shape)
    if any(one.part_of and one.refs[one.part_of] == shape.name for one in read):
        _owners(sql, shape)
    if kind == "full":
        _sort(sql, shape)
    sql.execute(f"DROP TABLE {ident('land_' + shape.name)}")
    return counts


def content(shape: EntityShape, alias: str) -> str:
    """SQL for a hash of what makes two versions of a row different: NULL and '' do, volatile columns do not."""
    cells = (f"coalesce('v' || {alias}.{ident(c)}, 'n')" for c in shape.columns if c not in shape.volatile)
    return f"md5(concat_ws(chr(31), {', '.join(cells)}))"


def moment(shape: EntityShape, alias: str) -> str:
    """SQL for the stamp as a comparable number; NULL if there is none or it cannot be read."""
    return f"epoch_us(TRY_CAST({alias}.{ident(shape.stamp)} AS TIMESTAMPTZ))" if shape.stamp else "NULL::BIGINT"


def order(alias: str) -> str:
    """SQL for the loading order: by patient, then by id, as numbers where they are numbers."""
    keys = ("_patient", "_id")
    return ", ".join(f"TRY_CAST({alias}.{key} AS HUGEINT) NULLS LAST, {alias}.{key}" for key in keys)


def _pick(sql: Any, shape: EntityShape) -> None:
    """`land_pick`: the one version of each id that counts; conflict = none can be told to be the newer one."""
    land = ident("land_" + shape.name)
    usable = f"regexp_full_match(l.{ident(shape.id)}, {literal(shape.id_form)})" if shape.id_form else "true"
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE land_pick AS
        WITH seen AS (
          SELECT l.rowid AS rid, coalesce(nullif(l.{ident(shape.id)}, ''), '?' || md5(l._raw)) AS _id,
                 coalesce({usable}, false) AS usable, {moment(shape, "l")} AS stamped, {content(shape, "l")} AS content,
                 hash(l._raw) AS raw, l._arrival AS arrival
          FROM {land} l),
        ranked AS (
          SELECT *, row_number() OVER newest AS rank,
                 min(content) OVER same <> max(content) OVER same AS torn
          FROM seen WINDOW same AS (PARTITION BY _id, stamped),
            newest AS (PARTITION BY _id ORDER BY stamped DESC NULLS LAST, content, arrival DESC, rid))
        SELECT rid, _id, stamped, content, raw, torn OR NOT usable AS conflict FROM ranked WHERE rank = 1""")


def _apply(sql: Any, shape: EntityShape, number: int) -> tuple[int, int]:
    """Bring the picked versions into `src_*`: (new rows, changed rows).

    Of rows without a change worth telling only those are written that came with another wording than before.
    """
    src = ident("src_" + shape.name)
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE land_act AS
        SELECT p.*, CASE WHEN s._id IS NULL THEN 'new' WHEN p.stamped < {moment(shape, "s")} THEN 'older'
                         WHEN p.content = {content(shape, "s")} AND p.conflict = s._conflict
                         THEN CASE WHEN p.raw = hash(s._raw) THEN 'same' ELSE 'worded' END
                         ELSE 'changed' END AS act, s._seq AS seq, s._extraction AS extraction
        FROM land_pick p LEFT JOIN {src} s ON s._id = p._id""")
    acts = dict(sql.execute("SELECT act, count(*) FROM land_act GROUP BY act").fetchall())
    touched = acts.get("changed", 0) + acts.get("worded", 0)
    if 0 < touched <= _MANY:
        _update(sql, shape, number)
    _write(sql, shape, number, replacing=touched > _MANY)
    return acts.get("new", 0), acts.get("changed", 0)


def _update(sql: Any, shape: EntityShape, number: int) -> None:
    """Changed rows in their places."""
    land, src = ident("land_" + shape.name), ident("src_" + shape.name)
    cells = ", ".join(f"{ident(c)} = l.{ident(c)}" for c in (*shape.columns, "_raw"))
    extraction = f"CASE WHEN a.act = 'changed' THEN {number} ELSE {src}._extraction END"
    sql.execute(f"""
        UPDATE {src} SET {cells}, _patient = {_patient(shape)}, _conflict = a.conflict, _extraction = {extraction}
        FROM land_act a JOIN {land} l ON l.rowid = a.rid
        WHERE {src}._id = a._id AND a.act IN ('changed', 'worded')""")


def _write(sql: Any, shape: EntityShape, number: int, *, replacing: bool) -> None:
    """New rows behind the others, among themselves in loading order; with `replacing` changed ones out and in again.

    So many updates in their places would fill the memory, which they cannot leave.
    """
    land, src = ident("land_" + shape.name), ident("src_" + shape.name)
    acts = "'new', 'changed', 'worded'" if replacing else "'new'"
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE land_queue AS
        SELECT rid, _id, conflict, CASE WHEN act = 'worded' THEN extraction ELSE {number} END AS extraction,
               coalesce(seq, (SELECT coalesce(max(_seq), 0) FROM {src})
                             + row_number() OVER (PARTITION BY act = 'new' ORDER BY {order("fresh")})) AS seq
        FROM (SELECT a.*, {_patient(shape)} AS _patient FROM land_act a JOIN {land} l ON l.rowid = a.rid
              WHERE a.act IN ({acts})) fresh""")
    if replacing:
        sql.execute(f"DELETE FROM {src} USING land_act a WHERE {src}._id = a._id AND a.act IN ('changed', 'worded')")
    cells = ", ".join(f"l.{ident(c)}" for c in shape.columns)
    for first, last in _ranges(sql, "land_queue", land):
        sql.execute(f"""
            INSERT INTO {src} BY NAME
            SELECT {cells}, q._id, {_patient(shape)} AS _patient, l._raw, q.extraction AS _extraction,
                   q.conflict AS _conflict, q.seq AS _seq
            FROM {land} l JOIN (FROM land_queue WHERE seq BETWEEN {first} AND {last}) q ON q.rid = l.rowid
            ORDER BY q.seq""")
    sql.execute("DROP TABLE land_queue")


def _ranges(sql: Any, queue: str, rows: str) -> list[tuple[int, int]]:
    """Ranges of `seq` with rows that can be sorted as a whole in little memory."""
    width = sql.execute(f"SELECT coalesce(avg(strlen(_raw)), 0) FROM {rows}").fetchone()[0]
    many = max(100, int(_AT_ONCE / (2 * width + 500)))
    found: list[tuple[int, int]] = sql.execute(
        f"SELECT min(seq), max(seq) FROM (SELECT seq, (row_number() OVER (ORDER BY seq) - 1) // {many} AS part "
        f"FROM {queue}) GROUP BY part ORDER BY part"
    ).fetchall()
    return found


def _patient(shape: EntityShape) -> str:
    return f"nullif(l.{ident(shape.patient)}, '')" if shape.patient else "NULL::VARCHAR"


def _vanished(sql: Any, shape: EntityShape) -> None:
    """Rows that a whole reading no longer brings are deleted, as far as they were not known to be."""
    _gone(sql, shape, "ANTI JOIN land_pick p ON p._id = s._id")


def _fallen(sql: Any, shape: EntityShape) -> None:
    """Rows whose owner is gone are deleted, too."""
    owner = literal(shape.refs[shape.falls_with])
    gone = f"SELECT id FROM land_deleted WHERE entity = {owner}"
    _gone(sql, shape, f"SEMI JOIN ({gone}) o ON o.id = s.{ident(shape.falls_with)}")


def _absent(sql: Any, shape: EntityShape) -> None:
    """Note the rows that did not come and are not known to be deleted."""
    name = literal(shape.name)
    sql.execute(f"""
        INSERT INTO src_absent
        SELECT {name}, s._id FROM {ident("src_" + shape.name)} s ANTI JOIN land_pick p ON p._id = s._id
        ANTI JOIN (SELECT id FROM src_deleted WHERE entity = {name}
                   UNION ALL SELECT id FROM land_deleted WHERE entity = {name}) d ON d.id = s._id""")


def _gone(sql: Any, shape: EntityShape, joins: str) -> None:
    """The rows that `joins` leaves over are deleted, as far as they were not known to be."""
    name = literal(shape.name)
    sql.execute(f"""
        INSERT INTO land_deleted
        SELECT {name}, s._id, NULL FROM {ident("src_" + shape.name)} s {joins}
        ANTI JOIN (SELECT id FROM src_deleted WHERE entity = {name}
                   UNION ALL SELECT id FROM land_deleted WHERE entity = {name}) d ON d.id = s._id""")


# ---------------------------------------------------------------- rows that are parts of other rows


def _owners(sql: Any, shape: EntityShape) -> None:
    """`land_owner_*`: for each landed row the page whose parts count, that of its newest version which had parts.

    Versions older than what staging has bring nothing: their page is ''. Bare versions say nothing.
    """
    key = ident(shape.id)
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE {ident("land_owner_" + shape.name)} AS
        SELECT l.{key} AS id, CASE WHEN a.act = 'older' THEN '' ELSE l._listing END AS listing, l._arrival AS arrival
        FROM {ident("land_" + shape.name)} l JOIN land_act a ON a._id = l.{key}
        ANTI JOIN land_bare b ON b.entity = {literal(shape.name)} AND b.id = l.{key} AND b.listing = l._listing
          AND b.arrival = l._arrival
        QUALIFY row_number() OVER (PARTITION BY l.{key}
                                   ORDER BY {moment(shape, "l")} DESC NULLS LAST, l.rowid DESC) = 1""")


def _current(sql: Any, shape: EntityShape, owner: str) -> None:
    """Drop landed parts of other versions than the one that counts."""
    land = ident("land_" + shape.name)
    sql.execute(f"""
        DELETE FROM {land} USING {ident("land_owner_" + owner)} o
        WHERE o.id = {land}.{ident(shape.part_of)}
          AND (o.listing <> {land}._listing OR o.arrival <> {land}._arrival)""")


def _parts_gone(sql: Any, shape: EntityShape, owner: str, *, whole: bool) -> None:
    """Parts that their row no longer brings, or whose row is gone, are deleted.

    `whole`: all rows were read, so parts of a row that did not come are gone, too; a row that came bare keeps its own.
    """
    part, came = f"s.{ident(shape.part_of)}", ident("land_owner_" + owner)
    pick = "ANTI JOIN land_pick p ON p._id = s._id"
    if whole:
        bare = f"SELECT b.id FROM land_bare b ANTI JOIN {came} o ON o.id = b.id WHERE b.entity = {literal(owner)}"
        _gone(sql, shape, f"{pick} ANTI JOIN ({bare}) b ON b.id = {part}")
    else:
        _gone(sql, shape, f"SEMI JOIN (SELECT id FROM {came} WHERE listing <> '') o ON o.id = {part} {pick}")
    _fallen(sql, replace(shape, falls_with=shape.part_of))


def _sort(sql: Any, shape: EntityShape) -> None:
    """Lay the table out in loading order and number it without gaps, unless it lies so already."""
    src = ident("src_" + shape.name)
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE land_order AS
        SELECT rowid AS rid, _seq AS was, row_number() OVER (ORDER BY {order("s")}) AS seq FROM {src} s""")
    moved = "FROM (SELECT rid < lag(rid) OVER (ORDER BY seq) AS moved FROM land_order) WHERE moved"
    if sql.execute(f"SELECT EXISTS (FROM land_order WHERE was IS DISTINCT FROM seq) OR EXISTS ({moved})").fetchone()[0]:
        sql.execute(f"CREATE OR REPLACE TABLE land_sorted AS FROM {src} LIMIT 0")
        for first, last in _ranges(sql, "land_order", src):
            sql.execute(f"""
                INSERT INTO land_sorted
                SELECT s.* REPLACE (o.seq AS _seq) FROM {src} s
                JOIN (FROM land_order WHERE seq BETWEEN {first} AND {last}) o ON o.rid = s.rowid ORDER BY o.seq""")
        sql.execute(f"DROP TABLE {src}; ALTER TABLE land_sorted RENAME TO {src}")
    sql.execute("DROP TABLE land_order")


def _deleted(sql: Any, shapes: Sequence[EntityShape], number: int) -> None:
    """`src_deleted`: add what is gone, take back what is there again, and mark the rows of both as changed."""
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone_now AS
        SELECT entity, id, max(survivor) AS survivor FROM land_deleted GROUP BY entity, id;
        CREATE OR REPLACE TEMP TABLE gone_changed AS
        SELECT g.* FROM gone_now g LEFT JOIN src_deleted d USING (entity, id)
        WHERE d.id IS NULL OR d.survivor IS DISTINCT FROM coalesce(g.survivor, d.survivor);
        DELETE FROM src_deleted USING gone_changed g WHERE src_deleted.entity = g.entity AND src_deleted.id = g.id;
        INSERT INTO src_deleted SELECT entity, id, survivor, {number} FROM gone_changed""")
    for shape in shapes:
        src, name = ident("src_" + shape.name), literal(shape.name)
        sql.execute(f"""
            CREATE OR REPLACE TEMP TABLE gone_back AS
            SELECT d.id FROM land_back d
            ANTI JOIN gone_now g ON g.entity = d.entity AND g.id = d.id WHERE d.entity = {name};
            DELETE FROM src_deleted USING gone_back b WHERE src_deleted.entity = {name} AND src_deleted.id = b.id;
            UPDATE {src} SET _extraction = {number}
            WHERE _id IN (SELECT id FROM gone_changed WHERE entity = {name} UNION ALL SELECT id FROM gone_back)""")


def _merged(sql: Any, shapes: Sequence[EntityShape], number: int) -> set[str]:
    """`src_merged`: each merged id with its final survivor; where that is new, the row counts as changed.

    Returns the entities for which it is another one than before.
    """
    edges = [
        f"SELECT {literal(s.name)} AS entity, _id AS id, {ident(s.survivor)} AS survivor, 1 AS weight "
        f"FROM {ident('src_' + s.name)} WHERE nullif({ident(s.survivor)}, '') IS NOT NULL"
        for s in shapes
        if s.survivor
    ]
    edges.append("SELECT entity, id, survivor, 0 FROM src_deleted WHERE nullif(survivor, '') IS NOT NULL")
    there = " UNION ALL ".join(
        f"SELECT {literal(s.name)} AS entity, _id AS id FROM {ident('src_' + s.name)} "
        f"SEMI JOIN chain_end c ON c.entity = {literal(s.name)} AND c.last = _id"
        for s in shapes
    )
    sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE merge_edge AS
        SELECT entity, id, arg_max(survivor, weight) AS survivor FROM ({" UNION ALL ".join(edges)}) GROUP BY entity, id;
        CREATE OR REPLACE TEMP TABLE chain_end AS
        WITH RECURSIVE chain AS (
          SELECT entity, id, survivor AS last, 1 AS depth FROM merge_edge
          UNION ALL
          SELECT c.entity, c.id, e.survivor, c.depth + 1
          FROM chain c JOIN merge_edge e ON e.entity = c.entity AND e.id = c.last
          WHERE c.depth <= {LONGEST_CHAIN} AND c.last <> c.id)
        SELECT entity, id, arg_max(last, depth) AS last, max(depth) AS depth FROM chain GROUP BY entity, id;
        CREATE OR REPLACE TEMP TABLE merged_before AS SELECT * FROM src_merged;
        CREATE OR REPLACE TEMP TABLE merged_there AS SELECT DISTINCT * FROM ({there});
        CREATE OR REPLACE TABLE src_merged AS
        SELECT c.entity, c.id, CASE WHEN {_CYCLE} THEN NULL ELSE c.last END AS survivor,
               CASE WHEN {_CYCLE} THEN 'cycle' WHEN t.id IS NULL THEN 'missing' END AS problem
        FROM chain_end c LEFT JOIN merged_there t ON t.entity = c.entity AND t.id = c.last ORDER BY c.entity, c.id;
        CREATE OR REPLACE TEMP TABLE merged_changed AS
        SELECT DISTINCT entity, id FROM (
          (SELECT * FROM src_merged EXCEPT SELECT * FROM merged_before)
          UNION ALL (SELECT * FROM merged_before EXCEPT SELECT * FROM src_merged))""")
    return _remerged(sql, shapes, number)


def _remerged(sql: Any, shapes: Sequence[EntityShape], number: int) -> set[str]:
    """Mark the rows of which that is true; returns their entities."""
    for shape in shapes:
        sql.execute(
            f"UPDATE {ident('src_' + shape.name)} SET _extraction = {number} "
            f"WHERE _id IN (SELECT id FROM merged_changed WHERE entity = {literal(shape.name)})"
        )
    return {entity for (entity,) in sql.execute("SELECT DISTINCT entity FROM merged_changed").fetchall()}


_CYCLE = f"c.last = c.id OR c.depth > {LONGEST_CHAIN}"


def _count(sql: Any, shape: EntityShape, new: int, changed: int) -> EntityCount:
    src = ident("src_" + shape.name)
    rows, conflicts = sql.execute(f"SELECT count(*), count(*) FILTER (_conflict) FROM {src}").fetchone()
    gone = sql.execute(
        f"SELECT count(*) FROM {src} SEMI JOIN src_deleted d ON d.entity = {literal(shape.name)} AND d.id = {src}._id"
    ).fetchone()[0]
    return EntityCount(shape.name, rows, pages.arrived(sql, shape.name), new, changed, gone, conflicts)
