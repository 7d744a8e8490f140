"""Memory that is not needed any more goes back to the system, so that the parts of a run do not add up."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pyarrow as pa

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def give_back() -> None:
    """Let Arrow and the C library return what they hold in reserve; elsewhere than on glibc only Arrow does."""
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextmanager
def rare_collections() -> Generator[None]:
    """Let Python look for cycles after every 100,000 new objects, not 700: a page is made of that many, without one."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
