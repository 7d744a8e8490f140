"""What codes mean, in the words of a practice manager."""

from __future__ import annotations

from chartlift.stages.reasons import PARENT, reason, withheld

__all__ = ["FATES", "NEXT", "PARENT", "PEOPLE", "reason", "unit", "withheld"]

PEOPLE = {
    "not_in_list": "named by records, but not in the clinic's list of users",
    "no_email": "has no e-mail address at the clinic",
    "shared_email": "shares an e-mail address with somebody at the clinic",
    "several_users": "several active Users have this e-mail address",
    "inactive_user": "the User with this e-mail address is not active",
    "no_user": "no User has this e-mail address",
}
FATES = {
    "insert": "new",
    "update": "changed",
    "undelete": "restored",
    "unchanged": "unchanged",
    "skip": "skipped",
    "hold": "held",
    "failed": "refused",
}
NEXT = {
    "check": "chartlift extract",
    "extract": "chartlift profile",
    "profile": "chartlift propose",
    "propose": "read the files in plan/, then chartlift people --fallback EMAIL",
    "people": "chartlift confirm --by NAME",
    "confirm": "chartlift schema, which explains; then chartlift schema --go",
    "schema": "chartlift sample, which explains; then chartlift sample --go",
    "sample": "look at some of these records in Salesforce, then chartlift sample --accept --by NAME (or --reject)",
    "sample accepted": "chartlift load, which explains; then chartlift load --go",
    "load": "chartlift reconcile",
    "delta": "chartlift reconcile",
    "reconcile": "chartlift rebuild, which lists what never moves and has to be built anew",
}

PROVIDERS = {"GOCARDLESS": "GoCardless", "STRIPE": "Stripe", "IN_HOUSE": "the practice itself", "": "none named"}
PROBLEMS = {
    "cancelled_only": "cancelled in Aerona only: GoCardless goes on collecting",
    "unsigned": "payment plan that nobody has signed off",
    "sum": "instalments and deposit do not make the plan's total",
    "dates": "instalments without a readable day, out of order, or not as many as the plan's months",
    "term_over": "active care plan whose months are over: ask the provider whether it still collects",
    "twice": "one of two active care plans of the same patient",
    "patient_gone": "belongs to a patient who is deleted, merged away or unknown",
    "deleted": "deleted at the clinic; the provider may not know",
}
ITEMS = {
    "gocardless": "GoCardless account of each practice: connect it to the new system, or stop its mandates",
    "stripe": "Stripe account of each practice, with its payment and deposit links",
    "webhooks": "webhooks: what the clinic sends to others about patients, appointments and treatments",
    "booking": "online booking: the page, its rules, and every place that links to it",
    "templates": "templates of text messages and e-mails, and when they are sent",
    "recalls": "recall rules",
    "workflows": "workflows: whatever happens by itself at the clinic today",
}


def unit(name: str) -> str:
    """`account_group` -> `account group`."""
    return name.replace("_", " ")
