from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    return [ROOT / name for name in listed if name]


def texts() -> dict[str, str]:
    found = {}
    for path in tracked():
        if path.suffix in {".py", ".toml", ".md", ".sql", ".lark", ".lock", ".html", ".css", ""} and path.is_file():
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8", errors="replace")
    return found


def test_every_path_in_the_architecture_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 200
    named = re.findall(r"`((?:src|tests|docs|bench|scripts)/[\w/.-]+)`", text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_readme_names_the_three_words() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"make {word}" in text for word in ("setup", "demo", "test"))


def test_the_lock_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") > 100
    assert "://" not in text


@pytest.mark.parametrize("forbidden", ["pypi" + ".org", "npmjs" + ".org", "/work/" + "main", "/work/" + "shared"])
def test_no_file_names_a_host_or_a_path_of_one_machine(forbidden: str) -> None:
    assert [
        name for name, text in texts().items() if forbidden in text and name != "tests/house/test_promises.py"
    ] == []


def test_no_room_is_a_drawer_for_anything() -> None:
    drawers = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
    assert [str(p) for p in tracked() if {part.removesuffix(".py") for part in p.parts} & drawers] == []


def test_nothing_reads_unfinished() -> None:
    words = re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|NotImplemented" + r"Error|pytest\.(skip|mark\.(skip|xfail))"
    )
    sources = {name: text for name, text in texts().items() if name.endswith(".py")}
    assert [name for name, text in sources.items() if words.search(text)] == []


def test_every_command_has_a_page_that_shows_it() -> None:
    from chartlift.cli.app import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    names |= {group.name for group in app.registered_groups if group.name}
    assert len(names) > 17
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs/steps").glob("*.md")}
    assert {name for name in names if f"chartlift {name}" not in pages.get(name, "")} == set()
