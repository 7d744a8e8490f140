"""Payment plans, care plans and the links to payment providers, none of which may be carried over as live."""

from chartlift_sandbox.generator.cases import Case, Spot, setting
from chartlift_sandbox.generator.chart import Chart, placed
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant
from chartlift_sandbox.generator.dice import Dice, Odds
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.work import money
from chartlift_sandbox.generator.world import Record

PLAN_BASE, MEMBERSHIP_BASE, LINK_BASE = 1_200_000, 4_400_000, 7_700_000
PER_PATIENT = 4
#: What care plans a member has had: state, and the day it began, counted from the first one's.
_STAGES: dict[str, tuple[tuple[str, int], ...]] = {
    "one": (("ACTIVE", 0),),
    "former": (("LAPSED", 0),),
    "renewed": (("LAPSED", -400), ("ACTIVE", 0)),
    "two at a time": (("ACTIVE", 0), ("ACTIVE", 17)),
    "later one lapsed": (("ACTIVE", -600), ("LAPSED", -220)),
    "three": (("CANCELLED", -900), ("ACTIVE", -500), ("ACTIVE", -30)),
}
_HISTORIES = Odds(
    ("one", 55), ("former", 15), ("renewed", 15), ("two at a time", 6), ("later one lapsed", 6), ("three", 3)
)
_SHOWN = ("one", "two at a time", "later one lapsed", "three", "renewed", "former")


def _mandate(chart: Chart) -> str | None:
    dice = Dice(chart.world.seed, "mandate", chart.place)
    return f"MD{dice.between(10**6, 10**7 - 1)}" if not chart.gone and dice.chance(120) else None


def payment_plans(chart: Chart) -> list[Record]:
    """At most one payment plan; 4 % of patients have one, 8 % of those do not hold together."""
    dice = Dice(chart.world.seed, "plan", chart.place)
    if chart.gone or not dice.chance(40):
        return []
    months, each = dice.between(3, 36), dice.between(20, 250) * 100
    began = EPOCH_DAY - dice.between(30, 900)
    odd = dice.pick(("sum", "order", "months")) if dice.chance(80) else ""
    dues = [began + 30 * at for at in range(months)]
    if odd == "order":
        dues.reverse()
    instalments = [{
        "instalmentId": at + 1, "sequence": at + 1, "dueDate": day(due), "amount": money(each),
        "status": "PAID" if due < EPOCH_DAY else "PENDING", "paymentId": None,
    } for at, due in enumerate(dues)]  # fmt: skip
    return [{
        "paymentPlanId": PLAN_BASE + chart.place, "patientId": chart.patient_id, "invoiceId": None,
        "name": dice.pick(("Implant finance", "Crown plan", "Ortho plan")), "provider": dice.pick(("GOCARDLESS",
        "IN_HOUSE")),
        "mandateId": _mandate(chart), "totalAmount": money(each * months + (1000 if odd == "sum" else 0)),
        "currency": chart.practice["currency"], "depositAmount": "0.00", "startDate": day(began),
        "months": months + (odd == "months"),
        "status": "ACTIVE", "signedOffBy": None, "signedOffAt": None, "updatedAt": instant(began, 0),
        "instalments": instalments,
    }]  # fmt: skip


MEMBERSHIP_CASES: tuple[Case, ...] = (
    setting("fee of three decimals", 4, {"monthlyAmount": "18.505"}, "R-MONEY", "withheld"),
    setting("ends on no day", 4, {"endDate": "31/02/2027"}, "R-DT", "withheld"),
    setting("plan name over 80", 2, {"planName": "Gold " * 20}, "R-LEN", "withheld"),
)
_FIXED_UNTIL = 2 * len(MEMBERSHIP_CASES)


def memberships(chart: Chart) -> list[Record]:
    """The care plans of a patient, by id: one in ten has any; then often a former one, or two at a time.

    One defect at most, in the plan that counts: of the active ones the one that began last.
    """
    rows = _memberships(chart)
    case, chosen = _membership_case(chart), current(rows)
    if case is not None and chosen is not None:
        case.spoil(chosen, Spot(chart.world, chart.place, 0, Dice(chart.world.seed, "membership-spoil", chart.place)))
    return rows


def current(rows: list[Record]) -> Record | None:
    """The care plan that counts."""
    return max((row for row in rows if row["status"] == "ACTIVE"), key=lambda row: row["startDate"], default=None)


def _membership_case(chart: Chart) -> Case | None:
    if chart.row != "send":
        return None
    if chart.place % 2 == 0 and chart.place < _FIXED_UNTIL:
        return MEMBERSHIP_CASES[chart.place // 2]
    dice = Dice(chart.world.seed, "membership-case", chart.place)
    return dice.pick(MEMBERSHIP_CASES) if chart.place % 2 and dice.chance(60) else None  # nobody is merged into these


def _memberships(chart: Chart) -> list[Record]:
    dice = Dice(chart.world.seed, "membership", chart.place)
    shown = chart.place % 2 == 0 and chart.place < 2 * _FIXED_UNTIL
    if chart.gone or not (dice.chance(100) or shown):
        return []
    began = EPOCH_DAY - dice.between(30, 1500)
    kind = dice.weighted(_HISTORIES) if not shown else _SHOWN[chart.place // 2 % len(_SHOWN)]
    return [
        _membership(chart, dice, number, began + offset, state)
        for number, (state, offset) in enumerate(_STAGES[kind])
    ]  # fmt: skip


def _membership(chart: Chart, dice: Dice, number: int, began: int, state: str) -> Record:
    return {
        "membershipId": MEMBERSHIP_BASE + chart.place * PER_PATIENT + number, "patientId": chart.patient_id,
        "planName": dice.pick(("Gold", "Silver", "Diamond", "Child")), "billing": "MONTHLY_GC",
        "monthlyAmount": dice.pick(("12.50", "18.50", "27.00")), "currency": chart.practice["currency"], "months": 12,
        "startDate": day(began), "endDate": day(min(began + 365, EPOCH_DAY - 1)) if state == "LAPSED" else None,
        "status": state, "mandateId": _mandate(chart),
    }  # fmt: skip


def payment_links(chart: Chart) -> list[Record]:
    """Links to payment providers: a direct debit mandate, a card account, or both."""
    dice = Dice(chart.world.seed, "link", chart.place)
    mandate, cancelled, number = _mandate(chart), dice.chance(40), dice.between(10**6, 10**7 - 1)
    base = LINK_BASE + chart.place * PER_PATIENT
    common = {"patientId": chart.patient_id, "createdAt": instant(chart.standing.created, 50_000)}
    rows = []
    if mandate is not None:
        rows.append({
            "providerLinkId": base, "provider": "GOCARDLESS", "customerId": f"CU{number}", "mandateId": mandate,
            "mandateReference": f"REF{chart.place:06}",
            "scheme": "BACS" if chart.practice["country"] == "GB" else "SEPA_CORE",
            "mandateStatus": "ACTIVE", "cancelledInAeronaOnly": cancelled, "stripeCustomerId": None, **common,
        })  # fmt: skip
    if not chart.gone and dice.chance(50):
        rows.append({
            "providerLinkId": base + 1, "provider": "STRIPE", "customerId": None, "mandateId": None,
            "mandateReference": None, "scheme": None, "mandateStatus": None, "cancelledInAeronaOnly": False,
            "stripeCustomerId": f"cus_{number}{chart.place:05}", **common,
        })  # fmt: skip
    return rows


def planted(chart: Chart) -> list[Planted]:
    """Every plan waits for a signature, whatever else is wrong with it."""
    if chart.row != "send":
        return chart.consequences("paymentPlan", [row["paymentPlanId"] for row in payment_plans(chart)])
    return [
        Planted("paymentPlan", row["paymentPlanId"], "signedOffAt", "R-PLAN", "hold", "none", "unsigned" + _flaw(row))
        for row in payment_plans(chart)
    ]


def _flaw(plan: Record) -> str:
    due = sum(round(float(one["amount"]) * 100) for one in plan["instalments"])
    dates = [one["dueDate"] for one in plan["instalments"]]
    if money(due) != plan["totalAmount"]:
        return ", and its sum is wrong"
    if dates != sorted(dates):
        return ", and its dates run backwards"
    return "" if plan["months"] == len(dates) else ", and its months are miscounted"


def planted_memberships(chart: Chart) -> list[Planted]:
    """Care plans beside the one that counts, and what is wrong with that one."""
    rows = memberships(chart)
    chosen, case = current(rows), _membership_case(chart)
    if chart.row != "send" or chosen is None:
        return []
    found = [
        Planted("carePlanMembership", row["membershipId"], "status", "R-CAREPLAN", "send", "none", "a later one counts")
        for row in rows
        if row["status"] == "ACTIVE" and row is not chosen
    ]
    if case is not None:
        found += [placed("carePlanMembership", chosen["membershipId"], case, one) for one in case.findings]
    return found


def planted_links(chart: Chart) -> list[Planted]:
    """Mandates that look cancelled and still collect: they lead the rebuild list. No link ever moves."""
    note = "rebuild list: the provider still collects"
    return [
        Planted("paymentLink", row["providerLinkId"], "cancelledInAeronaOnly", "R-REBUILD", "skip", "none", note)
        for row in payment_links(chart)
        if row["cancelledInAeronaOnly"]
    ]
