"""Salesforce keeps the contract of a destination, written to the sandbox's org."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chartlift.clock import SandboxClock
from chartlift.platforms.salesforce import connect
from chartlift.testing import DestinationCase, DestinationContract


class TestSalesforce(DestinationContract):
    """The checks are those of every destination."""


@pytest.fixture(scope="module")
def destination_case(sandbox: Any) -> Iterator[DestinationCase]:
    clock = SandboxClock(sandbox.told["control_url"])
    opened = []

    def connected() -> Any:
        opened.append(connect(sandbox.told["org_url"], secrets=sandbox.told["env"], clock=clock))
        return opened[-1]

    yield DestinationCase(connected(), again=connected)
    for org in opened:
        org.close()
