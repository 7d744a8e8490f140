"""`chartlift demo`: the whole journey on the real wire, against a private sandbox, with its proof."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chartlift.cli.demo_changes import in_flight, own_records
from chartlift.cli.demo_pace import forget_peak, pace, peak_mb, translate
from chartlift.cli.door import guarded
from chartlift.cli.page import write_page
from chartlift.cli.private_sandbox import PrivateSandbox, private_sandbox
from chartlift.cli.progress import progress
from chartlift.errors import UsageError
from chartlift.model.outcomes import StepReport
from chartlift.model.ports import Tools
from chartlift.model.reports import Report

SMALLEST = 20


@dataclass
class Journey:
    """The reports so far, in order, with the seconds and the memory each step took."""

    workspace: Path
    box: PrivateSandbox
    bar: Any
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)  # MB

    def step(self, name: str, stage: Callable[[Tools], Report]) -> dict[str, Any]:
        """Run one step in a workspace opened for it alone, as a person would."""
        from chartlift.workspace import opened

        self.bar.step(name)
        forget_peak()
        started = time.perf_counter()
        with opened(self.workspace, self.bar, who="demo") as tools:
            report = stage(tools)
            body = report.as_json()
            tools.journal.put_report(name.split(" ", maxsplit=1)[0], getattr(report, "run", "") or "", body)
        self.seconds[name] = time.perf_counter() - started
        self.peaks[name] = peak_mb()
        self.reports[name] = body
        return body


def run_demo(*, patients: int, seed: int, keep: bool, home: Path | None, as_json: bool) -> int:
    """Run it; exit 0 only if the reconciliation is clean and the rollback left the org as it was."""
    place = home or Path(f"demo-{seed}")

    def work() -> Report:
        if patients < SMALLEST:
            raise UsageError(f"A demo needs at least {SMALLEST} patients.")
        if place.exists():
            if not (place / "sandbox").is_dir():
                raise UsageError(f"{place} exists and is not a demo's folder.", hint="Use --home.")
            shutil.rmtree(place)
        with private_sandbox(place / "sandbox", patients, seed, keep=keep) as box, progress() as bar:
            journey = _journey(place, box, bar, patients, keep=keep)
        return _report(journey, place, keep=keep)

    return guarded("demo", work, as_json=as_json)


def _journey(place: Path, box: PrivateSandbox, bar: Any, patients: int, *, keep: bool) -> Journey:
    from chartlift.workspace import make

    facts = box.facts
    make(
        place / "workspace",
        tenant="demo",
        pack="aeronaclinic_to_salesforce",
        source="aeronaclinic",
        source_url=facts["clinic_url"],
        org_url=facts["org_url"],
        environ=facts["env"],
    )
    journey = Journey(place / "workspace", box, bar)
    _prepare(journey, facts["fallback_email"])
    _load(journey, patients)
    if not keep:
        _roll_back(journey)
    return journey


def _prepare(journey: Journey, fallback: str) -> None:
    from chartlift.stages import check, confirm, estimate, extract, people, profile, propose, schema

    for record in own_records():
        journey.box.post("/org/edit", record)
    journey.reports["hash before"] = journey.box.get("/org/state-hash")
    journey.step("check", check.run)
    journey.step("extract", extract.run)
    journey.step("profile", profile.run)
    journey.step("propose", propose.run)
    journey.step("people", lambda tools: people.run(tools, fallback=fallback))
    journey.step("confirm", lambda tools: confirm.run(tools, by="Practice Manager (demo)"))
    journey.step("estimate", estimate.run)
    journey.step("schema", lambda tools: schema.run(tools, go=True))


def _load(journey: Journey, patients: int) -> None:
    from chartlift.stages import delta, load, rebuild, reconcile, sample

    size = min(sample.LARGEST, max(sample.SMALLEST, patients // 3))
    journey.step("translate", translate)
    journey.step("sample", lambda tools: sample.run(tools, go=True, size=size))
    journey.step("sample accepted", lambda tools: sample.accept(tools, by="Practice Manager (demo)"))
    journey.step("load", lambda tools: load.run(tools, go=True))
    journey.reports["in flight"] = {
        "changes": [journey.box.post("/clinic/mutate", change) for change in changes(journey)]
    }
    journey.step("delta", lambda tools: delta.run(tools, go=True))
    journey.step("reconcile", reconcile.run)
    journey.step("rebuild", rebuild.run)
    journey.reports["hash loaded"] = journey.box.get("/org/state-hash")


def changes(journey: Journey) -> list[dict[str, Any]]:
    """What to do to the clinic while the cutover runs."""
    from chartlift.workspace import opened

    with opened(journey.workspace, journey.bar, who="demo") as tools:
        return in_flight(tools)


def _roll_back(journey: Journey) -> None:
    from chartlift.stages import rollback

    journey.step("rollback", lambda tools: rollback.run(tools, go=True))
    journey.reports["hash after"] = journey.box.get("/org/state-hash")


def _report(journey: Journey, place: Path, *, keep: bool) -> StepReport:
    page = place / "report.html"
    measured = {
        "pace": pace(journey.reports, journey.seconds, journey.peaks),
        "peak_mb": max(peak_mb(), *journey.peaks.values()),
    }
    write_page(page, journey.reports, journey.seconds, measured)
    clean = journey.reports["reconcile"]["exit_code"] == 0
    before, after = journey.reports["hash before"], journey.reports.get("hash after")
    same = keep or before == after
    lines = [*_proof(before, after, keep=keep), f"Report: {page}"]
    if keep:
        facts = journey.box.facts
        lines.append(
            f"The sandbox stays up (pid {journey.box.process.pid}): org {facts['org_url']}, clinic {facts['clinic_url']}"
        )
        exports = place / "env.sh"
        exports.write_text(
            "".join(f"export {name}='{value}'\n" for name, value in facts["env"].items()), encoding="utf-8"
        )
        exports.chmod(0o600)
        lines.append(f"Its secrets: source {exports}")
    data = {
        "clean": clean,
        "restored": None if keep else same,
        "report": str(page),
        "mappings": journey.reports["reconcile"].get("mappings", []),
        "rebuild": {name: journey.reports["rebuild"][name] for name in ("rows", "collecting", "cancelled_only")},
        **measured,
        "peaks_mb": dict(journey.peaks),
        "seconds": {name: round(value, 2) for name, value in journey.seconds.items()},
        "steps": {name: body for name, body in journey.reports.items() if name != "profile"},
    }
    return StepReport("demo", lines=tuple(lines), data=data, code=0 if clean and same else 4)


def _proof(before: dict[str, str], after: dict[str, str] | None, *, keep: bool) -> list[str]:
    if keep or after is None:
        return ["No rollback was made (--keep)."]
    verdict = "the org is as it was before" if before == after else "THE ORG DIFFERS FROM BEFORE"
    return [
        f"State of the org before  {_hash(before)}",
        f"State of the org after   {_hash(after)}",
        f"Rollback: {verdict}.",
    ]


def _hash(answer: Any) -> str:
    return answer.get("hash") or answer.get("state_hash") or str(answer) if isinstance(answer, dict) else str(answer)
