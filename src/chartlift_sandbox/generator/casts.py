"""Defects of the rows that hang on a patient: a fixed example of each class first, then by chance."""

from dataclasses import dataclass

from chartlift_sandbox.generator.cases import Case, Spot
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import Record


@dataclass(frozen=True)
class Cast:
    """The cases of one entity. The first row of an even-placed patient carries the next fixed example.

    ``per_mille`` is the share of the other rows, at patients that move at all, that get a case by chance.
    """

    entity: str
    cases: tuple[Case, ...]
    per_mille: int

    def __post_init__(self) -> None:
        drawn = Odds(*((case, case.weight) for case in self.cases if case.weight))
        object.__setattr__(self, "_drawn", drawn)

    def case(self, chart: Chart, number: int) -> Case | None:
        """The case of a patient's n-th row."""
        if chart.row != "send":
            return None
        turn = chart.place // 2
        if number == 0 and chart.place % 2 == 0 and turn < len(self.cases):
            return self.cases[turn]
        dice = Dice(chart.world.seed, self.entity + "-case", chart.place, number)
        return dice.weighted(self._drawn) if dice.chance(self.per_mille) else None  # type: ignore[attr-defined]

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
        cases = (self.case(chart, number) for number in range(count))
        return sum(1 for case in cases if case is not None and "orphan" in case.traits)

    def planted(self, chart: Chart, keys: list[int]) -> list[Planted]:
        """What is wrong with the rows of those ids, consequences of the patient's fate included."""
        found = chart.consequences(self.entity, keys)
        for number, key in enumerate(keys):
            case = self.case(chart, number)
            if case is not None:
                found += [placed(self.entity, key, case, one) for one in case.findings]
        return found
