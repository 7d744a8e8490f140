"""What a transform answers for one value, and what is known about a transform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Outcome(NamedTuple):
    """`v`: canonical text as the org will return it, None = no value. `note`: finding code or None. `bad`: unusable."""

    v: str | None
    note: str | None = None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Transform:
    """One kind of value.

    `kind` "macro": SQL macro `tf_NAME(x, arguments…)` returns STRUCT(v, note, bad). With `quick` its usual forms are answered
    by a macro `tq_NAME` of the same shape, which gives NULL for the others: setting up the whole costs too much for each vector.
    `kind` "distinct": `reference` runs on distinct (x, arguments…) and the stage joins the answers back. With `quick`
    there is a macro `tq_NAME(x, arguments…)` too; it answers the common forms and returns a NULL struct for the others,
    so that only those need `reference`.
    `kind` "parts": as "distinct" with `quick`, row by row; the text may be of any length, and the stage cuts it into parts.
    `takes` "one": x is text or None; "list": x is a list of them. `findings`: code -> what it says to a person.
    `unmapped`: the finding of a value that the value map behind the transform does not know.
    """

    name: str
    kind: str
    takes: str
    arguments: int
    findings: Mapping[str, str]
    reference: Callable[..., Outcome]
    quick: bool = False
    unmapped: str = "R-PICK"


NOTHING = Outcome(None)
