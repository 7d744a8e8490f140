"""Gives memory back to the system after large jobs: both allocators keep what they freed, hundreds of MB after a load."""

import ctypes
import ctypes.util

import pyarrow as pa

LARGE = 4 << 20
"""Bytes of data from which it is worth the milliseconds."""


def give_back(size: int) -> None:
    """Release what is free, if a piece of work had that many bytes; harmless where the C library cannot."""
    if size < LARGE:
        return
    pa.default_memory_pool().release_unused()
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(0)


_C = ctypes.CDLL(ctypes.util.find_library("c"))
