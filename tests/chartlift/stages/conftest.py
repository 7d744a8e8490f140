"""A small clinic and a fake org around the stages, for tests of one stage at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chartlift.model.plan import ConfirmedPlan
from chartlift.model.ports import Tools
from chartlift.testing import (
    FakeClock,
    FakeOrg,
    FakeSource,
    confirm_plan,
    extracted,
    small_clinic,
    small_org,
    small_pack,
)
from chartlift.testing import workbench as opened
from chartlift.testing.small import FALLBACK


@dataclass
class Bench:
    """One clinic, one org, and the tools of a stage between them."""

    clock: FakeClock
    clinic: FakeSource
    org: FakeOrg
    tools: Tools
    plan: ConfirmedPlan | None = None

    @property
    def sql(self) -> Any:
        return self.tools.staging.sql

    def ready(self) -> ConfirmedPlan:
        """Extracted and confirmed."""
        extracted(self.tools)
        self.plan = confirm_plan(self.tools, fallback=FALLBACK)
        return self.plan

    def later(self) -> None:
        """Time for the next change to be told apart."""
        self.clock.sleep(600)

    def fates(self, report: Any, unit: str) -> dict[str, int]:
        return next(dict(u.fates) for u in report.units if u.unit == unit)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = FakeClock()
    clinic, org = small_clinic(clock), small_org(clock)
    with opened(tmp_path / "home", clinic, org, small_pack(tmp_path / "pack"), clock) as tools:
        yield Bench(clock, clinic, org, tools)
