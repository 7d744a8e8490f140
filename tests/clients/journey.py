"""Starts a private sandbox and drives the product through its command line, as a person would in two shells."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TENANT = "lagan"
COMMAND = Path(sys.executable).with_name("chartlift")


@contextmanager
def sandbox(home: Path, patients: int, seed: int) -> Generator[dict[str, Any]]:
    """The JSON line of a running sandbox; it ends with the block."""
    arguments = ["start", "--home", str(home), "--patients", str(patients), "--seed", str(seed)]
    process = subprocess.Popen(
        [sys.executable, "-m", "chartlift_sandbox", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=20)


class Journey:
    """The product at work in one workspace."""

    def __init__(self, workspace: Path, place: dict[str, Any]) -> None:
        self._workspace, self._place = workspace, place
        self._environment = os.environ | place["env"] | {"CHARTLIFT_SF_ACCESS_TOKEN": place["access_token"]}

    def begin(self) -> None:
        """Makes the workspace."""
        urls = ["--source-url", self._place["clinic_url"], "--org-url", self._place["org_url"]]
        self._run("init", str(self._workspace), *urls, "--tenant", TENANT)

    def step(self, name: str, *options: str) -> dict[str, Any]:
        """Runs one step; its JSON document."""
        return self._run(name, *options, "--workspace", str(self._workspace))

    def _run(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(COMMAND), *words, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        assert done.returncode == 0, (
            f"{words[0]} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
        return json.loads(done.stdout)


def whole_load(journey: Journey, manager: str, *, sampled: bool = True) -> dict[str, Any]:
    """Every step up to the full load, with or without a sample before it; the report of the load."""
    journey.begin()
    for name in ("check", "extract", "profile", "propose"):
        journey.step(name)
    journey.step("people", "--fallback", manager)
    journey.step("confirm", "--by", "Practice manager")
    journey.step("schema", "--go")
    if not sampled:
        return journey.step("load", "--go", "--without-sample")
    journey.step("sample", "--go", "--size", "100")
    journey.step("sample", "--accept", "--by", "Practice manager")
    return journey.step("load", "--go")
