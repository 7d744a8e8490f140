"""Changes at the clinic since the last pick-up: extracted by their stamps, then carried like everything else."""

from __future__ import annotations

from datetime import timedelta

from chartlift.model.outcomes import CarryReport
from chartlift.model.plan import ConfirmedPlan
from chartlift.model.ports import Tools
from chartlift.model.selection import Since
from chartlift.stages import extract, plans
from chartlift.stages.carry import carry

CARRIED = "carried_extraction"  # the newest extraction whose changes are in the org


def run(tools: Tools, *, go: bool, hours: float = 0, every: float = 15) -> CarryReport:
    """Pick up changes once, or again and again for `hours`, `every` so many minutes; returns the last pick-up's report.

    Raises:
        NotConfirmed: there is no confirmed plan.
    """
    plan = plans.confirmed(tools)
    end = tools.clock.now() + timedelta(hours=hours if go else 0)
    report = _once(tools, plan, go=go)
    while tools.clock.now() + timedelta(minutes=every) <= end:
        tools.progress.step(f"delta: next pick-up in {every:g} minutes, until {end:%Y-%m-%d %H:%M} UTC")
        tools.clock.sleep(every * 60)
        report = _once(tools, plan, go=go)
    return report


def _once(tools: Tools, plan: ConfirmedPlan, *, go: bool) -> CarryReport:
    picked = extract.run(tools, since="last")
    first = int(tools.journal.get(CARRIED, 0)) + 1
    report = carry(tools, plan, Since(first), kind="delta", go=go)
    if go:
        tools.journal.put(CARRIED, picked.extraction)
    return report
