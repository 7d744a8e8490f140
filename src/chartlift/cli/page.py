"""The report of a journey as one self-contained HTML file: no script, nothing fetched, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from chartlift import __version__

STEPS = (
    "check",
    "extract",
    "profile",
    "propose",
    "people",
    "confirm",
    "estimate",
    "schema",
    "sample",
    "load",
    "delta",
    "reconcile",
    "rollback",
)


def write_page(path: Path, reports: Mapping[str, Mapping[str, Any]], seconds: Mapping[str, float]) -> None:
    """Render the reports that are there; values never come this far, only keys, codes and counts."""
    from jinja2 import Environment, select_autoescape

    text = resources.files("chartlift.cli").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figures"] = lambda value: f"{value:,}"
    html = environment.from_string(text).render(
        version=__version__,
        reports=reports,
        steps=[(name, seconds[name]) for name in STEPS if name in seconds],
        slowest=max(seconds.values(), default=1.0),
        units=_units(reports),
        kept=reports.get("rollback", {}).get("kept", []),
        hashes=[_hash(reports.get(name)) for name in ("hash before", "hash loaded", "hash after")],
        findings=sorted(reports.get("profile", {}).get("findings", []), key=lambda f: -f["count"]),
    )
    path.write_text(html, encoding="utf-8")


def _hash(answer: Any) -> str:
    return str(answer.get("hash", "")) if isinstance(answer, Mapping) else ""


def _units(reports: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per unit: source rows, fates, fields and the reasons of everything that did not go."""
    carried = {unit["unit"]: unit for unit in reports.get("load", {}).get("units", [])}
    rows = []
    for unit in reports.get("reconcile", {}).get("units", []):
        load = carried.get(unit["unit"], {})
        records = unit["records"]
        landed = sum(records.get(name, 0) for name in ("equal", "differs", "changed_by_person"))
        rows.append(
            {
                "name": unit["unit"],
                "object": unit["object"],
                "source": sum(records.values()),
                "landed": landed,
                "skipped": records.get("skipped", 0),
                "held": records.get("held", 0),
                "failed": records.get("failed", 0),
                "fields": unit["fields"],
                "reasons": [r for r in load.get("reasons", []) if r["reason"]],
                "withheld": load.get("withheld", []),
            }
        )
    return rows
