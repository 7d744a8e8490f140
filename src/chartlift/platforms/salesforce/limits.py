"""How much of the org's allowances is used, so that the clinic's own tools are never starved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chartlift.errors import QuotaExhausted

FORECAST = (
    "DailyApiRequests",
    "DailyBulkApiBatches",
    "DailyBulkV2QueryJobs",
    "DailyBulkV2QueryFileStorageMB",
    "DataStorageMB",
    "FileStorageMB",
)
"""The limits a migration depends on, by their keys in /limits."""

RESERVE = 0.2
"""The share of the daily requests that is left to everybody else."""

_USAGE = re.compile(r"(?:^|;)\s*api-usage=(\d+)/(\d+)")


class Usage:
    """The daily requests as the last answer told them (header Sforce-Limit-Info)."""

    def __init__(self) -> None:
        """Start without knowledge."""
        self.used = 0
        self.allowed = 0

    def note(self, header: str) -> None:
        """Read `api-usage=25/15000`; anything else is passed over."""
        if found := _USAGE.search(header):
            self.used, self.allowed = int(found[1]), int(found[2])

    def demand(self, reserve: float = RESERVE) -> None:
        """Stop before the reserve is touched.

        Raises:
            QuotaExhausted: fewer daily requests are left than the reserve.
        """
        if self.allowed and self.used > self.allowed * (1 - reserve):
            raise QuotaExhausted(
                f"{self.used} of the org's {self.allowed} daily requests are used; {reserve:.0%} stay reserved",
                hint="The count falls over the next 24 hours. Run the same command again later.",
            )


def parse(answer: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Limit name -> (max, remaining) from the /limits answer; what has another shape is left out."""
    found: dict[str, tuple[int, int]] = {}
    for name, value in answer.items():
        if isinstance(value, dict) and isinstance(value.get("Max"), int) and isinstance(value.get("Remaining"), int):
            found[name] = (value["Max"], value["Remaining"])
    return found
