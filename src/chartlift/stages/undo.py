"""What undoing means for each record: the table `undo(unit, object, key, id, action, reason, made)` and its batches.

action: delete | restore | gone | same | kept | failed. `gone` and `same` need nothing from the org, only a line in the journal.
"""

from __future__ import annotations

from chartlift.errors import StopError, UsageError
from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues, Everywhere, Tools
from chartlift.stages.carry.context import KEY, Carry, field_names, key_prefix, parent_fields
from chartlift.stages.carry.prepare import narrow
from chartlift.stages.carry.preread import SMALL
from chartlift.stages.memory import execute, give_back
from chartlift.stages.merge import kept, write
from chartlift.stages.sqltext import ident, literal

DONE = ("settled", "verified")
MAKES = ("insert", "undelete")
KNOWN = "(r.key IS NOT NULL)"
AT_ONCE = 15_000  # rows judged together
# Somebody else wrote to the row, be it outside the mapped fields: before our last update (touched), or since.
FOREIGN = """coalesce(r.touched, false) OR (n.stamp <> r."SystemModstamp" AND n.modifier <> (SELECT id FROM me))"""
REASON = """
          CASE
            WHEN e.late THEN 'changed by a later run'
            WHEN e.deleted AND e.master IS NOT NULL THEN 'merged by a person'
            WHEN e.deleted AND NOT e.made THEN 'deleted by a person'
            WHEN e.there IS NULL OR e.deleted THEN NULL
            WHEN e.made AND len(e.edits) > 0 THEN 'a person changed ' || array_to_string(e.edits, ', ')
            WHEN e.made AND e.foreign_edit THEN 'a person changed it outside the mapped fields'
            WHEN NOT e.made AND len(e.keeps) > 0 THEN 'kept:a person changed ' || array_to_string(e.keeps, ', ')
            WHEN NOT e.made AND e.foreign_edit THEN 'kept:a person changed it outside the mapped fields'
          END"""
ACTION = """
          CASE
            WHEN e.late THEN 'kept'
            WHEN e.there IS NULL THEN 'gone'
            WHEN e.deleted AND e.master IS NOT NULL THEN 'kept'
            WHEN e.deleted THEN CASE WHEN e.made THEN 'gone' ELSE 'kept' END
            WHEN e.made AND (len(e.edits) > 0 OR e.foreign_edit) THEN 'kept'
            WHEN e.made THEN 'delete'
            WHEN e.wants THEN 'restore'
            ELSE 'same'
          END"""


def chosen_runs(tools: Tools, run_id: str) -> list[str]:
    """The runs to undo, newest first."""
    runs = [r for r in tools.journal.runs(kinds=("sample", "load", "delta")) if r["outcome"] != "rolled_back"]
    if run_id:
        runs = [r for r in runs if r["id"] == run_id]
        if not runs:
            raise UsageError(f"There is no run {run_id} that could be rolled back.", hint="See: chartlift status")
    return [r["id"] for r in reversed(runs)]


def has_open(tools: Tools) -> bool:
    """Whether batches are without a fate."""
    return bool(tools.journal.batches(statuses=("cut", "created", "uploaded", "closed")))


def read_journal(work: Carry, runs: list[str]) -> None:
    """`touched_rows(unit, key, id, made, late)`, and per unit the oldest pre-images and newest post-images."""
    journal = work.tools.journal
    narrow(work.tools)
    work.sql.execute(
        "CREATE OR REPLACE TEMP TABLE wrote"
        " (unit VARCHAR, key VARCHAR, id VARCHAR, operation VARCHAR, batch BIGINT, chosen BOOLEAN)"
    )
    undone = {run["id"] for run in journal.runs() if run["outcome"] == "rolled_back"}
    for entry in journal.batches(statuses=DONE):
        if entry.operation not in (*MAKES, "update") or entry.run in undone:
            continue
        work.sql.register("done", journal.blob(entry.id, "outcomes"))
        work.sql.execute(
            f"INSERT INTO wrote SELECT {literal(entry.unit)}, key, id, {literal(entry.operation)}, {entry.id},"
            f" {entry.run in runs} FROM done WHERE outcome = 'ok'"
        )
        work.sql.unregister("done")
    work.sql.execute("""
        CREATE OR REPLACE TEMP TABLE touched_rows AS
        SELECT unit, key, any_value(id) AS id,
               bool_or(operation IN ('insert', 'undelete') AND chosen) AS made,
               min(batch) FILTER (chosen) AS first, max(batch) FILTER (chosen) AS last,
               coalesce(max(batch) FILTER (NOT chosen) > max(batch) FILTER (chosen), false) AS late
        FROM wrote GROUP BY unit, key HAVING bool_or(chosen)
    """)


def has_rows(work: Carry, unit: ObjectMap) -> bool:
    """Whether the runs touched rows of this unit."""
    return bool(work.value("SELECT count(*) FROM touched_rows WHERE unit = ?", [unit.name]))


def start(work: Carry, integration_user: str) -> None:
    """Empty tables for the judgement."""
    work.sql.execute("""
        CREATE OR REPLACE TEMP TABLE undo
        (unit VARCHAR, object VARCHAR, key VARCHAR, id VARCHAR, action VARCHAR, reason VARCHAR, made BOOLEAN)
    """)
    work.sql.execute("CREATE OR REPLACE TEMP TABLE me AS SELECT ? AS id", [integration_user])


def look(work: Carry, units: list[ObjectMap]) -> None:
    """`pres_UNIT`, `ours_UNIT` and `now_UNIT`: what was there before us, what we left, what is there now."""
    for unit in units:
        _images(work, unit)
        _now(work, unit)
        give_back()
    _forget_gone(work, units)


def _forget_gone(work: Carry, units: list[ObjectMap]) -> None:
    """When a record goes, the org empties the lookups that pointed to it: nobody has edited those rows."""
    there = " UNION ALL ".join(f"SELECT id, deleted FROM {_of('now', unit)}" for unit in units)
    if not there:
        return
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone_rows AS
        SELECT t.id FROM touched_rows AS t LEFT JOIN ({there}) AS n ON n.id = t.id
        WHERE t.id IS NOT NULL AND coalesce(n.deleted, true)
    """)
    for unit in units:
        mine = _of("ours", unit)
        for name in parent_fields(unit):
            work.sql.execute(f"""
                UPDATE {mine} SET {ident(name)} = NULL FROM {_of("now", unit)} AS n
                WHERE n.id = {mine}."Id" AND n.{ident(name)} IS NULL
                  AND {mine}.{ident(name)} IN (SELECT id FROM gone_rows)
            """)


def _of(name: str, unit: ObjectMap) -> str:
    """A table of this unit, quoted."""
    return ident(f"{name}_{unit.name}")


def judge(work: Carry, unit: ObjectMap) -> None:
    """Compare what we left with what is there now; children keep their parents in `keep_parents`."""
    for made, weighed in ((True, _weigh_made(unit)), (False, _weigh_changed(unit))):
        count = work.value("SELECT count(*) FROM touched_rows WHERE unit = ? AND made = ?", [unit.name, made])
        parts = -(-count // AT_ONCE)
        for part in range(parts):
            _judge_part(work, unit, weighed, made=made, chosen=f"hash(id) % {parts} = {part}")


def _judge_part(work: Carry, unit: ObjectMap, weighed: str, *, made: bool, chosen: str) -> None:
    """Some of the rows of a unit: a join of wide rows takes as much memory as they do."""
    execute(
        work.sql,
        f"""
        INSERT INTO undo
        WITH t AS MATERIALIZED (
          FROM touched_rows WHERE unit = {literal(unit.name)} AND made = {made} AND {chosen}
        ), e AS MATERIALIZED (
          SELECT t.key, t.id, t.made, t.late, n.id AS there, n.deleted, n.master, {FOREIGN} AS foreign_edit, {weighed}
          FROM t
          LEFT JOIN (FROM {_of("now", unit)} WHERE {chosen}) AS n ON n.id = t.id
          LEFT JOIN (FROM {_of("ours", unit)} WHERE key IN (SELECT key FROM t)) AS r ON r.key = t.key
          LEFT JOIN (FROM {_of("pres", unit)} WHERE key IN (SELECT key FROM t)) AS p ON p.key = t.key
        )
        SELECT {literal(unit.name)}, {literal(unit.object)}, e.key, e.id, {ACTION}, {REASON}, e.made FROM e
    """,
    )


def _weigh_made(unit: ObjectMap) -> str:
    """SQL: of a row we made, the fields that somebody else changed; most rows have none, which one question tells."""
    fields = field_names(unit)
    edited = " OR ".join(f"n.{ident(f)} IS DISTINCT FROM r.{ident(f)}" for f in fields)
    named = _names([f"CASE WHEN n.{ident(f)} IS DISTINCT FROM r.{ident(f)} THEN {literal(f)} END" for f in fields])
    return (
        f"CASE WHEN {KNOWN} AND n.id IS NOT NULL AND ({edited}) THEN {named} ELSE []::VARCHAR[] END AS edits,"
        " []::VARCHAR[] AS keeps, false AS wants"
    )


def _weigh_changed(unit: ObjectMap) -> str:
    """SQL: of a row we changed, the fields that stay as somebody else left them, and whether any is to be restored."""
    back = [KEY, *field_names(unit)]
    keeps = [f"CASE WHEN {kept(f'p.{ident(f)}', ours(f), f'n.{ident(f)}', KNOWN)} THEN {literal(f)} END" for f in back]
    wants = " OR ".join(write(f"p.{ident(f)}", ours(f), f"n.{ident(f)}", KNOWN) for f in back)
    return f"[]::VARCHAR[] AS edits, {_names(keeps)} AS keeps, ({wants}) AS wants"


def _names(parts: list[str]) -> str:
    """SQL: the names that are not NULL, as a list."""
    return f"list_filter([{', '.join(parts)}]::VARCHAR[], lambda name: name IS NOT NULL)"


def ours(field: str) -> str:
    """What we left in a field; the key of a linked row is ours too."""
    return "t.key" if field == KEY else f"r.{ident(field)}"


def _images(work: Carry, unit: ObjectMap) -> None:
    """`pres_UNIT`: the oldest pre-image of each row in the chosen runs; `ours_UNIT`: its newest post-image."""
    columns = ", ".join(f"{ident(n)} VARCHAR" for n in ["Id", KEY, *field_names(unit)])
    more = {"pres": "", "ours": 'touched BOOLEAN, "SystemModstamp" VARCHAR, '}
    for name, extra in more.items():
        work.sql.execute(
            f"CREATE OR REPLACE TEMP TABLE {_of(name, unit)} (batch BIGINT, key VARCHAR, {extra}{columns})"
        )
    batches = work.sql.execute(
        "SELECT batch, bool_or(chosen) FROM wrote WHERE unit = ? GROUP BY batch ORDER BY batch", [unit.name]
    ).fetchall()
    for batch, chosen in batches:
        _image(work, batch, "post", _of("ours", unit))
        if chosen:
            _image(work, batch, "pre", _of("pres", unit))
    for name, best, worse in (("pres", "min", ">"), ("ours", "max", "<")):
        table = _of(name, unit)
        if work.value(f"SELECT count(*) > count(DISTINCT key) FROM {table}"):
            work.sql.execute(
                f"DELETE FROM {table} USING (SELECT key, {best}(batch) AS best FROM {table} GROUP BY key) AS b"
                f" WHERE b.key = {table}.key AND {table}.batch {worse} b.best"
            )


def _image(work: Carry, batch: int, kind: str, table: str) -> None:
    """Add one image; what it has in common with the table counts (a field may have left the map since)."""
    image = work.tools.journal.blob(batch, kind)
    if image is None or not image.num_rows:
        return
    want = [row[0] for row in work.sql.execute(f"DESCRIBE {table}").fetchall()]
    shared = ", ".join(ident(name) for name in want if name in image.column_names)
    work.sql.register("image", image)
    work.sql.execute(f"INSERT INTO {table} BY NAME SELECT {batch} AS batch, {shared} FROM image")
    work.sql.unregister("image")


def _now(work: Carry, unit: ObjectMap) -> None:
    """`now_UNIT`: the rows as they are, recycle bin included."""
    described = work.tools.destination.describe(unit.object)
    has_master = described is not None and "MasterRecordId" in described.fields
    fields = ["Id", KEY, "IsDeleted", "SystemModstamp", "LastModifiedById", *field_names(unit)]
    fields += ["MasterRecordId"] if has_master else []
    wanted = "SELECT id FROM touched_rows WHERE unit = ? AND id IS NOT NULL ORDER BY id"
    ids = work.table(wanted, [unit.name]).column(0).to_pylist()
    where = ByPrefix(KEY, key_prefix(work.plan, unit)) if len(ids) > SMALL else ByValues("Id", tuple(ids))
    table = f"read_{unit.name}"
    work.read(table, unit.object, fields, where, deleted=True)
    if len(ids) > SMALL:  # a person may have taken the key away from some: those are asked for by Id
        left = set(ids) - set(work.table(f'SELECT "Id" FROM {ident(table)}').column(0).to_pylist())
        if left:
            work.read(table, unit.object, fields, ByValues("Id", tuple(sorted(left))), deleted=True, more=True)
    master = '"MasterRecordId"' if has_master else "NULL::VARCHAR"
    columns = ", ".join(ident(n) for n in [KEY, *field_names(unit)])
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP VIEW {_of("now", unit)} AS
        SELECT "Id" AS id, "IsDeleted" = 'true' AS deleted, {master} AS master, "SystemModstamp" AS stamp,
               "LastModifiedById" AS modifier, {columns} FROM {ident(table)}
    """)


def keep_parents(work: Carry, units: list[ObjectMap]) -> None:
    """A row stays if a row that stays points to it: ours that is kept or only restored, or one that others made."""
    strangers: dict[str, bool] = {}
    for unit in units:  # children come before their parents
        _foreign_children(work, unit, strangers)
        keep_theirs(work, unit)


def keep_theirs(work: Carry, unit: ObjectMap) -> None:
    """Keep what the staying rows of a unit will point to; again after its own undoing, when some of it has failed."""
    if not work.value("SELECT count(*) FROM undo WHERE unit = ? AND action NOT IN ('delete', 'gone')", [unit.name]):
        return
    while True:
        count = 0
        for name in parent_fields(unit):
            back = write(f"p.{ident(name)}", ours(name), f"n.{ident(name)}", KNOWN)
            count += work.value(f"""
                UPDATE undo SET action = 'kept', reason = 'a kept record points to it'
                WHERE action = 'delete' AND id IN (
                  SELECT CASE WHEN u.action = 'restore' AND {back} THEN p.{ident(name)} ELSE n.{ident(name)} END
                  FROM undo AS u JOIN {_of("now", unit)} AS n ON n.id = u.id
                  LEFT JOIN {_of("pres", unit)} AS p ON p.key = u.key
                  LEFT JOIN {_of("ours", unit)} AS r ON r.key = u.key
                  WHERE u.unit = {literal(unit.name)} AND u.action NOT IN ('delete', 'gone') AND NOT n.deleted)
            """)
        if not count:
            return


def _foreign_children(work: Carry, unit: ObjectMap, strangers: dict[str, bool]) -> None:
    """Rows that others hung under ours. What the integration user made itself is a consequence and does not count."""
    described = work.tools.destination.describe(unit.object)
    ids = work.table("SELECT id FROM undo WHERE unit = ? AND action = 'delete' ORDER BY id", [unit.name])
    if described is None or not ids.num_rows:
        return
    wanted = tuple(ids.column(0).to_pylist())
    for child in described.children:
        shape = work.tools.destination.describe(child.child)
        if shape is None or not {child.field, "CreatedById"} <= set(shape.fields):
            continue
        if child.child not in strangers:
            strangers[child.child] = _has_strangers(work, child.child)
        if not strangers[child.child]:
            continue
        work.read("found", child.child, ["Id", child.field, "CreatedById"], ByValues(child.field, wanted))
        work.sql.execute(f"""
            UPDATE undo SET action = 'kept', reason = {literal(f"others added {child.child} records to it")}
            WHERE unit = {literal(unit.name)} AND action = 'delete' AND id IN (
              SELECT f.{ident(child.field)} FROM found AS f
              WHERE f."CreatedById" <> (SELECT id FROM me) AND f."Id" NOT IN (SELECT id FROM undo WHERE id IS NOT NULL))
        """)


def _has_strangers(work: Carry, object_name: str) -> bool:
    """Whether an object has live rows that this rollback does not know; most have none, and one count tells."""
    known = work.value(
        "SELECT count(DISTINCT id) FROM undo WHERE object = ? AND action IN ('delete', 'restore', 'same')",
        [object_name],
    )
    try:
        return work.tools.destination.count(object_name, Everywhere()) > known
    except StopError:  # an object that cannot be counted whole
        return True
