"""`make bench`: the figures of the design, measured in one run on this machine.

    python bench/run.py [--patients 400 1200] [--ingest-rows 100000] [--json FILE]

Processor seconds and memory are of whole child processes, as the system counts them. Times on the clock depend on what
else the machine does, so every line names the load average it was taken at. Nothing here is a test: a figure that is
missed is printed, not failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from journey import Journey, inserted, judged, ready
from process import CHARTLIFT, Used, load_average, used
from sandbox import Sandbox

HUNDRED = 100_000
STARTS = 5


@dataclass(frozen=True)
class Figure:
    """One line of the table; `wanted` is the design's figure, in its words."""

    name: str
    value: float
    unit: str
    load: float
    wanted: str = ""


def help_cpu() -> list[Figure]:
    """The least of some starts: anything above it is another process's doing."""
    runs = [used([CHARTLIFT, "--help"]) for _ in range(STARTS)]
    best = min(runs, key=lambda run: run.cpu)
    return [
        Figure("chartlift --help, processor", best.cpu, "s", best.load),
        Figure("chartlift --help, clock", min(run.wall for run in runs), "s", best.load, "< 0.3"),
    ]


def ingest_rate(box: Sandbox, rows: int) -> list[Figure]:
    """Rows a second that the sandbox takes, plain and packed, and what the bare client used for it."""
    figures = []
    script = str(Path(__file__).with_name("ingest.py"))
    for kind in ("plain", "gzip"):
        run = used([sys.executable, script, box.facts["org_url"], box.facts["access_token"], str(rows), kind])
        rate = rows / float(run.out)
        figures.append(Figure(f"sandbox bulk ingest, {kind} CSV, {rows:,} rows", rate, "rows/s", run.load))
        figures.append(Figure(f"  bare client, {kind}, per 100k rows", per(run.cpu, rows), "s cpu", run.load))
    return figures


def per(cpu: float, rows: int) -> float:
    """Seconds for each hundred thousand rows."""
    return cpu * HUNDRED / rows if rows else float("nan")


def journey_figures(journey: Journey, patients: int) -> tuple[list[Figure], int, Used]:
    """Extract, translate, load, load again, reconcile, plan of the rollback."""
    at, box = f"{patients:,} patients", journey.box
    explained = journey.run("translate", "load", "--without-sample", good=(0, 4))
    box.forget()
    load = journey.run("load", "load", "--go", "--without-sample", good=(0, 4))
    requests = box.requests("org") or box.requests("salesforce")
    rows = inserted(load)
    count = sum(rows.values())
    extract = journey.used["extract"]
    figures = [
        Figure(f"sandbox start, {at}", box.started, "s", load.load),
        Figure(f"extract, {at}", extract.cpu, "s cpu", extract.load),
        *rate_figures("extract", judged(load), extract, ""),
        *rate_figures("translate and judge", judged(load), explained, ">= 150,000"),
        Figure(f"load, {at}, {count:,} rows", load.cpu, "s cpu", load.load),
        Figure("  on the clock", load.wall, "s", load.load),
        Figure("  per 100k rows, translated before", per(load.cpu, count), "s cpu", load.load, "<= 2.0 at 100k"),
        *rate_figures("  load", count, load, ""),
    ]
    figures += request_figures(requests, rows, load.load)
    return figures + again_figures(journey, count), count, load


def rate_figures(name: str, rows: int, run: Used, wanted: str) -> list[Figure]:
    """Rows a second of processor, start of the process included, and the peak of its memory."""
    return [
        Figure(f"{name}, {rows:,} rows", rows / run.cpu, "rows/s", run.load, wanted),
        Figure(f"{name}, peak memory", run.memory, "MB", run.load, "<= 400"),
    ]


def request_figures(requests: list[dict[str, object]], rows: dict[str, int], load: float) -> list[Figure]:
    """Requests to the org during the load, for each object that got rows; polls apart, for they depend on the org's pace."""

    def count(method: str, *ends: str) -> int:
        return sum(int(str(r["count"])) for r in requests if r["method"] == method and str(r["path"]).endswith(ends))

    total = sum(int(str(row["count"])) for row in requests)
    polls = count("GET", "/jobs/ingest/{id}", "/jobs/query/{id}")
    objects = sum(1 for inserts in rows.values() if inserts) or 1
    return [
        Figure("  requests to the org", total, "", load),
        Figure("  of them polls", polls, "", load),
        Figure("  without polls, for each object", (total - polls) / objects, "", load, "4 a job + 3"),
        Figure("  ingest jobs", count("POST", "/jobs/ingest"), "", load),
        Figure("  query jobs", count("POST", "/jobs/query"), "", load),
        Figure("  calls of record collections", count("POST", "/composite/sobjects"), "", load),
    ]


def again_figures(journey: Journey, count: int) -> list[Figure]:
    """What a loaded org costs: the same load again, the reconciliation, the plan of a rollback."""
    written = journey.box.written()
    again = journey.run("load again", "load", "--go", "--without-sample", good=(0, 4))
    writes = journey.box.written() - written
    compared = journey.run("reconcile", "reconcile", good=(0, 4))
    fields = sum(sum(unit["fields"].values()) for unit in compared.document["units"])
    plan = journey.run("rollback plan", "rollback", good=(0, 4))
    return [
        Figure("load again, writes", writes, "rows", again.load, "0"),
        Figure("load again, per 100k rows", per(again.cpu, judged(again)), "s cpu", again.load, "<= 2.0"),
        Figure("load again, peak memory", again.memory, "MB", again.load, "<= 400"),
        Figure(f"reconcile, {fields:,} fields, clock", fields / compared.wall, "fields/s", compared.load, ">= 800,000"),
        Figure("reconcile, processor", fields / compared.cpu, "fields/s", compared.load),
        Figure("reconcile, peak memory", compared.memory, "MB", compared.load, "<= 400"),
        Figure("rollback plan, per 100k rows", per(plan.cpu, count), "s cpu", plan.load, "<= 1"),
        Figure("rollback plan, peak memory", plan.memory, "MB", plan.load, "<= 400"),
        *rate_figures("rollback", count, journey.run("rollback", "rollback", "--go", good=(0, 4)), ""),
    ]


def ratio_figures(bare: list[Figure], load: Used, rows: int) -> list[Figure]:
    """The load beside a client that only sends ready CSV: what mapping, judging, journal and reading back cost."""
    floors = [figure for figure in bare if "bare client" in figure.name and figure.value]
    return [
        Figure(f"load / {figure.name.strip()}", per(load.cpu, rows) / figure.value, "times", load.load)
        for figure in floors
    ]


def show(figures: list[Figure], began: float) -> None:
    """The table, with what it was measured on."""
    print(
        f"\n{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"load average now {load_average():.1f}, took {time.perf_counter() - began:.0f} s\n")
    print(f"{'figure':<58}{'value':>12} {'unit':<9}{'design':<16}{'load':>5}")
    for figure in figures:
        digits = 0 if abs(figure.value) >= 1000 or figure.value == int(figure.value) else 2  # noqa: PLR2004 - of the value
        print(f"{figure.name:<58}{figure.value:>12,.{digits}f} {figure.unit:<9}{figure.wanted:<16}{figure.load:>5.1f}")


def said(text: str, work: Callable[[], list[Figure]]) -> list[Figure]:
    """Tell what is being measured, on stderr."""
    print(f"{text} …", file=sys.stderr, flush=True)
    return work()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Figures of chartlift, measured in one run.")
    parser.add_argument("--patients", type=int, nargs="+", default=[400, 1200], help="sizes of the clinic")
    parser.add_argument("--ingest-rows", type=int, default=HUNDRED, help="rows of the bare ingest; 0 leaves it out")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    options, began = arguments(), time.perf_counter()
    figures = said("chartlift --help", help_cpu)
    sizes: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory(prefix="chartlift-bench-") as folder:
        for number, patients in enumerate(options.patients):
            print(f"{patients:,} patients …", file=sys.stderr, flush=True)
            with ready(Path(folder) / str(number), patients) as journey:
                found, count, load = journey_figures(journey, patients)
                figures += found
                sizes.append((count, load.cpu))
                if number == 0 and options.ingest_rows:
                    bare = said("bulk ingest", lambda box=journey.box: ingest_rate(box, options.ingest_rows))
                    figures += bare + ratio_figures(bare, load, count)
    if len(sizes) > 1 and sizes[-1][0] > sizes[0][0]:
        (small, first), (large, last) = sizes[0], sizes[-1]
        figures.append(
            Figure("load, each further 100k rows", per(last - first, large - small), "s cpu", load_average(), "<= 1.3")
        )
    show(figures, began)
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
