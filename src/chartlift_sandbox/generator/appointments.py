"""Appointment rows, written from the outline of the visits."""

from chartlift_sandbox.generator.days import EPOCH_DAY, clock_time, instant, instant_of_wall
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.lists import EMERGENCY_TYPE, STATUS_ID, STATUS_TEXT, TYPES
from chartlift_sandbox.generator.names import NOTE_PHRASES
from chartlift_sandbox.generator.visits import Visit
from chartlift_sandbox.generator.world import Record, World

APPOINTMENT_BASE = 70_000_000
PER_PATIENT = 64
_TYPES = Odds(*((row, row[5]) for row in TYPES))
_ORIGINS = Odds(("DIARY", 80), ("ONLINE", 17), ("API", 3))
_NOTE_LINES = Odds((1, 7), (2, 2), (3, 1))
_REASONS = ("Patient unwell", "Work", "Clinician away", "Childcare", None, "No longer needed")


def appointment_id(place: int, number: int) -> int:
    """Id of the n-th visit of a patient."""
    return APPOINTMENT_BASE + place * PER_PATIENT + number


def appointment(
    world: World, place: int, visit: Visit, dice: Dice, home: Record, preferred: int | None, *, last: bool
) -> Record:
    """An ordinary diary entry; its case is applied afterwards."""
    code = visit.code
    kind, name, minutes, *_ = dice.weighted(_TYPES)
    practice = dice.pick(world.practices) if dice.chance(50) else home
    usual = preferred is not None and dice.chance(750)
    clinician = preferred if usual else world.clinician_at(place, dice)
    booked = visit.day - dice.between(1, 60)
    seen = code == "COMPLETE"
    touched = min(visit.day, EPOCH_DAY - 2) if visit.day < EPOCH_DAY else min(booked, EPOCH_DAY - 2)
    booked = min(booked, EPOCH_DAY - 3)
    moved = code == "RESCHEDULED" and not last
    return {
        "appointmentId": appointment_id(place, visit.number), "practiceId": practice["practiceId"],
        "patientId": world.patient_id(place), "userId": clinician,
        "appointmentTypeId": kind, "appointmentType": name,
        "appointmentStatusId": STATUS_ID[code], "appointmentStatus": STATUS_TEXT[code],
        "appointmentTime": clock_time(visit.day, visit.minute), "duration": minutes,
        "surgery": f"Surgery {dice.between(1, 5)}" if dice.chance(920) else None,
        "emergency": kind == EMERGENCY_TYPE, "appointmentNotes": _note(dice),
        "cancellationReason": dice.pick(_REASONS) if code in {"CANCELLED", "LATE_CANCEL", "UTA"} else None,
        "rescheduledToAppointmentId": appointment_id(place, visit.number + 1) if moved else None,
        "arrivedAt": instant_of_wall(visit.day, visit.minute - dice.below(12)) if seen else None,
        "completedAt": instant_of_wall(visit.day, visit.minute + minutes) if seen else None,
        "cost": f"{dice.between(20, 400)}.{dice.pick(('00', '50', '95'))}" if seen and dice.chance(90) else None,
        "currency": practice["currency"],
        "origin": dice.weighted(_ORIGINS),
        "createdAt": instant(booked, dice.between(28_800, 68_000)),
        "createdByUserId": world.staff_at(dice) if dice.chance(900) else None,
        "updatedAt": instant(touched, 61_200 + dice.below(9_000)), "isDeleted": False,
    }  # fmt: skip


def _note(dice: Dice) -> str | None:
    if not dice.chance(380):
        return "" if dice.chance(60) else None
    return "\r\n".join(dice.pick(NOTE_PHRASES) for _ in range(dice.weighted(_NOTE_LINES)))
