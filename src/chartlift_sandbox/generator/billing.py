"""Invoices of the courses, with their lines, and the payments against them. All sums are in pence or cents."""

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.treatments import CAST as TREATMENTS
from chartlift_sandbox.generator.treatments import net_cents, treatment_id
from chartlift_sandbox.generator.truth import Finding, Planted
from chartlift_sandbox.generator.work import Course, courses, money, procedure, treatment_count
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

INVOICE_BASE, INVOICES_PER_PATIENT = 700_000, 32
PAYMENT_BASE = 99_000_000
_STATES = Odds(("PAID", 86), ("PART_PAID", 6), ("UNPAID", 5), ("WRITTEN_OFF", 2), ("VOID", 1))
_METHODS = Odds(("CARD", 52), ("CASH", 12), ("GC_SINGLE", 10), ("GC_RECURRING", 8), ("STRIPE", 8), ("BACS", 5),
                ("INSURANCE", 3), ("CHEQUE", 1), ("OTHER", 1))  # fmt: skip


def invoice_id(place: int, number: int) -> int:
    """Id of the invoice of a patient's n-th course."""
    return INVOICE_BASE + place * INVOICES_PER_PATIENT + number


def _items(course: Course) -> list[int]:
    return [at for one in course.sittings for at in range(one.first, one.first + one.treatments)]


def billed(chart: Chart) -> tuple[Course, ...]:
    """Courses that were invoiced: those with a treatment."""
    return chart.once("billed", lambda one: tuple(course for course in courses(one) if _items(course)))


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 500 + spot.place


def _odd_sum(record: Record, _: Spot) -> None:
    cents = round(float(record["totalAmount"]) * 100) + 513
    record |= {"totalAmount": money(cents)}


def _credit(record: Record, _: Spot) -> None:
    record |= {"totalAmount": "-45.00", "discountAmount": "0.00", "amountPaid": "0.00", "amountDue": "-45.00"}
    record["lineItems"] = [record["lineItems"][0] | {"unitPrice": "-45.00", "discount": "0.00", "lineTotal": "-45.00"}]


def _bad_line(record: Record, _: Spot) -> None:
    record["lineItems"][0]["unitPrice"] = "free"


CASES: tuple[Case, ...] = (
    Case("sum differs from lines", 10, _odd_sum, (Finding("totalAmount", "R-BAL", "sent", "neither gross nor net"),)),
    Case("credit", 4, _credit, (Finding("totalAmount", "R-MONEY", "sent", "negative total"),),
         traits=frozenset({"one line"})),
    setting("three decimals", 3, {"totalAmount": "76.605"}, "R-MONEY", "none", row="hold"),
    setting("unreadable amount", 3, {"amountDue": "see notes"}, "R-MONEY", "none", row="hold"),
    Case("unreadable line", 3, _bad_line, (Finding("lineItems", "R-MONEY", "none", "held with its lines"),), "hold"),
    setting("unknown currency", 3, {"currency": "XBT"}, "R-CUR", "none", row="hold"),
    setting("unmapped status", 4, {"status": "IN DISPUTE"}, "R-PICK", "none", row="hold"),
    setting("unreadable date", 3, {"dueDate": "30/02/2024"}, "R-DT", "withheld"),
    setting("clinician not on the list", 3, {"userId": 7777}, "R-USER-EMAIL", note="unmatched: fallback"),
    Case("patient does not exist", 5, _orphan, (Finding("patientId", "R-REF", "none", "orphan"),), "hold",
         traits=frozenset({"orphan"})),
    setting("deleted, still listed", 3, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
)  # fmt: skip
CAST = Cast("invoice", CASES, 160)


def invoices(chart: Chart) -> list[Record]:
    """Invoices of a patient, by id."""
    return chart.once("invoice", lambda one: CAST.spoilt(one, [_invoice(one, n, c) for n, c in enumerate(billed(one))]))


def _lines(chart: Chart, course: Course) -> list[tuple[int, int, int]]:
    """(treatment, fee, discount) of each line."""
    return [(at, *net_cents(chart, course, at)) for at in _items(course)]


def _settled(chart: Chart, number: int, course: Course) -> tuple[str, int, int]:
    """(status, total, paid) of an invoice; the total is net of discount."""
    total = sum(fee - discount for _, fee, discount in _lines(chart, course))
    status = Dice(chart.world.seed, "settled", chart.place, number).weighted(_STATES) if total else "PAID"
    return status, total, total if status == "PAID" else total * 2 // 5 if status == "PART_PAID" else 0


def _invoice(chart: Chart, number: int, course: Course) -> Record:
    dice = Dice(chart.world.seed, "invoice", chart.place, number)
    status, total, paid = _settled(chart, number, course)
    lines = _lines(chart, course)
    billed_on = min(course.sittings[-1].visit.day, EPOCH_DAY - 2)
    practice = chart.practice
    closed = status in {"WRITTEN_OFF", "VOID"}
    key = invoice_id(chart.place, number)
    items = [{
        "invoiceLineId": at + 1, "lineNumber": at + 1, "treatmentId": treatment_id(chart.place, item),
        "shopItemId": None,
        "description": procedure(chart, item).name, "quantity": 1, "unitPrice": money(fee), "discount": money(discount),
        "lineTotal": money(fee - discount),
    } for at, (item, fee, discount) in enumerate(lines)]  # fmt: skip
    return {
        "invoiceId": key, "invoiceNumber": f"INV-{practice['practiceId']}-{key:08}", "patientId": chart.patient_id,
        "practiceId": practice["practiceId"], "userId": chart.world.clinician_at(chart.place, dice),
        "invoiceDate": day(billed_on), "dueDate": day(billed_on + dice.pick((0, 0, 14, 30))),
        "currency": practice["currency"], "totalAmount": money(total),
        "discountAmount": money(sum(discount for *_, discount in lines)), "amountPaid": money(paid),
        "amountDue": money(0 if closed else total - paid), "status": status,
        "paymentReference": f"PAY-{key}" if paid else None, "createdAt": instant(billed_on, 62_000),
        "updatedAt": instant(billed_on, 64_000 + dice.below(9000)), "isDeleted": False, "lineItems": items,
    }  # fmt: skip


def billing_lines(rows: list[Record]) -> list[Record]:
    """Invoices as embedded in the flat patient: one element a line, the invoice's own fields repeated."""
    return [
        {name: value for name, value in row.items() if name != "lineItems"} | line
        for row in rows
        for line in row["lineItems"]
    ]


def payments(chart: Chart) -> list[Record]:
    """Payments of a patient, by id: one for every invoice that was paid at all."""
    rows = []
    for number, course in enumerate(billed(chart)):
        _, _, paid = _settled(chart, number, course)
        if not paid:
            continue
        dice = Dice(chart.world.seed, "payment", chart.place, number)
        key, at = invoice_id(chart.place, number), min(course.sittings[-1].visit.day, EPOCH_DAY - 2)
        method = dice.weighted(_METHODS)
        provider = {"GC_SINGLE": "PM", "GC_RECURRING": "PM", "STRIPE": "pi_"}.get(method)
        rows.append({
            "paymentId": PAYMENT_BASE + key, "patientId": chart.patient_id, "practiceId": chart.practice["practiceId"],
            "method": method, "kind": "PAYMENT", "amount": money(paid), "currency": chart.practice["currency"],
            "paidOn": day(at), "status": "PAID_OUT", "reference": f"PAY-{key}",
            "providerPaymentId": f"{provider}{dice.between(10**7, 10**8):08}" if provider else None, "note": None,
            "createdByUserId": chart.world.staff_at(dice), "createdAt": instant(at, 63_000), "updatedAt": instant(at,
            63_000),
            "allocations": _allocations(chart, key, course, paid, day(at)),
        })  # fmt: skip
    return rows


def _allocations(chart: Chart, invoice: int, course: Course, paid: int, on: str) -> list[Record]:
    rows = []
    for at, (item, fee, discount) in enumerate(_lines(chart, course)):
        share = min(paid, fee - discount)
        paid -= share
        if share:
            rows.append({
                "invoiceId": invoice, "invoiceLineId": at + 1, "treatmentId": treatment_id(chart.place, item),
                "amount": money(share), "allocatedOn": on,
            })  # fmt: skip
    return rows


def planted(chart: Chart) -> list[Planted]:
    """Defects of the invoices; a line whose treatment does not move loses its link."""
    found = CAST.planted(chart, [invoice_id(chart.place, number) for number in range(len(billed(chart)))])
    if chart.row != "send":
        return found
    stopped = TREATMENTS.stopped(chart, treatment_count(chart))
    for number, course in enumerate(billed(chart)):
        case = CAST.case(chart, number)
        if stopped in _items(course) and (case is None or case.row == "send"):
            key, note = invoice_id(chart.place, number), "a treatment of its lines does not move"
            found.append(Planted("invoice", key, "lineItems", "R-REF", "send", "withheld", note))
    return found


def owned(chart: Chart) -> int:
    """How many billing lines name this patient."""
    lines = treatment_count(chart)
    number, case = CAST.struck(chart)
    if case is None or not case.traits or number >= len(billed(chart)):
        return lines
    mine = len(_items(billed(chart)[number]))
    return lines - mine + (1 if "one line" in case.traits else 0)
