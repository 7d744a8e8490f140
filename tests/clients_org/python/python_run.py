"""How to call a Python client that lives in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

CLIENTS = Path(__file__).parents[3] / ".clients/python"


def run(
    client: str, command: list[str], home: Path, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command of a client's environment in a home of its own, with nothing of this machine's user around it.

    Whatever it asks of anybody but the loopback goes to a door where nobody is.
    """
    programs = CLIENTS / client / "bin"
    surroundings = {
        "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8",
        "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1",
    } | (more or {})  # fmt: skip
    return subprocess.run(
        [str(programs / command[0]), *command[1:]], cwd=home, env=surroundings, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
