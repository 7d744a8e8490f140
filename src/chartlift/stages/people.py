"""Practitioners: each is matched by e-mail to exactly one active User, or a person decides."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from chartlift.errors import Unmatched, UsageError
from chartlift.model.outcomes import StepReport
from chartlift.model.plan import PersonDecision
from chartlift.model.ports import Tools
from chartlift.stages.parents import PEOPLE


def run(tools: Tools, *, fallback: str = "", decide: Path | None = None, account_owner: str = "") -> StepReport:
    """Match, note decisions, and list who is still without a User (exit 3 while there is one).

    Raises:
        UsageError: a fallback or decision names no active User; the CSV lacks its columns.
    """
    users = users_by_mail(tools)
    for name, mail in (("fallback", fallback), ("account_owner", account_owner)):
        if mail:
            tools.journal.decide("owner", name, active_user(users, mail), by=tools.who, detail={"email": mail})
            tools.audit.act("people", who=tools.who, detail={"decision": name})
    if decide is not None:
        _read_decisions(tools, users, decide.read_text(encoding="utf-8-sig"))
    found = match(tools, users)
    fallback_id = owners(tools).get("fallback", "")
    open_ones = [p for p in found if p["how"] == "unmatched"]
    code = 3 if open_ones or not fallback_id else 0
    lines = [f"{sum(p['how'] == how for p in found)} {how}" for how in ("email", "decided", "fallback", "unmatched")]
    if not fallback_id:
        lines.append("No fallback User yet: chartlift people --fallback EMAIL")
    data = {"people": found, "fallback": fallback_id, "unmatched": [p["source_id"] for p in open_ones]}
    return StepReport("people", lines=tuple(lines), data=data, code=code)


def users_by_mail(tools: Tools) -> dict[str, list[dict[str, Any]]]:
    """Users of the org by folded e-mail."""
    found: dict[str, list[dict[str, Any]]] = {}
    for user in pa.table(tools.destination.users()).to_pylist():
        found.setdefault((user["Email"] or "").strip().casefold(), []).append(user)
    return found


def active_user(users: dict[str, list[dict[str, Any]]], mail: str) -> str:
    """The Id of the one active standard User with this e-mail."""
    fits = [
        u for u in users.get(mail.strip().casefold(), []) if u["IsActive"] == "true" and u["UserType"] == "Standard"
    ]
    if len(fits) != 1:
        raise UsageError(
            f"{len(fits)} active Users have that e-mail address; exactly one is needed.",
            hint="Create or activate the User in Salesforce, or name another one.",
        )
    return fits[0]["Id"]


def owners(tools: Tools) -> dict[str, str]:
    """`fallback` and `account_owner` as decided: User Ids."""
    return {name: decision["choice"] for name, decision in tools.journal.decisions("owner").items()}


def match(tools: Tools, users: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One line per clinician of the source and per clinician id that records name without being in its list."""
    sql = tools.staging.sql
    decided = tools.journal.decisions("people")
    fallback = owners(tools).get("fallback", "")
    clinicians = sql.execute("""
        SELECT _id, lower(trim(email)), role, count(*) OVER (PARTITION BY nullif(lower(trim(email)), '')) AS shared
        FROM src_user ORDER BY _seq
    """).fetchall()
    known = {c[0] for c in clinicians}
    named = [row[0] for row in sql.execute(_named_query(tools)).fetchall() if row[0] not in known]
    lines = []
    for source_id, mail, role, shared in [*clinicians, *((n, None, None, 1) for n in named)]:
        line = {"source_id": source_id, "role": role or "", "user_id": None, "how": "unmatched", "why": ""}
        fits = users.get((mail or "").casefold(), []) if mail else []
        active = [u for u in fits if u["IsActive"] == "true" and u["UserType"] == "Standard"]
        if source_id in decided:
            choice = decided[source_id]["choice"]
            line["how"] = "fallback" if choice == "fallback" else "decided"
            line["user_id"] = fallback if choice == "fallback" else choice
        elif len(active) == 1 and shared == 1:
            line |= {"user_id": active[0]["Id"], "how": "email"}
        else:
            line["why"] = _why(mail, shared, fits, active, listed=source_id in known)
            if fallback:
                line |= {"user_id": fallback, "how": "fallback"}
        lines.append(line)
    return lines


def _why(mail: str | None, shared: int, fits: list[Any], active: list[Any], *, listed: bool) -> str:
    """Code for the report: what stands in the way of a match."""
    if not listed:
        return "not_in_list"
    if not mail:
        return "no_email"
    if shared > 1:
        return "shared_email"
    if len(active) > 1:
        return "several_users"
    return "inactive_user" if fits else "no_user"


def _named_query(tools: Tools) -> str:
    """Every clinician id that a mapped User lookup of the pack names."""
    parts = []
    for unit in tools.pack.maps:
        for rule in unit.fields:
            if rule.lookup in PEOPLE:
                parts += [
                    f'SELECT "{source}" AS id FROM src_{unit.source}' for source in rule.sources if "." not in source
                ]
    union = " UNION ".join(parts) or "SELECT NULL::VARCHAR AS id"
    return f"SELECT DISTINCT id FROM ({union}) WHERE coalesce(id, '') <> '' ORDER BY id"


def _read_decisions(tools: Tools, users: dict[str, list[dict[str, Any]]], text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"source_id", "user"} <= set(rows[0]):
        raise UsageError("The decisions need the columns source_id and user (an e-mail address, or the word fallback).")
    choices = {row["source_id"]: _choice(users, row["user"]) for row in rows}
    with tools.journal.transaction():
        for source_id, choice in choices.items():
            tools.journal.decide("people", source_id, choice, by=tools.who)
    tools.audit.act("people", who=tools.who, detail={"decided": len(choices)})


def _choice(users: dict[str, list[dict[str, Any]]], text: str) -> str:
    return "fallback" if text.strip().casefold() == "fallback" else active_user(users, text)


def decisions(tools: Tools) -> tuple[PersonDecision, ...]:
    """What confirm freezes.

    Raises:
        Unmatched: somebody is still without a User, or there is no fallback.
    """
    found = match(tools, users_by_mail(tools))
    open_ones = [p["source_id"] for p in found if p["how"] == "unmatched"]
    if open_ones or not owners(tools).get("fallback"):
        listed = ", ".join(open_ones[:10]) or "no fallback User"
        raise Unmatched(
            f"Practitioners without a User: {listed}.",
            hint="Run: chartlift people --fallback EMAIL, or chartlift people --decide FILE.csv",
        )
    return _frozen(found)


def _frozen(found: Iterable[dict[str, Any]]) -> tuple[PersonDecision, ...]:
    ordered = sorted(found, key=lambda p: p["source_id"])
    return tuple(PersonDecision(p["source_id"], p["user_id"], p["how"]) for p in ordered)
