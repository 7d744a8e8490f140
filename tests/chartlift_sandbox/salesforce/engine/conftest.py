"""An org with a few custom objects, everything granted to the integration user."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; engine_bench is shared
from engine_bench import Bench, WebBench, new_bench


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One org for a test module; tests make their own records."""
    made = new_bench()
    yield made
    made.org.db.close()


@pytest.fixture
def fresh() -> Iterator[Bench]:
    """An org for one test that looks at everything."""
    made = new_bench()
    yield made
    made.org.db.close()


@pytest.fixture(scope="module")
def web(bench: Bench) -> WebBench:
    """The REST routes of the module's org."""
    return WebBench(bench)
