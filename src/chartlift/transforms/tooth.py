"""Teeth in the two digits of FDI, from FDI, Palmer or universal notation; a quadrant where no tooth is named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chartlift.transforms.canonical import clean, units
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

QUICK = True
TAKES = "list"
FINDINGS = {
    "R-TOOTH": "no tooth, range of teeth or quadrant in the notation that is stated, or none is stated",
    "R-TOOTH-QUADRANT": "none of the teeth lies in the quadrant that is stated beside them",
}
_WORDS = {"FM", "U/A", "L/A", "UA", "LA", "UR", "UL", "LL", "LR", "Q1", "Q2", "Q3", "Q4"}
_QUADRANTS = {"ur": 1, "ul": 2, "ll": 3, "lr": 4, "q1": 1, "q2": 2, "q3": 3, "q4": 4}
_CORNERS = ("UR", "UL", "LL", "LR")
_NOTATIONS = {
    "fdi": "fdi",
    "iso": "fdi",
    "palmer": "palmer",
    "zsigmondypalmer": "palmer",
    "zsigmondy": "palmer",
    "universal": "universal",
}
_LONGEST = 20


def _fdi(quadrant: int, position: int) -> str:
    return f"{quadrant}{position}"


def _tables() -> dict[str, dict[str, str]]:
    """Notation -> what is written -> FDI."""
    adult = [(q, p) for q in range(1, 5) for p in range(1, 9)]
    milk = [(q, p) for q in range(5, 9) for p in range(1, 6)]
    fdi = {_fdi(q, p): _fdi(q, p) for q, p in adult + milk}
    palmer = {f"{_CORNERS[q - 1]}{p}": _fdi(q, p) for q, p in adult}
    palmer |= {f"{_CORNERS[q - 5]}{'ABCDE'[p - 1]}": _fdi(q, p) for q, p in milk}
    # Universal goes once around the mouth: from the upper right back to the upper left, then along the lower jaw.
    round_trip = [*reversed(adult[:8]), *adult[8:16], *reversed(adult[16:24]), *adult[24:]]
    universal = {str(n): _fdi(q, p) for n, (q, p) in enumerate(round_trip, 1)}
    universal |= {f"0{n}": universal[str(n)] for n in range(1, 10)}
    milk_trip = [*reversed(milk[:5]), *milk[5:10], *reversed(milk[10:15]), *milk[15:]]
    universal |= {"ABCDEFGHIJKLMNOPQRST"[n]: _fdi(q, p) for n, (q, p) in enumerate(milk_trip)}
    return {"fdi": fdi, "palmer": palmer, "universal": universal}


_TABLES = _tables()


def _teeth(token: str, notation: str, corner: str | None) -> list[str] | None:
    """FDI codes of a token, or the word itself; None if it cannot be read."""
    if token in _WORDS:
        return [token]
    table = _TABLES[notation]
    ends = token.split("-")
    if notation == "palmer" and corner and re.fullmatch("[1-8A-E]", ends[0]):
        ends[0] = corner + ends[0]
    if len(ends) == 1:
        return [table[ends[0]]] if ends[0] in table else None
    if notation == "palmer" and re.fullmatch("[1-8A-E]", ends[1]):
        ends[1] = ends[0][:2] + ends[1]
    first, last = table.get(ends[0]), table.get(ends[1])
    if len(ends) > 2 or first is None or last is None or first[0] != last[0]:  # noqa: PLR2004 - a range has two ends
        return None
    step = 1 if first <= last else -1
    return [str(n) for n in range(int(first), int(last) + step, step)]


def _tokens(text: str, notation: str) -> list[str]:
    written = re.sub("[\u2013\u2014]", "-", text).replace("\u00a0", " ")
    if not written.isascii():
        return ["?"]
    written = re.sub(r"[ \t\n]*-[ \t\n]*", "-", written.upper())
    if notation == "palmer":
        written = re.sub(r"([UL][LR])[ \t\n]+([1-8A-E])", r"\1\2", written)
    return [token for token in re.split(r"[ \t\n,&]+", written) if token]


def reference(xs: Sequence[str | None]) -> Outcome:
    """`xs`: tooth, notation, quadrant. FDI codes with commas between them, at most 20 units."""
    text, notation, quadrant = clean(xs[0]), clean(xs[1]), clean(xs[2])
    folded = fold(quadrant) or ""
    number = _QUADRANTS.get(folded)
    refused = Outcome(None, "R-TOOTH", bad=True)
    if text is None:
        if quadrant is None:
            return NOTHING
        return Outcome(folded.upper()) if number else refused
    known = _NOTATIONS.get(fold(notation) or "")
    if known is None:
        return refused
    corner = _CORNERS[number - 1] if number else None
    read = [_teeth(token, known, corner) for token in _tokens(text, known)]
    if not read or any(teeth is None for teeth in read):
        return refused
    codes = [code for teeth in read for code in teeth or ()]
    v = ",".join(codes)
    if units(v) > _LONGEST:
        return refused
    places = {(int(code[0]) - 1) % 4 + 1 for code in codes if code.isdigit()}
    return Outcome(v, "R-TOOTH-QUADRANT" if number and places and number not in places else None)
