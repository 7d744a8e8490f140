"""Figures of the sandbox org by itself, over the wire: bulk jobs, single calls beside many rows, start and memory.

    python bench/org.py [--rows 1000000] [--patients 400]

Processor seconds are those of the org's process alone; rows a second on the clock are an indication where other work runs
on the machine. A figure that is missed is printed, not failed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from process import load_average, used
from sandbox import Sandbox, sandbox

STARTS = 3
TICK = os.sysconf("SC_CLK_TCK")
CLIENT = str(Path(__file__).with_name("org_client.py"))


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    name: str
    value: float
    unit: str
    wanted: str = ""

    def show(self) -> None:
        digits = 0 if abs(self.value) >= 1000 else 2  # noqa: PLR2004 - of the value
        print(
            f"{self.name:<52}{self.value:>12,.{digits}f} {self.unit:<8}{self.wanted:<14}{load_average():>5.1f}",
            flush=True,
        )


def processor(pid: int) -> float:
    """Seconds that a running process has used."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICK


def memory(pid: int, word: str = "VmHWM") -> float:
    """MB of a running process: resident now, or at its highest."""
    found = re.search(rf"{word}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found.group(1)) / 1024 if found else float("nan")


@dataclass
class Measured:
    """A sandbox and its process."""

    box: Sandbox
    pid: int
    rows: int

    def ask(self, what: str, *more: str, rows: int | None = None) -> tuple[dict[str, Any], float]:
        """What the client answers, and the org's processor seconds meanwhile."""
        before = processor(self.pid)
        words = [self.box.facts["org_url"], self.box.facts["access_token"], what, str(rows or self.rows), *more]
        run = used([sys.executable, CLIENT, *words])
        return run.document, processor(self.pid) - before

    def ingest(self, what: str, wanted: str, *more: str) -> None:
        """A bulk job in plain or packed CSV, with its successful results."""
        found, cpu = self.ask(what, *more)
        name = f"bulk {what}, {found['rows']:,} rows{', gzip' if more else ''}"
        Line(name, found["rows"] / found["job"], "rows/s", wanted).show()
        Line("  its results, downloaded", found["rows"] / found["results"], "rows/s").show()
        Line("  processor of the org, results included", found["rows"] / cpu, "rows/s").show()

    def query(self, *more: str) -> None:
        """A query job and its pages."""
        found, cpu = self.ask("query", *more)
        name = f"bulk query, {found['rows']:,} rows{', gzip' if more else ''}, download included"
        Line(name, found["rows"] / found["job"], "rows/s", ">= 200,000").show()
        Line("  processor of the org", found["rows"] / cpu, "rows/s").show()

    def singles(self) -> None:
        """Single calls beside the rows."""
        found, _ = self.ask("single")
        for name, value in found.items():
            Line(f"{name}, median beside {self.rows:,} rows", value, "ms", "<= 10").show()


def measure(folder: Path, patients: int, rows: int) -> None:
    """Every figure, a line each as it is found."""
    print(f"{'figure':<52}{'value':>12} {'unit':<8}{'wanted':<14}{'load':>5}")
    starts = []
    for number in range(STARTS - 1):
        with sandbox(folder / f"start{number}", patients) as box:
            starts.append(box.started)
    with sandbox(folder / "org", patients) as box:
        Line(f"start, {patients} patients, least of {STARTS}", min([*starts, box.started]), "s", "<= 1.5").show()
        org = Measured(box, box.pid, rows)
        Line("processor of the start", processor(box.pid), "s").show()
        org.ask("deploy")
        org.ingest("insert", ">= 100,000")
        org.ingest("upsert", ">= 80,000", "gzip")
        Line("memory of the org, at its highest", memory(box.pid), "MB", "<= 1,024").show()
        org.query()
        org.query("gzip")
        org.singles()
        Line("memory of the org, at its highest", memory(box.pid), "MB", "<= 1,024").show()
        Line("memory of the org, now", memory(box.pid, "VmRSS"), "MB").show()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Figures of the sandbox org, over the wire.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--patients", type=int, default=400, help="size of the clinic beside it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chartlift-bench-") as folder:
        measure(Path(folder), options.patients, options.rows)


if __name__ == "__main__":
    main()
