"""One patient's chart: the record, its rows, and what was planted in them. Regenerable from (world, place) alone."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from chartlift_sandbox.generator.appointments import appointment, appointment_id
from chartlift_sandbox.generator.cases import Case, Spot
from chartlift_sandbox.generator.days import EPOCH, EPOCH_DAY, day, years_before
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.households import household_of
from chartlift_sandbox.generator.identity import Standing, identity, standing
from chartlift_sandbox.generator.patient_catalogue import case_of
from chartlift_sandbox.generator.patients import ordinary_patient, preferred_clinician
from chartlift_sandbox.generator.truth import Finding, Planted, RowFate
from chartlift_sandbox.generator.visits import Visit, plan
from chartlift_sandbox.generator.world import Record, World

_CONSENTING = 16
_TODAY = EPOCH.isoformat()
Rows = TypeVar("Rows")
_NO_TRAITS: frozenset[str] = frozenset()


class Chart:
    """Lazily written; ``planted`` is complete for an entity once its rows have been read."""

    def __init__(self, world: World, place: int) -> None:
        self.world = world
        self.place = place
        self._outline: dict[str, Any] = {}
        self._rows: dict[str, Any] = {}
        self.case: Case | None = case_of(world, place)
        above = case_of(world, place + 1) if place % 2 == 0 else None
        self.neighbour: Case | None = above if above is not None and above.host is not None else None

    def once(self, name: str, think: Callable[["Chart"], Rows]) -> Rows:
        """One part of the outline from which rows are written, worked out on first asking and kept."""
        if name not in self._outline:
            self._outline[name] = think(self)
        return self._outline[name]

    def rows(self, name: str, write: Callable[["Chart"], list[Record]]) -> list[Record]:
        """Rows of one kind, written on first asking and kept until `forget`."""
        if name not in self._rows:
            self._rows[name] = write(self)
        return self._rows[name]

    def forget(self) -> None:
        """Let go of what was written; the outline, a tenth of it, stays and gives the same rows again."""
        self._rows.clear()
        for name in ("patient", "appointments"):
            self.__dict__.pop(name, None)

    @property
    def patient_id(self) -> int:
        """The patient's id."""
        return self.world.patient_id(self.place)

    @property
    def traits(self) -> frozenset[str]:
        """Traits of the patient's case."""
        return self.case.traits if self.case is not None else _NO_TRAITS

    @property
    def row(self) -> RowFate:
        """Fate of the patient's record."""
        return self.case.row if self.case is not None else "send"

    @property
    def gone(self) -> bool:
        """Whether only the deletions feed remembers this patient."""
        return "gone" in self.traits

    @cached_property
    def standing(self) -> Standing:
        """State of the record with its dates."""
        return standing(self.world, self.place, deceased="deceased" in self.traits, alive="alive" in self.traits)

    @cached_property
    def practice(self) -> Record:
        """The patient's home location; the second record of a pair has that of the first, or a sister's."""
        if "same site" in self.traits:
            return self.world.practice_at(self.place - 1)
        if "other site" in self.traits:
            return self.world.sister_of(self.world.practice_at(self.place - 1))
        return self.world.practice_at(self.place, self.case.country if self.case is not None else None)

    @cached_property
    def patient(self) -> Record:
        """The patient as served, without totals and embedded rows."""
        record = ordinary_patient(self.world, self.place, self.practice, self.standing)
        spot = Spot(self.world, self.place, 0, Dice(self.world.seed, "patient-spoil", self.place))
        if self.neighbour is not None and self.neighbour.host is not None:
            self.neighbour.host(record, spot)
        if self.case is not None:
            self.case.spoil(record, spot)
        return record

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """Outline of the appointments."""
        return plan(self.world, self.place, self.standing, self.traits, sound=self.row == "send")

    @cached_property
    def appointments(self) -> list[Record]:
        """Appointment rows, by id."""
        rows = []
        preferred = preferred_clinician(self.world, self.place)
        for visit in self.visits:
            last = visit.number == len(self.visits) - 1
            dice = visit.dice.fork()
            row = appointment(self.world, self.place, visit, dice, self.practice, preferred, last=last)
            if visit.case is not None:
                visit.case.spoil(row, Spot(self.world, self.place, visit.number, dice))
            rows.append(row)
        return rows

    def planted(self) -> list[Planted]:
        """Every defect of the patient and of the appointments, consequences included."""
        keys = [appointment_id(self.place, visit.number) for visit in self.visits]
        own = [found for visit in self.visits for found in self._planted_visit(visit)]
        return self._planted_patient() + self.consequences("appointment", keys) + own

    def consequences(self, entity: str, ids: list[int]) -> list[Planted]:
        """What the patient's own fate means for rows that hang on the patient."""
        if self.row == "send":
            return []
        if "merged" in self.traits:
            return [Planted(entity, one, "patientId", "R-REF", "send", "sent", "follows the survivor") for one in ids]
        note = "source deleted" if self.row == "skip" else "the patient is held"
        return [Planted(entity, one, "patientId", "PARENT", self.row, "none", note) for one in ids]

    def _planted_patient(self) -> list[Planted]:
        found: list[Planted] = []
        if self.case is not None:
            found += [placed("patient", self.patient_id, self.case, one) for one in self.case.findings]
        elif self.neighbour is not None and self.place + 1 < self.world.patients:
            found += [placed("patient", self.patient_id, self.neighbour, one) for one in self.neighbour.host_findings]
        if self.row != "send":
            return found
        if self._is_minor() and self.patient["guardianPatientId"] is None:
            note = "minor without guardian"
            found.append(Planted("patient", self.patient_id, "guardianPatientId", "R-GUARDIAN", "send", "none", note))
        if self.standing.status == "DECEASED" and any(_is_ahead(row) for row in self.appointments):
            note = "opted out; the visit ahead is flagged"
            found.append(Planted("patient", self.patient_id, "status", "R-DECEASED", "send", "sent", note))
        return found

    def _is_minor(self) -> bool:
        if self.case is None and self.neighbour is None and not identity(self.world.seed, self.place).is_minor:
            return False  # a sound record says the same, and need not be written for that
        born = self.patient["dateOfBirth"]
        return born is not None and day(years_before(EPOCH_DAY, _CONSENTING)) < born < day(EPOCH_DAY)

    def _planted_visit(self, visit: Visit) -> list[Planted]:
        key = appointment_id(self.place, visit.number)
        found: list[Planted] = []
        if visit.case is not None:
            found += [placed("appointment", key, visit.case, one) for one in visit.case.findings]
        elif self.row == "send" and visit.code in {"PENDING", "CONFIRMED"} and visit.day < EPOCH_DAY - 7:
            found.append(
                Planted("appointment", key, "appointmentStatusId", "R-STATE-TIME", "send", "sent", "never closed")
            )
        follower = self.visits[visit.number + 1].case if visit.number + 1 < len(self.visits) else None
        stopped = self.row == "send" and follower is not None and follower.row != "send"
        if stopped and self.appointments[visit.number]["rescheduledToAppointmentId"] == key + 1:
            row = visit.case.row if visit.case is not None else "send"
            note = "the later visit does not move"
            found.append(Planted("appointment", key, "rescheduledToAppointmentId", "R-REF", row, "withheld", note))
        return found

    @property
    def household(self) -> tuple[int, int] | None:
        """(id, size) of the household this patient heads, if any."""
        mine = household_of(self.world.seed, self.place)
        return None if mine is None or mine.position else (mine.id, mine.size)


def _is_ahead(row: Record) -> bool:
    return _TODAY <= str(row["appointmentTime"]) < "21"


def placed(entity: str, key: int, case: Case, finding: Finding) -> Planted:
    """A case's finding at one record."""
    fate = finding.fate if case.row == "send" else "none"
    other = key + finding.other if finding.other else None
    return Planted(entity, key, finding.field, finding.rule, case.row, fate, finding.note or case.name, other)
