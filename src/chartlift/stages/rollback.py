"""The journal walked backwards: rows we made go, rows we changed get their old values, what others did since stays.

Explaining and doing build the same table `undo`. It is computed from journal and org every time, so a rollback that was
killed goes on by being started again, and one that is done finds nothing to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from chartlift.model.outcomes import RollbackReport
from chartlift.model.plan import ConfirmedPlan, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.selection import Everything
from chartlift.stages import plans, undo, undo_batches
from chartlift.stages.carry.context import Carry
from chartlift.stages.carry.resume import settle_open
from chartlift.stages.carry.write import send
from chartlift.stages.delta import CARRIED

KINDS = ("sample", "load", "delta")


def run(tools: Tools, *, go: bool, run_id: str = "") -> RollbackReport:
    """Explain or do the rollback of one run, or of all runs.

    Raises:
        UsageError: there is no such run.
        TransientError: paused; the same command goes on.
    """
    plan = plans.in_force(tools)
    runs = undo.chosen_runs(tools, run_id)
    mine = tools.destination.identity().user_id
    work = Carry(tools, plan, Everything(), _open(tools, plan, runs) if go else "", "rollback")
    if go or undo.has_open(tools):
        settle_open(work)
    undo.read_journal(work, runs)
    units = [unit for unit in reversed(plan.maps) if undo.has_rows(work, unit)]
    undo.start(work, mine)
    undo.look(work, units)
    for unit in units:
        tools.progress.step(f"{unit.name}: compare with the org")
        undo.judge(work, unit)
    undo.keep_parents(work, units)
    fingerprint = _fingerprint(work)
    if go:
        undo_batches.open_work(work)
        for unit in units:
            _undo(work, unit)
        _close(work, plan, runs)
    return _report(work, units, runs, fingerprint, went=go)


def _open(tools: Tools, plan: ConfirmedPlan, runs: list[str]) -> str:
    for run in tools.journal.runs(kinds=("rollback",), open_only=True):
        if run["detail"].get("runs") == runs:
            return run["id"]
        tools.journal.end_run(run["id"], "replaced")
    run = tools.journal.start_run("rollback", fingerprint=plan.fingerprint, who=tools.who, detail={"runs": runs})
    tools.audit.act("rollback started", who=tools.who, run=run, fingerprint=plan.fingerprint, detail={"runs": runs})
    return run


def _fingerprint(work: Carry) -> str:
    """SHA-256 over every record and what is to become of it."""
    digest = hashlib.sha256()
    for batch in work.sql.execute("SELECT key, action, coalesce(reason, '') FROM undo ORDER BY key").fetchall():
        digest.update("\x1f".join(batch).encode() + b"\n")
    return digest.hexdigest()


def _undo(work: Carry, unit: ObjectMap) -> None:
    for batch in undo_batches.deletes(work, unit):
        work.tools.progress.step(f"{unit.object}: {batch.rows.num_rows} rows to delete")
        send(work, unit.name, unit.object, batch)
    for batch in undo_batches.restores(work, unit):
        work.tools.progress.step(f"{unit.object}: {batch.rows.num_rows} rows to restore")
        send(work, unit.name, unit.object, batch)
    undo_batches.note_done(work, unit)
    undo.keep_theirs(work, unit)  # what could not be undone must not lose its parents


def _close(work: Carry, plan: ConfirmedPlan, runs: list[str]) -> None:
    journal = work.tools.journal
    left = undo_batches.verify(work)
    base = [r["detail"].get("extraction", 0) for r in journal.runs() if r["id"] in runs]
    failed = work.value("SELECT count(*) FROM undo WHERE action = 'failed'")
    with journal.transaction():
        for run in runs if not failed else []:  # with failed rows the same command tries again
            journal.end_run(run, "rolled_back")
        journal.end_run(work.run, "done")
        journal.put(CARRIED, min([journal.get(CARRIED, 0), *base]))
    work.tools.audit.act(
        "rollback done",
        who=work.tools.who,
        run=work.run,
        fingerprint=plan.fingerprint,
        detail={"runs": runs, "left": left},
    )


def _report(
    work: Carry, units: Iterable[ObjectMap], runs: list[str], fingerprint: str, *, went: bool
) -> RollbackReport:
    actions: dict[str, dict[str, int]] = {}
    names = {unit.name: unit.object for unit in units}
    for unit, action, count in work.sql.execute(
        "SELECT unit, action, count(*) FROM undo GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        actions.setdefault(names[unit], {})[action] = actions.get(names[unit], {}).get(action, 0) + count
    kept = _rows(
        work, "SELECT unit, key, id, reason FROM undo WHERE action = 'kept' OR reason LIKE 'kept:%' ORDER BY key"
    )
    failed = _rows(work, "SELECT unit, key, reason FROM undo WHERE action = 'failed' ORDER BY key")
    return RollbackReport(
        went=went,
        fingerprint=fingerprint,
        runs=tuple(runs),
        actions=actions,
        kept=tuple((names[u], k, i, r.removeprefix("kept:")) for u, k, i, r in kept),
        failed=tuple((names[u], k, r) for u, k, r in failed),
    )


def _rows(work: Carry, query: str) -> list[Any]:
    return work.sql.execute(query).fetchall()
