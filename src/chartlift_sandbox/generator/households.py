"""Households: runs of neighbouring patients. Heads sit at even places, so no head is ever a spoilt record."""

from dataclasses import dataclass
from typing import Any

from chartlift_sandbox.generator.dice import Dice, Odds

GROUP = 8
HOUSEHOLD_BASE = 40_000
#: Sizes of the runs in a group of eight neighbours, with weights; 45 % of patients live with another patient.
_PATTERNS: Odds[tuple[int, ...]] = Odds(
    ((1, 1, 1, 1, 1, 1, 1, 1), 22),
    ((2, 1, 1, 1, 1, 1, 1), 18),
    ((4, 1, 1, 2), 18),
    ((2, 2, 1, 1, 1, 1), 14),
    ((1, 1, 5, 1), 10),
    ((1, 1, 1, 1, 3, 1), 10),
    ((6, 1, 1), 8),
)


@dataclass(frozen=True, slots=True)
class Household:
    """The household of one patient: ``head`` is the head's place, ``position`` the patient's (0 is the head)."""

    head: int
    size: int
    position: int
    shares_email: bool

    @property
    def id(self) -> int:
        """The household's id, known from its head."""
        return HOUSEHOLD_BASE + self.head


def household_of(seed: int, place: int) -> Household | None:
    """The household of the patient at that place, or None for one who lives alone."""
    group, offset = divmod(place, GROUP)
    dice = Dice(seed, "household", group)
    start = 0
    for size in dice.weighted(_PATTERNS):
        if offset < start + size:
            break
        start += size
    if size == 1:
        return None
    head = group * GROUP + start
    return Household(head, size, offset - start, Dice(seed, "household-mail", head).chance(500))


def household_record(head_id: int, household: Household, surname: str, patients: int) -> dict[str, Any]:
    """The household as served; members beyond the end of the clinic do not exist."""
    size = min(household.size, patients - household.head)
    return {
        "householdId": household.id,
        "name": f"{surname} Household",
        "headPatientId": head_id,
        "memberPatientIds": [head_id + at for at in range(size)],
    }
