"""Recalls and communications: what was, or will be, sent to patients."""

from chartlift_sandbox.generator.appointments import appointment_id
from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.days import EPOCH_DAY, clock_time, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.world import Record

RECALL_BASE, COMMUNICATION_BASE = 20_000, 800_000_000
MESSAGES_PER_PATIENT, RECALLS_PER_PATIENT = 64, 4
_EXAM, _HYGIENE = ("DENTAL_EXAM", "DUE"), ("HYGIENE", "DUE")
_STAGES = Odds(
    ((_EXAM,), 55),
    ((_HYGIENE,), 5),
    ((_EXAM, _HYGIENE), 20),
    ((("DENTAL_EXAM", "DONE"), _EXAM), 12),
    ((("DENTAL_EXAM", "DONE"), ("HYGIENE", "DONE"), _EXAM, _HYGIENE), 5),
    ((("DENTAL_EXAM", "BOOKED"),), 3),
)
_CHANNELS = Odds(("SMS", 55), ("EMAIL", 35), ("CALL", 7), ("LETTER", 2), ("MEETING", 1))


RECALL_CASES: tuple[Case, ...] = (
    setting("due on no day", 3, {"dueOn": "31/02/2027"}, "R-DT", "withheld"),
    setting("due in a hundred years", 3, {"dueOn": "2126-05-01"}, "R-DT", "withheld"),
)


def recalls(chart: Chart) -> list[Record]:
    """The recalls of a living patient, by id: an examination, often a hygienist's too, and former ones that are done."""
    rows = _recalls(chart)
    case = _recall_case(chart, len(rows))
    if case is not None:
        case.spoil(rows[0], Spot(chart.world, chart.place, 0, Dice(chart.world.seed, "recall-spoil", chart.place)))
    return rows


def _recall_case(chart: Chart, count: int) -> Case | None:
    """Only a patient with a single recall, into whom nobody is merged, gets a defect: it is the one that counts."""
    if chart.row != "send" or count != 1 or chart.place % 2 == 0:
        return None
    dice = Dice(chart.world.seed, "recall-case", chart.place)
    return dice.pick(RECALL_CASES) if dice.chance(30) else None


def _recalls(chart: Chart) -> list[Record]:
    dice = Dice(chart.world.seed, "recall", chart.place)
    if chart.gone or chart.standing.status in {"DECEASED", "ARCHIVED"} or not dice.chance(800):
        return []
    stages = dice.weighted(_STAGES)
    return [_recall(chart, dice, number, kind, state) for number, (kind, state) in enumerate(stages)]


def _recall(chart: Chart, dice: Dice, number: int, kind: str, state: str) -> Record:
    due = EPOCH_DAY + (dice.between(-900, -200) if state != "DUE" else dice.between(-55, 330))
    return {
        "recallId": RECALL_BASE + chart.place * RECALLS_PER_PATIENT + number, "patientId": chart.patient_id,
        "userId": chart.world.clinician_at(chart.place, dice), "recallType": kind,
        "intervalMonths": dice.pick((3, 6, 6, 9, 12, 24)), "dueOn": day(due),
        "method": dice.pick(("SMS", "EMAIL", "LETTER")), "status": state,
        "lastSentAt": instant(due - 14, 36_000) if state == "DONE" else None,
        "updatedAt": instant(EPOCH_DAY - dice.between(2, 300), 36_000),
    }  # fmt: skip


def planted_recalls(chart: Chart) -> list[Planted]:
    """Defects of the recalls."""
    rows = recalls(chart)
    case = _recall_case(chart, len(rows))
    return [] if case is None else [placed("recall", rows[0]["recallId"], case, one) for one in case.findings]


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
