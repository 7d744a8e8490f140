"""How fast the steps of a demo were, and how much memory this process took at most; the sandbox is another process."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chartlift.model.outcomes import StepReport
from chartlift.model.ports import Tools

SENT = ("insert", "update", "undelete")
TAKEN_BACK = ("delete", "restore")
HIGHEST = "VmHWM:"


def translate(tools: Tools) -> StepReport:
    """Translate everything under the confirmed plan, as the first step that needs it would; a step of its own to be timed."""
    from chartlift.stages import plans
    from chartlift.stages.carry.prepare import prepare
    from chartlift.stages.translation import rows_of

    plan = plans.confirmed(tools)
    prepare(tools, plan)
    sql = tools.staging.sql
    rows = sum(sql.execute(f"SELECT count(*) FROM {rows_of(unit)}").fetchone()[0] for unit in plan.maps)
    return StepReport("translate", lines=(f"{rows} rows",), data={"rows": rows})


def pace(reports: Mapping[str, Any], seconds: Mapping[str, float], peaks: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rows of each step that handles them: step, rows, seconds, rows_per_s, and the step's peak_mb."""
    rows = {
        "extract": sum(entity["arrived"] for entity in reports.get("extract", {}).get("entities", ())),
        "translate": reports.get("translate", {}).get("rows", 0),
        "load": sum(unit["fates"].get(fate, 0) for unit in reports.get("load", {}).get("units", ()) for fate in SENT),
        "reconcile": sum(sum(unit["records"].values()) for unit in reports.get("reconcile", {}).get("units", ())),
        "rollback": sum(
            actions.get(action, 0)
            for actions in reports.get("rollback", {}).get("actions", {}).values()
            for action in TAKEN_BACK
        ),
    }
    return [
        {
            "step": name,
            "rows": number,
            "seconds": round(seconds[name], 2),
            "rows_per_s": round(number / max(seconds[name], 0.001)),
            "peak_mb": peaks.get(name, 0),
        }
        for name, number in rows.items()
        if name in seconds
    ]


def forget_peak() -> None:
    """Start to measure the peak anew, where the kernel lets a process do that; else it goes on from the highest so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak_mb() -> int:
    """The most memory this process held at once since `forget_peak`, in MB (10^6 bytes).

    The kernel's high-water mark of this very process where there is one: what `getrusage` says may be inherited from the
    process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith(HIGHEST):
                return round(int(line.split()[1]) * 1024 / 1e6)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e6)
