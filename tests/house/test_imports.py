from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_only_the_sessions_speak_http() -> None:
    speakers = [p for p in (ROOT / "src/chartlift").rglob("*.py") if "httpx2" in imported(p)]
    assert sorted(p.name for p in speakers if "platforms" in p.parts) == ["session.py", "session.py"]
    assert [p for p in speakers if "platforms" not in p.parts and p.name != "clock.py"] == []


def test_product_and_sandbox_share_no_code() -> None:
    for package, other in (("chartlift", "chartlift_sandbox"), ("chartlift_sandbox", "chartlift")):
        assert [str(p) for p in (ROOT / "src" / package).rglob("*.py") if other in imported(p)] == []


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = "import sys; import chartlift.cli; print(sorted({'duckdb','pyarrow','httpx2','sqlcipher3','pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "chartlift", "--help"], capture_output=True, check=True)
    assert time.perf_counter() - started < 3  # the figure itself (0.3 s) is measured in bench/
