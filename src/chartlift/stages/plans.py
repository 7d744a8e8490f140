"""The confirmed plan in the journal: fingerprint, writing, reading, and whether it still fits what is here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chartlift.errors import NotConfirmed, WrongOrg
from chartlift.model.plan import (
    Condition,
    ConfirmedPlan,
    FieldRule,
    ObjectMap,
    PersonDecision,
    Policies,
    ValueMap,
)
from chartlift.model.ports import Tools

FREE = ("confirmed_by", "confirmed_at", "fingerprint")  # not part of what is confirmed


def fingerprint(plan: ConfirmedPlan) -> str:
    """SHA-256 over everything that was confirmed, in one canonical spelling."""
    body = {name: value for name, value in _plain(plan).items() if name not in FREE}
    return hashlib.sha256(
        json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    ).hexdigest()


def _plain(plan: ConfirmedPlan) -> dict[str, Any]:
    """Asdict, with mappings as dicts."""
    return json.loads(json.dumps(asdict(plan), default=dict))


def save(tools: Tools, plan: ConfirmedPlan) -> None:
    """Make this the plan in force."""
    tools.journal.put("plan", _plain(plan))


def void(tools: Tools, why: str) -> None:
    """Take the confirmation back."""
    tools.journal.put("plan", None)
    tools.journal.put("plan_voided", why)


def load(tools: Tools) -> ConfirmedPlan | None:
    """The plan in force as it was stored, unchecked."""
    body = tools.journal.get("plan")
    return None if body is None else _read(body)


def _read(body: Mapping[str, Any]) -> ConfirmedPlan:
    rest: dict[str, Any] = {
        "maps": tuple(_read_map(unit) for unit in body["maps"]),
        "value_maps": tuple(ValueMap(**values) for values in body["value_maps"]),
        "people": tuple(PersonDecision(**person) for person in body["people"]),
        "policies": Policies(**body["policies"]),
    }
    return ConfirmedPlan(**{**body, **rest})


def _read_map(body: Mapping[str, Any]) -> ObjectMap:
    rest: dict[str, Any] = {
        "when": tuple(Condition(**condition) for condition in body["when"]),
        "fields": tuple(_read_rule(rule) for rule in body["fields"]),
    }
    return ObjectMap(**{**body, **rest})


def _read_rule(body: Mapping[str, Any]) -> FieldRule:
    rest: dict[str, Any] = {"sources": tuple(body["sources"]), "arguments": tuple(body["arguments"])}
    return FieldRule(**{**body, **rest})


def in_force(tools: Tools) -> ConfirmedPlan:
    """The confirmed plan for looking back (rollback, reconcile): map files may have changed since, the org may not.

    Raises:
        NotConfirmed: nothing was ever confirmed, or the stored plan was altered.
        WrongOrg: another org answers.
    """
    plan = load(tools)
    if plan is None:
        raise NotConfirmed("No plan is confirmed, so nothing was written.", hint="Run: chartlift confirm --by NAME")
    if fingerprint(plan) != plan.fingerprint:
        raise NotConfirmed(
            "The stored plan is not the one that was confirmed.", hint="Run: chartlift confirm --by NAME"
        )
    _same_org(tools, plan)
    return plan


def _same_org(tools: Tools, plan: ConfirmedPlan) -> None:
    answering = tools.destination.identity().org_id
    if answering != plan.org_id:
        raise WrongOrg(
            f"The plan was confirmed for org {plan.org_id}, but org {answering} answers.",
            hint="Correct the url under [destination] in chartlift.toml, or confirm again for this org.",
        )


def confirmed(tools: Tools) -> ConfirmedPlan:
    """The plan in force.

    Raises:
        NotConfirmed: nobody confirmed, the stored plan was altered, or map, values or people have changed since.
        WrongOrg: another org answers.
    """
    plan = load(tools)
    again = "Run: chartlift confirm --by NAME"
    if plan is None:
        why = tools.journal.get("plan_voided")
        raise NotConfirmed(
            f"No plan is confirmed{f' ({why})' if why else ''}; no record moves without one.", hint=again
        )
    if fingerprint(plan) != plan.fingerprint:
        raise NotConfirmed("The stored plan is not the one that was confirmed.", hint=again)
    from chartlift.stages.confirm import draft

    listed: Any = plan.schema["listed"]
    now = draft(tools, people=_people_now(tools, plan), org_id=plan.org_id, listed=listed)
    if fingerprint(now) != plan.fingerprint:
        changed = ", ".join(_differences(plan, now)) or "the plan"
        raise NotConfirmed(f"Changed since the confirmation: {changed}.", hint=again)
    _same_org(tools, plan)
    return plan


def _people_now(tools: Tools, plan: ConfirmedPlan) -> tuple[PersonDecision, ...]:
    """The plan's practitioners with the decisions of today; who first appeared since then is not in it and waits."""
    fallback = plan.policies.fallback_user_id
    people = {p.source_id: p for p in plan.people}
    for source_id, decision in tools.journal.decisions("people").items():
        choice = decision["choice"]
        user, how = (fallback, "fallback") if choice == "fallback" else (choice, "decided")
        people[source_id] = PersonDecision(source_id, user, how)
    return tuple(people[source_id] for source_id in sorted(people))


def _differences(old: ConfirmedPlan, new: ConfirmedPlan) -> list[str]:
    """Names of what differs, for the message."""
    found = []
    before = {m.name: m for m in old.maps}
    for unit in new.maps:
        rules = {f.target: f for f in before[unit.name].fields} if unit.name in before else {}
        found += [f"{unit.name}.{f.target}" for f in unit.fields if rules.get(f.target) != f]
    values = {v.name: v for v in old.value_maps}
    found += [f"value map {v.name}" for v in new.value_maps if values.get(v.name) != v]
    people = {p.source_id: p for p in old.people}
    if {p.source_id: p for p in new.people} != people:
        found.append("practitioner decisions")
    if old.policies != new.policies:
        found.append("policies")
    return found[:12]
