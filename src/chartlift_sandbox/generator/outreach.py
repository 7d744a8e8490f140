"""Recalls and communications: what was, or will be, sent to patients."""

from chartlift_sandbox.generator.appointments import appointment_id
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, clock_time, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.world import Record

RECALL_BASE, COMMUNICATION_BASE = 20_000, 800_000_000
MESSAGES_PER_PATIENT = 64
_CHANNELS = Odds(("SMS", 55), ("EMAIL", 35), ("CALL", 7), ("LETTER", 2), ("MEETING", 1))


def recalls(chart: Chart) -> list[Record]:
    """The examination recall of an active patient, by id."""
    dice = Dice(chart.world.seed, "recall", chart.place)
    if chart.gone or chart.standing.status in {"DECEASED", "ARCHIVED"} or not dice.chance(800):
        return []
    due = EPOCH_DAY + dice.between(-200, 330)
    updated = instant(EPOCH_DAY - dice.between(2, 300), 36_000)
    return [{
        "recallId": RECALL_BASE + chart.place, "patientId": chart.patient_id,
        "userId": chart.world.clinician_at(chart.place, dice), "recallType": dice.pick(("DENTAL_EXAM", "DENTAL_EXAM",
        "HYGIENE")),
        "intervalMonths": dice.pick((3, 6, 6, 9, 12, 24)), "dueOn": day(due), "method": dice.pick(("SMS", "EMAIL",
        "LETTER")),
        "status": "DUE" if due >= EPOCH_DAY - 60 else dice.pick(("DUE", "DONE", "BOOKED")), "lastSentAt": None,
        "updatedAt": updated,
    }]  # fmt: skip


def communications(chart: Chart) -> list[Record]:
    """One message about every visit, by id."""
    rows = []
    for visit in chart.visits:
        dice = Dice(chart.world.seed, "message", chart.place, visit.number)
        channel = dice.weighted(_CHANNELS)
        sent_on = min(visit.day - 2, EPOCH_DAY - 2)
        begun = instant(sent_on, 28_800 + dice.below(30_000))
        email, phone = channel == "EMAIL", channel in {"SMS", "CALL"}
        inbound = channel == "CALL" and dice.chance(600)
        rows.append({
            "communicationId": COMMUNICATION_BASE + chart.place * MESSAGES_PER_PATIENT + visit.number,
            "patientId": chart.patient_id, "userId": chart.world.staff_at(dice), "channel": channel,
            "direction": "INBOUND" if inbound else "OUTBOUND", "category": "APPOINTMENT_REMINDER",
            "fromAddress": chart.practice["email"] if email else None,
            "toAddress": chart.patient["email"] if email else chart.patient["mobilePhone"] if phone else None,
            "ccAddress": None,
            "subject": "Your appointment" if email else None,
            "body": f"Reminder: {clock_time(visit.day, visit.minute)[:16]}.\r\nReply CANCEL to cancel",
            "startedAt": begun, "endedAt": None, "durationSeconds": dice.between(20,
            600) if channel == "CALL" else None,
            "status": dice.pick(("DELIVERED", "DELIVERED", "DELIVERED", "FAILED")) if not inbound else "RECEIVED",
            "appointmentId": appointment_id(chart.place, visit.number), "documentIds": [], "createdAt": begun,
            "updatedAt": begun,
        })  # fmt: skip
    return rows
