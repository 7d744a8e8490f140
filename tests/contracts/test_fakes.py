"""The fakes keep the contracts that the real ones keep; a stage's unit test may rely on them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from chartlift.testing import (
    DestinationCase,
    DestinationContract,
    FakeClock,
    PackCase,
    PackContract,
    SourceCase,
    SourceContract,
    small_clinic,
    small_org,
    small_pack,
)
from chartlift.testing.small import FILES, SHAPES


class TestFakeSource(SourceContract):
    """The checks are those of every source."""


class TestFakeOrg(DestinationContract):
    """The checks are those of every destination."""


class TestSmallPack(PackContract):
    """The checks are those of every pack."""


@pytest.fixture
def source_case() -> SourceCase:
    clock = FakeClock()
    clinic = small_clinic(clock, patients=11)
    clock.sleep(3600)

    def edit() -> tuple[str, str]:
        clock.sleep(60)
        return "patient", clinic.put("patient", patientId="4", lastName="Changed")

    def remove() -> tuple[str, str]:
        clock.sleep(60)
        clinic.remove("appointment", "50")
        return "appointment", "50"

    return SourceCase(clinic, clock.now, edit, remove)


@pytest.fixture
def destination_case() -> DestinationCase:
    org = small_org(FakeClock())
    return DestinationCase(org, again=lambda: org)


@pytest.fixture
def pack_case(tmp_path: Path) -> PackCase:
    pack = small_pack(tmp_path / "pack")
    return PackCase(pack, SHAPES, tomllib.loads(FILES["coverage.toml"]), tmp_path)
