"""Which patient carries which case: a fixed cast first, so that small clinics show every class; then by chance.

Only odd places carry cases of their own. Even places are sound (a neighbour's case may touch them), so a reference to
an even place always resolves.
"""

from chartlift_sandbox.generator.cases import Case
from chartlift_sandbox.generator.clinical_cases import CONSENTS, MEDICAL, NUMBERS, RECORDS, REFERENCES
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.pairs import DUPLICATES, NOT_DUPLICATES
from chartlift_sandbox.generator.patient_cases import ADDRESSES, DATES, LISTS, MAILS, NAMES, PHONES, POSTCODES
from chartlift_sandbox.generator.world import World

CAST: tuple[Case, ...] = (
    *RECORDS, *NUMBERS, *MEDICAL, *NAMES, *DATES, *MAILS, *PHONES, *POSTCODES, *REFERENCES, *CONSENTS, *LISTS,
    *ADDRESSES, *DUPLICATES[3:], *NOT_DUPLICATES,
)  # fmt: skip
FIRST_CASE_PLACE = 3
_CHANCE = 300  # of a thousand odd places beyond the cast
_PAIRS = (*DUPLICATES, *NOT_DUPLICATES)
_PAIR_CHANCE = 70  # of a thousand odd places: the second record of 2.5 % of patients, and 1 % that only look it
_PAIRED = Odds(*((case, case.weight) for case in _PAIRS))
_DRAWN = Odds(*((case, case.weight) for case in CAST if case.weight and case not in _PAIRS))


def case_of(world: World, place: int) -> Case | None:
    """The case at that place, or None where the patient is sound."""
    if place % 2 == 0 or place < FIRST_CASE_PLACE:
        return None
    turn = (place - FIRST_CASE_PLACE) // 2
    if turn < len(CAST):
        return CAST[turn]
    dice = Dice(world.seed, "patient-case", place)
    if dice.chance(_PAIR_CHANCE):
        return dice.weighted(_PAIRED)
    return dice.weighted(_DRAWN) if dice.chance(_CHANCE) else None
