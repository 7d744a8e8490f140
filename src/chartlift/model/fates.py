"""What can become of a row and of a field."""

from __future__ import annotations

from enum import StrEnum


class RowFate(StrEnum):
    """Exactly one per source row and run."""

    INSERT = "insert"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    HOLD = "hold"
    REJECT = "reject"  # ours: the preflight found that the org would refuse it
    FAILED = "failed"  # the org refused it


class FieldFate(StrEnum):
    """Exactly one per mapped field of a row."""

    SENT = "sent"
    WITHHELD = "withheld"
