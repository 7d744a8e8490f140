"""The order of all tests."""

from __future__ import annotations

import pytest

LONG = ("tests/scenarios/", "tests/clients/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes go first, so that two workers end at about the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
