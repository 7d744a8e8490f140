"""Courses of treatment and the treatments in them."""

from dataclasses import replace
from typing import Any

from chartlift_sandbox.generator.appointments import appointment_id
from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant, instant_of_wall
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.procedures import BACK_TEETH, CHARGES, PERMANENT, QUADRANTS, SURFACES
from chartlift_sandbox.generator.truth import Finding, Planted
from chartlift_sandbox.generator.work import (
    Course,
    Sitting,
    courses,
    items_of,
    money,
    procedure,
    sittings,
    treatment_count,
)
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

TREATMENT_BASE, TREATMENTS_PER_PATIENT = 90_000_000, 256
COURSE_BASE, COURSES_PER_PATIENT = 400_000, 32
_REACH = 22


def treatment_id(place: int, number: int) -> int:
    """Id of the n-th treatment of a patient."""
    return TREATMENT_BASE + place * TREATMENTS_PER_PATIENT + number


def course_id(place: int, number: int) -> int:
    """Id of the n-th course of a patient."""
    return COURSE_BASE + place * COURSES_PER_PATIENT + number


def _neighbours_visit(record: Record, spot: Spot) -> None:
    record["appointmentId"] = appointment_id(0 if spot.place else 2, 1)


def _neighbours_course(record: Record, spot: Spot) -> None:
    record["courseId"] = course_id(0 if spot.place else 2, 0)


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 200 + spot.place


def _tooth(
    tooth: str, notation: str | None, note: str, rule: str = "R-TOOTH", *, held: bool = False, weight: int = 4
) -> Case:
    values: dict[str, Any] = {"tooth": tooth, "toothNotation": notation}
    return setting(f"tooth {tooth!r} {notation}", weight, values, rule, "sent", note, row="hold" if held else "send")


def _cost(value: object, note: str, *, held: bool = False) -> Case:
    """A cost that cannot be carried over as it stands, nor be part of a sum."""
    case = setting(f"cost {value!r}", 4, {"cost": value}, "R-MONEY", "withheld", note, row="hold" if held else "send")
    return replace(case, traits=frozenset({"no cost"}))


CASES: tuple[Case, ...] = (
    _tooth("19", "FDI", "no such tooth", held=True),
    _tooth("36", None, "no notation", held=True),
    _tooth("UR9", "PALMER", "no such tooth", held=True),
    _tooth("36, 37", "FDI", "list without blank: 36,37", weight=6),
    _tooth("UR6 & UR7", "PALMER", "list: 16,17"),
    _tooth("LLE", "PALMER", "deciduous: 75", weight=6),
    setting("surface nobody knows", 4, {"surfaces": "XQ"}, "R-SURF", "none", row="hold"),
    setting("surfaces in small letters", 4, {"surfaces": "mod"}, "R-SURF", note="MOD"),
    setting("unmapped status", 6, {"status": "Done?"}, "R-PICK", "none", row="hold"),
    setting("unmapped scheme", 4, {"scheme": "BARTER"}, "R-PICK", "withheld"),
    _cost("76.605", "three decimals"),
    setting("no name", 3, {"name": ""}, "R-REQ", "none", row="hold"),
    setting("visit does not exist", 6, {"appointmentId": 69_000_002}, "R-REF", "withheld"),
    Case("visit of another patient", 3, _neighbours_visit, (Finding("appointmentId", "R-REF", "none"),), "hold"),
    Case("patient does not exist", 6, _orphan, (Finding("patientId", "R-REF", "none", "orphan"),), "hold",
         traits=frozenset({"orphan"})),
    setting("no clinician", 12, {"userId": None}, "R-USER-EMAIL", note="fallback owns it, practitioner stays empty"),
    setting("clinician not on the list", 4, {"userId": 7777}, "R-USER-EMAIL", note="unmatched: fallback"),
    setting("unreadable date", 3, {"completedOn": "31/31/2024"}, "R-DT", "withheld"),
    setting("deleted, still listed", 4, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
    setting("controls in notes", 3, {"notes": "Shade A3\u0007\r\nlab: Müller & Söhne"}, "R-TEXT",
    note="controls removed"),
    _tooth("UR1-UR3", "PALMER", "range: 11,12,13"),
    _tooth("11-13", "FDI", "range: 11,12,13", weight=2),
    _tooth("FM", "PALMER", "full mouth stays as it is", weight=2),
    _tooth("U/A", None, "upper arch is no tooth", held=True, weight=2),
    _tooth("9", "FDI", "a number of another country's chart", held=True, weight=2),
    _tooth("UR6,UR7", "PALMER", "list: 16,17", weight=6),
    _tooth("55,65", "FDI", "deciduous list: 55,65", weight=3),
    _tooth(" ul4 ", "PALMER", "24", weight=3),
    setting("surfaces twice", 3, {"surfaces": "MOOD"}, "R-SURF", note="kept as charted"),
    setting("status in other letters", 4, {"status": " completed"}, "R-PICK", note="folds to Completed"),
    setting("scheme in other letters", 3, {"scheme": "Nhs"}, "R-PICK", note="folds to NHS"),
    setting("no visit", 8, {"appointmentId": None}, "R-REF", note="none is allowed"),
    Case("course of another patient", 3, _neighbours_course, (Finding("courseId", "R-REF", "none"),), "hold"),
    setting("practice does not exist", 3, {"practiceId": 999}, "R-REF", "withheld"),
    _cost("see estimate", "unreadable", held=True),
    _cost("£1,234.50 + lab", "unreadable", held=True),
    setting("cost with a sign", 3, {"cost": "£1,234.50"}, "R-MONEY", note="read, found"),
    setting("cost as a number", 3, {"cost": 76.6}, "R-MONEY", note="read from the raw token"),
    replace(setting("discount of three decimals", 3, {"discount": "1.005"}, "R-MONEY", "withheld"),
            traits=frozenset({"no cost"})),
    setting("code over 40", 2, {"procedureCode": "CRWN-" * 9}, "R-LEN", "withheld"),
    setting("done in a hundred years", 2, {"completedOn": "2126-01-05"}, "R-DT", "withheld"),
    setting("planned in year one", 2, {"plannedOn": "0001-01-01"}, "R-DT", "withheld"),
    setting("notes beyond the limit", 0, {"notes": "Lab ticket; " * 2731}, "R-LONG", "none", row="hold"),
    setting("notes of exactly the limit", 0, {"notes": "n" * 32_768}, "R-LONG", note="just fits"),
    setting("half a surrogate pair", 1, {"notes": "Fee waived \udc4d"}, "R-TEXT", "none", row="hold"),
    setting("mangled name", 3, {"name": "Cafe-au-lait staining \u00e2\u20ac\u201c polish"}, "R-TEXT",
            note="two readings of UTF-8"),
    setting("null mark as name", 1, {"name": "#N/A"}, "R-NA", note="a literal, not a null"),
)  # fmt: skip
#: Shares by patient; eleven of a patient's eighteen treatments are charted on a tooth.
COMMON: tuple[Case, ...] = (
    _tooth("46,47", "FDI", "list: 46,47"),
    _tooth("LL6 & LL7", "PALMER", "list: 36,37"),
    _tooth("29", "FDI", "no such tooth", held=True),
)
CAST = Cast("treatment", CASES, COMMON)


def treatments(chart: Chart) -> list[Record]:
    """Treatment rows of a patient, by id."""
    return chart.rows("treatment", _treatments)


def _treatments(chart: Chart) -> list[Record]:
    rows = [_treatment(chart, course, sitting, number)
            for course in courses(chart)
            for sitting in course.sittings
            for number in range(sitting.first, sitting.first + sitting.treatments)]  # fmt: skip
    return CAST.spoilt(chart, rows)


def unfinished(chart: Chart) -> dict[int, str]:
    """States of the treatments that are not completed; the first two of a patient always are."""
    return chart.once("treatment-states", _states)


def status_of(chart: Chart, number: int) -> str:
    """State of the n-th treatment before any defect."""
    return unfinished(chart).get(number, "COMPLETED")


def _states(chart: Chart) -> dict[int, str]:
    dice = Dice(chart.world.seed, "treatment-states", chart.place)
    shares = (("PLANNED", 250), ("CANCELLED", 80), ("REFERRED", 40), ("IN_PROGRESS", 60))
    return {2 + dice.below(_REACH): state for state, share in shares if dice.chance(share)}


def link(chart: Chart, number: int) -> int | None:
    """The id by which other rows name the n-th treatment; None where its own row names nobody's patient."""
    case = CAST.case(chart, number)
    return None if case is not None and "orphan" in case.traits else treatment_id(chart.place, number)


def net_cents(chart: Chart, course: Course, number: int) -> tuple[int, int]:
    """(fee, discount) of a treatment: NHS charges once a course, other schemes by the item."""
    if course.scheme == "NHS":
        first = course.sittings[0].first
        return (CHARGES[course.band or "1"][0] if number == first else 0), 0
    fee = procedure(chart, number).fee
    if course.scheme in {"PRSI_DTBS", "HSE_DTSS"}:
        return (0 if fee <= 8000 else fee // 2), 0  # noqa: PLR2004 - the scheme pays small items
    rebate = course.scheme == "PRIVATE" and (chart.place + number) % 16 == 0
    return fee, fee // 10 if course.scheme == "PLAN" else fee // 20 if rebate else 0


def _treatment(chart: Chart, course: Course, sitting: Sitting, number: int) -> Record:
    dice = Dice(chart.world.seed, "treatment", chart.place, number)
    what, visit = procedure(chart, number), sitting.visit
    fee, discount = net_cents(chart, course, number)
    band = course.band
    planned = visit.day - dice.below(21)
    status = status_of(chart, number)
    return {
        "treatmentId": treatment_id(chart.place, number), "patientId": chart.patient_id,
        "appointmentId": appointment_id(chart.place, visit.number), "courseId": course_id(chart.place, course.number),
        "practiceId": chart.practice["practiceId"], "userId": chart.world.clinician_at(chart.place, dice),
        "name": what.name, "procedureCode": what.code, "codeSystem": "PRACTICE", **_place_in_mouth(dice, number, chart),
        "nhsBand": band, "uda": CHARGES[band][1] if band is not None else None, "scheme": course.scheme,
        "cost": money(fee), "discount": money(discount), "currency": chart.practice["currency"],
        "status": status, "plannedOn": day(planned),
        "completedOn": day(visit.day) if status == "COMPLETED" else None,
        "notes": "" if dice.chance(700) else None,
        "createdAt": instant(planned, 36_000 + dice.below(20_000)),
        "updatedAt": instant_of_wall(min(visit.day, EPOCH_DAY - 2), visit.minute + 40), "isDeleted": False,
    }  # fmt: skip


def _place_in_mouth(dice: Dice, number: int, chart: Chart) -> Record:
    what = procedure(chart, number)
    if not what.on_tooth:
        quadrant = dice.pick(QUADRANTS) if what.code == "PERIO" else None
        return {"tooth": None, "toothNotation": None, "surfaces": None, "quadrant": quadrant}
    tooth = dice.pick(BACK_TEETH if what.on_surface else PERMANENT)
    notation = "FDI"
    if dice.chance(120):
        tooth, notation = QUADRANTS[int(tooth[0]) - 1] + tooth[1], "PALMER"
    surfaces = dice.pick(SURFACES) if what.on_surface else None
    return {"tooth": tooth, "toothNotation": notation, "surfaces": surfaces, "quadrant": None}


COURSE_CASES: tuple[Case, ...] = (
    setting("begun on no day", 4, {"startedOn": "30/02/2023"}, "R-DT", "withheld"),
    setting("accepted in year one", 4, {"acceptedOn": "0001-01-01"}, "R-DT", "withheld"),
    setting("completed in a remark", 4, {"completedOn": "n/k"}, "R-DT", "withheld"),
    setting("units of three decimals", 4, {"uda": "5.125"}, "R-MONEY", "withheld"),
    setting("claim number over 64", 2, {"claimReference": "FP17-" * 14}, "R-LEN", "withheld"),
    setting("name over 255", 2, {"name": "Course of treatment " * 14}, "R-LEN", "withheld"),
)
COURSE_CAST = Cast("coursesOfTreatment", COURSE_CASES, reach=8)


def course_rows(chart: Chart) -> list[Record]:
    """Courses of treatment of a patient, by id."""
    return COURSE_CAST.spoilt(chart, [_course(chart, course) for course in courses(chart)])


def _course(chart: Chart, course: Course) -> Record:
    dice = Dice(chart.world.seed, "course-row", chart.place, course.number)
    begun, ended = course.sittings[0].visit.day, course.sittings[-1].visit.day
    claimed = course.scheme in {"NHS", "PRSI_DTBS", "HSE_DTSS"}
    still_open = ended > EPOCH_DAY - 60
    return {
        "courseId": course_id(chart.place, course.number), "patientId": chart.patient_id,
        "practiceId": chart.practice["practiceId"], "userId": chart.world.clinician_at(chart.place, dice),
        "name": f"Course of treatment {course.number + 1}", "scheme": course.scheme, "nhsBand": course.band,
        "uda": CHARGES[course.band][1] if course.band is not None else None, "startedOn": day(begun),
        "acceptedOn": day(begun), "completedOn": None if still_open else day(ended),
        "status": "OPEN" if still_open else dice.pick(("COMPLETED", "COMPLETED", "COMPLETED", "ABANDONED")),
        "claimReference": f"FP17-{dice.between(1000, 99999)}" if claimed else None,
        "claimStatus": dice.pick(("SUBMITTED", "ACCEPTED", "ACCEPTED")) if claimed else None,
        "updatedAt": instant(min(ended, EPOCH_DAY - 2), 64_800),
    }  # fmt: skip


def planted(chart: Chart) -> list[Planted]:
    """Defects of the treatments; one at a visit that does not move loses its link, and a visit may lose its cost."""
    count = treatment_count(chart)
    found = CAST.planted(chart, [treatment_id(chart.place, number) for number in range(count)])
    if chart.row != "send":
        return found
    for sitting in sittings(chart):
        if sitting.visit.case is not None:
            case = CAST.case(chart, sitting.first)
            if case is None or case.about != "appointmentId":
                row = case.row if case is not None else "send"
                note = "the visit does not move"
                key = treatment_id(chart.place, sitting.first)
                found.append(Planted("treatment", key, "appointmentId", "R-REF", row, "withheld", note))
        elif _has_no_sum(chart, sitting):
            key, note = appointment_id(chart.place, sitting.visit.number), "a completed treatment without a sound cost"
            found.append(Planted("appointment", key, "cost", "R-MONEY", "send", "withheld", note))
    return found


def _has_no_sum(chart: Chart, sitting: Sitting) -> bool:
    """Whether the cost of a visit would have to be added up, and cannot be."""
    spoilt = CAST.struck(chart)
    odd = any(
        "no cost" in spoilt[at].traits and status_of(chart, at) == "COMPLETED"
        for at in range(sitting.first, sitting.first + sitting.treatments)
        if at in spoilt
    )
    return odd and chart.appointments[sitting.visit.number]["cost"] is None


def planted_courses(chart: Chart) -> list[Planted]:
    """Defects of the courses that show on a treatment that moves: units on the first of a course, the rest on all."""
    if chart.row != "send":
        return []
    stopped = CAST.stopped(chart, treatment_count(chart))
    found: list[Planted] = []
    for number, case in sorted(COURSE_CAST.struck(chart).items()):
        items = items_of(courses(chart)[number]) if number < len(courses(chart)) else []
        shown = items[:1] if case.about == "uda" else items
        if any(at not in stopped for at in shown):
            found += [placed("coursesOfTreatment", course_id(chart.place, number), case, one) for one in case.findings]
    return found


def owned(chart: Chart) -> int:
    """How many treatments name this patient."""
    count = treatment_count(chart)
    return count - CAST.orphans(chart, count)
