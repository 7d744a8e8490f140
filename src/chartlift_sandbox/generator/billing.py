"""Invoices of the courses, with their lines, and the payments against them. All sums are in pence or cents."""

import re
from collections.abc import Callable
from typing import NamedTuple

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.casts import Cast
from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.treatments import CAST as TREATMENTS
from chartlift_sandbox.generator.treatments import link, net_cents, unfinished
from chartlift_sandbox.generator.truth import Finding, Planted
from chartlift_sandbox.generator.work import Course, courses, items_of, money, procedure, treatment_count
from chartlift_sandbox.generator.world import NOBODY_BASE, Record

INVOICE_BASE, INVOICES_PER_PATIENT = 700_000, 32
PAYMENT_BASE = 99_000_000
_STATES = Odds(("PAID", 86), ("PART_PAID", 6), ("UNPAID", 5), ("WRITTEN_OFF", 2), ("VOID", 1))
_CLOSED = frozenset({"WRITTEN_OFF", "VOID"})
_AMOUNT = re.compile(r"-?\d+\.\d\d")
_METHODS = Odds(("CARD", 52), ("CASH", 12), ("GC_SINGLE", 10), ("GC_RECURRING", 8), ("STRIPE", 8), ("BACS", 5),
                ("INSURANCE", 3), ("CHEQUE", 1), ("OTHER", 1))  # fmt: skip


_SHOP = (("SHOP-0012", "Electric toothbrush", 8900), ("SHOP-0031", "Interdental brushes", 1190),
         ("SHOP-0044", "Fluoride toothpaste 5000", 1580))  # fmt: skip


def invoice_id(place: int, number: int) -> int:
    """Id of the invoice of a patient's n-th course."""
    return INVOICE_BASE + place * INVOICES_PER_PATIENT + number


def _items(chart: Chart, course: Course) -> list[int]:
    """Treatments of a course that are invoiced: the completed ones."""
    others = unfinished(chart)
    return [at for at in items_of(course) if at not in others]


def billed(chart: Chart) -> tuple[Course, ...]:
    """Courses that were invoiced: those with a completed treatment."""
    return chart.once("billed", lambda one: tuple(course for course in courses(one) if _items(one, course)))


def _bought(chart: Chart, number: int) -> tuple[str, str, int] | None:
    """The shop item on the invoice of the n-th billed course, if there is one."""
    at, item = chart.once("shop", _shopped)
    return item if at == number else None


def _shopped(chart: Chart) -> tuple[int, tuple[str, str, int] | None]:
    dice = Dice(chart.world.seed, "shop", chart.place)
    return (dice.below(6), dice.pick(_SHOP)) if dice.chance(200) else (-1, None)


def _orphan(record: Record, spot: Spot) -> None:
    record["patientId"] = NOBODY_BASE + 500 + spot.place


def _odd_sum(record: Record, _: Spot) -> None:
    cents = round(float(record["totalAmount"]) * 100) + 513
    record |= {"totalAmount": money(cents)}


def _credit(record: Record, _: Spot) -> None:
    record |= {"totalAmount": "-45.00", "discountAmount": "0.00", "amountPaid": "0.00", "amountDue": "-45.00"}
    record["lineItems"] = [record["lineItems"][0] | {"unitPrice": "-45.00", "discount": "0.00", "lineTotal": "-45.00"}]


def _line(**values: object) -> Callable[[Record, Spot], None]:
    """Spoils the first line of an invoice."""

    def spoil(record: Record, _: Spot) -> None:
        record["lineItems"][0] |= values

    return spoil


def _gross(record: Record, _: Spot) -> None:
    """A total before discount, which is as good as one after it."""
    line = record["lineItems"][0]
    cents = round(float(line["lineTotal"]) * 100)
    line |= {"unitPrice": money(cents + 1000), "discount": "10.00"}
    record |= {
        "totalAmount": money(round(float(record["totalAmount"]) * 100) + 1000), "amountPaid": "0.00",
        "discountAmount": money(round(float(record["discountAmount"]) * 100) + 1000), "status": "UNPAID",
    }  # fmt: skip
    record["amountDue"] = record["totalAmount"]
    record["paymentReference"] = None


def _odd_balance(record: Record, _: Spot) -> None:
    record["amountDue"] = money(round(float(record["totalAmount"]) * 100) + 725)


_HELD = (Finding("lineItems", "R-MONEY", "none", "held with its lines"),)


CASES: tuple[Case, ...] = (
    Case("sum differs from lines", 10, _odd_sum, (Finding("totalAmount", "R-BAL", "sent", "neither gross nor net"),)),
    Case("credit", 4, _credit, (Finding("totalAmount", "R-MONEY", "sent", "negative total"),),
         traits=frozenset({"one line"})),
    setting("three decimals", 3, {"totalAmount": "76.605"}, "R-MONEY", "none", row="hold"),
    setting("unreadable amount", 3, {"amountDue": "see notes"}, "R-MONEY", "none", row="hold"),
    Case("unreadable line", 3, _line(unitPrice="free"), _HELD, "hold", traits=frozenset({"bad line"})),
    setting("unknown currency", 3, {"currency": "XBT"}, "R-CUR", "none", row="hold"),
    setting("unmapped status", 4, {"status": "IN DISPUTE"}, "R-PICK", "none", row="hold"),
    setting("unreadable date", 3, {"dueDate": "30/02/2024"}, "R-DT", "withheld"),
    setting("clinician not on the list", 3, {"userId": 7777}, "R-USER-EMAIL", note="unmatched: fallback"),
    Case("patient does not exist", 5, _orphan, (Finding("patientId", "R-REF", "none", "orphan"),), "hold",
         traits=frozenset({"orphan"})),
    setting("deleted, still listed", 3, {"isDeleted": True}, "R-DELETED", "none", "source deleted", row="skip"),
    Case("line of three decimals", 3, _line(lineTotal="76.605"), _HELD, "hold", traits=frozenset({"bad line"})),
    Case("total before discount", 4, _gross, (Finding("totalAmount", "R-BAL", "sent", "gross of discount: sound"),)),
    Case("balance does not follow", 4, _odd_balance, (Finding("amountDue", "R-BAL", "sent", "total less paid differs"),)),
    setting("amount with a sign", 3, {"amountPaid": "£1,234.50"}, "R-MONEY", note="read, found"),
    setting("status in other letters", 3, {"status": "Part-paid"}, "R-PICK", note="folds to Part Paid"),
    setting("status is missing", 2, {"status": None}, "R-PICK", "none", row="hold"),
    setting("practice does not exist", 3, {"practiceId": 999}, "R-REF", "withheld"),
    setting("no clinician", 6, {"userId": None}, "R-USER-EMAIL", note="fallback owns it, practitioner stays empty"),
    setting("number over 64", 2, {"invoiceNumber": "INV-" * 20}, "R-LEN", "withheld"),
    setting("dated in 1899", 2, {"invoiceDate": "1899-12-30"}, "R-DT", "withheld"),
    Case("description over 255", 3, _line(description="Porcelain bonded crown, " * 11), (),
         traits=frozenset({"long line"})),
    Case("treatment of a line does not exist", 3, _line(treatmentId=89_000_002), (), traits=frozenset({"lost line"})),
    setting("unknown currency, small letters", 2, {"currency": "btc"}, "R-CUR", "none", row="hold"),
)  # fmt: skip
CAST = Cast("invoice", CASES, reach=8)


def invoices(chart: Chart) -> list[Record]:
    """Invoices of a patient, by id."""
    return chart.rows(
        "invoice", lambda one: CAST.spoilt(one, [_invoice(one, number, bill) for number, bill in enumerate(bills(one))])
    )


class Bill(NamedTuple):
    """An invoice in outline, in cents; ``lines`` are (treatment, fee, discount), the total is net of discount."""

    course: Course
    lines: tuple[tuple[int, int, int], ...]
    extra: tuple[str, str, int] | None
    status: str
    total: int
    paid: int


def bills(chart: Chart) -> list[Bill]:
    """The invoices of a patient in outline, in the order of their ids."""
    return chart.once("bills", lambda one: [_bill(one, number, course) for number, course in enumerate(billed(one))])


def _bill(chart: Chart, number: int, course: Course) -> Bill:
    lines = tuple((at, *net_cents(chart, course, at)) for at in _items(chart, course))
    extra = _bought(chart, number)
    total = sum(fee - discount for _, fee, discount in lines) + (extra[2] if extra is not None else 0)
    status = Dice(chart.world.seed, "settled", chart.place, number).weighted(_STATES) if total else "PAID"
    paid = total if status == "PAID" else total * 2 // 5 if status == "PART_PAID" else 0
    return Bill(course, lines, extra, status, total, paid)


def balance(chart: Chart) -> int:
    """What the patient owes: the amounts due of the invoices that are live, readable and in the patient's currency."""
    struck = CAST.struck(chart)
    due = 0
    for number, bill in enumerate(bills(chart)):
        if number in struck:
            due += _due_of(invoices(chart)[number], chart)
        elif bill.status not in _CLOSED:
            due += bill.total - bill.paid
    return due


def _due_of(row: Record, chart: Chart) -> int:
    """The amount due of an invoice as served, in cents; nothing where it is not this patient's or cannot be added."""
    foreign = row["patientId"] != chart.patient_id or row["currency"] != chart.practice["currency"]
    if foreign or row["isDeleted"] or not _AMOUNT.fullmatch(row["amountDue"]):
        return 0
    return int(row["amountDue"].replace(".", ""))


def _invoice(chart: Chart, number: int, bill: Bill) -> Record:
    dice = Dice(chart.world.seed, "invoice", chart.place, number)
    course, lines, extra = bill.course, bill.lines, bill.extra
    status, total, paid = bill.status, bill.total, bill.paid
    billed_on = min(course.sittings[-1].visit.day, EPOCH_DAY - 2)
    practice = chart.practice
    closed = status in _CLOSED
    key = invoice_id(chart.place, number)
    items: list[Record] = [{
        "invoiceLineId": at + 1, "lineNumber": at + 1, "treatmentId": link(chart, item),
        "shopItemId": None,
        "description": procedure(chart, item).name, "quantity": 1, "unitPrice": money(fee), "discount": money(discount),
        "lineTotal": money(fee - discount),
    } for at, (item, fee, discount) in enumerate(lines)]  # fmt: skip
    if extra is not None:
        items.append(_shop_line(len(items) + 1, *extra))
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


def _shop_line(number: int, item: str, name: str, price: int) -> Record:
    return {
        "invoiceLineId": number, "lineNumber": number, "treatmentId": None, "shopItemId": item, "description": name,
        "quantity": 2, "unitPrice": money(price // 2), "discount": "0.00", "lineTotal": money(price),
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
    for number, bill in enumerate(bills(chart)):
        course, paid = bill.course, bill.paid
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
            "allocations": _allocations(chart, key, bill, day(at)),
        })  # fmt: skip
    return rows


def _allocations(chart: Chart, invoice: int, bill: Bill, on: str) -> list[Record]:
    rows: list[Record] = []
    paid = bill.paid
    for at, (item, fee, discount) in enumerate(bill.lines):
        share = min(paid, fee - discount)
        paid -= share
        if share:
            rows.append({
                "invoiceId": invoice, "invoiceLineId": at + 1, "treatmentId": link(chart, item),
                "amount": money(share), "allocatedOn": on,
            })  # fmt: skip
    if bill.extra is not None and paid:
        rows.append({
            "invoiceId": invoice, "invoiceLineId": len(bill.lines) + 1, "treatmentId": None,
            "amount": money(paid), "allocatedOn": on,
        })  # fmt: skip
    return rows


def planted(chart: Chart) -> list[Planted]:
    """Defects of the invoices and of their lines."""
    found = CAST.planted(chart, [invoice_id(chart.place, number) for number in range(len(billed(chart)))])
    if "merged" in chart.traits:
        return found
    stopped = TREATMENTS.stopped(chart, treatment_count(chart))
    for number, bill in enumerate(bills(chart)):
        found += _planted_lines(chart, number, bill, stopped)
    return found


def _planted_lines(chart: Chart, number: int, bill: Bill, stopped: frozenset[int]) -> list[Planted]:
    """Lines share the fate of their invoice; one whose treatment does not move loses its link."""
    case = CAST.case(chart, number)
    key, items = invoice_id(chart.place, number), [item for item, _, _ in bill.lines]
    keys = [f"{key}-{at + 1}" for at in range(len(items) + (bill.extra is not None))]
    row = chart.row if case is None else case.row
    if row != "send":
        bad = case is not None and "bad line" in case.traits
        note = "its invoice does not move"
        found = [Planted("invoiceLine", one, "invoiceId", "PARENT", row, "none", note) for one in keys]
        if bad:
            found[0] = Planted(
                "invoiceLine", keys[0], "lineTotal", "R-MONEY", row, "none", "unreadable or extra decimals"
            )
        return found
    traits = case.traits if case is not None else frozenset()
    keys = keys[:1] if "one line" in traits else keys
    found = []
    if "long line" in traits:
        found.append(Planted("invoiceLine", keys[0], "description", "R-LEN", "send", "withheld", "over 255"))
    if "lost line" in traits:
        note = "the treatment does not exist"
        found.append(Planted("invoiceLine", keys[0], "treatmentId", "R-REF", "send", "withheld", note))
    for at, item in enumerate(items[: len(keys)]):
        if item in stopped and link(chart, item) and not (at == 0 and "lost line" in traits):
            note = "the treatment does not move"
            found.append(Planted("invoiceLine", keys[at], "treatmentId", "R-REF", "send", "withheld", note))
    return found


def owned(chart: Chart) -> int:
    """How many billing lines name this patient."""
    lines = 0
    for number, bill in enumerate(bills(chart)):
        case = CAST.case(chart, number)
        traits = case.traits if case is not None else frozenset()
        full = len(bill.lines) + (bill.extra is not None)
        lines += 0 if "orphan" in traits else 1 if "one line" in traits else full
    return lines
