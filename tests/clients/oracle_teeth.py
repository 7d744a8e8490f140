"""Teeth and surfaces: from what a dentist typed to FDI codes, or not at all."""

import re

from oracle_values import Hold, text

QUADRANTS = {"UR": ("1", "5"), "UL": ("2", "6"), "LL": ("3", "7"), "LR": ("4", "8")}
WHOLE = {"FM", "U/A", "L/A"}
PALMER = re.compile(r"(UR|UL|LL|LR)([1-8A-E])")
FDI = re.compile(r"[1-4][1-8]|[5-8][1-5]")
ROOM = 20


def _single(word: str, notation: str) -> str:
    if notation == "FDI" and FDI.fullmatch(word):
        return word
    palmer = PALMER.fullmatch(word) if notation == "PALMER" else None
    if palmer is None:
        raise Hold("R-TOOTH")
    quadrant, place = palmer.groups()
    permanent, deciduous = QUADRANTS[quadrant]
    return permanent + place if place.isdigit() else deciduous + str("ABCDE".index(place) + 1)


def _run(word: str, notation: str) -> list[str]:
    """One tooth, or the teeth from one to another of the same quadrant."""
    ends = [_single(end, notation) for end in word.split("-")]
    if len(ends) == 1:
        return ends
    first, last = ends[0], ends[-1]
    if len(ends) > 2 or first[0] != last[0] or first > last:
        raise Hold("R-TOOTH")
    return [str(code) for code in range(int(first), int(last) + 1)]


def tooth(raw: object, notation: object, quadrant: object) -> str | None:
    """Treatment__c.Tooth_Number__c.

    Raises:
        Hold: nobody can say which tooth.
    """
    written = (text(raw) or "").upper()
    if not written:
        where = (text(quadrant) or "").upper()
        if where and not re.fullmatch(r"UR|UL|LR|LL|Q[1-4]", where):
            raise Hold("R-TOOTH")
        return where or None
    code = (text(notation) or "").upper()
    if not code:
        raise Hold("R-TOOTH")
    if written in WHOLE:
        return written
    words = re.split(r"\s*[,&]\s*", written)
    codes = ",".join(found for word in words for found in _run(word, code))
    if len(codes) > ROOM:
        raise Hold("R-TOOTH")
    return codes


def surfaces(raw: object) -> str | None:
    """Treatment__c.Tooth_Surface__c: the letters as they are, in upper case."""
    written = (text(raw) or "").upper()
    if not re.fullmatch(r"[MODBLPIF]{0,10}", written):
        raise Hold("R-SURF")
    return written or None
