"""Typed Arrow scalars. A bare Python value costs thirty times more: Arrow seeks a date library to guess its type."""

from __future__ import annotations

import pyarrow as pa

TRUE = pa.scalar(True, pa.bool_())
FALSE = pa.scalar(False, pa.bool_())
NO_TEXT = pa.scalar(None, pa.string())
NO_NUMBER = pa.scalar(None, pa.int64())
EMPTY = pa.scalar("", pa.string())

ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIME": pa.time64("us"),
}
"""DuckDB type of a column to the Arrow type of its values."""


def text(value: str) -> pa.StringScalar:
    """A string scalar."""
    return pa.scalar(value, pa.string())


def whole(value: int) -> pa.Int64Scalar:
    """A 64-bit integer scalar."""
    return pa.scalar(value, pa.int64())


def all_true(count: int) -> pa.BooleanArray:
    """A mask of every row."""
    return pa.repeat(TRUE, count)
