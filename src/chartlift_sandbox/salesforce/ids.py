"""Record ids: 15 characters in base 62, and the 18-character form that survives a change of case.

Layout here: three characters of key prefix, `5g`, four zeros, six characters of a counter. Ids of one object
therefore sort in the order of insertion.
"""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import whole
from chartlift_sandbox.salesforce.schema import ALPHABET

SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
INSTANCE = "5g"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?", re.ASCII)
_PAIR = 62 * 62
_FEW = 50
SHORT, FULL = 15, 18
"""Characters of the two forms of an id."""


def suffix(id15: str) -> str:
    """Three check characters: one per block of five, one bit per capital letter, lowest bit first."""
    blocks = (id15[0:5], id15[5:10], id15[10:15])
    return "".join(SUFFIX_ALPHABET[_capitals(block)] for block in blocks)


def _capitals(block: str) -> int:
    return sum(1 << place for place, char in enumerate(block) if "A" <= char <= "Z")


def to18(text: str) -> str:
    """The 18-character form of a 15- or 18-character id; the caller has checked the shape."""
    return text[:15] + suffix(text[:15]) if len(text) == SHORT else text


def normalise(text: str) -> str | None:
    """The 18-character form, or None when the text is no id (wrong length, characters or check characters)."""
    if not _SHAPE.fullmatch(text):
        return None
    full = to18(text[:15])
    return full if len(text) == SHORT or text == full else None


def make(prefix: str, number: int) -> str:
    """The id of that number under a key prefix."""
    digits = "".join(ALPHABET[number // 62**place % 62] for place in range(5, -1, -1))
    return to18(f"{prefix}{INSTANCE}0000{digits}")


@cache
def _pairs() -> tuple[pa.Array, pa.Array]:
    """All two-character counters, and their capitals as bits 0 and 1."""
    texts = [a + b for a in ALPHABET for b in ALPHABET]
    return pa.array(texts), pa.array([_capitals(text) for text in texts], pa.int64())


@cache
def _singles() -> tuple[pa.Array, pa.Array]:
    return pa.array(list(ALPHABET)), pa.array([_capitals(char) for char in ALPHABET], pa.int64())


def block(prefix: str, first: int, count: int) -> pa.Array:
    """`count` consecutive ids from number `first`, as an array of 18-character strings."""
    if count <= _FEW:
        return pa.array([make(prefix, first + place) for place in range(count)], pa.string())
    letters, letter_bits = _singles()
    pairs, pair_bits = _pairs()
    numbers = pc.add(row_numbers(count), whole(first))
    low = _remainder(numbers, _PAIR)
    rest = pc.divide(numbers, _PAIR)
    middle = _remainder(rest, _PAIR)
    rest = pc.divide(rest, _PAIR)
    fifth = _remainder(rest, 62)
    sixth = pc.divide(rest, 62)
    fixed = f"{prefix}{INSTANCE}"
    second = pc.multiply(letter_bits.take(sixth), 16)
    third = pc.add(
        letter_bits.take(fifth), pc.add(pc.multiply(pair_bits.take(middle), 2), pc.multiply(pair_bits.take(low), 8))
    )
    checks = pa.array(list(SUFFIX_ALPHABET))
    return pc.binary_join_element_wise(
        f"{fixed}0000",
        letters.take(sixth),
        letters.take(fifth),
        pairs.take(middle),
        pairs.take(low),
        SUFFIX_ALPHABET[_capitals(fixed)],
        checks.take(second),
        checks.take(third),
        "",
    )


def _remainder(numbers: pa.Array, divisor: int) -> pa.Array:
    return pc.subtract(numbers, pc.multiply(pc.divide(numbers, divisor), divisor))
