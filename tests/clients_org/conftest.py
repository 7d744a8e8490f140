"""Makes the modules of these folders importable by their own names, and starts one sandbox per module."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "node"), str(HERE / "python")]


@pytest.fixture(scope="module")
def facts() -> Generator[dict[str, Any]]:
    """What a fresh sandbox says about itself."""
    command = [sys.executable, "-m", "chartlift_sandbox", "start", "--patients", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        yield json.loads(sandbox.stdout.readline())
        sandbox.terminate()
