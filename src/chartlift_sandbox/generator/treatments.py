"""Courses of treatment and the treatments in them."""

from typing import Any

from chartlift_sandbox.generator.appointments import appointment_id
from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant, instant_of_wall
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.procedures import BACK_TEETH, CHARGES, PERMANENT, QUADRANTS, SURFACES
from chartlift_sandbox.generator.truth import Finding, Planted
from chartlift_sandbox.generator.work import Course, Sitting, courses, money, procedure, sittings, treatment_count
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

TREATMENT_BASE, TREATMENTS_PER_PATIENT = 90_000_000, 256
COURSE_BASE, COURSES_PER_PATIENT = 400_000, 32


def treatment_id(place: int, number: int) -> int:
    """Id of the n-th treatment of a patient."""
    return TREATMENT_BASE + place * TREATMENTS_PER_PATIENT + number


def course_id(place: int, number: int) -> int:
    """Id of the n-th course of a patient."""
    return COURSE_BASE + place * COURSES_PER_PATIENT + number


def _neighbours_visit(record: Record, spot: Spot) -> None:
    record["appointmentId"] = appointment_id(0 if spot.place else 2, 1)


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 200 + spot.place


def _tooth(
    tooth: str, notation: str | None, note: str, rule: str = "R-TOOTH", *, held: bool = False, weight: int = 4
) -> Case:
    values: dict[str, Any] = {"tooth": tooth, "toothNotation": notation}
    return setting(f"tooth {tooth!r} {notation}", weight, values, rule, "sent", note, row="hold" if held else "send")


CASES: tuple[Case, ...] = (
    _tooth("19", "FDI", "no such tooth", held=True),
    _tooth("36", None, "no notation", held=True),
    _tooth("UR9", "PALMER", "no such tooth", held=True),
    _tooth("36, 37", "FDI", "list without blank: 36,37", weight=6),
    _tooth("UR6 & UR7", "PALMER", "unreadable list", held=True),
    _tooth("LLE", "PALMER", "deciduous: 75", weight=6),
    setting("surface nobody knows", 4, {"surfaces": "XQ"}, "R-SURF", "none", row="hold"),
    setting("surfaces in small letters", 4, {"surfaces": "mod"}, "R-SURF", note="MOD"),
    setting("unmapped status", 6, {"status": "Done?"}, "R-PICK", "none", row="hold"),
    setting("unmapped scheme", 4, {"scheme": "BARTER"}, "R-PICK", "withheld"),
    setting("three decimals", 4, {"cost": "76.605"}, "R-MONEY", "withheld"),
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
)  # fmt: skip
CAST = Cast("treatment", CASES, 260)


def treatments(chart: Chart) -> list[Record]:
    """Treatment rows of a patient, by id."""
    return chart.once("treatment", _treatments)


def _treatments(chart: Chart) -> list[Record]:
    rows = [_treatment(chart, course, sitting, number)
            for course in courses(chart)
            for sitting in course.sittings
            for number in range(sitting.first, sitting.first + sitting.treatments)]  # fmt: skip
    return CAST.spoilt(chart, rows)


def net_cents(chart: Chart, course: Course, number: int) -> tuple[int, int]:
    """(fee, discount) of a treatment: NHS charges once a course, other schemes by the item."""
    if course.scheme == "NHS":
        first = course.sittings[0].first
        return (CHARGES[course.band or "1"][0] if number == first else 0), 0
    fee = procedure(chart, number).fee
    if course.scheme in {"PRSI_DTBS", "HSE_DTSS"}:
        return (0 if fee <= 8000 else fee // 2), 0  # noqa: PLR2004 - the scheme pays small items
    return fee, fee // 10 if course.scheme == "PLAN" else 0


def _treatment(chart: Chart, course: Course, sitting: Sitting, number: int) -> Record:
    dice = Dice(chart.world.seed, "treatment", chart.place, number)
    what, visit = procedure(chart, number), sitting.visit
    fee, discount = net_cents(chart, course, number)
    band = course.band
    planned = visit.day - dice.below(21)
    return {
        "treatmentId": treatment_id(chart.place, number), "patientId": chart.patient_id,
        "appointmentId": appointment_id(chart.place, visit.number), "courseId": course_id(chart.place, course.number),
        "practiceId": chart.practice["practiceId"], "userId": chart.world.clinician_at(chart.place, dice),
        "name": what.name, "procedureCode": what.code, "codeSystem": "PRACTICE", **_place_in_mouth(dice, number, chart),
        "nhsBand": band, "uda": CHARGES[band][1] if band is not None else None, "scheme": course.scheme,
        "cost": money(fee), "discount": money(discount), "currency": chart.practice["currency"],
        "status": "COMPLETED", "plannedOn": day(planned), "completedOn": day(visit.day),
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


def course_rows(chart: Chart) -> list[Record]:
    """Courses of treatment of a patient, by id."""
    rows = []
    for course in courses(chart):
        dice = Dice(chart.world.seed, "course-row", chart.place, course.number)
        begun, ended = course.sittings[0].visit.day, course.sittings[-1].visit.day
        claimed = course.scheme in {"NHS", "PRSI_DTBS", "HSE_DTSS"}
        still_open = ended > EPOCH_DAY - 60
        rows.append({
            "courseId": course_id(chart.place, course.number), "patientId": chart.patient_id,
            "practiceId": chart.practice["practiceId"], "userId": chart.world.clinician_at(chart.place, dice),
            "name": f"Course of treatment {course.number + 1}", "scheme": course.scheme, "nhsBand": course.band,
            "uda": CHARGES[course.band][1] if course.band is not None else None, "startedOn": day(begun),
            "acceptedOn": day(begun), "completedOn": None if still_open else day(ended),
            "status": "OPEN" if still_open else dice.pick(("COMPLETED", "COMPLETED", "COMPLETED", "ABANDONED")),
            "claimReference": f"FP17-{dice.between(1000, 99999)}" if claimed else None,
            "claimStatus": dice.pick(("SUBMITTED", "ACCEPTED", "ACCEPTED")) if claimed else None,
            "updatedAt": instant(min(ended, EPOCH_DAY - 2), 64_800),
        })  # fmt: skip
    return rows


def planted(chart: Chart) -> list[Planted]:
    """Defects of the treatments; one at a held visit loses its link."""
    count = treatment_count(chart)
    found = CAST.planted(chart, [treatment_id(chart.place, number) for number in range(count)])
    if chart.row != "send":
        return found
    for sitting in sittings(chart):
        if sitting.visit.case is not None:
            case = CAST.case(chart, sitting.first)
            if case is None or case.findings[0].field != "appointmentId":
                row = case.row if case is not None else "send"
                note = "the visit is held"
                key = treatment_id(chart.place, sitting.first)
                found.append(Planted("treatment", key, "appointmentId", "R-REF", row, "withheld", note))
    return found


def owned(chart: Chart) -> int:
    """How many treatments name this patient."""
    count = treatment_count(chart)
    return count - CAST.orphans(chart, count)
