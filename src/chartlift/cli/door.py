"""What every command does around its stage: open the workspace, run, keep the report, print it, return the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chartlift.errors import ChartliftError
from chartlift.model.ports import Tools
from chartlift.model.reports import Report

WRITES = ("schema", "sample", "load", "delta", "reconcile", "rollback", "matches")  # only the confirmed org may answer
KEPT = (
    "check",
    "extract",
    "profile",
    "propose",
    "people",
    "estimate",
    "sample",
    "load",
    "delta",
    "reconcile",
    "rollback",
)


def run(
    step: str,
    stage: Callable[[Tools], Report],
    *,
    workspace: Path,
    as_json: bool,
    exclusive: bool = True,
    who: str = "",
) -> int:
    """Run a stage of a workspace; returns the exit code and prints one document in any case."""
    from chartlift.cli.progress import progress
    from chartlift.workspace import opened

    os.umask(0o077)

    def work() -> Report:
        with contextlib.ExitStack() as stack:
            bar = progress()
            if hasattr(bar, "__enter__"):
                stack.enter_context(bar)  # type: ignore[arg-type]
            tools = stack.enter_context(opened(workspace, bar, exclusive=exclusive, anchored=step in WRITES, who=who))
            report = stage(tools)
            if step in KEPT:
                tools.journal.put_report(step, getattr(report, "run", "") or "", report.as_json())
            return report

    return guarded(step, work, as_json=as_json)


def guarded(step: str, work: Callable[[], Report], *, as_json: bool) -> int:
    """Run without ever showing a traceback; an error is a document too."""
    try:
        report = work()
    except ChartliftError as error:
        return _failed(step, error.exit_code, error.name, error.message, error.hint, as_json=as_json)
    except KeyboardInterrupt:
        return _failed(
            step, 5, "Interrupted", "Stopped by hand.", "Run the same command again to go on.", as_json=as_json
        )
    except Exception as error:  # noqa: BLE001 - the last door: values must not leak through a traceback
        return _failed(
            step, 1, "Bug", f"{type(error).__name__} at {_place(error)}", "Please report this.", as_json=as_json
        )
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        from chartlift.cli.screen import show

        show(report)
    return report.exit_code


def _place(error: BaseException) -> str:
    """Where a bug is, without a value: the innermost frames by file and line."""
    if os.environ.get("CHARTLIFT_DEBUG") == "traceback":
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "chartlift" in f.filename] or list(frames)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours[-4:]))


def _failed(step: str, code: int, name: str, message: str, hint: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"step": step, "exit_code": code, "error": {"name": name, "message": message, "hint": hint}}))
    else:
        print(f"{step}: {message}" + (f"\n{hint}" if hint else ""), file=sys.stderr)
    return code


def value(report: Report, name: str) -> Any:
    """A value of a report by name, for doors that chain steps."""
    return report.as_json().get(name)
