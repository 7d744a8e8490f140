"""The report of a journey as one self-contained HTML file: no script, nothing fetched, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from chartlift import __version__
from chartlift.cli import words
from chartlift.cli.screen_overview import FATES, folded
from chartlift.cli.screen_profile import GRAVITIES
from chartlift.model.rebuild import WARNING

STEPS = (
    "check",
    "extract",
    "profile",
    "propose",
    "people",
    "confirm",
    "estimate",
    "schema",
    "translate",
    "sample",
    "load",
    "delta",
    "reconcile",
    "rebuild",
    "rollback",
)
MOVED = ("equal", "differs", "changed_by_person")
Reports = Mapping[str, Mapping[str, Any]]


def write_page(
    path: Path, reports: Reports, seconds: Mapping[str, float], measured: Mapping[str, Any] | None = None
) -> None:
    """Render the reports that are there; values never come this far, only keys, codes and counts.

    `measured`: `pace` and `peak_mb` of a demo.
    """
    from jinja2 import Environment, select_autoescape

    text = resources.files("chartlift.cli").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figures"] = lambda value: f"{value:,}"
    html = environment.from_string(text).render(
        version=__version__,
        clean=reports.get("reconcile", {}).get("clean", False),
        confirmed=reports.get("confirm", {}),
        steps=[(name, seconds[name]) for name in STEPS if name in seconds],
        slowest=max([*seconds.values(), 0.001]),
        units=_units(reports),
        mappings=_mappings(reports),
        rebuild=_rebuild(reports),
        measured=measured or {},
        changes=len(reports.get("in flight", {}).get("changes", ())),
        delta=_delta(reports),
        kept=reports.get("rollback", {}).get("kept", []),
        hashes=[_hash(reports.get(name)) for name in ("hash before", "hash loaded", "hash after")],
        findings=_findings(reports),
    )
    path.write_text(html, encoding="utf-8")


def _hash(answer: Any) -> str:
    return str(answer.get("hash", "")) if isinstance(answer, Mapping) else ""


def _findings(reports: Reports) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """By gravity, the most frequent first."""
    found = sorted(reports.get("profile", {}).get("findings", []), key=lambda f: -f["count"])
    grouped = [(title, [f for f in found if f.get("severity", "note") == gravity]) for gravity, _, title in GRAVITIES]
    return [(title, rows) for title, rows in grouped if rows]


def _mappings(reports: Reports) -> list[dict[str, Any]]:
    """The lines of the brief's table, with their reasons in words."""
    return [
        {**line, "why": [(FATES.get(fate, fate), text, rows) for fate, text, rows in folded(line)]}
        for line in reports.get("reconcile", {}).get("mappings", [])
    ]


def _rebuild(reports: Reports) -> dict[str, Any]:
    """What has to be built anew: counts by practice and provider, and the sentence nobody may miss."""
    found = reports.get("rebuild", {})
    if not found.get("rows"):
        return {}
    counts = [{**c, "provider": words.PROVIDERS.get(c["provider"], c["provider"])} for c in found["counts"]]
    items = [(words.ITEMS[item["code"]], item["use"]) for item in found["items"]]
    return {"counts": counts, "collecting": found["collecting"], "warning": WARNING, "items": items}


def _delta(reports: Reports) -> list[str]:
    """What the delta wrote: `2 changed in Appointment__c`."""
    return [
        f"{number:,} {words.FATES[fate]} in {unit['object']}"
        for unit in reports.get("delta", {}).get("units", [])
        for fate, number in unit["fates"].items()
        if number and fate in ("insert", "update", "undelete")
    ]


def _units(reports: Reports) -> list[dict[str, Any]]:
    """One row per unit: source rows, fates, fields and the reasons of everything that did not go."""
    carried = {unit["unit"]: unit for unit in reports.get("load", {}).get("units", [])}
    rows = []
    for unit in reports.get("reconcile", {}).get("units", []):
        records, load = unit["records"], carried.get(unit["unit"], {})
        if not sum(records.values()):
            continue
        rows.append(
            {
                "title": words.unit(unit["unit"]),
                "object": unit["object"],
                "source": sum(records.values()),
                "landed": sum(records.get(name, 0) for name in MOVED),
                "skipped": records.get("skipped", 0),
                "held": records.get("held", 0),
                "failed": records.get("failed", 0),
                "fields": {"equal": 0, "differs": 0, "withheld": 0, "server": 0} | unit["fields"],
                "stayed": _stayed(load.get("reasons", [])),
                "withheld": [{"why": words.withheld(w["field"]), "rows": w["rows"]} for w in load.get("withheld", [])],
            }
        )
    return rows


def _stayed(reasons: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Own reasons one by one, those of parents together."""
    own = [r for r in reasons if r["reason"] and not r["reason"].startswith("parent:")]
    below = sum(r["rows"] for r in reasons if r["reason"].startswith("parent:"))
    rows = [
        {"what": words.FATES.get(r["fate"], r["fate"]), "why": words.reason(r["reason"]), "rows": r["rows"]}
        for r in own
    ]
    return rows + ([{"what": "held", "why": "the record above it is held", "rows": below}] if below else [])
