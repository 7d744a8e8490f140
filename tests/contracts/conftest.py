from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; dentally_like is shared

pytest.register_assert_rewrite("chartlift.testing")


@dataclass
class Sandbox:
    """A clinic and an org in a process of their own, with the control door."""

    told: dict[str, Any]

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.told["control_url"] + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home: Path = tmp_path_factory.mktemp("sandbox")
    command = [
        sys.executable,
        "-m",
        "chartlift_sandbox",
        "start",
        "--home",
        str(home),
        "--patients",
        "40",
        "--seed",
        "5",
    ]
    with (home / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (home / "errors.txt").read_text()
        yield Sandbox(json.loads(line))
    finally:
        process.terminate()
        process.wait()
