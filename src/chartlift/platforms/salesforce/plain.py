"""Which columns of an answer are canonical as they stand: told from their bytes, a column at a time.

The SQL macros look at every value by regular expressions. Most of what an org answers is printable ASCII of the expected
length, and that can be said of all values together. Whatever cannot be said so goes to the macros; nothing is changed here.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them

BLANK, TILDE, NINE, ZERO, DOT, LETTER_T, LETTER_Z = b" ~90.TZ"
ID_LENGTH, SHORT_ID = 18, 15
STAMP_LENGTH = 24  # 2026-11-26T01:02:03.000Z
DATE_LENGTH = 10
DIGITS = 18  # up to here a whole number is exact
NUMBERS = frozenset({"double", "currency", "percent", "int", "long"})
IDS = frozenset({"id", "reference"})


def is_plain(column: pa.ChunkedArray, kind: str) -> bool:
    """Whether the macro of this kind of field would leave every value of the column as it is."""
    values = [chunk for chunk in column.chunks if len(chunk) > chunk.null_count]
    return all(_chunk_is_plain(chunk, kind) for chunk in values)


def _chunk_is_plain(chunk: pa.Array, kind: str) -> bool:
    if kind == "boolean":
        return _all(pc.is_in(chunk, value_set=_TRUTH), chunk)
    text = _Bytes(chunk)
    if not text.printable():
        return False
    if kind in NUMBERS:
        return text.whole_numbers()
    if kind in IDS:
        return SHORT_ID not in (text.shortest, text.longest) and text.shortest == text.longest
    if kind == "date":
        return text.longest <= DATE_LENGTH
    if kind == "datetime":
        return text.stamps()
    return kind != "email" or _all(pc.equal(pc.ascii_lower(chunk), chunk), chunk)


_TRUTH = pa.array(["true", "false"])


def _all(flags: pa.Array, chunk: pa.Array) -> bool:
    """Whether all that are no NULL are true."""
    return (pc.sum(pc.fill_null(flags, False)).as_py() or 0) == len(chunk) - chunk.null_count


class _Bytes:
    """The bytes of a text column: its filled values, their starts and their ends."""

    def __init__(self, chunk: pa.Array) -> None:
        values = chunk.drop_null() if chunk.null_count else chunk
        if values.offset:
            values = pa.concat_arrays([values])
        self._lengths = pc.binary_length(values)
        found = pc.min_max(self._lengths).as_py()
        self.shortest, self.longest = found["min"], found["max"]
        _, places, data = values.buffers()
        ends = pa.Array.from_buffers(pa.int32(), len(values) + 1, [None, places])
        self._start, self._end = ends.slice(0, len(values)), ends.slice(1)
        first, last = self._start[0].as_py(), self._end[len(values) - 1].as_py()
        size = 0 if data is None else data.size
        self._all = pa.Array.from_buffers(pa.uint8(), size, [None, data]) if size else pa.array([], pa.uint8())
        self._used = self._all.slice(first, last - first)

    def at(self, place: int) -> pa.Array:
        """The byte at this place of every value."""
        return self._all.take(pc.add(self._start, place) if place else self._start)

    def printable(self) -> bool:
        """Printable ASCII alone, no value empty or with a blank at an end."""
        if not self.shortest:
            return False
        bounds = pc.min_max(self._used).as_py()
        if bounds["min"] < BLANK or bounds["max"] > TILDE:
            return False
        if bounds["min"] > BLANK:
            return True
        ends = self._all.take(pc.subtract(self._end, 1))
        return pc.min(self.at(0)).as_py() > BLANK and pc.min(ends).as_py() > BLANK

    def whole_numbers(self) -> bool:
        """Digits alone, without a sign, a point or a zero in front."""
        bounds = pc.min_max(self._used).as_py()
        if bounds["min"] < ZERO or bounds["max"] > NINE or self.longest > DIGITS:
            return False
        first = pc.filter(self.at(0), pc.greater(self._lengths, 1))
        return not len(first) or pc.min(first).as_py() > ZERO

    def stamps(self) -> bool:
        """All of the one spelling of a moment; what stands at the other places does not matter to the macro."""
        if self.shortest != STAMP_LENGTH or self.longest != STAMP_LENGTH:
            return False
        wanted = {DATE_LENGTH: LETTER_T, 19: DOT, STAMP_LENGTH - 1: LETTER_Z}
        return all(_only(self.at(place), byte) for place, byte in wanted.items())


def _only(bytes_: pa.Array, byte: int) -> bool:
    return pc.min_max(bytes_).as_py() == {"min": byte, "max": byte}
