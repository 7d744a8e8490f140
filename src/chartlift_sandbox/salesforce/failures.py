"""Row outcomes of one DML call: the first error of a row is the one it keeps.

Everything is an Arrow array over all rows of the call, so a batch without errors costs next to nothing.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import FALSE, NO_NUMBER, NO_TEXT, TRUE, all_true, text, whole

_SMALL = 4_096
_LARGEST = 200_000
RESULT_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("success", pa.bool_()),
        ("created", pa.bool_()),
        ("code", pa.string()),
        ("message", pa.string()),
        ("fields", pa.string()),
        ("detail", pa.string()),
    ]
)


def any_true(mask: pa.Array | None) -> bool:
    """Whether a mask has a true entry; None means no mask."""
    return mask is not None and bool(pc.any(mask).as_py())


class Failures:
    """Collects errors; `bad` is the mask of failed rows or None while there is none."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.bad: pa.Array | None = None
        self._code: pa.Array = pa.nulls(count, pa.string())
        self._message: pa.Array = pa.nulls(count, pa.string())
        self._fields: pa.Array = pa.nulls(count, pa.string())
        self._detail: pa.Array = pa.nulls(count, pa.string())

    def add(self, mask: pa.Array, code: str, message: pa.Array | str, fields: str = "") -> None:
        """Fail the rows of a mask (nulls count as false) that have not failed before.

        `message` is one text for all or an array over all rows; `fields` is comma-separated.
        """
        mask = pc.fill_null(mask, FALSE) if mask.null_count else mask
        if self.bad is not None:
            mask = pc.and_(mask, pc.invert(self.bad))
        if not any_true(mask):
            return
        self._code = pc.if_else(mask, text(code), self._code)
        self._message = pc.if_else(mask, text(message) if isinstance(message, str) else message, self._message)
        self._fields = pc.if_else(mask, text(fields), self._fields)
        self.bad = mask if self.bad is None else pc.or_(self.bad, mask)

    def explain(self, details: pa.Array) -> None:
        """Attach JSON to rows that have not failed yet, over all rows, null for most; REST shows it with the error."""
        fresh = details if self.bad is None else pc.if_else(self.bad, NO_TEXT, details)
        self._detail = pc.coalesce(self._detail, fresh)

    def add_rows(self, rows: pa.Array, codes: pa.Array | str, messages: pa.Array | str, fields: str = "") -> None:
        """Fail rows by number; arrays run parallel to `rows`."""
        if len(rows) == 0:
            return
        place = pc.index_in(row_numbers(self.count), value_set=rows)
        mask = pc.is_valid(place)
        message = messages if isinstance(messages, str) else messages.take(place)
        if isinstance(codes, str):
            self.add(mask, codes, message, fields)
            return
        by_row = codes.take(place)
        for code in pc.unique(codes).to_pylist():
            self.add(pc.equal(by_row, text(code)), code, message, fields)

    def fail_all(self, code: str, message: str, fields: str = "") -> None:
        """Fail every row that has not failed yet."""
        self.add(all_true(self.count), code, message, fields)

    @property
    def good(self) -> pa.Array | None:
        """Mask of rows without error; None when that is all of them."""
        return None if self.bad is None else pc.invert(self.bad)

    @property
    def good_count(self) -> int:
        """Number of rows without error."""
        return self.count if self.bad is None else self.count - int(pc.sum(self.bad).as_py() or 0)

    def keep(self, table: pa.Table) -> pa.Table:
        """The rows of a table that have not failed."""
        return table if self.bad is None else table.filter(self.good)

    def error_texts(self) -> pa.Array:
        """`CODE:message` per row, null for good rows."""
        return pc.binary_join_element_wise(self._code, self._message, text(":"))

    def scatter(self, values: pa.Array) -> pa.Array:
        """Values of the good rows, spread over all rows with nulls between."""
        if self.bad is None:
            return values
        place = pc.subtract(pc.cumulative_sum(pc.cast(self.good, pa.int64())), whole(1))
        return values.take(pc.if_else(self.good, place, NO_NUMBER))

    def result(self, ids: pa.Array, created: pa.Array | bool) -> pa.Table:
        """The answer of a DML call; `ids` covers all rows."""
        success = all_true(self.count) if self.bad is None else self.good
        made = pa.repeat(TRUE if created else FALSE, self.count) if isinstance(created, bool) else created
        columns = [row_numbers(self.count), ids, success, made, self._code, self._message, self._fields, self._detail]
        return pa.table(columns, schema=RESULT_SCHEMA)


def row_numbers(count: int) -> pa.Array:
    """0, 1, 2 … as an array."""
    if count > _LARGEST:
        return pa.array(range(count), pa.int64())
    return _counting(_SMALL if count <= _SMALL else _LARGEST).slice(0, count)


@cache
def _counting(count: int) -> pa.Array:
    return pa.array(range(count), pa.int64())
