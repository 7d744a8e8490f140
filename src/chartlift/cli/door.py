"""What every command does around its stage: open the workspace, run, keep the report, print it, return the exit code."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chartlift.errors import ChartliftError

if TYPE_CHECKING:  # only the step itself needs them, not `--help`
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
    "rebuild",
    "rollback",
)
VERBS = {1: "broke", 2: "cannot run", 3: "stopped", 4: "finished with refusals", 5: "paused"}
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR)
AGAIN = "Run the same command again to go on."


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
            bar = stack.enter_context(progress())
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
        _shown(report, as_json=as_json)
    except ChartliftError as error:
        return failed(step, error.exit_code, error.name, error.message, error.hint, as_json=as_json)
    except KeyboardInterrupt:
        return failed(step, 5, "Interrupted", "Stopped by hand.", AGAIN, as_json=as_json)
    except OSError as error:
        return _storage(step, error, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last door: values must not leak through a traceback
        return _bug(step, error, as_json=as_json)
    return report.exit_code


def _shown(report: Report, *, as_json: bool) -> None:
    """Print the report; a reader who closed the pipe early has seen enough."""
    try:
        if as_json:
            print(json.dumps(report.as_json()))
        else:
            from chartlift.cli.screen import show

            show(report)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def misused(error: Any, *, as_json: bool) -> int:
    """A command line the parser refused: unknown step, option or kind of value; always exit 2."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "chartlift"
    if type(error).__name__ == "NoArgsIsHelpError" and not as_json:
        print(error.format_message())
        return 2
    message = "Say what to do." if type(error).__name__ == "NoArgsIsHelpError" else error.format_message()
    step = path.removeprefix("chartlift").strip() or "chartlift"
    return failed(step, 2, "UsageError", message, f"See: {path} --help", as_json=as_json)


def _storage(step: str, error: OSError, *, as_json: bool) -> int:
    """A disk that is full pauses, a file that may not be touched is the user's to put right, anything else is a bug."""
    name = f" ({error.filename})" if error.filename else ""
    if error.errno in FULL:
        return failed(step, 5, "DiskFull", f"The disk is full{name}.", f"Make room. {AGAIN}", as_json=as_json)
    if error.errno in CLOSED:
        message = f"{error.strerror}{name}."
        return failed(step, 2, "UsageError", message, "Check the path and who owns it.", as_json=as_json)
    return _bug(step, error, as_json=as_json)


def _bug(step: str, error: Exception, *, as_json: bool) -> int:
    message = f"{type(error).__name__} at {_place(error)}"
    hint = "This is a bug: please report this line. What was written so far is in the journal."
    return failed(step, 1, "Bug", message, hint, as_json=as_json)


def _place(error: BaseException) -> str:
    """Where a bug is, without a value: the innermost frames by file and line."""
    if os.environ.get("CHARTLIFT_DEBUG") == "traceback":
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "chartlift" in f.filename] or list(frames)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours[-4:]))


def failed(step: str, code: int, name: str, message: str, hint: str, *, as_json: bool) -> int:
    """Print an error, as a document on stdout or as words on stderr; returns the exit code."""
    message, hint = _sentence(message), _sentence(hint)
    if as_json:
        print(json.dumps({"step": step, "exit_code": code, "error": {"name": name, "message": message, "hint": hint}}))
    else:
        print(f"{step} {VERBS[code]}: {message}" + (f"\n  {hint}" if hint else ""), file=sys.stderr)
    return code


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a file's or a command's name."""
    first = text.split(" ", 1)[0]
    if first == "chartlift":
        return text if " makes " in text or text.endswith(".") else f"Run: {text}"
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
