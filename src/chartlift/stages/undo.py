"""What undoing means for each record: the table `undo(unit, object, key, id, action, reason, made)` and its batches.

action: delete | restore | gone | same | kept | failed. `gone` and `same` need nothing from the org, only a line in the journal.
"""

from __future__ import annotations

import pyarrow as pa

from chartlift.errors import UsageError
from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues, Tools
from chartlift.stages.carry.context import KEY, Carry, field_names, key_prefix, parent_fields
from chartlift.stages.carry.prepare import narrow
from chartlift.stages.carry.preread import SMALL
from chartlift.stages.merge import kept, write
from chartlift.stages.sqltext import ident, literal

DONE = ("settled", "verified")
MAKES = ("insert", "undelete")
KNOWN = "(r.key IS NOT NULL)"
# Somebody else wrote to the row, be it outside the mapped fields: before our last update (touched), or since.
FOREIGN = """coalesce(r.touched, false) OR (n.stamp <> r."SystemModstamp" AND n.modifier <> (SELECT id FROM me))"""
REASON = """
          CASE
            WHEN t.late THEN 'changed by a later run'
            WHEN n.deleted AND n.master IS NOT NULL THEN 'merged by a person'
            WHEN n.deleted AND NOT t.made THEN 'deleted by a person'
            WHEN n.id IS NULL OR n.deleted THEN NULL
            WHEN t.made AND len(e.edits) > 0 THEN 'a person changed ' || array_to_string(e.edits, ', ')
            WHEN t.made AND e.foreign_edit THEN 'a person changed it outside the mapped fields'
            WHEN NOT t.made AND len(e.keeps) > 0 THEN 'kept:a person changed ' || array_to_string(e.keeps, ', ')
            WHEN NOT t.made AND e.foreign_edit THEN 'kept:a person changed it outside the mapped fields'
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
        for name, table in (("pres", "pres"), ("ours", "ours"), ("now", "now_rows")):
            work.sql.execute(f"CREATE OR REPLACE TEMP TABLE {_of(name, unit)} AS SELECT * FROM {table}")
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
    fields = field_names(unit)
    back = [KEY, *fields]
    edits = [f"CASE WHEN {KNOWN} AND n.{ident(f)} IS DISTINCT FROM r.{ident(f)} THEN {literal(f)} END" for f in fields]
    keeps = [f"CASE WHEN {kept(f'p.{ident(f)}', ours(f), f'n.{ident(f)}', KNOWN)} THEN {literal(f)} END" for f in back]
    wants = " OR ".join(write(f"p.{ident(f)}", ours(f), f"n.{ident(f)}", KNOWN) for f in back)
    work.sql.execute(f"""
        INSERT INTO undo
        SELECT {literal(unit.name)}, {literal(unit.object)}, t.key, t.id, {_action(wants)}, {REASON}, t.made
        FROM touched_rows AS t
        LEFT JOIN {_of("now", unit)} AS n ON n.id = t.id
        LEFT JOIN {_of("ours", unit)} AS r ON r.key = t.key
        LEFT JOIN {_of("pres", unit)} AS p ON p.key = t.key,
        LATERAL (SELECT {_names(edits)} AS edits, {_names(keeps)} AS keeps, {FOREIGN} AS foreign_edit) AS e
        WHERE t.unit = {literal(unit.name)}
    """)


def _names(parts: list[str]) -> str:
    """SQL: the names that are not NULL, as a list."""
    return f"list_filter([{', '.join(parts)}]::VARCHAR[], lambda name: name IS NOT NULL)"


def _action(wants: str) -> str:
    """SQL: what is to become of a row; `wants` says that a field would be restored."""
    return f"""
          CASE
            WHEN t.late THEN 'kept'
            WHEN n.id IS NULL THEN 'gone'
            WHEN n.deleted AND n.master IS NOT NULL THEN 'kept'
            WHEN n.deleted THEN CASE WHEN t.made THEN 'gone' ELSE 'kept' END
            WHEN t.made AND (len(e.edits) > 0 OR e.foreign_edit) THEN 'kept'
            WHEN t.made THEN 'delete'
            WHEN ({wants}) THEN 'restore'
            ELSE 'same'
          END"""


def ours(field: str) -> str:
    """What we left in a field; the key of a linked row is ours too."""
    return "t.key" if field == KEY else f"r.{ident(field)}"


def _images(work: Carry, unit: ObjectMap) -> None:
    """`pres`: the oldest pre-image of each row in the chosen runs; `ours`: its newest post-image."""
    journal = work.tools.journal
    names = ["Id", KEY, *field_names(unit)]
    columns = ", ".join(f"{ident(n)} VARCHAR" for n in names)
    work.sql.execute(f"CREATE OR REPLACE TEMP TABLE pres_all (batch BIGINT, key VARCHAR, {columns})")
    work.sql.execute(
        f'CREATE OR REPLACE TEMP TABLE posts_all (batch BIGINT, key VARCHAR, touched BOOLEAN, "SystemModstamp" VARCHAR, {columns})'
    )
    batches = work.sql.execute("SELECT DISTINCT batch FROM wrote WHERE unit = ? ORDER BY batch", [unit.name]).fetchall()
    for (batch,) in batches:
        for kind, table in (("pre", "pres_all"), ("post", "posts_all")):
            blob = journal.blob(batch, kind)
            if blob is None or not blob.num_rows:
                continue
            work.sql.register("image", blob)
            work.sql.execute(f"INSERT INTO {table} BY NAME SELECT {batch} AS batch, {_shared(work, table)} FROM image")
            work.sql.unregister("image")
    for name, order in (("pres", "batch"), ("posts", "batch DESC")):
        target, chosen = (
            ("pres", "WHERE batch IN (SELECT batch FROM wrote WHERE chosen)") if name == "pres" else ("ours", "")
        )
        work.sql.execute(f"""
            CREATE OR REPLACE TEMP TABLE {target} AS SELECT * FROM {name}_all {chosen}
            QUALIFY row_number() OVER (PARTITION BY key ORDER BY {order}) = 1
        """)


def _shared(work: Carry, table: str) -> str:
    """Columns that an image and its table have in common (a field may have left the map since)."""
    have = {row[0] for row in work.sql.execute("DESCRIBE image").fetchall()}
    want = [row[0] for row in work.sql.execute(f"DESCRIBE {table}").fetchall()]
    return ", ".join(ident(name) for name in want if name in have)


def _now(work: Carry, unit: ObjectMap) -> None:
    """`now_rows`: the rows as they are, recycle bin included."""
    described = work.tools.destination.describe(unit.object)
    has_master = described is not None and "MasterRecordId" in described.fields
    fields = ["Id", KEY, "IsDeleted", "SystemModstamp", "LastModifiedById", *field_names(unit)]
    fields += ["MasterRecordId"] if has_master else []
    wanted = "SELECT id FROM touched_rows WHERE unit = ? AND id IS NOT NULL ORDER BY id"
    ids = work.table(wanted, [unit.name]).column(0).to_pylist()
    where = ByPrefix(KEY, key_prefix(work.plan, unit)) if len(ids) > SMALL else ByValues("Id", tuple(ids))
    work.read("now_read", unit.object, fields, where, deleted=True)
    if len(ids) > SMALL:  # a person may have taken the key away from some: those are asked for by Id
        left = set(ids) - set(work.table('SELECT "Id" FROM now_read').column(0).to_pylist())
        if left:
            work.read("now_read", unit.object, fields, ByValues("Id", tuple(sorted(left))), deleted=True, more=True)
    master = '"MasterRecordId"' if has_master else "NULL::VARCHAR"
    columns = ", ".join(ident(n) for n in [KEY, *field_names(unit)])
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE now_rows AS
        SELECT "Id" AS id, "IsDeleted" = 'true' AS deleted, {master} AS master, "SystemModstamp" AS stamp,
               "LastModifiedById" AS modifier, {columns} FROM now_read
    """)


def keep_parents(work: Carry, units: list[ObjectMap]) -> None:
    """A row stays if a row that stays points to it: ours that is kept or only restored, or one that others made."""
    for unit in units:  # children come before their parents
        _foreign_children(work, unit)
        keep_theirs(work, unit)


def keep_theirs(work: Carry, unit: ObjectMap) -> None:
    """Keep what the staying rows of a unit will point to; again after its own undoing, when some of it has failed."""
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


def _foreign_children(work: Carry, unit: ObjectMap) -> None:
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
        found = pa.table(
            work.tools.destination.read(child.child, ["Id", child.field, "CreatedById"], ByValues(child.field, wanted))
        )
        work.sql.register("found", found)
        work.sql.execute(f"""
            UPDATE undo SET action = 'kept', reason = {literal(f"others added {child.child} records to it")}
            WHERE unit = {literal(unit.name)} AND action = 'delete' AND id IN (
              SELECT f.{ident(child.field)} FROM found AS f
              WHERE f."CreatedById" <> (SELECT id FROM me) AND f."Id" NOT IN (SELECT id FROM undo WHERE id IS NOT NULL))
        """)
        work.sql.unregister("found")
