"""The table of the mappings against the sandbox's list of planted defects: what is held or skipped there, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from journey_driver import World

LINES = {
    "patient": "Patient → Contact",
    "appointment": "Appointment → Appointment__c",
    "treatment": "Treatment → Treatment__c",
    "clinicalNote": "Clinical note → Clinical_Note__c",
    "document": "Document → Document__c",
    "invoice": "Invoice → Invoice__c",
    "invoiceLine": "Invoice line → Invoice_Line__c",
    "paymentPlan": "Payment plan → Payment_Plan__c",
}
# what a code of ours is called on the list of planted defects; the others are called alike, or begin alike
CALLED = {
    "source_deleted": {"R-DELETED"},
    "merged": {"R-REF"},
    "merged_cycle": {"R-REF"},
    "merged_missing": {"R-REF"},
    "empty": {"R-REQ", "R-EMPTY"},
    "R-NKA": {"R-ALLERGY"},
    "R-LEN": {"R-LEN", "R-LONG"},  # too long for its field; the list says so of long texts by another name
    "R-REQ": {"R-REQ", "R-DT", "R-ALLERGY"},
}


def planted(world: World) -> dict[str, dict[Any, list[tuple[str, str]]]]:
    """Entity -> id -> what was planted in it: the fate of the row, the rule."""
    found: dict[str, dict[Any, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for line in world.get("/clinic/truth"):
        found[line["entity"]][line["id"]].append((line["row"], line["rule"]))
    return found


def test_every_line_holds_and_skips_what_was_planted_and_nothing_else(loaded: World) -> None:
    truth = planted(loaded)
    document = loaded.ok("reconcile").document
    table = {line["title"]: line for line in document["mappings"]}
    wrong = []
    for entity, title in LINES.items():
        line, rows = table[title], truth[entity]
        there = set(rows) if entity == "invoiceLine" else set(rows) & set(loaded.read(entity))
        stays = {fate: {one for one in there if fate in {row for row, _ in rows[one]}} for fate in ("hold", "skip")}
        expected = (len(stays["hold"]), len(stays["skip"]))
        if (line["held"], line["skipped"]) != expected:
            wrong.append(f"{title}: held and skipped {line['held'], line['skipped']}, planted {expected}")
        assert line["sent"] == line["source"] - line["held"] - line["skipped"], title
        assert line["failed"] == line["gone"] == 0
        wrong += [f"{title}: {code}" for code in strangers(line, [r for one in there for r in rows[one]])]
    assert not wrong, "\n".join(wrong)
    assert table["Payment link → rebuild list"]["listed"] == len(loaded.read("paymentLink"))
    people = table["Practitioner → User (matched)"]
    assert people["sent"] == people["source"] - sum(r["rows"] for r in people["reasons"] if r["fate"] == "fallback")


def strangers(line: dict[str, Any], rules: list[tuple[str, str]]) -> list[str]:
    """Reasons of a line that nobody planted there."""
    known = {rule for row, rule in rules if row != "send"}
    found = []
    for reason in line["reasons"]:
        if reason["fate"] not in ("hold", "skip"):
            continue
        code = reason["code"].split("@")[0]
        names = CALLED.get(code, {code, "-".join(code.split("-")[:2])})
        of_the_parent = "PARENT" in known and ("parent:" in code or reason["fate"] == "skip")
        if not (of_the_parent or names & known or ("PARENT" in known and code == "R-REF")):
            found.append(f"{reason['fate']} {reason['code']}")
    return found


def test_lines_of_fields_and_of_units_tell_the_same(loaded: World) -> None:
    document = loaded.ok("reconcile").document
    units = {unit["unit"]: unit for unit in document["units"]}
    for line in document["mappings"]:
        assert all(reason["text"] for reason in line["reasons"]), line["title"]
        if line["fields"] or line["matched"] or line["listed"]:
            continue
        assert line["verified"] == sum(units[name]["fields"]["equal"] for name in line["units"]), line["title"]
        assert line["withheld"] == sum(units[name]["fields"]["withheld"] for name in line["units"]), line["title"]
        assert line["records"] == sum(units[name]["records"].get("equal", 0) for name in line["units"]), line["title"]
        assert line["withheld"] == sum(r["rows"] for r in line["reasons"] if r["fate"] == "withheld"), line["title"]
