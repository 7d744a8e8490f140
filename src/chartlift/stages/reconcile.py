"""Every record and field of the clinic against the org, and the totals a practice manager knows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from chartlift.model.outcomes import CompareReport
from chartlift.model.plan import ConfirmedPlan
from chartlift.model.ports import Tools
from chartlift.model.selection import Everything, Selection
from chartlift.stages import plans
from chartlift.stages.carry import open_tables
from chartlift.stages.carry.context import Carry
from chartlift.stages.compare import compare


def run(tools: Tools) -> CompareReport:
    """Compare everything; exit 4 if something differs without an explanation."""
    plan = plans.in_force(tools)
    units, totals = compare_all(tools, plan, Everything())
    report = CompareReport("reconcile", units=units, totals=totals)
    tools.audit.act("reconcile", who=tools.who, fingerprint=plan.fingerprint, detail={"clean": report.clean})
    return report


def compare_all(tools: Tools, plan: ConfirmedPlan, selection: Selection) -> tuple[Any, dict[str, Any]]:
    """Per unit the verdicts, and business totals on both sides."""
    work = open_tables(tools, plan, selection)
    work.keep("known_fates", _known_fates(tools, plan))
    units = []
    for unit in plan.maps:
        tools.progress.step(f"{unit.name}: compare")
        units.append(compare(work, unit))
    return tuple(units), _totals(work)


def _known_fates(tools: Tools, plan: ConfirmedPlan) -> pa.Table:
    """The newest fate of every row that did not go: key, fate."""
    fates: dict[str, str] = {}
    for run in tools.journal.runs(kinds=("sample", "load", "delta")):
        for unit in plan.maps:
            table = tools.journal.fates(run["id"], unit.name)
            if table is not None:
                fates |= dict(zip(table.column("key").to_pylist(), table.column("fate").to_pylist(), strict=True))
    schema = pa.schema([("key", pa.string()), ("fate", pa.string())])
    return pa.table({"key": list(fates), "fate": list(fates.values())}, schema=schema)


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
