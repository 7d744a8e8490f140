"""A representative slice of whole patient graphs, loaded first and compared field by field; a person accepts or rejects it."""

from __future__ import annotations

from chartlift.errors import SampleNotAccepted, UsageError
from chartlift.model.outcomes import CompareReport, StepReport
from chartlift.model.plan import ConfirmedPlan
from chartlift.model.ports import Tools
from chartlift.model.selection import Slice
from chartlift.stages import plans, rollback
from chartlift.stages.carry import carry, open_tables
from chartlift.stages.reconcile import compare_all
from chartlift.stages.translation import view

SMALLEST, LARGEST, USUAL = 100, 300, 200


def run(tools: Tools, *, go: bool, size: int = USUAL) -> CompareReport:
    """Explain or load the sample, and compare it.

    Raises:
        UsageError: a size outside 100 to 300.
    """
    if not SMALLEST <= size <= LARGEST:
        raise UsageError(f"A sample has {SMALLEST} to {LARGEST} patients.")
    plan = plans.confirmed(tools)
    patients = tools.journal.get(f"sample:{plan.fingerprint}:{size}") or choose(tools, plan, size)
    selection = Slice(tuple(patients))
    if go:
        tools.journal.put(f"sample:{plan.fingerprint}:{size}", list(patients))
    carried = carry(tools, plan, selection, kind="sample", go=go)
    if not go:
        return CompareReport("sample", units=(), patients=len(patients), carry=carried)
    units, totals = compare_all(tools, plan, selection)
    return CompareReport("sample", units=units, totals=totals, run=carried.run, patients=len(patients), carry=carried)


def choose(tools: Tools, plan: ConfirmedPlan, size: int) -> list[str]:
    """Patients so that every practice, clinician, status and finding is there, then filled up; the same for the same plan."""
    work = open_tables(tools, plan, Slice(()))
    seed = plan.fingerprint[:16]
    strata = [
        """SELECT 'practice:' || coalesce("siteKey", '') AS stratum, _id AS patient FROM src_patient""",
        """SELECT 'user:' || coalesce("preferredUserId", ''), _id FROM src_patient""",
        """SELECT 'patient:' || coalesce("status", ''), _id FROM src_patient""",
        """SELECT 'status:' || coalesce("appointmentStatusId", "appointmentStatus", ''), _patient FROM src_appointment""",
        """SELECT 'clinician:' || coalesce("userId", ''), _patient FROM src_appointment""",
    ]
    strata += [
        f"SELECT unnest(list_append(withheld || notes, fate || coalesce(reason, ''))), patient"
        f" FROM {view(unit)} WHERE patient IS NOT NULL"
        for unit in plan.maps
    ]
    work.sql.execute("CREATE OR REPLACE TABLE strata (stratum VARCHAR, patient VARCHAR)")
    for query in strata:  # one by one: all views at once would not fit into memory
        work.sql.execute(f"""
            INSERT INTO strata SELECT stratum, arg_min(patient, md5('{seed}' || patient)) FROM ({query}) AS s(stratum, patient)
            WHERE patient IN (SELECT _id FROM src_patient) AND stratum NOT IN (SELECT stratum FROM strata) GROUP BY stratum
        """)
    rows = work.sql.execute(f"""
        SELECT _id FROM src_patient
        ORDER BY _id IN (SELECT patient FROM strata) DESC, md5('{seed}' || _id), _id LIMIT {int(size)}
    """).fetchall()
    return sorted((row[0] for row in rows), key=lambda i: (len(i), i))


def accept(tools: Tools, *, by: str) -> StepReport:
    """A person accepts the sample of the plan in force.

    Raises:
        UsageError: nobody is named.
        SampleNotAccepted: no sample of this plan was loaded.
    """
    if not by.strip():
        raise UsageError("Who accepts? Use --by NAME.")
    plan = plans.confirmed(tools)
    runs = [
        r
        for r in tools.journal.runs(kinds=("sample",))
        if r["fingerprint"] == plan.fingerprint and r["outcome"] == "done"
    ]
    if not runs:
        raise SampleNotAccepted("There is no finished sample of this plan.", hint="Run: chartlift sample --go")
    tools.journal.decide("sample", plan.fingerprint, "accepted", by=by, detail={"run": runs[-1]["id"]})
    tools.audit.act("sample accepted", who=by, run=runs[-1]["id"], fingerprint=plan.fingerprint)
    return StepReport("sample", lines=(f"Sample accepted by {by}.",), data={"accepted": True, "run": runs[-1]["id"]})


def reject(tools: Tools, *, by: str) -> StepReport:
    """A person rejects the sample: it is rolled back, and the plan waits for a better map."""
    plan = plans.in_force(tools)
    runs = [r for r in tools.journal.runs(kinds=("sample",)) if r["outcome"] != "rolled_back"]
    if not runs:
        raise SampleNotAccepted("There is no sample to reject.", hint="See: chartlift status")
    reports = [rollback.run(tools, go=True, run_id=r["id"]) for r in reversed(runs)]
    tools.journal.decide("sample", plan.fingerprint, "rejected", by=by or tools.who)
    tools.audit.act("sample rejected", who=by or tools.who, fingerprint=plan.fingerprint)
    kept = [dict(zip(("object", "key", "id", "reason"), k, strict=True)) for report in reports for k in report.kept]
    code = max(report.exit_code for report in reports)
    return StepReport(
        "sample", lines=("Sample rejected and rolled back.",), data={"accepted": False, "kept": kept}, code=code
    )
