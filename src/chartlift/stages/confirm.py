"""A person confirms: packs become SQL text, and everything that decides about a record is frozen under one fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.outcomes import StepReport
from chartlift.model.plan import ConfirmedPlan, PersonDecision, Policies
from chartlift.model.ports import Tools
from chartlift.stages import people as people_step
from chartlift.stages import plans
from chartlift.stages.columns import Entities
from chartlift.stages.desired import as_plain, desired_schema, source_values
from chartlift.stages.statement import compile_statement
from chartlift.stages.translation import macros


def run(tools: Tools, *, by: str, amend: bool = False) -> StepReport:
    """Freeze map, values, schema, practitioners and policies for this org.

    With `amend` the plan in force is extended by practitioners and values that first appeared since.

    Raises:
        UsageError: nobody is named.
        NotConfirmed: there is nothing to confirm yet.
        Unmatched: practitioners are without a User.
    """
    if not by.strip():
        raise UsageError("Who confirms? Use --by NAME.")
    if tools.journal.report("profile") is None:
        raise NotConfirmed("Nothing has been profiled yet.", hint="Run: chartlift extract, then chartlift profile")
    before = plans.load(tools)
    if amend and before is None:
        raise NotConfirmed("There is no plan to amend.", hint="Run: chartlift confirm --by NAME")
    identity = tools.destination.identity()
    macros(tools)
    listed = source_values(tools.staging.sql, tools.pack)
    plan = draft(tools, people=people_step.decisions(tools), org_id=identity.org_id, listed=listed)
    plan = replace(
        plan, confirmed_by=by, confirmed_at=tools.clock.now().isoformat(), fingerprint=plans.fingerprint(plan)
    )
    with tools.journal.transaction():
        plans.save(tools, plan)
        tools.journal.decide("confirm", plan.fingerprint, "confirmed", by=by, detail={"org": plan.org_id})
        if amend and before is not None and _sample_accepted(tools, before.fingerprint):
            tools.journal.decide("sample", plan.fingerprint, "accepted", by=by, detail={"amended": before.fingerprint})
    tools.audit.act("confirm", who=by, fingerprint=plan.fingerprint, detail={"org": plan.org_id, "amend": amend})
    lines = (f"Confirmed by {by} for org {identity.name} ({plan.org_id}).", f"Fingerprint {plan.fingerprint}")
    data = {
        "fingerprint": plan.fingerprint,
        "org_id": plan.org_id,
        "confirmed_by": by,
        "confirmed_at": plan.confirmed_at,
    }
    return StepReport("confirm", lines=lines, data=data)


def _sample_accepted(tools: Tools, fingerprint: str) -> bool:
    return tools.journal.decisions("sample").get(fingerprint, {}).get("choice") == "accepted"


def draft(
    tools: Tools, *, people: tuple[PersonDecision, ...], org_id: str, listed: Mapping[str, Sequence[str]]
) -> ConfirmedPlan:
    """The plan as today's packs, values and decisions make it, not confirmed.

    `listed`: values that the source's own lists add to pick-lists (a plan keeps those it was confirmed with).
    """
    owners = people_step.owners(tools)
    policies = Policies(
        fallback_user_id=owners.get("fallback", ""),
        account_owner_id=owners.get("account_owner", "") or owners.get("fallback", ""),
        **{name: tools.options[name] for name in ("batch_rows", "batch_bytes", "pps") if name in tools.options},
    )
    pack = tools.pack
    entities = Entities.of(tools.source.shapes())
    units = {unit.code: unit for unit in pack.maps}
    statements = {
        unit.name: compile_statement(unit, tenant=tools.tenant, policies=policies, entities=entities, units=units)
        for unit in pack.maps
    }
    return ConfirmedPlan(
        tenant=tools.tenant,
        org_id=org_id,
        source=tools.source.name,
        pack=pack.name,
        maps=tuple(pack.maps),
        value_maps=tuple(pack.value_maps[name] for name in sorted(pack.value_maps)),
        people=people,
        policies=policies,
        statements=statements,
        schema=json.loads(json.dumps(as_plain(desired_schema(pack, listed)) | {"listed": dict(listed)})),
    )
