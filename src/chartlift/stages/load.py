"""The full load: everything in staging that may go."""

from __future__ import annotations

from chartlift.errors import SampleNotAccepted
from chartlift.model.outcomes import CarryReport
from chartlift.model.ports import Tools
from chartlift.model.selection import Everything
from chartlift.stages import plans
from chartlift.stages.carry import carry, extraction_of
from chartlift.stages.delta import CARRIED


def run(tools: Tools, *, go: bool, without_sample: bool = False) -> CarryReport:
    """Explain or do the load.

    Raises:
        NotConfirmed: there is no confirmed plan.
        SampleNotAccepted: nobody accepted a sample of this plan.
    """
    plan = plans.confirmed(tools)
    accepted = tools.journal.decisions("sample").get(plan.fingerprint, {}).get("choice") == "accepted"
    if go and not (accepted or without_sample):
        raise SampleNotAccepted(
            "No sample of this plan has been accepted.",
            hint="Run: chartlift sample --go, look at it, then chartlift sample --accept --by NAME (or load --go --without-sample)",
        )
    if go and without_sample and not accepted:
        tools.audit.act("load without sample", who=tools.who, fingerprint=plan.fingerprint)
    report = carry(tools, plan, Everything(), kind="load", go=go)
    if go:
        tools.journal.put(CARRIED, extraction_of(tools))
    return report
