"""Every record and field of the clinic against the org, and the totals a practice manager knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chartlift.model.outcomes import CompareReport
from chartlift.model.plan import ConfirmedPlan, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.selection import Everything, Selection
from chartlift.stages import plans
from chartlift.stages.carry import open_tables
from chartlift.stages.carry.context import Carry
from chartlift.stages.compare import compare
from chartlift.stages.overview import Overview


def run(tools: Tools) -> CompareReport:
    """Compare everything; exit 4 if something differs without an explanation."""
    plan = plans.in_force(tools)
    overview = Overview(tools.pack, plan)
    units, totals = compare_all(tools, plan, Everything(), each=overview.count)
    report = CompareReport("reconcile", units=units, totals=totals, mappings=overview.lines(tools.staging.sql))
    tools.audit.act("reconcile", who=tools.who, fingerprint=plan.fingerprint, detail={"clean": report.clean})
    return report


def compare_all(
    tools: Tools,
    plan: ConfirmedPlan,
    selection: Selection,
    *,
    each: Callable[[Carry, ObjectMap], None] = lambda _work, _unit: None,
) -> tuple[Any, dict[str, Any]]:
    """Per unit the verdicts, and business totals on both sides; `each` may look at a unit while its `compared` is there."""
    work = open_tables(tools, plan, selection)
    _known_fates(work)
    units = []
    for unit in plan.maps:
        tools.progress.step(f"{unit.name}: compare")
        units.append(compare(work, unit))
        each(work, unit)
    return tuple(units), _totals(work)


def _known_fates(work: Carry) -> None:
    """`known_fates(key, fate, reason)`: the newest fate of every row that did not go, or went with findings."""
    sql, journal = work.sql, work.tools.journal
    sql.execute("CREATE OR REPLACE TABLE all_fates (n INTEGER, key VARCHAR, fate VARCHAR, reason VARCHAR)")
    for number, run in enumerate(journal.runs(kinds=("sample", "load", "delta"))):
        for unit in work.plan.maps:
            table = journal.fates(run["id"], unit.name)
            if table is not None:
                sql.register("incoming", table)
                sql.execute("INSERT INTO all_fates SELECT ?, key, fate, reason FROM incoming", [number])
                sql.unregister("incoming")
    sql.execute("""
        CREATE OR REPLACE TABLE known_fates AS
        SELECT key, arg_max(fate, n) AS fate, arg_max(coalesce(reason, ''), n) AS reason FROM all_fates GROUP BY key
    """)
    sql.execute("DROP TABLE all_fates")
    # children learn from a parent that did not go what the load told them: skipped with it, or held, and why
    sql.execute("""
        INSERT INTO landed
        SELECT key, NULL, NULL, CASE WHEN fate = 'skip' THEN 'skip' ELSE 'hold' END,
               CASE WHEN fate = 'failed' THEN 'failed:' || split_part(reason, '@', 1) ELSE reason END
        FROM known_fates AS f WHERE fate IN ('skip', 'hold', 'failed') AND reason <> ''
          AND NOT EXISTS (SELECT 1 FROM landed AS l WHERE l.key = f.key)
    """)


def _totals(work: Carry) -> dict[str, Any]:
    """Patients per practice in the source (merged and deleted ones left out) and Contacts per Account in the org."""
    source = work.sql.execute("""
        SELECT count(*) FROM src_patient AS s
        WHERE s._id NOT IN (SELECT id FROM src_merged WHERE entity = 'patient')
          AND s._id NOT IN (SELECT id FROM src_deleted WHERE entity = 'patient')
          AND coalesce(s."isDeleted", 'false') <> 'true'
    """).fetchone()
    appointments = work.sql.execute("""
        SELECT count(*) FROM src_appointment WHERE coalesce("isDeleted", 'false') <> 'true'
          AND _id NOT IN (SELECT id FROM src_deleted WHERE entity = 'appointment')
    """).fetchone()
    landed = dict(
        work.sql.execute(
            "SELECT split_part(key, '-', -2), count(*) FROM landed WHERE hash IS NOT NULL GROUP BY 1"
        ).fetchall()
    )
    return {
        "patients": {"source": source[0], "landed": landed.get("PAT", 0)},
        "appointments": {"source": appointments[0], "landed": landed.get("APT", 0)},
    }
