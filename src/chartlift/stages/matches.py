"""Rows the org may already know without our key: a person says link or new."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from chartlift.errors import UsageError
from chartlift.model.outcomes import CarryReport, StepReport
from chartlift.model.ports import Tools
from chartlift.model.selection import Everything
from chartlift.stages import plans
from chartlift.stages.carry import carry


def run(tools: Tools, *, every: str = "", decide: Path | None = None) -> StepReport:
    """List probable matches, or decide them: all alike (`link` | `new`) or by a CSV with key and choice (link, new or an Id).

    Raises:
        UsageError: another word, a missing column, a key or Id that is no match.
    """
    plan = plans.confirmed(tools)
    found = carry(tools, plan, Everything(), kind="load", go=False)
    if every:
        if every not in ("link", "new"):
            raise UsageError("Say --all link or --all new.")
        _keep(tools, {key: _link(found, key) if every == "link" else "new" for _, key, _, _ in found.matches})
    if decide is not None:
        _keep(tools, _read(found, decide.read_text(encoding="utf-8-sig")))
    left = [m for m in found.matches if m[1] not in tools.journal.decisions("match")]
    matches = [dict(zip(("object", "key", "id", "evidence"), m, strict=True)) for m in left]
    return StepReport(
        "matches", lines=(f"{len(left)} probable matches wait for a decision.",), data={"matches": matches}
    )


def _link(found: CarryReport, key: str) -> str:
    """The one row that matches; several are a question for a person."""
    ids = {m[2] for m in found.matches if m[1] == key}
    if len(ids) > 1:
        raise UsageError(
            f"{key} matches {len(ids)} records of the org.", hint="Decide it by --decide FILE.csv with its Id."
        )
    return ids.pop()


def _read(found: CarryReport, text: str) -> dict[str, str]:
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"key", "choice"} <= set(rows[0]):
        raise UsageError("The decisions need the columns key and choice (link, new, or the Id of the record).")
    choices = {}
    for row in rows:
        ids = {m[2] for m in found.matches if m[1] == row["key"]}
        choice = row["choice"].strip()
        if choice == "link":
            choice = _link(found, row["key"])
        if choice != "new" and choice not in ids:
            raise UsageError(f"{row['key']}: that choice is no probable match of it.", hint="See: chartlift matches")
        choices[row["key"]] = choice
    return choices


def _keep(tools: Tools, choices: dict[str, str]) -> None:
    with tools.journal.transaction():
        for key, choice in choices.items():
            tools.journal.decide("match", key, choice, by=tools.who)
    tools.audit.act("matches decided", who=tools.who, detail={"decided": len(choices)})
