"""The visits of a patient in outline: when, with what outcome, and which defect. Rows are written from these."""

from typing import NamedTuple

from chartlift_sandbox.generator.appointment_cases import CAST
from chartlift_sandbox.generator.cases import Case
from chartlift_sandbox.generator.days import EPOCH_DAY, working_day
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.identity import Standing
from chartlift_sandbox.generator.world import World

MAX_VISITS = 60  # a patient owns 64 appointment ids
CROWDED = 57
_BY_NAME = {case.name: case for case in CAST}
_NAMES = tuple(_BY_NAME)
_PAST = Odds(
    ("COMPLETE", 800), ("CANCELLED", 80), ("DNA", 50), ("LATE_CANCEL", 25), ("RESCHEDULED", 30), ("UTA", 5),
    ("PENDING", 3), ("CONFIRMED", 4), ("ARRIVED", 2), ("IN_SURGERY", 1),
)  # fmt: skip
_FUTURE = Odds(("PENDING", 55), ("CONFIRMED", 45))
_COUNTS = Odds((1, 4), (3, 10), (6, 16), (9, 18), (13, 18), (17, 14), (22, 10), (28, 6), (36, 3), (46, 1))


class Visit(NamedTuple):
    """One diary entry: ``day`` is an ordinal, ``minute`` counts from midnight of local time."""

    number: int
    day: int
    minute: int
    code: str
    case: Case | None
    dice: Dice


def plan(world: World, place: int, state: Standing, traits: frozenset[str], *, sound: bool) -> tuple[Visit, ...]:
    """The visits of the patient at that place, oldest first.

    ``traits`` are those of the patient's case; ``sound`` tells whether the patient moves at all: the rows of others
    carry no defect of their own.
    """
    dice = Dice(world.seed, "visits", place)
    count = max(0, dice.weighted(_COUNTS) + dice.between(-2, 2))
    starred = CAST[place // 2] if sound and place % 2 == 0 and place // 2 < len(CAST) else None
    if starred is not None and not world.rates.shown("appointment", starred.name):
        starred = None
    drawing = world.rates.drawing("appointment", "all", _NAMES)
    if "gone" in traits:
        return ()
    if "crowded" in traits:
        count = CROWDED
    elif starred is not None:
        count = max(2, count)
    ahead = "future" in traits or (state.status == "ACTIVE" and dice.chance(140))
    end = min(state.ended or EPOCH_DAY, EPOCH_DAY) - 3
    span = max(1, end - state.created)
    visits = []
    for number in range(count):
        roll = Dice(world.seed, "visit", place, number)
        model = number == 1 and is_model(place)
        name = drawing.name(roll) if sound and number else None
        case = starred if number == 0 else _BY_NAME[name] if name is not None else None
        case = None if model else case
        future = ahead and number == count - 1 and case is None and not model
        at = state.created + (number * 97 + roll.below(97)) * span // (97 * count)
        at = EPOCH_DAY + 7 + roll.below(300) if future else at
        code = roll.weighted(_FUTURE if future else _PAST)
        code = code if case is None and not model else "COMPLETE"
        visits.append(Visit(number, working_day(at), 510 + 5 * roll.below(102), code, case, roll))
    return tuple(visits)


def is_model(place: int) -> bool:
    """Whether this patient shows fixed examples: then the second visit is ordinary, completed and noted."""
    return place % 2 == 0 and place // 2 < len(CAST)
