"""A sandbox for one measurement, and its control door."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from process import CHARTLIFT


@dataclass(frozen=True)
class Sandbox:
    """Where everything is, and how long it took to come up (seconds)."""

    facts: dict[str, Any]
    started: float
    pid: int = 0

    def ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(self.facts["control_url"] + path, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def requests(self, vendor: str) -> list[dict[str, Any]]:
        """Requests since the last `forget`, by method and path."""
        return [row for row in self.ask("/stats") if row["vendor"] == vendor]

    def forget(self) -> None:
        self.ask("/stats", "DELETE")

    def written(self) -> int:
        """How many rows the org was ever asked to write, by halving: the list itself may be long."""
        low, high = 0, 1
        while self.ask(f"/org/writes?since={high}&limit=1"):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.ask(f"/org/writes?since={middle}&limit=1") else (low, middle)
        return high


@contextmanager
def sandbox(home: Path, patients: int, seed: int = 1) -> Generator[Sandbox]:
    """Start one and end it with the block."""
    home.mkdir(parents=True, exist_ok=True)
    words = [CHARTLIFT, "sandbox", "start", "--home", str(home), "--patients", str(patients), "--seed", str(seed)]
    with (home / "sandbox.log").open("w", encoding="utf-8") as log:
        began = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError((home / "sandbox.log").read_text(encoding="utf-8")[-2000:])
            yield Sandbox(json.loads(line), time.perf_counter() - began, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)
