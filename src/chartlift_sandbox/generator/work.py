"""Outline of the clinical work at the chair: which visit had how many treatments, in which course, and a note or not.

Everything written about treatment (courses, treatments, notes, invoices) hangs on this outline, which is cheap enough
to be counted without writing a single row.
"""

from functools import lru_cache
from typing import NamedTuple

from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import day
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.procedures import BAND_ORDER, BAND_TWO_SPLIT, PROCEDURES, Procedure
from chartlift_sandbox.generator.visits import Visit, is_model

_TREATMENTS = (0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3)  # of sixteen visits: 1.4 on average
_NOTED = 14  # of sixteen
_VISITS_PER_COURSE = 2
_PROCEDURES = Odds(*PROCEDURES)
_SCHEMES = {
    "GB": Odds(("NHS", 55), ("PRIVATE", 35), ("PLAN", 10)),
    "IE": Odds(("PRIVATE", 60), ("PRSI_DTBS", 25), ("HSE_DTSS", 15)),
}


class Sitting(NamedTuple):
    """One completed visit: ``first`` is the number of its first treatment, ``note`` that of its note, if any."""

    visit: Visit
    first: int
    treatments: int
    note: int | None
    course: int


class Course(NamedTuple):
    """A course of treatment: sittings under one scheme, with the band of its heaviest item."""

    number: int
    scheme: str
    band: str | None
    sittings: tuple[Sitting, ...]


def sittings(chart: Chart) -> tuple[Sitting, ...]:
    """The completed visits of a patient, oldest first. One that does not move has one treatment: its loss shows."""
    return chart.once("sitting", _sittings)


def _sittings(chart: Chart) -> tuple[Sitting, ...]:
    dice = Dice(chart.world.seed, "work", chart.place)
    found: list[Sitting] = []
    first = notes = 0
    for visit in chart.visits:
        draw = dice.below(256)
        held = visit.case is not None and visit.case.row != "send" and "orphan" not in visit.case.traits
        if visit.code != "COMPLETE" or (visit.case is not None and not held):
            continue
        model = visit.number == 1 and is_model(chart.place)
        number = 1 if held else max(int(model), _TREATMENTS[draw & 15])
        noted = model or draw >> 4 < _NOTED
        found.append(Sitting(visit, first, number, notes if noted else None, len(found) // _VISITS_PER_COURSE))
        first += number
        notes += noted
    return tuple(found)


def treatment_count(chart: Chart) -> int:
    """How many treatments the patient has had."""
    return sittings(chart)[-1].first + sittings(chart)[-1].treatments if sittings(chart) else 0


def note_count(chart: Chart) -> int:
    """How many clinical notes the sittings left."""
    return sum(1 for sitting in sittings(chart) if sitting.note is not None)


def procedure(chart: Chart, number: int) -> Procedure:
    """What was done as the n-th treatment."""
    return chart.once("procedures", _procedures)[number]


def _procedures(chart: Chart) -> list[Procedure]:
    seed, place = chart.world.seed, chart.place
    return [Dice(seed, "procedure", place, at).weighted(_PROCEDURES) for at in range(treatment_count(chart))]


def courses(chart: Chart) -> tuple[Course, ...]:
    """The courses of a patient that contain a treatment, oldest first."""
    return chart.once("course-outline", _courses)


def _courses(chart: Chart) -> tuple[Course, ...]:
    found, every, schemes = [], sittings(chart), _SCHEMES[chart.practice["country"]]
    for number in range(-(-len(every) // _VISITS_PER_COURSE)):
        mine = every[number * _VISITS_PER_COURSE : (number + 1) * _VISITS_PER_COURSE]
        scheme = Dice(chart.world.seed, "course", chart.place, number).weighted(schemes)
        course = Course(number, scheme, None, mine)
        band = _band(chart, mine[0], items_of(course)) if scheme == "NHS" else None
        found.append(course._replace(band=band))
    return tuple(found)


def items_of(course: Course) -> list[int]:
    """Numbers of the treatments of a course, ascending."""
    return [at for one in course.sittings for at in range(one.first, one.first + one.treatments)]


def _band(chart: Chart, sitting: Sitting, numbers: list[int]) -> str:
    heaviest = max((procedure(chart, at).band for at in numbers), key=BAND_ORDER.index, default="1")
    return "2" if heaviest.startswith("2") and day(sitting.visit.day) < BAND_TWO_SPLIT else heaviest


@lru_cache(maxsize=60_000)
def money(cents: int) -> str:
    """Decimal text with two places."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
