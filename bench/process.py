"""A child process measured by the system: seconds of processor, seconds on the clock, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHARTLIFT = str(Path(sys.executable).parent / "chartlift")


@dataclass(frozen=True)
class Used:
    """What a process used. `cpu` and `wall` in seconds, `memory` in MB (resident, at its highest)."""

    code: int
    cpu: float
    wall: float
    memory: float
    out: str
    load: float

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


class StepFailedError(Exception):
    """A command did not end as it had to."""


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def used(words: Sequence[str], env: Mapping[str, str] | None = None, *, good: tuple[int, ...] = (0,)) -> Used:
    """Run a command to its end. The figures are of the child and whatever it waited for itself.

    Raises:
        StepFailedError: another exit code than the good ones; the text has the end of its error output.
    """
    load = load_average()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=dict(env or os.environ))
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped already: nobody has to wait again
        out.seek(0)
        err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    if process.returncode not in good:
        raise StepFailedError(f"{' '.join(words)}: exit {process.returncode}\n{text[-600:]}\n{errors[-1500:]}")
    scale = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return Used(process.returncode, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / scale, text, load)
