"""Figures of a demo: rows a second, and the memory of this process alone."""

from __future__ import annotations

import re
import subprocess
import sys

from chartlift.cli import screen
from chartlift.cli.demo_pace import pace
from chartlift.model.outcomes import StepReport

REPORTS = {
    "extract": {"entities": [{"arrived": 300}, {"arrived": 100}]},
    "translate": {"rows": 450},
    "load": {"units": [{"fates": {"insert": 200, "update": 10, "hold": 40}}, {"fates": {"undelete": 5, "skip": 1}}]},
    "reconcile": {"units": [{"records": {"equal": 215, "held": 40}}]},
    "rollback": {"actions": {"Contact": {"delete": 200, "restore": 15, "kept": 3}}},
}


def test_rows_a_second_of_each_step_that_handles_rows() -> None:
    found = {
        p["step"]: (p["rows"], p["seconds"], p["rows_per_s"])
        for p in pace(REPORTS, dict.fromkeys(REPORTS, 2.0), {"load": 250})
    }
    assert found == {
        "extract": (400, 2.0, 200),
        "translate": (450, 2.0, 225),
        "load": (215, 2.0, 108),
        "reconcile": (255, 2.0, 128),
        "rollback": (215, 2.0, 108),
    }


def test_a_step_that_was_not_made_has_no_figure() -> None:
    assert [p["step"] for p in pace(REPORTS, {"extract": 0.0, "confirm": 1.0}, {})] == ["extract"]


def test_memory_is_the_highest_of_this_process_and_not_of_its_children() -> None:
    code = (
        "import subprocess, sys\n"
        "from chartlift.cli.demo_pace import forget_peak, peak_mb\n"
        "before = peak_mb()\n"
        "subprocess.run([sys.executable, '-c', 'x = b\"1\" * 300_000_000'], check=True)\n"
        "child = peak_mb()\n"
        "held = b'1' * 200_000_000\n"
        "del held\n"
        "after = peak_mb()\n"
        "forget_peak()\n"
        "print(before, child, after, peak_mb())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, child, after, forgotten = map(int, done.stdout.split())
    assert child - before < 20
    assert after - child > 180
    assert 10 < forgotten <= after


def test_the_last_screen() -> None:
    line = dict.fromkeys(
        ("source", "sent", "verified", "withheld", "held", "skipped", "failed", "gone", "listed"), 7
    ) | {"title": "Patient → Contact", "reasons": [{"fate": "hold", "code": "x", "rows": 7, "text": "some words"}]}
    data = {
        "mappings": [line],
        "rebuild": {"rows": 9, "collecting": 1, "cancelled_only": 0},
        "pace": pace(REPORTS, dict.fromkeys(REPORTS, 2.0), {"load": 250}),
        "seconds": {"load": 2.0, "check": 1.4},
        "peak_mb": 312,
    }
    text = screen.text(StepReport("demo", lines=("Rollback: the org is as it was before.",), data=data), 100)
    assert re.search(r"1\. Patient → Contact +7 +7 +7", text)
    assert "9 payment links and plans; 1 active mandate goes on collecting" in text
    assert re.search(r"load +215 +2\.0 +108 +250", text)
    assert "312 MB of memory at most" in text
    assert text.endswith("Rollback: the org is as it was before.")
