"""What codes mean, in the words of a practice manager."""

from __future__ import annotations

from functools import cache

ROWS = {
    "merged": "merged into another patient at the clinic",
    "merged_cycle": "patients merged in a circle at the clinic; put right there which one stays",
    "merged_missing": "merged into a patient that the clinic does not have",
    "source_deleted": "deleted at the clinic",
    "merged_by_person": "merged by a person in Salesforce",
    "deleted_by_person": "deleted by a person in Salesforce; not brought back",
    "probable_match": "Salesforce may have this record already; decide it with: chartlift matches",
}
FIELDS = {"R-USER-EMAIL": "the practitioner has no User of their own in Salesforce"}
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
}


@cache
def texts() -> dict[str, str]:
    """Code of a finding -> sentence."""
    from chartlift import transforms

    return dict(transforms.findings())


def reason(code: str) -> str:
    """Why a row did not go: `R-REQ@LastName`, `parent:…`, `merged`, or a code of the org as it is."""
    if code.startswith("parent:"):
        return f"its parent record is held: {reason(code.removeprefix('parent:'))}"
    if code.startswith("failed:"):
        return f"Salesforce refused it ({code.removeprefix('failed:')})"
    if code in ROWS:
        return ROWS[code]
    finding, _, field = code.partition("@")
    said = texts().get(finding) or FIELDS.get(finding, "")
    return (f"{field}: " if field else "") + (f"{said} ({finding})" if said else finding)


def withheld(code: str) -> str:
    """Why a field was left empty: `LeadSource:R-PICK`."""
    field, _, finding = code.partition(":")
    return reason(f"{finding}@{field}")


def unit(name: str) -> str:
    """`account_group` -> `account group`."""
    return name.replace("_", " ")
