"""Who proposes a target for a source field that no pack line names. Offline and deterministic; a person confirms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENOUGH = 0.5
SAME: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "surname last family",
        "forename first given",
        "mobile cell",
        "phone telephone tel",
        "email mail",
        "postcode zip postal",
        "town city",
        "county state region",
        "birth dob born",
        "gender sex",
        "practitioner dentist clinician provider user doctor",
        "practice clinic site location account",
        "note text comment description",
        "price cost amount fee",
        "number no reference ref code",
    )
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A target for a source field, with a score from 0 to 1."""

    source: str
    target: str
    score: float


def suggest(sources: Iterable[str], targets: Iterable[str]) -> list[Suggestion]:
    """The best target for each source field, if any is near enough by its words."""
    known = [(target, _words(target)) for target in targets]
    found = []
    for source in sources:
        words = _words(source)
        scored = [(_likeness(words, other), target) for target, other in known]
        score, target = max(scored, default=(0.0, ""))
        if score >= ENOUGH:
            found.append(Suggestion(source, target, round(score, 2)))
    return found


def _words(name: str) -> frozenset[str]:
    """The words of a name, synonyms folded into one."""
    plain = re.sub(r"__c$", "", name)
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)
    return frozenset(_folded(part.lower()) for part in parts)


def _folded(word: str) -> str:
    for group in SAME:
        if word in group:
            return min(group)
    return word


def _likeness(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0
