from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pytest

from chartlift.cli import layout, screen, words
from chartlift.cli.door import guarded
from chartlift.cli.steps import decisions
from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.outcomes import CarryReport, CompareReport, ObjectCompare, RollbackReport, StepReport, UnitCount
from chartlift.model.ports import Probe
from chartlift.model.rebuild import RebuildCount, RebuildItem, RebuildReport
from chartlift.model.reports import CheckReport, Finding, MappingLine, MappingReason, ProfileReport, Report
from chartlift.model.standing import AuditReport, RunState, StatusReport, StepState
from chartlift.stages import rebuild

RUN = "980cf88e-35a3-463e-a7f5-8523f52a1c4f"
UNIT = UnitCount(
    "appointment",
    "Appointment__c",
    {"insert": 1234567, "hold": 60, "skip": 2, "failed": 1},
    reasons=(
        ("hold", "parent:R-REQ@LastName", 40),
        ("hold", "parent:merged_cycle", 3),
        ("hold", "R-REQ@Status__c", 17),
    ),
    withheld=tuple((f"Field_{n}__c:R-PICK", 20 - n) for n in range(9)),
    failed=(("lagan-APT-1", "STORAGE_LIMIT_EXCEEDED"),),
)
FINDINGS = tuple(
    Finding(f"R-{n}", "warning", "patient.aVeryLongColumnNameOfThePatient+another", n, "words " * 14, "withheld")
    for n in range(1, 40)
)
LINES = tuple(
    MappingLine(
        f"Clinical thing number {n} → Some_Long_Object_Name__c", ("unit",), (), n == 4,
        123456, 120000, 120000, 1234567, 4567, 3000, 400, 56,
        reasons=(
            MappingReason("hold", "parent:R-REQ@LastName", 20000, "its parent record is held: words"),
            MappingReason("hold", "parent:merged_cycle", 3000, "its parent record is held: others"),
            *(MappingReason("hold", f"R-{i}", 100 + i, f"reason {i} " * 8) for i in range(n)),
            MappingReason("withheld", "Phone:R-PHONE", 4567, "Phone: no number"),
        ),
    )
    for n in range(1, 8)
)  # fmt: skip
REBUILD = RebuildReport(
    4,
    (RebuildCount("Lagan Dental Care and Implant Centre", "GOCARDLESS", 33, 30, 2, 12, 3, 40, 31),),
    (RebuildItem("gocardless", {f"Practice number {n}": n for n in range(20)}), RebuildItem("webhooks", {})),
    {"cancelled_only": 2}, {"cancelled_only": ("link 1", "link 2")}, 100,
)  # fmt: skip
REPORTS: tuple[Report, ...] = (
    CheckReport((Probe("login", True, "token " * 20),), (Probe("limit", False, "0 of 100000 left", 0),)),
    ProfileReport(1, (), FINDINGS),
    CarryReport("load", RUN, went=False, resumed=True, units=(UNIT,)),
    CompareReport("reconcile", (ObjectCompare("Contact", "contact", {"equal": 3}, {"equal": 9, "differs": 1}),)),
    RollbackReport(True, "f" * 64, (RUN,), {"Contact": {"delete": 2}}, (("Contact", "k-1", "003" + "0" * 15, "why " * 30),)),
    StatusReport(
        "lagan", False, 3, "load", (StepState("check", True, "2026-01-02T03:04:05Z"),),
        (RunState(RUN, "load", "root", "2026-01-02T03:04:05Z", "", "running", "f" * 64, 12_000_000),),
    ),
    AuditReport(()),
    StepReport("people", data={"people": [
        {"source_id": "7", "role": "DENTIST", "user_id": None, "how": "unmatched", "why": "no_email"},
        {"source_id": "8", "role": "DENTIST", "user_id": "x", "how": "email", "why": ""},
    ], "fallback": "", "unmatched": ["7"]}, code=3),
    StepReport("schema", went=False, data={"missing": [f"Contact.Field_{n}__c" for n in range(80)]}, lines=("80",)),
    REBUILD,
    CompareReport("reconcile", (ObjectCompare("Contact", "contact", {"equal": 3}, {"equal": 9}),), mappings=LINES[:3]),
)  # fmt: skip


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("report", REPORTS, ids=lambda r: type(r).__name__)
def test_nothing_is_wider_than_the_terminal_nor_longer_than_a_page(report: Report, width: int) -> None:
    lines = screen.text(report, width).splitlines()
    assert [line for line in lines if len(line) > width] == []
    assert 0 < len(lines) < 60


def test_a_carry_says_what_and_why_and_how_to_go_on() -> None:
    text = screen.text(REPORTS[2], 100)
    assert "Nothing was written." in text
    assert "1,234,567" in text
    assert re.search(r"43  appointment +held +the record above it is held", text)
    assert "Status__c: a required value is missing (R-REQ)" in text
    assert "3 more kinds" in text
    assert "lagan-APT-1  STORAGE_LIMIT_EXCEEDED" in text
    assert text.endswith("Do it: chartlift load --go")


def test_the_table_of_the_mappings_fits_and_says_why() -> None:
    text = screen.text(CompareReport("reconcile", REPORTS[3].units, mappings=LINES), 100)  # type: ignore[attr-defined]
    assert max(len(line) for line in text.splitlines()) <= 100
    assert re.search(r"1\. Clinical thing number 1 → +123,456 +120,000 +1,234,567 +4,567 +3,000 +400 +56", text)
    assert "4. Clinical thing" in text
    assert re.search(r"1\. +23,000 +held +the record above it is held", text)
    assert re.search(r"7\. +\d+ +held +5 more reasons \(see --json\)", text)
    assert re.search(r"7\. +4,567 +empty +Phone: no number", text)


def test_a_line_of_fields_tells_only_of_its_fields() -> None:
    reasons = (
        MappingReason("hold", "R-PICK@Status__c", 5, "Status__c: no such value"),
        MappingReason("hold", "R-DT@Date__c", 4, "Date__c: no date"),
        MappingReason("hold", "merged_cycle", 3, "a circle"),
        MappingReason("skip", "source_deleted", 2, "deleted at the clinic"),
        MappingReason("hold", "parent:x", 1, "whatever"),
    )
    line = MappingLine("Status", ("visit",), ("Visit__c.Status__c",), reasons=reasons)
    text = screen.text(CompareReport("reconcile", REPORTS[3].units, mappings=(line,)), 100)  # type: ignore[attr-defined]
    told = [row.split(maxsplit=3)[1:] for row in text.splitlines() if row.startswith("  1.   ")]
    assert told == [["5", "held", "Status__c: no such value"]]


def test_what_has_to_be_built_anew_is_loud() -> None:
    text = screen.text(REBUILD, 100)
    assert "30 MANDATES STILL COLLECTING. An active mandate goes on collecting" in text
    assert "Cancelling in Aerona alone does not stop" in text
    assert "2 of them were cancelled in Aerona only" in text
    assert "(link 1, link 2)" in text
    assert "[ ]  webhooks" in text
    quiet = screen.text(RebuildReport(1, (), ()), 100)
    assert "COLLECTING" not in quiet
    assert "neither payment links nor plans" in quiet


def test_every_problem_and_item_of_the_list_has_words() -> None:
    assert set(words.PROBLEMS) == set(rebuild.PROBLEMS)
    assert set(words.ITEMS) == set(rebuild.ITEMS)


def test_keys_that_are_to_be_typed_again_are_never_cut() -> None:
    assert RUN in screen.text(REPORTS[5], 80)
    assert "003" + "0" * 15 in screen.text(REPORTS[4], 80)


def test_people_see_who_is_open_and_not_who_is_matched() -> None:
    text = screen.text(REPORTS[7], 100)
    assert "2 practitioners: 1 matched by e-mail" in text
    assert "dentist  open  has no e-mail address at the clinic" in text
    assert "\n  8 " not in text
    assert "chartlift people --fallback EMAIL" in text


def test_next_only_follows_what_was_done() -> None:
    assert "Next: chartlift extract" in screen.text(CheckReport((), ()), 80)
    assert "Next:" not in screen.text(REPORTS[0], 80)
    assert "Next:" not in screen.text(REPORTS[2], 80)


def test_control_characters_never_reach_the_terminal() -> None:
    text = screen.text(StepReport("confirm", lines=("by \x1b[2Jme\u202e\x07",)), 80)
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("merged", "merged into another patient"),
        ("parent:R-REF@AccountId", "its parent record is held: AccountId: "),
        ("failed:X_Y", "Salesforce refused it (X_Y)"),
        ("SOME_CODE@Name", "Name: SOME_CODE"),
    ],
)
def test_reasons_read_as_words(code: str, text: str) -> None:
    assert text in words.reason(code)


def test_every_code_of_a_person_and_of_a_fate_has_words() -> None:
    source = (Path(words.__file__).parents[1] / "stages/people.py").read_text(encoding="utf-8")
    assert [code for code in words.PEOPLE if f'"{code}"' not in source] == []


def test_small_words() -> None:
    assert (layout.count(1, "row"), layout.count(2000, "entry", "entries")) == ("1 row", "2,000 entries")
    assert (layout.size(27_340_876), layout.hours(0.001), layout.hours(0.5), layout.hours(9)) == (
        "27 MB", "less than a minute", "30 minutes", "9 hours",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "needs the columns"),
        (b"a,b\n1,2\n", "needs the columns source_id and user"),
        (b"source_id,user\n1\n", "line 2"),
        (b"source_id,user\n1,x,y\n", "line 2"),
        (b"source_id,user\n1,\xe9\n", "UTF-8"),
    ],
)
def test_a_bad_csv_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "d.csv").write_bytes(content)
    with pytest.raises(UsageError, match=text):
        decisions(tmp_path / "d.csv", ("source_id", "user"))


def test_a_csv_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"\xef\xbb\xbfsource_id,user,note\r\n1,fallback,\r\n")
    assert decisions(tmp_path / "d.csv", ("source_id", "user")) == [{"source_id": "1", "user": "fallback", "note": ""}]


def failing(error: BaseException) -> int:
    def work() -> Report:
        raise error

    return guarded("load", work, as_json=False)


def test_the_last_door(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(NotConfirmed("nothing yet", hint="chartlift extract")) == 3
    assert capsys.readouterr().err == "load stopped: Nothing yet\n  Run: chartlift extract\n"
    assert failing(OSError(28, "No space left", "/x/journal.db")) == 5
    assert "The disk is full (/x/journal.db)" in capsys.readouterr().err
    assert failing(PermissionError(13, "Permission denied", "/x")) == 2
    assert failing(KeyboardInterrupt()) == 5
    capsys.readouterr()
    assert failing(ValueError("Jane Doe")) == 1
    err = capsys.readouterr().err
    assert "ValueError at " in err
    assert "Jane" not in err


def test_a_closed_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with io.TextIOWrapper(os.fdopen(write, "wb"), write_through=True) as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert guarded("audit", lambda: AuditReport(()), as_json=False) == 0
