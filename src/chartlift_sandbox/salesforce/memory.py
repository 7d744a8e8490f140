"""What the C library does with freed memory: kept between single calls, given back to the system after large jobs."""

import ctypes
import ctypes.util

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # names of mallopt's parameters
_KEPT = 64 << 20
_LARGEST_KEPT = 32 << 20

LARGE = 4 << 20
"""Bytes of data from which it is worth the milliseconds."""


def keep_between_calls() -> None:
    """Keep freed pieces for the next call, in one arena; harmless where the C library cannot.

    Measured: an answer of 70 columns asks for 1.4 MB, and asking the system for them anew took half of a call's time.
    """
    option = getattr(_C, "mallopt", None)
    if option is not None:
        for name, value in ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, _KEPT), (_MMAP_THRESHOLD, _LARGEST_KEPT)):
            option(name, value)


def give_back(size: int) -> None:
    """Release what is free, if a piece of work had that many bytes; harmless where the C library cannot."""
    if size < LARGE:
        return
    pa.default_memory_pool().release_unused()
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(0)


_C = ctypes.CDLL(ctypes.util.find_library("c"))
