"""Which patient carries which case: a fixed cast first, so that small clinics show every class; then by chance.

Only odd places carry cases of their own. Even places are sound (a neighbour's case may touch them), so a reference to
an even place always resolves.
"""

from chartlift_sandbox.generator.cases import Case
from chartlift_sandbox.generator.clinical_cases import CONSENTS, MEDICAL, NUMBERS, RECORDS, REFERENCES
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.pairs import DUPLICATES, NOT_DUPLICATES
from chartlift_sandbox.generator.patient_cases import ADDRESSES, DATES, LISTS, MAILS, NAMES, PHONES, POSTCODES
from chartlift_sandbox.generator.rates import UNIT
from chartlift_sandbox.generator.world import World

CAST: tuple[Case, ...] = (
    *RECORDS, *NUMBERS, *MEDICAL, *NAMES, *DATES, *MAILS, *PHONES, *POSTCODES, *REFERENCES, *CONSENTS, *LISTS,
    *ADDRESSES, *DUPLICATES[3:], *NOT_DUPLICATES,
)  # fmt: skip
FIRST_CASE_PLACE = 3
_BY_NAME = {case.name: case for case in CAST}
_PLACES = UNIT // 2  # every second one


def case_of(world: World, place: int) -> Case | None:
    """The case at that place, or None where the patient is sound."""
    if place % 2 == 0 or place < FIRST_CASE_PLACE:
        return None
    turn = (place - FIRST_CASE_PLACE) // 2
    if turn < len(CAST):
        return CAST[turn] if world.rates.shown("patient", CAST[turn].name) else None
    drawing = world.rates.drawing("patient", "all", tuple(_BY_NAME))
    name = drawing.name(Dice(world.seed, "patient-case", place), _PLACES)
    return _BY_NAME[name] if name is not None else None
