"""How a defect is described: a case names what it does to a record and what must be noticed about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.truth import FieldFate, Finding, RowFate
from chartlift_sandbox.generator.world import Record, World


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a case strikes: the clinic, the patient's place, the row's number at that patient, and chance."""

    world: World
    place: int
    number: int
    dice: Dice


Spoil = Callable[[Record, Spot], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One class of defect.

    ``weight`` is its share among the defects drawn by chance (0: only the fixed example exists). ``host`` spoils the
    even-placed neighbour below, where a defect needs two records. Traits that shape more than the record: ``deceased``,
    ``future``, ``crowded`` (more than 50 visits), ``gone`` (only the deletions feed remembers it), ``orphan``.
    """

    name: str
    weight: int
    spoil: Spoil
    findings: tuple[Finding, ...]
    row: RowFate = "send"
    country: str | None = None
    host: Spoil | None = None
    host_findings: tuple[Finding, ...] = ()
    traits: frozenset[str] = field(default_factory=frozenset)

    @property
    def about(self) -> str | None:
        """The field of the first finding; None where the finding is not in the record itself."""
        return self.findings[0].field if self.findings else None


def setting(
    name: str,
    weight: int,
    values: dict[str, Any],
    rule: str,
    fate: FieldFate = "sent",
    note: str = "",
    *,
    row: RowFate = "send",
    country: str | None = None,
) -> Case:
    """A case that only overwrites fields; the first one named is the one that is found."""

    def spoil(record: Record, _: Spot) -> None:
        record |= values

    return Case(name, weight, spoil, (Finding(next(iter(values)), rule, fate, note or name),), row, country)


def nothing(_: Record, __: Spot) -> None:
    """A case that shows outside the record only."""
