"""Defects of the rows that hang on a patient: a fixed example of each class first, then by chance."""

from dataclasses import dataclass
from functools import cached_property

from chartlift_sandbox.generator.cases import Case, Spot
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.rates import UNIT
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import Record

_NONE: dict[int, Case] = {}


@dataclass(frozen=True)
class Cast:
    """The cases of one entity. The first row of an even-placed patient carries the next fixed example.

    The rates of the entity's table are per patient that moves at all: one of the first ``reach`` rows is struck, if
    there are so many. ``common`` are cases so frequent that each has a draw of its own.
    """

    entity: str
    cases: tuple[Case, ...]
    common: tuple[Case, ...] = ()
    reach: int = 24

    @cached_property
    def _by_name(self) -> dict[str, Case]:
        return {case.name: case for case in self.cases}

    @cached_property
    def _name(self) -> str:
        return self.entity + "-case"

    @cached_property
    def _fixed(self) -> tuple[Case, ...]:
        return (*self.cases, *self.common)

    def case(self, chart: Chart, number: int) -> Case | None:
        """The case of a patient's n-th row."""
        return self.struck(chart).get(number)

    def struck(self, chart: Chart) -> dict[int, Case]:
        """Numbers of the rows that are spoilt, if the patient has so many, and how."""
        return chart.once(self._name, self._struck)

    def _struck(self, chart: Chart) -> dict[int, Case]:
        turn = chart.place // 2
        if chart.row != "send":
            return _NONE
        rates = chart.world.rates
        if chart.place % 2 == 0 and turn < len(self._fixed):
            example = self._fixed[turn]
            return {0: example} if rates.shown(self.entity, example.name) else _NONE
        found: dict[int, Case] = {}
        dice = Dice(chart.world.seed, self.entity + "-case", chart.place)
        name = rates.drawing(self.entity, "rare", tuple(self._by_name)).name(dice)
        if name is not None:
            found[dice.below(self.reach)] = self._by_name[name]
        for case in self.common:
            if dice.below(UNIT) < rates.of(self.entity, case.name):
                found.setdefault(dice.below(self.reach), case)
        return found

    def spoilt(self, chart: Chart, rows: list[Record]) -> list[Record]:
        """The rows with their cases applied."""
        for number, case in self.struck(chart).items():
            if number < len(rows):
                dice = Dice(chart.world.seed, self.entity + "-spoil", chart.place, number)
                case.spoil(rows[number], Spot(chart.world, chart.place, number, dice))
        return rows

    def orphans(self, chart: Chart, count: int) -> int:
        """How many of the first ``count`` rows name another patient, or none."""
        return sum(number < count and "orphan" in case.traits for number, case in self.struck(chart).items())

    def stopped(self, chart: Chart, count: int) -> frozenset[int]:
        """Numbers of the first ``count`` rows that do not move because of their case."""
        return frozenset(n for n, case in self.struck(chart).items() if n < count and case.row != "send")

    def planted(self, chart: Chart, keys: list[int]) -> list[Planted]:
        """What is wrong with the rows of those ids, consequences of the patient's fate included."""
        found = chart.consequences(self.entity, keys)
        for number, case in sorted(self.struck(chart).items()):
            if number < len(keys):
                found += [placed(self.entity, keys[number], case, one) for one in case.findings]
        return found
