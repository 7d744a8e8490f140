"""Memory that is not needed any more goes back to the system, so that the parts of a run do not add up."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def give_back() -> None:
    """Let Arrow and the C library return what they hold in reserve; elsewhere than on glibc only Arrow does."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
