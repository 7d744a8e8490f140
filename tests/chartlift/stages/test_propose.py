"""The proposed map: written once, kept as people edit it, and thrown away only for a whole new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chartlift import packs
from chartlift.errors import DecisionNeeded, PackError
from chartlift.stages import propose
from chartlift.testing import extracted
from chartlift.testing.small import FILES, add_visit


class AsInAWorkspace:
    """The pack as a workspace loads it: from `plan/` while that is there, else as shipped."""

    def __init__(self, tools: Any, shipped: Path) -> None:
        self._tools, self._shipped = tools, shipped

    def __getattr__(self, name: str) -> Any:
        plan = self._tools.home / "plan"
        return getattr(packs.load("small", folder=plan if plan.is_dir() else self._shipped), name)


def ready(bench: Any, tmp_path: Path) -> Any:
    extracted(bench.tools)
    bench.tools.journal.put_report("profile", "", {"step": "profile"})
    return replace(bench.tools, pack=AsInAWorkspace(bench.tools, tmp_path / "pack"))


def texts(tools: Any) -> Mapping[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (tools.home / "plan").iterdir()}


def test_the_map_is_written_as_files_and_kept_as_edited(bench: Any, tmp_path: Path) -> None:
    tools = ready(bench, tmp_path)
    report = propose.run(tools)
    assert texts(tools) == {name: text for name, text in FILES.items() if name != "coverage.toml"}
    assert (tools.home / "plan").stat().st_mode & 0o077 == 0
    assert report.data["unmapped_values"] == []
    (tools.home / "plan" / "site.toml").write_text(FILES["site.toml"] + "# read\n", encoding="utf-8")
    assert propose.run(tools).lines[0].startswith("Kept")
    assert texts(tools)["site.toml"].endswith("# read\n")


def test_renew_throws_away_even_a_broken_map(bench: Any, tmp_path: Path) -> None:
    tools = ready(bench, tmp_path)
    propose.run(tools)
    (tools.home / "plan" / "site.toml").write_text("[fields\n", encoding="utf-8")
    with pytest.raises(PackError):
        propose.run(tools)
    propose.run(tools, renew=True)
    assert texts(tools)["site.toml"] == FILES["site.toml"]
    assert [path.name for path in tools.home.iterdir() if path.name.startswith("plan")] == ["plan"]


def test_an_edited_map_survives_a_renewal_that_fails(bench: Any, tmp_path: Path) -> None:
    tools = ready(bench, tmp_path)
    propose.run(tools)
    (tools.home / "plan" / "site.toml").write_text(FILES["site.toml"] + "# read\n", encoding="utf-8")
    (tmp_path / "pack" / "site.toml").write_text("[fields\n", encoding="utf-8")
    with pytest.raises(PackError):
        propose.run(tools, renew=True)
    assert texts(tools)["site.toml"].endswith("# read\n")


def test_values_in_no_list_are_shown_only_where_they_are_frequent(bench: Any, tmp_path: Path) -> None:
    for number in range(propose.OFTEN):
        add_visit(bench.clinic, 100 + number, 1, state="MOVED")
    add_visit(bench.clinic, 200, 1, state="ask Jane Doe")
    report = propose.run(ready(bench, tmp_path))
    found = [(v["map"], v["field"], v["value"], v["rows"]) for v in report.data["unmapped_values"]]
    assert found == [("state", "Visit__c.State__c", "MOVED", 3), ("state", "Visit__c.State__c", "", 1)]
    assert "Jane" not in str(report.as_json())


def test_without_a_profile_nothing_is_proposed(bench: Any) -> None:
    extracted(bench.tools)
    with pytest.raises(DecisionNeeded):
        propose.run(bench.tools)
    assert not (bench.tools.home / "plan").exists()
