"""A table that crosses a port."""

from __future__ import annotations

from typing import Protocol


class ArrowStream(Protocol):
    """A table that can be handed over without copying rows through Python."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export as an Arrow C stream (Arrow PyCapsule interface)."""
        ...
