"""Memory of pages: given back once it is free, and not searched for cycles that pages do not have."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pyarrow as pa

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@contextmanager
def rare_collections() -> Generator[None]:
    """Let Python look for cycles after every 100,000 new objects, not 700: a page is made of that many, without one."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def give_back() -> None:
    """Hand free memory of Arrow and of the C library back to the system, where these can do so.

    Between pages of very different size much of it would stay with the process.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
