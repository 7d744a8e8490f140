"""A sandbox that lives as long as a `with` block, and its control door."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chartlift.cli.sandbox import command
from chartlift.errors import Unreachable


@dataclass(frozen=True)
class PrivateSandbox:
    """What the sandbox said when it was ready."""

    process: subprocess.Popen[str]
    facts: dict[str, Any] = field(repr=False)

    def get(self, path: str) -> Any:
        """Ask the control door."""
        with urllib.request.urlopen(self.facts["control_url"] + path, timeout=120) as answer:  # noqa: S310 - our own loopback door
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Tell the control door."""
        request = urllib.request.Request(  # noqa: S310 - same
            self.facts["control_url"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - same
            return json.load(answer)


@contextmanager
def private_sandbox(home: Path, patients: int, seed: int, *, keep: bool = False) -> Generator[PrivateSandbox]:
    """Start a sandbox and set its secrets in this process; it ends with the block unless it is to be kept.

    Raises:
        Unreachable: it did not come up.
    """
    home.mkdir(parents=True, exist_ok=True)
    log = (home / "sandbox.log").open("w", encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - our own sibling package
        command(home, patients, seed, (0, 0, 0, 0), None), stdout=subprocess.PIPE, stderr=log, text=True
    )
    before = dict(os.environ)
    kept = False
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise Unreachable("The sandbox did not start.", hint=f"See {home / 'sandbox.log'}")
        facts = json.loads(line)
        os.environ.update(facts["env"])
        yield PrivateSandbox(process, facts)
        kept = keep
    finally:
        log.close()
        os.environ.clear()
        os.environ.update(before)
        if not kept:
            process.terminate()
            process.wait(timeout=20)
