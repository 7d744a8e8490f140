"""carry(selection): the one function behind sample, load and delta.

Per unit (a pack file), parents first: translate and judge (`spine`, `preread`), `cut`, `write`, `verify`.
Explaining stops before the first cut and walks the same list.
"""

from __future__ import annotations

import pyarrow as pa

from chartlift.errors import Conflict
from chartlift.model.outcomes import CarryReport, UnitCount
from chartlift.model.plan import ConfirmedPlan, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.selection import Selection
from chartlift.stages.carry import cut, images, preread, resume, spine, verify
from chartlift.stages.carry.context import HASH, KEY, RUN, Carry, field_names
from chartlift.stages.carry.prepare import prepare
from chartlift.stages.carry.write import send
from chartlift.stages.memory import ample

__all__ = ["carry", "extraction_of", "open_tables"]


def carry(tools: Tools, plan: ConfirmedPlan, selection: Selection, *, kind: str, go: bool) -> CarryReport:
    """Explain (go=False) or do (go=True) a run of this kind over a selection.

    Raises:
        Conflict: a mapped field is missing in the org or cannot be written.
        TransientError: paused; the same call goes on where it stopped.
    """
    check_fields(tools, plan)
    run, resumed = _open_run(tools, plan, kind) if go else ("", False)
    work = Carry(tools, plan, selection, run, kind)
    if go:
        resume.settle_open(work)
    prepare(tools, plan)
    _side_tables(work)
    spine.open_selection(work)
    counts = [_unit(work, unit) for unit in plan.maps]
    report = _report(work, counts, resumed)
    if go:
        tools.journal.end_run(run, "done")
    ample(tools.staging.sql)
    return report


def open_tables(tools: Tools, plan: ConfirmedPlan, selection: Selection) -> Carry:
    """The derived tables and the selection, for a stage that only looks."""
    work = Carry(tools, plan, selection, "", "look")
    prepare(tools, plan)
    _side_tables(work)
    spine.open_selection(work)
    return work


def _open_run(tools: Tools, plan: ConfirmedPlan, kind: str) -> tuple[str, bool]:
    """Continue the run of this kind that was interrupted, or open one."""
    for run in tools.journal.runs(kinds=(kind,), open_only=True):
        if run["fingerprint"] == plan.fingerprint:
            return run["id"], True
        tools.journal.end_run(run["id"], "replaced")
    detail = {"extraction": extraction_of(tools)}
    run_id = tools.journal.start_run(kind, fingerprint=plan.fingerprint, who=tools.who, detail=detail)
    tools.audit.act(f"{kind} started", who=tools.who, run=run_id, fingerprint=plan.fingerprint)
    return run_id, False


def extraction_of(tools: Tools) -> int:
    """The number of the newest finished extraction in staging."""
    row = tools.staging.sql.execute("SELECT max(number) FROM extraction WHERE finished IS NOT NULL").fetchone()
    return int(row[0] or 0)


def _side_tables(work: Carry) -> None:
    """Runs of ours, decisions on probable matches, and the list of matches found in this pass."""
    runs = [run["id"] for run in work.tools.journal.runs()]
    work.keep("our_runs", pa.table({"run": pa.array(runs, pa.string())}))
    back, ours = _rolled_back(work.tools)
    work.keep("rolled_back", pa.table({"key": pa.array(back, pa.string())}))
    work.keep("revivable", pa.table({"key": pa.array(ours, pa.string())}))
    choices = work.tools.journal.decisions("match")
    columns = {"key": list(choices), "choice": [c["choice"] for c in choices.values()]}
    work.keep("match_choices", pa.table(columns, schema=pa.schema([("key", pa.string()), ("choice", pa.string())])))
    work.sql.execute(
        "CREATE OR REPLACE TEMP TABLE all_matches (object VARCHAR, key VARCHAR, id VARCHAR, evidence VARCHAR)"
    )


def _rolled_back(tools: Tools) -> tuple[list[str], list[str]]:
    """Keys that a rollback took back, and those of them that it deleted itself.

    A delta leaves the first to a load, unless they changed at the clinic. Only the second come back from the recycle bin:
    what a person had deleted before the rollback stays deleted.
    """
    back: set[str] = set()
    ours: set[str] = set()
    for run in tools.journal.runs(kinds=("rollback",)):
        for batch in tools.journal.batches(run=run["id"]):
            if batch.operation in ("delete", "restore"):
                keys = tools.journal.blob(batch.id, "keys").column("key").to_pylist()
                back.update(keys)
                if batch.operation == "delete" and batch.wire != "none":
                    ours.update(keys)
    return sorted(back), sorted(ours)


def check_fields(tools: Tools, plan: ConfirmedPlan) -> None:
    """Every mapped field must be there and writable for the integration user before anything is written."""
    missing = []
    for unit in plan.maps:
        described = tools.destination.describe(unit.object)
        if described is None:
            missing.append(unit.object)
            continue
        known = {name.lower(): field for name, field in described.fields.items()}
        for name in [KEY, RUN, HASH, *field_names(unit)]:
            field = known.get(name.lower())
            if field is None or not field.createable:
                missing.append(f"{unit.object}.{name}")
    if missing:
        listed = ", ".join(dict.fromkeys(missing))
        raise Conflict(
            f"The org lacks, or hides from the integration user: {listed}", hint="Run: chartlift schema --go"
        )


def _unit(work: Carry, unit: ObjectMap) -> UnitCount:
    work.tools.progress.step(f"{unit.name}: translate and compare")
    spine.build(work, unit)
    images.no_changes(work, unit)
    if work.go:
        _keep_fates(work, unit)
        _write(work, unit)
        verify.verify(work, unit)
        _keep_fates(work, unit)
        _tell_audit(work, unit)
    return _count(work, unit)


def _tell_audit(work: Carry, unit: ObjectMap) -> None:
    """Rows that were not sent belong into the trail too; a negative number stands for "no batch"."""
    rows = work.table("""
        SELECT key, fate AS outcome, reason AS code, NULL::VARCHAR AS fields FROM spine
        WHERE fate NOT IN ('insert', 'update', 'undelete', 'failed') ORDER BY seq
    """)
    if rows.num_rows:
        number = [run["id"] for run in work.tools.journal.runs()].index(work.run)
        work.tools.audit.outcomes(
            run=work.run,
            batch=-(number * 1_000 + work.plan.maps.index(unit) + 1),
            object_name=unit.object,
            fingerprint=work.plan.fingerprint,
            who=work.tools.who,
            rows=rows,
        )


def _write(work: Carry, unit: ObjectMap) -> None:
    work.sql.execute("CREATE OR REPLACE TEMP TABLE revived AS SELECT key FROM spine WHERE fate = 'undelete'")
    for batch in cut.undeletes(work):
        send(work, unit.name, unit.object, batch)
    work.sql.execute("UPDATE spine SET fate = 'update' WHERE fate = 'undelete' AND reason IS NULL")
    for level in range((work.value("SELECT max(level) FROM spine WHERE fate = 'insert'") or 0) + 1):
        for batch in cut.inserts(work, unit, level):
            work.tools.progress.step(f"{unit.object}: {batch.rows.num_rows} rows to insert")
            send(work, unit.name, unit.object, batch)
    _update(work, unit)
    # edges that closed a cycle: their parents have landed now
    late = work.value(
        "SELECT count(*) FROM spine AS s JOIN landed AS l ON l.key = s.key WHERE s.fate = 'insert' AND l.hash <> s.hash"
    )
    if late:
        verify.verify(work, unit)
        work.sql.execute("CREATE OR REPLACE TEMP TABLE first_fates AS SELECT key, fate FROM spine")
        work.sql.execute("""
            UPDATE spine SET fate = CASE WHEN l.hash <> spine.hash AND spine.fate = 'insert' THEN 'update' ELSE 'done' END
            FROM landed AS l WHERE l.key = spine.key AND spine.fate IN ('insert', 'update')
        """)
        _update(work, unit)
        work.sql.execute(
            "UPDATE spine SET fate = f.fate FROM first_fates AS f WHERE f.key = spine.key AND spine.fate IN ('update', 'done')"
        )
    work.sql.execute("""
        UPDATE spine SET fate = 'undelete' FROM revived AS r WHERE r.key = spine.key AND spine.fate IN ('update', 'unchanged')
    """)


def _update(work: Carry, unit: ObjectMap) -> None:
    """Changed and pre-existing rows: cells that differ and that nobody else changed since."""
    if not work.value("SELECT count(*) FROM spine WHERE fate = 'update'"):
        return
    preread.read_wide(work, unit, "SELECT id FROM spine WHERE fate = 'update' AND id IS NOT NULL")
    images.read_ours(work, unit)
    images.read_made(work, unit)
    images.compute_changes(work, unit, work.tools.destination.identity().user_id)
    for batch in images.updates(work, unit):
        send(work, unit.name, unit.object, batch)
    same = images.sames(work)
    if same.num_rows:
        _note_sames(work, unit, same)


def _note_sames(work: Carry, unit: ObjectMap, same: pa.Table) -> None:
    """Rows that need nothing are journalled too, so that the next run knows them without asking."""
    journal = work.tools.journal
    entry = journal.cut(
        work.run, unit=unit.name, object_name=unit.object, operation="same", wire="none", level=0, keys=same
    )
    nulls = pa.nulls(same.num_rows, pa.string())
    columns = {
        "key": same.column("key"),
        "id": same.column("id"),
        "outcome": pa.array(["ok"] * same.num_rows),
        "created": pa.array([False] * same.num_rows),
        "code": nulls,
        "fields": nulls,
    }
    journal.settle(entry.id, pa.table(columns))
    work.sql.execute("""
        UPDATE spine SET fate = 'unchanged' FROM changes AS c
        WHERE c.key = spine.key AND spine.fate = 'update' AND NOT c.differs AND NOT c.unlinked
    """)


def _keep_fates(work: Carry, unit: ObjectMap) -> None:
    """Every row that does not go, and every field withheld or noted, with its reason."""
    table = work.table("""
        SELECT key, fate, reason, array_to_string(withheld, ' ') AS withheld, array_to_string(notes, ' ') AS notes
        FROM spine WHERE fate IN ('skip', 'hold', 'failed') OR len(withheld) > 0 OR len(notes) > 0 ORDER BY seq
    """)
    work.tools.journal.put_fates(work.run, unit.name, table)


def _count(work: Carry, unit: ObjectMap) -> UnitCount:
    fates = dict(work.sql.execute("SELECT fate, count(*) FROM spine GROUP BY fate ORDER BY fate").fetchall())
    reasons = work.sql.execute(
        "SELECT fate, reason, count(*) FROM spine WHERE fate IN ('skip', 'hold', 'failed') GROUP BY ALL ORDER BY 3 DESC, 2"
    ).fetchall()
    withheld, notes = (
        work.sql.execute(
            f"SELECT code, count(*) FROM (SELECT unnest({name}) AS code FROM spine WHERE fate NOT IN ('skip', 'hold'))"
            " GROUP BY code ORDER BY 2 DESC, 1"
        ).fetchall()
        for name in ("withheld", "notes")
    )
    kept = work.sql.execute(
        "SELECT key, array_to_string(kept, ', ') FROM changes WHERE len(kept) > 0 ORDER BY seq"
    ).fetchall()
    failed = work.sql.execute("SELECT key, reason FROM spine WHERE fate = 'failed' ORDER BY seq").fetchall()
    return UnitCount(
        unit=unit.name,
        object=unit.object,
        fates=fates,
        reasons=tuple((f, r or "", n) for f, r, n in reasons),
        withheld=tuple(withheld),
        notes=tuple(notes),
        kept=tuple(kept),
        failed=tuple(failed),
    )


def _report(work: Carry, counts: list[UnitCount], resumed: bool) -> CarryReport:
    matches = work.sql.execute("SELECT object, key, id, evidence FROM all_matches ORDER BY ALL").fetchall()
    undecided = tuple(m for m in matches if m[1] not in work.tools.journal.decisions("match"))
    return CarryReport(
        kind=work.kind, run=work.run, went=work.go, resumed=resumed, units=tuple(counts), matches=undecided
    )
