"""Spoilt diary entries: status, time, references, text, money."""

# ruff: noqa: RUF001 - people and clinics type the signs of their own keyboards

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.lists import STATUS_ID, STATUS_TEXT
from chartlift_sandbox.generator.truth import FieldFate, Finding, RowFate
from chartlift_sandbox.generator.world import NOBODY_BASE, Record


def _status(text: str | None, note: str, row: RowFate = "hold", number: int | None = None, weight: int = 4) -> Case:
    fate: FieldFate = "sent" if row == "send" else "none"
    values = {"appointmentStatusId": number, "appointmentStatus": text}
    finding = Finding("appointmentStatus" if number is None else "appointmentStatusId", "R-PICK", fate, note)

    def spoil(record: Record, _: Spot) -> None:
        record |= values

    return Case(f"status {text!r}", weight, spoil, (finding,), row)


def _coded(code: str, day: str, note: str) -> Case:
    """A state that does not suit its time; a warning only."""
    values = {"appointmentStatusId": STATUS_ID[code], "appointmentStatus": STATUS_TEXT[code],
              "appointmentTime": f"{day}T10:00:00", "arrivedAt": None, "completedAt": None}  # fmt: skip

    def spoil(record: Record, _: Spot) -> None:
        record |= values

    return Case(f"{code} on {day}", 1, spoil, (Finding("appointmentStatusId", "R-STATE-TIME", "sent", note),))


STATUSES: tuple[Case, ...] = (
    _status("", "blank status", weight=6),
    _status(None, "no status", weight=6),
    _status(" \u00a0", "status of white space", weight=2),
    _status("FTA - no charge", "unmapped text", weight=14),
    _status("Pt phoned - poorly", "unmapped text", weight=8),
    _status("Cancelled & rebooked??", "unmapped text", weight=6),
    _status("Triage", "id not on the list", number=42, weight=4),
    _status("F.T.A.", "folds to DNA", "send", weight=10),
    _status("did not attend ", "folds to DNA", "send", weight=10),
    _status("Cxl", "folds to Cancelled", "send", weight=10),
    _status("COMPLETED", "folds to Complete", "send", weight=8),
    _status("in chair", "folds to In Surgery", "send", weight=4),
    _status("DNA", "id says Complete, and wins", "send", number=5, weight=6),
    _status("Confirmed", "id says DNA, and wins", "send", number=7, weight=4),
    _coded("ARRIVED", "2026-10-30", "still in the waiting room"),
    _coded("IN_SURGERY", "2026-10-30", "still in the chair"),
    _coded("COMPLETE", "2027-03-04", "finished in the future"),
    _coded("DNA", "2027-02-18", "missed in the future"),
    _coded("PENDING", "2024-02-14", "never closed"),
)


def _wall(time: str | None, note: str, row: RowFate = "send", weight: int = 1) -> Case:
    values = {"appointmentTime": time, "appointmentStatusId": 5, "appointmentStatus": "Complete", "arrivedAt": None,
              "completedAt": None}  # fmt: skip

    def spoil(record: Record, _: Spot) -> None:
        record |= values

    fate: FieldFate = "sent" if row == "send" else "none"
    return Case(f"time {time}", weight, spoil, (Finding("appointmentTime", "R-DT", fate, note),), row)


_GAPS = (
    "2017-03-26",
    "2018-03-25",
    "2019-03-31",
    "2020-03-29",
    "2021-03-28",
    "2022-03-27",
    "2023-03-26",
    "2024-03-31",
    "2025-03-30",
    "2026-03-29",
)
_OVERLAPS = (
    "2017-10-29",
    "2018-10-28",
    "2019-10-27",
    "2020-10-25",
    "2021-10-31",
    "2022-10-30",
    "2023-10-29",
    "2024-10-27",
    "2025-10-26",
    "2026-10-25",
)
TIMES: tuple[Case, ...] = (
    _wall("2026-03-29T01:30:00", "gap hour: 01:30Z"),
    _wall("2026-10-25T01:30:00", "overlap hour: the earlier, 00:30Z"),
    _wall("31/02/2024 09:00", "unreadable", "hold", 4),
    _wall("2024-13-45T25:00:00", "unreadable", "hold", 4),
    _wall(None, "missing", "hold", 3),
    _wall("", "blank", "hold", 2),
    _wall("tomorrow am", "unreadable", "hold", 2),
    _wall("0001-01-01T00:00:00", "out of range", "hold", 2),
    *(_wall(f"{day}T01:{15 + at:02}:00", "gap hour") for at, day in enumerate(_GAPS[:-1])),
    *(_wall(f"{day}T01:{15 + at:02}:00", "overlap hour") for at, day in enumerate(_OVERLAPS[:-1])),
)

REFERENCES: tuple[Case, ...] = (
    Case(
        "patient does not exist",
        10,
        lambda record, spot: record.update(patientId=NOBODY_BASE + 100 + spot.place),
        (Finding("patientId", "R-REF", "none", "orphan"),),
        "hold",
        traits=frozenset({"orphan"}),
    ),
    Case(
        "no patient",
        3,
        lambda record, _: record.update(patientId=None),
        (Finding("patientId", "R-REQ", "none"),),
        "hold",
        traits=frozenset({"orphan"}),
    ),
    setting("clinician not on the list", 8, {"userId": 7777}, "R-USER-EMAIL", note="unmatched: fallback"),
    setting("no clinician", 20, {"userId": None}, "R-USER-EMAIL", note="fallback owns it, practitioner stays empty"),
    setting("booked by somebody unknown", 4, {"createdByUserId": 7779}, "R-USER-EMAIL", "withheld"),
    setting("practice does not exist", 3, {"practiceId": 999}, "R-REF", "withheld"),
    setting("moved to a visit that does not exist", 4, {"rescheduledToAppointmentId": 69_000_001}, "R-REF", "withheld"),
    setting("deleted, still listed", 8, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
)

_FAMILY = "👩‍👧‍👦"
_LONG_LINE = "Pt rang, very anxious, asked to move to the afternoon if at all possible. "
TEXTS: tuple[Case, ...] = (
    setting(
        "emoji",
        4,
        {"appointmentNotes": f"Family block {_FAMILY} – see Mum 🦷"},
        "R-TEXT",
        note="beyond the basic plane",
    ),
    setting(
        "CRLF and no-break space",
        8,
        {"appointmentNotes": "\u00a0 Allow 30 min\r\nParking\rcode 4411 \u00a0"},
        "R-TEXT",
        note="LF, trimmed",
    ),
    setting(
        "control signs",
        6,
        {"appointmentNotes": "Check\u0007 BP\u0000 first\u000bthen LA"},
        "R-TEXT",
        note="controls removed",
    ),
    setting("half a surrogate pair", 1, {"appointmentNotes": "Reminder sent \ude00"}, "R-TEXT", "none", row="hold"),
    setting(
        "mangled",
        5,
        {"appointmentNotes": "Café opposite – SiÃ¢n’s mum".replace("’", "â€™")},
        "R-TEXT",
        note="two readings of UTF-8",
    ),
    setting("blank note", 3, {"appointmentNotes": " \r\n\u00a0"}, "R-TEXT", note="empty after trimming"),
    setting(
        "text on its side",
        1,
        {"appointmentNotes": "Ref \u202eABC\u202c and zero\u200bwidth"},
        "R-TEXT",
        note="format signs kept",
    ),
    setting("note beyond the limit", 0, {"appointmentNotes": _LONG_LINE * 500}, "R-LONG", "none", row="hold"),
    setting("note just beyond the limit", 0, {"appointmentNotes": "n" * 32_769}, "R-LONG", "none", row="hold"),
    setting(
        "note beyond the limit by its line ends",
        0,
        {"appointmentNotes": ("n" * 63 + "\n") * 511 + "n" * 60},
        "R-LONG",
        "none",
        "each line end counts as two",
        row="hold",
    ),
    setting("note of exactly the limit", 0, {"appointmentNotes": "n" * 32_768}, "R-LONG", note="just fits"),
    setting(
        "formula", 4, {"appointmentNotes": "=1+1", "cancellationReason": "+44 7700 900000"}, "R-FORMULA", note="text"
    ),
    setting("null mark", 1, {"surgery": "#N/A"}, "R-NA", note="a literal, not a null"),
    setting("reason over 255", 2, {"cancellationReason": "pt unwell; " * 30}, "R-LEN", "withheld"),
)

VALUES: tuple[Case, ...] = (
    setting("three decimals", 3, {"cost": "76.605"}, "R-MONEY", "withheld"),
    setting("cost with a sign", 3, {"cost": "£1,234.50"}, "R-MONEY", note="read, found"),
    setting("cost as a number", 3, {"cost": 76.6}, "R-MONEY", note="read from the raw token"),
    setting("arrival in year one", 3, {"arrivedAt": "0001-01-01T00:00:00Z"}, "R-DT", "withheld"),
    setting("unreadable arrival", 2, {"arrivedAt": "09:20ish"}, "R-DT", "withheld"),
    setting("booked in 1899", 2, {"createdAt": "1899-12-30T00:00:00Z"}, "R-DT", "withheld"),
)

CAST: tuple[Case, ...] = (*STATUSES[:14], *TIMES[:8], *REFERENCES, *TEXTS, *VALUES, *STATUSES[14:], *TIMES[8:])
