"""Where the journey stands, read from the journal and the audit trail only: it works beside a running step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from chartlift.model.books import Ledger
from chartlift.model.ports import Tools
from chartlift.model.standing import RunState, StatusReport, StepState, UnitState

JOURNEY = (
    "check",
    "extract",
    "profile",
    "propose",
    "people",
    "confirm",
    "schema",
    "sample",
    "load",
    "delta",
    "reconcile",
)
OPTIONAL = (
    "propose",
    "delta",
)  # never what comes next: the shipped map may do, and a delta comes when something changed
RUNS = ("sample", "load", "delta")
COUNTS = ("rows", "ok", "failed", "unprocessed", "unknown")


def run(tools: Tools) -> StatusReport:
    """Steps done and to come, runs, counts per unit, and how many rows are without a fate."""
    if tools.vault is not None and tools.vault.purged:
        gone = StepState("purge", done=True, at=_purged_at(tools))
        return StatusReport(tools.tenant, purged=True, unknown=0, next="", steps=(gone,))
    journal = cast("Ledger", tools.journal)
    tally, runs = journal.tally(), journal.runs()
    steps = _steps(tools, journal, runs)
    return StatusReport(
        tenant=tools.tenant,
        purged=False,
        unknown=journal.unknown(),
        next=_next(steps, runs),
        steps=steps,
        runs=tuple(_run(run, tally) for run in runs),
        units=_units(journal, tally, runs),
        plan=_plan(journal),
    )


def _purged_at(tools: Tools) -> str:
    return max((entry["at"] for entry in tools.audit.entries() if entry["act"] == "purge"), default="")


def _plan(journal: Ledger) -> dict[str, Any]:
    plan = journal.get("plan")
    if plan is None:
        why = journal.get("plan_voided")
        return {"voided": why} if why else {}
    return {name: plan.get(name, "") for name in ("fingerprint", "confirmed_by", "confirmed_at")}


def _steps(tools: Tools, journal: Ledger, runs: Iterable[Mapping[str, Any]]) -> tuple[StepState, ...]:
    """When each step was last done; what hangs on a confirmed plan counts only under its fingerprint."""
    at = dict(journal.report_steps())
    plan = _plan(journal)
    fingerprint = plan.get("fingerprint", "")
    at["confirm"] = plan.get("confirmed_at", "")
    at["schema"] = _deployed(tools, fingerprint)
    sample = journal.decisions("sample").get(fingerprint, {})
    at["sample"] = sample["at"] if sample.get("choice") == "accepted" else ""
    for kind in ("load", "delta"):
        ended = [run["ended"] for run in runs if run["kind"] == kind and run["outcome"] == "done"]
        at[kind] = max(ended, default="")
    if at.get("reconcile", "") < max(at["load"], at["delta"]):
        at["reconcile"] = ""  # it was done before the last rows were written
    return tuple(StepState(name, done=bool(at.get(name)), at=at.get(name, "")) for name in JOURNEY)


def _deployed(tools: Tools, fingerprint: str) -> str:
    """When the schema of this plan was deployed, by the audit trail."""
    acts = (e for e in tools.audit.entries() if e["act"] == "schema deployed" and e["fingerprint"] == fingerprint)
    return max((entry["at"] for entry in acts), default="")


def _next(steps: Iterable[StepState], runs: Iterable[Mapping[str, Any]]) -> str:
    """An interrupted run goes on; else the first step that is missing; after all of them the purge."""
    for run in runs:
        if run["ended"] is None:
            return run["kind"]
    return next((step.name for step in steps if not step.done and step.name not in OPTIONAL), "purge")


def _run(run: Mapping[str, Any], tally: Iterable[Mapping[str, Any]]) -> RunState:
    mine = [line for line in tally if line["run"] == run["id"]]
    counts: dict[str, Any] = {name: sum(line[name] for line in mine) for name in COUNTS}
    texts: dict[str, Any] = {name: run[name] or "" for name in ("id", "kind", "who", "started", "ended", "fingerprint")}
    return RunState(**texts, outcome=run["outcome"] or "running", **counts)


def _units(
    journal: Ledger, tally: Iterable[Mapping[str, Any]], runs: Iterable[Mapping[str, Any]]
) -> tuple[UnitState, ...]:
    order = {run["id"]: number for number, run in enumerate(runs) if run["kind"] in RUNS}
    newest: dict[str, tuple[int, Mapping[str, int]]] = {}
    for line in journal.fate_counts():
        number = order.get(line["run"], -1)
        if number >= newest.get(line["unit"], (-1, {}))[0]:
            newest[line["unit"]] = (number, line["fates"])
    lines: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in tally:
        lines.setdefault((line["unit"], line["object"]), []).append(line)
    for unit in newest:
        if all(name != unit for name, _ in lines):
            lines[unit, ""] = []
    return tuple(_unit(unit, name, found, newest.get(unit, (0, {}))[1]) for (unit, name), found in lines.items())


def _unit(unit: str, object_name: str, lines: list[Mapping[str, Any]], kept_back: Mapping[str, int]) -> UnitState:
    written: dict[str, int] = {}
    for line in lines:
        if line["ok"]:
            written[line["operation"]] = written.get(line["operation"], 0) + line["ok"]
    sums = {name: sum(line[name] for line in lines) for name in ("failed", "unprocessed", "unknown")}
    return UnitState(unit, object_name, written, **sums, kept_back=dict(kept_back))
