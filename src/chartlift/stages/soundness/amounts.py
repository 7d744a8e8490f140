"""Money beyond the invoice itself (whose sums its transforms know): paid too much, balances, plans, mandates."""

from __future__ import annotations

from datetime import date

from chartlift.model.source import EntityShape
from chartlift.stages import rebuild_list
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident

KINDS = {"link": "paymentLink", "plan": "paymentPlan", "care plan": "carePlanMembership"}
_HELD = "held until a person signs the plan off"
_LISTED = "not moved; on the list of what has to be built anew"
PROBLEMS = {
    ("plan", "unsigned"): ("R-PLAN", "note", "a payment plan that nobody has signed off", _HELD),
    ("plan", "sum"): ("R-PLAN-SUM", "error", "instalments and deposit do not make the plan's total", _HELD),
    ("plan", "dates"): (
        "R-PLAN-DATES",
        "error",
        "instalments without a readable day, out of order, or not as many as months",
        _HELD,
    ),
    ("link", "cancelled_only"): (
        "R-REBUILD",
        "error",
        "cancelled in Aerona only: the provider goes on collecting",
        _LISTED,
    ),
    ("care plan", "term_over"): ("R-CAREPLAN-OVER", "warning", "an active care plan whose months are over", _LISTED),
    ("care plan", "twice"): (
        "R-CAREPLAN",
        "warning",
        "one of two active care plans of a patient; the later one counts",
        "the later one is sent",
    ),
}


def look(book: Book, shapes: dict[str, EntityShape], today: date) -> None:
    """Plans and mandates, overpaid invoices, and balances that the invoices do not make."""
    if set(KINDS.values()) & set(shapes) and "patient" in shapes:
        _plans(book, shapes, today)
    for shape in shapes.values():
        if {"total", "paid", "due"} <= set(shape.roles):
            _paid(book, shape)
            _balance(book, shape, shapes)


def _plans(book: Book, shapes: dict[str, EntityShape], today: date) -> None:
    rebuild_list.make_list(book.sql, "", today)
    heads = {}
    for (kind, problem), (code, severity, text, fate) in PROBLEMS.items():
        if KINDS[kind] in shapes:
            heads[f"{kind} {problem}"] = Head(code, severity, KINDS[kind], (), text, fate)
    book.note_each(
        heads,
        "SELECT id AS _id, seq AS _seq, kind || ' ' || problem AS which "
        "FROM (SELECT *, unnest(problems) AS problem FROM rebuild_list)",
    )


def money(column: str) -> str:
    """SQL for an amount as a number; NULL if it is none."""
    return f"TRY_CAST(trim({column}) AS DECIMAL(18, 4))"


def _paid(book: Book, shape: EntityShape) -> None:
    total, paid, due = (ident(shape.roles[name]) for name in ("total", "paid", "due"))
    src = ident("src_" + shape.name)
    heads = {
        "over": Head(
            "R-BAL-OVERPAID",
            "note",
            shape.name,
            (shape.roles["paid"],),
            "more was paid than the invoice asks for",
            "sent as it is",
        ),
        "due": Head(
            "R-BAL-DUE",
            "warning",
            shape.name,
            (shape.roles["due"],),
            "more is due than the invoice asks for",
            "sent as it is",
        ),
    }
    book.note_each(
        heads,
        f"SELECT _id, _seq, unnest([CASE WHEN {money(paid)} > {money(total)} + 0.01 THEN 'over' END,"
        f" CASE WHEN {money(due)} > {money(total)} + 0.01 THEN 'due' END]) AS which FROM {src} WHERE {money(total)} >= 0",
    )


def _balance(book: Book, shape: EntityShape, shapes: dict[str, EntityShape]) -> None:
    """What a patient owes by the books, and by the invoices that are open."""
    owner = shapes.get(shape.refs.get(shape.patient, ""))
    if owner is None or "balance" not in owner.person:
        return
    balance = owner.person["balance"]
    dead = " AND coalesce(lower(\"isDeleted\"), 'false') NOT IN ('true', '1')" if "isDeleted" in shape.columns else ""
    due = money(ident(shape.roles["due"]))
    head = Head(
        "R-BAL-PATIENT",
        "note",
        owner.name,
        (balance,),
        "the balance is not what the open invoices make",
        "the balance is not sent; the invoices are",
    )
    book.note(
        head,
        f"SELECT p._id, p._seq FROM {ident('src_' + owner.name)} p LEFT JOIN (SELECT _patient, sum({due}) AS due "
        f"FROM {ident('src_' + shape.name)} WHERE true{dead} GROUP BY _patient) i ON i._patient = p._id "
        f"WHERE abs({money('p.' + ident(balance))} - coalesce(i.due, 0)) > 0.01",
    )
