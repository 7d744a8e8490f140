"""The catalogue of named faults: complete, understood, tested, and told in the documentation as it is."""

from pathlib import Path

import pytest

from chartlift_sandbox.fault_catalogue import catalogue, expand, listed
from chartlift_sandbox.fault_page import page
from chartlift_sandbox.fault_words import read
from chartlift_sandbox.faults import FaultPlan

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "sandbox" / "faults.md"
NAMES = [f"F{number:02}" for number in range(1, 70) if number != 63]


def test_every_fault_of_the_list_has_a_name() -> None:
    assert list(catalogue()) == NAMES
    assert [one["fault"] for one in listed()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_named_fault_and_its_variants_are_understood(name: str) -> None:
    found = catalogue()[name]
    for variant in (None, *found.get("variants", {})):
        words = {"fault": name} | ({"variant": variant} if variant else {})
        plan = FaultPlan()
        plan.replace([words])
        assert plan.report()[0]["fault"] == name
        parts = [read(part, 1) for part in expand(words, set())]
        assert all(part.name == name for part in parts)


@pytest.mark.parametrize("name", NAMES)
def test_a_named_fault_has_a_test_on_the_wire(name: str) -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_named_faults_*.py"))
    assert f'"{name}' in tests
    for variant in catalogue()[name].get("variants", {}):
        assert f'"{variant}"' in tests or f'"{name} {variant}"' in tests, variant


def test_the_page_of_the_faults_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m chartlift_sandbox.fault_page"
