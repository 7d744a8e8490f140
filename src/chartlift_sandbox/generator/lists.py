"""The clinic's short lists: appointment types, appointment statuses, referral sources."""

from typing import Any

Record = dict[str, Any]

#: (id, code, name, text shown on rows, terminal)
_STATUSES: tuple[tuple[int, str, str, str, bool], ...] = (
    (1, "PENDING", "Pending", "Pending", False),
    (2, "CONFIRMED", "Confirmed", "Confirmed", False),
    (3, "ARRIVED", "Arrived", "Arrived", False),
    (4, "IN_SURGERY", "In Surgery", "In Surgery", False),
    (5, "COMPLETE", "Complete", "Complete", True),
    (6, "CANCELLED", "Cancelled", "Cancelled", True),
    (7, "DNA", "Did Not Attend", "DNA", True),
    (8, "RESCHEDULED", "Rescheduled", "Rescheduled", True),
    (9, "LATE_CANCEL", "Late Cancellation", "Late Cancellation", True),
    (10, "UTA", "Unable To Attend", "Unable To Attend", True),
)
STATUS_ID: dict[str, int] = {code: number for number, code, *_ in _STATUSES}
STATUS_TEXT: dict[str, str] = {code: text for _, code, _, text, _ in _STATUSES}
TERMINAL: frozenset[str] = frozenset(code for _, code, _, _, terminal in _STATUSES if terminal)

#: (id, name, minutes, only at this practice, active, weight on rows)
TYPES: tuple[tuple[int, str, int, int | None, bool, int], ...] = (
    (10, "New patient examination", 30, None, True, 8),
    (11, "Hygiene", 30, None, True, 22),
    (12, "Examination", 15, None, True, 34),
    (13, "Filling", 30, None, True, 14),
    (14, "Root canal", 60, None, True, 4),
    (15, "Crown prep", 60, None, True, 3),
    (16, "Crown fit", 30, None, True, 3),
    (17, "Extraction", 30, None, True, 3),
    (18, "Emergency", 20, None, True, 4),
    (19, "Orthodontic review", 15, 102, True, 2),
    (20, "Implant consultation", 45, None, True, 1),
    (21, "Child exam & fluoride", 15, None, True, 1),
    (22, "Sedation (retired)", 90, 101, False, 1),
)
EMERGENCY_TYPE = 18

#: (id, name, weight on rows); few of these are values of a fresh org's LeadSource
SOURCES: tuple[tuple[int, str, int], ...] = (
    (1, "Website", 14),
    (2, "Google Ads", 12),
    (3, "Facebook / Instagram", 8),
    (4, "Friend / family", 26),
    (5, "Dentist referral", 7),
    (6, "GP referral", 5),
    (7, "Staff", 3),
    (8, "Walk-in", 9),
    (9, "Leaflet", 4),
    (10, "Radio", 2),
    (11, "Insurance company", 3),
    (12, "NHS 111", 4),
    (13, "Web", 2),
    (14, "Other", 1),
)
SOURCE_NAME: dict[int, str] = {number: name for number, name, _ in SOURCES}


def appointment_statuses() -> list[Record]:
    """The ten statuses as served."""
    return [
        {"appointmentStatusId": number, "code": code, "name": name, "terminal": terminal}
        for number, code, name, _, terminal in _STATUSES
    ]


def appointment_types() -> list[Record]:
    """The appointment types as served, retired ones included."""
    return [
        {"appointmentTypeId": i, "name": name, "defaultDuration": minutes, "practiceId": practice, "active": active}
        for i, name, minutes, practice, active, _ in TYPES
    ]


def referral_sources() -> list[Record]:
    """The referral sources as served."""
    return [{"referralSourceId": number, "name": name, "active": True} for number, name, _ in SOURCES]
