"""The oracle itself, where a mistake in it would let everything pass: it must see what is wrong with parts and records."""

import pytest
from foreseen import family
from oracle_documents import file_name, file_type
from oracle_notes import may_be_cut, part_faults
from oracle_prose import html_text, rtf_text
from oracle_row import Row
from oracle_teeth import surfaces, tooth
from oracle_values import Hold
from org_wire import differences

KEY = "lagan-NOT-7"
BODY = "n" * 40_000
GOOD = {
    KEY: {"Note_Text__c": BODY[:32_000], "Part_Number__c": 1, "Part_Count__c": 2, "Parent_Note__c": None},
    f"{KEY}-2": {"Note_Text__c": BODY[32_000:], "Part_Number__c": 2, "Part_Count__c": 2, "Parent_Note__c": KEY},
}


def test_parts_as_they_should_be_have_no_fault() -> None:
    assert part_faults(KEY, BODY, GOOD) == []


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        (KEY, "Note_Text__c", BODY[:31_999]),
        (KEY, "Note_Text__c", BODY[:32_001]),
        (KEY, "Part_Number__c", 0),
        (KEY, "Part_Count__c", 3),
        (KEY, "Parent_Note__c", KEY),
        (f"{KEY}-2", "Parent_Note__c", None),
        (f"{KEY}-2", "Note_Text__c", BODY[32_000:] + " "),
    ],
)
def test_a_spoilt_part_is_seen(part: str, field: str, value: object) -> None:
    assert part_faults(KEY, BODY, GOOD | {part: GOOD[part] | {field: value}})


def test_a_missing_or_superfluous_part_is_seen() -> None:
    assert part_faults(KEY, BODY, {KEY: GOOD[KEY]})
    assert part_faults(KEY, BODY, {})
    assert part_faults(KEY, BODY, GOOD | {f"{KEY}-4": GOOD[f"{KEY}-2"]})
    assert part_faults(KEY, BODY[:32_768], GOOD)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("word", " word"),
        ("word\n", "word"),
        ("e", "\u0301"),
        ("\U0001f469", "\u200d\U0001f467"),
        ("\U0001f469\u200d", "\U0001f467"),
        ("\U0001f44d", "\U0001f3fe"),
        ("\U0001f1ee\U0001f1ea\U0001f1ee", "\U0001f1ea"),
        ("\u2764", "\ufe0f"),
    ],
)
def test_these_cuts_are_forbidden(left: str, right: str) -> None:
    assert not may_be_cut(left, right)


@pytest.mark.parametrize(("left", "right"), [("wo", "rd"), ("\U0001f9b7", "\U0001f9b7"), ("\U0001f1ee\U0001f1ea", "n")])
def test_these_cuts_are_allowed(left: str, right: str) -> None:
    assert may_be_cut(left, right)


def test_a_wrong_value_an_absent_and_a_superfluous_record_are_seen() -> None:
    row = Row(fields={"Name": "A"})

    assert differences("Account", "k", row, {"Name": "A"}) == []
    assert differences("Account", "k", row, {"Name": "B"})
    assert differences("Account", "k", row, {})
    assert differences("Account", "k", row, None)
    assert differences("Account", "k", Row().stop("hold", "R-REF"), {"Name": "A"})


def test_teeth_and_surfaces() -> None:
    assert [tooth(raw, "PALMER", None) for raw in ("UR6", "LLE", "URA", "UR1-UR3")] == ["16", "75", "51", "11,12,13"]
    assert [tooth("36, 37", "FDI", None), tooth(None, None, "UL"), surfaces("mod")] == ["36,37", "UL", "MOD"]
    for raw, notation in (("99", "FDI"), ("UL9", "PALMER"), ("36", None)):
        with pytest.raises(Hold):
            tooth(raw, notation, None)
    with pytest.raises(Hold):
        surfaces("XQ")


def test_marked_up_notes_become_plain() -> None:
    assert html_text("<p>a<br>b <b>2&nbsp;1</b></p><ul><li>c &amp; d</li></ul>").strip() == "a\nb 2\u00a01\nc & d"
    assert rtf_text(r"{\rtf1{\fonttbl{\f0 Arial;}}caf\'e9\par \u8364?5}") == "caf\u00e9\n\u20ac5"


def test_file_names() -> None:
    assert file_name("C:\\x-ray?.jpg") == "C__x-ray_.jpg"
    assert file_name("letter 1. ") == "letter 1"
    assert file_name("x" * 300 + ".pdf") == "x" * 251 + ".pdf"
    assert [file_type("a.PDF", None), file_type("a", "image/png")] == ["pdf", "png"]


def test_reasons_of_one_class() -> None:
    assert family("R-MONEY-DECIMALS@Cost__c") == family("R-MONEY") == "R-MONEY"
    assert family("R-LEN@Allergies__c") == family("R-LONG")
    assert family("parent:R-TEXT-SURROGATE@Medical_Conditions__c") == "PARENT"
    assert family("R-NHS-DUP") != family("R-NHS")
