"""Memory that is not needed any more goes back to the system, so that the parts of a run do not add up."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

MODEST, AMPLE = "128MB", "320MB"
"""Of DuckDB: what the long stages allow it, and what it may take where single values have some million characters."""
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def give_back() -> None:
    """Let Arrow and the C library return what they hold in reserve; elsewhere than on glibc only Arrow does."""
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


def modest(sql: Any) -> None:
    """From here on DuckDB keeps little in memory: what a stage holds itself has to fit beside it."""
    sql.execute(f"SET memory_limit = '{MODEST}'")


def ample(sql: Any) -> None:
    """DuckDB may take more again."""
    sql.execute(f"SET memory_limit = '{AMPLE}'")


def execute(sql: Any, statement: str) -> None:
    """Run a statement that reads and writes tables, once more with ample memory if the usual is not enough for it."""
    try:
        sql.execute(statement)
    except duckdb.OutOfMemoryException:
        ample(sql)
        sql.execute(statement)


@contextmanager
def rare_collections() -> Generator[None]:
    """Let Python look for cycles after every 100,000 new objects, not 700: a page is made of that many, without one."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
