"""What the codes of rows and fields say, in the words of a practice manager: one wording for screen, page and JSON."""

from __future__ import annotations

from functools import cache

from chartlift import transforms

ROWS = {
    "merged": "merged into another patient at the clinic",
    "merged_cycle": "patients merged in a circle at the clinic; put right there which one stays",
    "merged_missing": "merged into a patient that the clinic does not have",
    "source_deleted": "deleted at the clinic",
    "merged_by_person": "merged by a person in Salesforce",
    "deleted_by_person": "deleted by a person in Salesforce; not brought back",
    "probable_match": "Salesforce may have this record already; decide it with: chartlift matches",
    "empty": "nothing is in it",
}
FIELDS = {"R-USER-EMAIL": "the practitioner has no User of their own in Salesforce"}
PARENT = "the record above it is held"


@cache
def texts() -> dict[str, str]:
    """Code of a finding -> sentence."""
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
