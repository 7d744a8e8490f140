"""Defects of the rows that hang on a patient: a fixed example of each class first, then by chance."""

from dataclasses import dataclass
from functools import cached_property

from chartlift_sandbox.generator.cases import Case, Spot
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import Record

_REACH = 24  # by chance only one of the first rows of a patient is struck


@dataclass(frozen=True)
class Cast:
    """The cases of one entity. The first row of an even-placed patient carries the next fixed example.

    ``per_mille`` is the share of other patients, if they move at all, one of whose rows gets a case by chance.
    """

    entity: str
    cases: tuple[Case, ...]
    per_mille: int

    @cached_property
    def _drawn(self) -> Odds[Case]:
        return Odds(*((case, case.weight) for case in self.cases if case.weight))

    def case(self, chart: Chart, number: int) -> Case | None:
        """The case of a patient's n-th row."""
        struck, case = self.struck(chart)
        return case if number == struck else None

    def struck(self, chart: Chart) -> tuple[int, Case | None]:
        """Number of the row that is spoilt, and how; -1 if none is."""
        return chart.once(self.entity + "-case", self._struck)

    def _struck(self, chart: Chart) -> tuple[int, Case | None]:
        turn = chart.place // 2
        if chart.row != "send":
            return -1, None
        if chart.place % 2 == 0 and turn < len(self.cases):
            return 0, self.cases[turn]
        dice = Dice(chart.world.seed, self.entity + "-case", chart.place)
        return (dice.below(_REACH), dice.weighted(self._drawn)) if dice.chance(self.per_mille) else (-1, None)

    def spoilt(self, chart: Chart, rows: list[Record]) -> list[Record]:
        """The rows with their cases applied."""
        for number, row in enumerate(rows):
            case = self.case(chart, number)
            if case is not None:
                dice = Dice(chart.world.seed, self.entity + "-spoil", chart.place, number)
                case.spoil(row, Spot(chart.world, chart.place, number, dice))
        return rows

    def orphans(self, chart: Chart, count: int) -> int:
        """How many of the first ``count`` rows name another patient, or none."""
        struck, case = self.struck(chart)
        return int(0 <= struck < count and case is not None and "orphan" in case.traits)

    def stopped(self, chart: Chart, count: int) -> int | None:
        """Number of the row that does not move because of its case, if there is one."""
        struck, case = self.struck(chart)
        return struck if 0 <= struck < count and case is not None and case.row != "send" else None

    def planted(self, chart: Chart, keys: list[int]) -> list[Planted]:
        """What is wrong with the rows of those ids, consequences of the patient's fate included."""
        found = chart.consequences(self.entity, keys)
        for number, key in enumerate(keys):
            case = self.case(chart, number)
            if case is not None:
                found += [placed(self.entity, key, case, one) for one in case.findings]
        return found
