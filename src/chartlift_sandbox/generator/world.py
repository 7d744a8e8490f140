"""Everything about one clinic that does not belong to a single patient: size, seed, locations, people."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.people import (
    CLINICIAN_BASE,
    STAFF_BASE,
    Member,
    clinicians_for,
    members,
    practices,
)
from chartlift_sandbox.generator.rates import Rates, default_rates

Record = dict[str, Any]
PATIENT_BASE = 5_500_000
#: Ids below the first patient are never given out, so a reference to one is an orphan for ever.
NOBODY_BASE = 4_000_000


@dataclass(frozen=True)
class World:
    """One clinic: ``patients`` places, numbered from 0, derived from ``seed`` alone; ``rates`` say how dirty it is."""

    patients: int
    seed: int
    rates: Rates = field(default_factory=default_rates)
    practices: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.practices.extend(practices(self.seed))

    @cached_property
    def members(self) -> list[Member]:
        """Clinicians and staff of a clinic of this size."""
        return members(self.seed, self.patients, self.practices)

    def patient_id(self, place: int) -> int:
        """Id of the patient at that place."""
        return PATIENT_BASE + place

    def practice(self, practice_id: int) -> Record:
        """A location by id."""
        return self.practices[practice_id - 101]

    def practice_at(self, place: int, country: str | None = None) -> Record:
        """The home location of a patient; the first one of ``country`` where a case asks for it."""
        if country is not None:
            return next(one for one in self.practices if one["country"] == country)
        return Dice(self.seed, "home", place).pick(self.practices)

    def sister_of(self, practice: Record) -> Record:
        """Another location in the same country, if the group has one."""
        others = (one for one in self.practices if one["country"] == practice["country"] and one is not practice)
        return next(others, practice)

    def clinician_at(self, place: int, dice: Dice) -> int:
        """A clinician already employed in a clinic that ends at this place: smaller clinics stay prefixes."""
        pool = clinicians_for(min(place, self.patients))
        if dice.chance(550):
            return CLINICIAN_BASE + dice.pick((0, 2, 11, 1))
        return CLINICIAN_BASE + dice.below(pool)

    def signature(self, clinician: int) -> str:
        """The name with which a clinician signs."""
        return self._signatures[clinician - CLINICIAN_BASE]

    @cached_property
    def _signatures(self) -> list[str]:
        people = (member.record for member in self.members)
        return [" ".join(filter(None, (one["title"], one["firstName"], one["lastName"]))) for one in people]

    def staff_at(self, dice: Dice) -> int:
        """One of the staff that every clinic has."""
        return STAFF_BASE + dice.below(4)
