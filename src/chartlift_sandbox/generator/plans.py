"""Payment plans, care plans and the links to payment providers, none of which may be carried over as live."""

from chartlift_sandbox.generator.chart import Chart
from chartlift_sandbox.generator.days import EPOCH_DAY, day, instant
from chartlift_sandbox.generator.dice import Dice
from chartlift_sandbox.generator.truth import Planted
from chartlift_sandbox.generator.work import money
from chartlift_sandbox.generator.world import Record

PLAN_BASE, MEMBERSHIP_BASE, LINK_BASE = 1_200_000, 4_400_000, 7_700_000


def _mandate(chart: Chart) -> str | None:
    dice = Dice(chart.world.seed, "mandate", chart.place)
    return f"MD{dice.between(10**6, 10**7 - 1)}" if not chart.gone and dice.chance(120) else None


def payment_plans(chart: Chart) -> list[Record]:
    """At most one payment plan; 4 % of patients have one, 8 % of those do not add up."""
    dice = Dice(chart.world.seed, "plan", chart.place)
    if chart.gone or not dice.chance(40):
        return []
    months, each = dice.between(3, 36), dice.between(20, 250) * 100
    began = EPOCH_DAY - dice.between(30, 900)
    odd = dice.chance(80)
    instalments = [{
        "instalmentId": at + 1, "sequence": at + 1, "dueDate": day(began + 30 * at), "amount": money(each),
        "status": "PAID" if began + 30 * at < EPOCH_DAY else "PENDING", "paymentId": None,
    } for at in range(months)]  # fmt: skip
    return [{
        "paymentPlanId": PLAN_BASE + chart.place, "patientId": chart.patient_id, "invoiceId": None,
        "name": dice.pick(("Implant finance", "Crown plan", "Ortho plan")), "provider": dice.pick(("GOCARDLESS",
        "IN_HOUSE")),
        "mandateId": _mandate(chart), "totalAmount": money(each * months + (1000 if odd else 0)),
        "currency": chart.practice["currency"], "depositAmount": "0.00", "startDate": day(began), "months": months,
        "status": "ACTIVE", "signedOffBy": None, "signedOffAt": None, "updatedAt": instant(began, 0),
        "instalments": instalments,
    }]  # fmt: skip


def memberships(chart: Chart) -> list[Record]:
    """At most one care plan."""
    dice = Dice(chart.world.seed, "membership", chart.place)
    if chart.gone or not dice.chance(100):
        return []
    began = EPOCH_DAY - dice.between(30, 1500)
    lapsed = dice.chance(250)
    return [{
        "membershipId": MEMBERSHIP_BASE + chart.place, "patientId": chart.patient_id,
        "planName": dice.pick(("Gold", "Silver", "Diamond", "Child")), "billing": "MONTHLY_GC",
        "monthlyAmount": dice.pick(("12.50", "18.50", "27.00")), "currency": chart.practice["currency"], "months": 12,
        "startDate": day(began), "endDate": day(min(began + 365, EPOCH_DAY - 1)) if lapsed else None,
        "status": "LAPSED" if lapsed else "ACTIVE", "mandateId": _mandate(chart),
    }]  # fmt: skip


def payment_links(chart: Chart) -> list[Record]:
    """The direct debit mandate of a patient, where there is one."""
    mandate = _mandate(chart)
    if mandate is None:
        return []
    dice = Dice(chart.world.seed, "link", chart.place)
    cancelled = dice.chance(40)
    return [{
        "providerLinkId": LINK_BASE + chart.place, "patientId": chart.patient_id, "provider": "GOCARDLESS",
        "customerId": f"CU{dice.between(10**6, 10**7 - 1)}", "mandateId": mandate,
        "mandateReference": f"REF{chart.place:06}",
        "scheme": "BACS" if chart.practice["country"] == "GB" else "SEPA_CORE",
        "mandateStatus": "ACTIVE", "cancelledInAeronaOnly": cancelled, "stripeCustomerId": None,
        "createdAt": instant(chart.standing.created, 50_000),
    }]  # fmt: skip


def planted(chart: Chart) -> list[Planted]:
    """Every plan waits for a signature, whatever else is wrong with it."""
    if chart.row != "send":
        return chart.consequences("paymentPlan", [row["paymentPlanId"] for row in payment_plans(chart)])
    found = []
    for row in payment_plans(chart):
        due = sum(round(float(one["amount"]) * 100) for one in row["instalments"])
        note = "unsigned" if money(due) == row["totalAmount"] else "unsigned, and its sum is wrong"
        found.append(Planted("paymentPlan", row["paymentPlanId"], "signedOffAt", "R-PLAN", "hold", "none", note))
    return found
