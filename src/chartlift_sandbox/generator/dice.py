"""Counter-based chance: a value depends on (seed, part, ids) alone, never on the order of asking.

Each Dice holds 512 bits taken from one BLAKE2b digest and spends them in mixed radix, so one part of a
record costs one hash, and a part may be extended at its end without disturbing what was drawn before.
"""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")
_PAIR = 2


class Dice:
    """A small purse of reproducible chance for one part of one record."""

    __slots__ = ("_purse",)

    def __init__(self, seed: int, part: str, *ids: int) -> None:
        shown = f"({ids[0]}, {ids[1]})" if len(ids) == _PAIR else f"{ids}"  # the same text, only sooner
        self._purse = int.from_bytes(blake2b(f"{seed}|{part}|{shown}".encode()).digest(), "little")

    def fork(self) -> "Dice":
        """The same purse once more; spending one leaves the other."""
        twin = Dice.__new__(Dice)
        twin._purse = self._purse  # noqa: SLF001 - of its own kind
        return twin

    def below(self, sides: int) -> int:
        """A whole number from 0 to ``sides`` - 1."""
        self._purse, value = divmod(self._purse, sides)
        return value

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, per_mille: int) -> bool:
        """True in ``per_mille`` of a thousand draws."""
        self._purse, value = divmod(self._purse, 1000)
        return value < per_mille

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all equally likely."""
        self._purse, value = divmod(self._purse, len(choices))
        return choices[value]

    def weighted(self, odds: "Odds[T]") -> T:
        """One value of a table of weights."""
        return odds.values[bisect_right(odds.bounds, self.below(odds.total))]


class Odds(Generic[T]):
    """A table of (value, weight), added up once."""

    __slots__ = ("bounds", "total", "values")

    def __init__(self, *table: tuple[T, int]) -> None:
        self.values = [value for value, _ in table]
        self.bounds = list(accumulate(weight for _, weight in table))
        self.total = self.bounds[-1]
