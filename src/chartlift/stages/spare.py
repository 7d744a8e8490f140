"""Memory that has been freed, given back: between pages of very different size much of it would stay with the process."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def give_back() -> None:
    """Hand free memory of Arrow and of the C library back to the system, where these can do so."""
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
