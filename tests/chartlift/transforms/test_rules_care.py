"""The rules of treatments, notes, documents and invoices, value by value. Each line holds for macro and reference."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from pair_dice import assert_rule

from chartlift import transforms

SENT = None
HASH = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"
OURS, OTHER = "5500123", "5500124"
WORK = ["90233112", "90233113", "100000000"]
ONE_LINE = [["1"], ["76.60"], ["0.00"], ["76.60"]]
TWO_LINES = [["1", "2"], ["76.60", "10.00"], ["0.00", "5.00"], ["76.60", "15.00"]]
VISIT = [
    [OURS, OURS, OURS],
    ["COMPLETED", "Completed", "PLANNED"],
    ["76.60", "20.00", "100.00"],
    ["0.00", "5.50", None],
]
RTF = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Pt well.\par Caf\'e9 \u8364?5 \u-10179?\u-8704?\par}"

RULES: list[tuple[str, list[Any], str | None, str | None]] = [
    # teeth: FDI as it is, Palmer and universal to FDI, nothing guessed
    ("tooth", [["36", "FDI", None]], "36", SENT),
    ("tooth", [["UR6", "PALMER", None]], "16", SENT),
    ("tooth", [["lle", "Palmer", ""]], "75", SENT),
    ("tooth", [["ura", "PALMER", None]], "51", SENT),
    ("tooth", [["UL9", "PALMER", None]], None, "R-TOOTH"),
    ("tooth", [["99", "FDI", None]], None, "R-TOOTH"),
    ("tooth", [["1", "UNIVERSAL", None]], "18", SENT),
    ("tooth", [["16", "UNIVERSAL", None]], "28", SENT),
    ("tooth", [["17", "UNIVERSAL", None]], "38", SENT),
    ("tooth", [["32", "UNIVERSAL", None]], "48", SENT),
    ("tooth", [["A", "UNIVERSAL", None]], "55", SENT),
    ("tooth", [["T", "UNIVERSAL", None]], "85", SENT),
    ("tooth", [["36", None, None]], None, "R-TOOTH"),
    ("tooth", [["UR6", "", "UR"]], None, "R-TOOTH"),
    ("tooth", [["UR6", "FDI", None]], None, "R-TOOTH"),
    ("tooth", [["36, 37", "FDI", None]], "36,37", SENT),
    ("tooth", [["36 & 37", "FDI", None]], "36,37", SENT),
    ("tooth", [["UR1-UR3", "PALMER", None]], "11,12,13", SENT),
    ("tooth", [["UR1 \u2013 3", "PALMER", None]], "11,12,13", SENT),
    ("tooth", [["UR1-UL1", "PALMER", None]], None, "R-TOOTH"),
    ("tooth", [["11-17", "FDI", None]], "11,12,13,14,15,16,17", SENT),
    ("tooth", [["11-18", "FDI", None]], None, "R-TOOTH"),
    ("tooth", [["fm", "FDI", None]], "FM", SENT),
    ("tooth", [["U/A", "PALMER", None]], "U/A", SENT),
    ("tooth", [["6", "PALMER", "UR"]], "16", SENT),
    ("tooth", [["36", "FDI", "LL"]], "36", SENT),
    ("tooth", [["36", "FDI", "UR"]], "36", "R-TOOTH-QUADRANT"),
    ("tooth", [[None, None, "ll"]], "LL", SENT),
    ("tooth", [["", "FDI", "Q4"]], "Q4", SENT),
    ("tooth", [[None, None, "upper"]], None, "R-TOOTH"),
    ("tooth", [[" ", "FDI", None]], None, SENT),
    ("source_tooth", [["36", "FDI"]], "36 FDI", SENT),
    ("source_tooth", [[" ur6 ", None]], "ur6", SENT),
    ("source_tooth", [[None, "FDI"]], None, SENT),
    ("surfaces", ["MOD"], "MOD", SENT),
    ("surfaces", ["lab"], "LAB", SENT),
    ("surfaces", ["dom"], "DOM", SENT),
    ("surfaces", ["M O"], None, "R-SURF"),
    ("surfaces", ["MOX"], None, "R-SURF"),
    # numbers
    ("quantity", ["2.0"], "2", SENT),
    ("quantity", ["1.125"], None, "R-NUMBER-DECIMALS"),
    ("quantity", ["1000000"], None, "R-NUMBER"),
    ("quantity", ["two"], None, "R-NUMBER"),
    ("uda", ["5.0", None, "410077", "90233112", WORK, "2b", "2025-06-02"], "5", SENT),
    ("uda", ["5.0", "5.0", "410077", "90233113", WORK, "2b", "2025-06-02"], None, SENT),
    ("uda", ["5.0", None, "410077", "100000000", WORK[1:], "2b", None], None, SENT),
    ("uda", [None, "1.0", None, "90233112", None, "1", None], "1", SENT),
    ("uda", ["3", None, "410077", "90233112", WORK, "2", "2022-11-24"], "3", SENT),
    ("uda", ["3", None, "410077", "90233112", WORK, "2", "2022-11-25"], "3", "R-UDA"),
    ("uda", ["3", None, "410077", "90233112", WORK, "2a", "2022-11-24"], "3", "R-UDA"),
    ("uda", ["7", None, "410077", "90233112", WORK, "2C", "2025-06-02"], "7", SENT),
    ("uda", ["1.2", None, "410077", "90233112", WORK, "urgent", "2025-06-02"], "1.2", SENT),
    ("uda", ["12", None, "410077", "90233112", WORK, None, None], "12", SENT),
    ("uda", ["10000", None, "410077", "90233112", WORK, "3", None], None, "R-NUMBER"),
    # codes
    ("code_text", ["crwnp "], "CRWNP", SENT),
    ("code_text", ["1421"], "1421", SENT),
    ("currency", ["gbp"], "GBP", SENT),
    ("same_patient", ["70010009", OURS, OTHER], None, "R-REF"),
    ("same_patient", ["70010009", OURS, OURS], "70010009", SENT),
    # documents
    ("file_name", ["consent-crown-36.pdf"], "consent-crown-36.pdf", SENT),
    ("file_name", ["  a.pdf\r\n"], "a.pdf", SENT),
    ("file_name", ["a/b:c?.pdf"], "a_b_c_.pdf", "R-FILENAME"),
    ("file_name", ["x-ray. ."], "x-ray", "R-FILENAME"),
    ("file_name", ["a\x00b.pdf"], "a_b.pdf", "R-FILENAME"),
    ("file_name", ["e\u0301.pdf"], "é.pdf", SENT),
    ("file_name", ["x" * 300 + ".jpeg"], "x" * 250 + ".jpeg", "R-FILENAME"),
    ("file_name", ["😀" * 130 + ".pdf"], "😀" * 125 + ".pdf", "R-FILENAME"),
    ("file_name", ["half \ufdd0d83d.pdf"], None, "R-TEXT-SURROGATE"),
    ("file_type", ["Scan.PDF", "application/pdf"], "pdf", SENT),
    ("file_type", ["scan", "image/jpeg"], "jpg", SENT),
    ("file_type", ["scan.jpeg", "image/jpeg"], "jpeg", SENT),
    ("file_type", ["scan.pdf", "image/jpeg"], "pdf", "R-MIME"),
    ("file_type", [None, "application/octet-stream"], None, SENT),
    ("file_type", [".htaccess", "text/plain; charset=utf-8"], "txt", SENT),
    ("hex_sha256", [HASH.upper()], HASH, SENT),
    ("hex_sha256", [HASH[:-1]], None, "R-HASH"),
    # invoices
    ("invoice_total", ["76.60", "0.00", "31.10", "45.50", *ONE_LINE], "76.6", SENT),
    ("invoice_total", ["91.60", "0.00", "0.00", "91.60", *TWO_LINES], "91.6", SENT),
    ("invoice_total", ["96.60", "0.00", "0.00", "96.60", *TWO_LINES], "96.6", SENT),
    ("invoice_total", ["81.60", "10.00", "0.00", "81.60", *TWO_LINES], "81.6", SENT),
    ("invoice_total", ["91.61", "0.00", "0.00", "91.60", *TWO_LINES], "91.61", SENT),
    ("invoice_total", ["91.62", "0.00", "0.00", "91.60", *TWO_LINES], "91.62", "R-BAL"),
    ("invoice_total", ["-76.60", "0.00", "0.00", "0.00", *ONE_LINE], "-76.6", "R-MONEY-CREDIT"),
    ("invoice_total", ["76.60", "0.00", "0.00", "0.00", None, None, None, None], "76.6", SENT),
    ("invoice_total", ["76.605", "0.00", "0.00", "0.00", *ONE_LINE], None, "R-MONEY-DECIMALS"),
    ("invoice_total", ["76.60", "free", "0.00", "0.00", *ONE_LINE], None, "R-MONEY"),
    ("invoice_total", ["76.60", "0.00", "0.00", "0.00", ["x"], *ONE_LINE[1:]], None, "R-NUMBER"),
    ("invoice_total", ["76.60", "0.00", "0.00", "0.00", *ONE_LINE[:3], ["76.601"]], None, "R-MONEY-DECIMALS"),
    ("invoice_total", [None, "0.00", "0.00", "0.00", *ONE_LINE], None, SENT),
    ("amount_due", ["45.50", "76.60", "31.10", "PART_PAID"], "45.5", SENT),
    ("amount_due", ["45.50", "76.60", "30.00", "PART_PAID"], "45.5", "R-BAL"),
    ("amount_due", ["0.00", "76.60", "0.00", "Written off"], "0", SENT),
    ("amount_due", [None, "76.60", "31.10", "PART_PAID"], "45.5", SENT),
    ("amount_due", ["", "76.60", None, "UNPAID"], "76.6", SENT),
    ("amount_due", [None, None, "31.10", "UNPAID"], None, SENT),
    ("amount_due", [None, "76.60", "?", "UNPAID"], None, "R-MONEY"),
    (
        "line_items",
        [["Composite filling 36 MOD", "Hygienist "], ["1", "2.0"], ["76.60", "30.00"]],
        "Composite filling 36 MOD x 1 = 76.60\nHygienist x 2 = 30.00",
        SENT,
    ),
    ("line_items", [["Toothbrush", None], [None, "1"], ["4.50", None]], "Toothbrush = 4.50\nx 1", SENT),
    ("line_items", [["Toothbrush"], ["2"], ["£1,000.00"]], "Toothbrush x 2 = 1000.00", SENT),
    ("line_items", [None, None, None], None, SENT),
    # what a visit costs
    ("visit_cost", ["120.00", OURS, *VISIT], "120", SENT),
    ("visit_cost", [None, OURS, *VISIT], "91.1", SENT),
    ("visit_cost", [None, OTHER, *VISIT], None, SENT),
    ("visit_cost", [None, OURS, None, None, None, None], None, SENT),
    ("visit_cost", [None, OURS, [OURS], ["COMPLETED"], ["lots"], [None]], None, "R-MONEY"),
    ("visit_cost", [None, OURS, [OURS], ["COMPLETED"], [None], ["5.00"]], None, SENT),
    ("cost_derived", [None, OURS, *VISIT], "true", SENT),
    ("cost_derived", ["120.00", OURS, *VISIT], "false", SENT),
    ("cost_derived", [None, OTHER, *VISIT], "false", SENT),
    # notes
    ("note_text", ["Pt attended \u2026\r\nBPE <4 ", "PLAIN"], "Pt attended \u2026\nBPE <4", SENT),
    ("note_text", [" \r\n", "PLAIN"], None, SENT),
    ("note_text", ["a\x00b", None], "ab", "R-TEXT-CONTROL"),
    ("note_text", ["half \ufdd0d83d", "HTML"], None, "R-TEXT-SURROGATE"),
    ("note_text", ["<p>Pt &amp; mother</p>", "PLAIN"], "<p>Pt &amp; mother</p>", "R-TEXT-MARKUP"),
    ("note_text", ["<p>Pt &amp; mother</p><p>well</p>", "HTML"], "Pt & mother\nwell", "R-TEXT-HTML"),
    ("note_text", ["no tags,\ntwo lines", "HTML"], "no tags,\ntwo lines", SENT),
    ("note_text", [RTF, "RTF"], "Pt well.\nCafé €5 😀", "R-TEXT-RTF"),
    ("note_text", [RTF, None], RTF, "R-TEXT-MARKUP"),
    ("note_text", ["plain after all", "RTF"], "plain after all", "R-TEXT-MARKUP"),
]


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    transforms.install(connection)
    return connection


@pytest.mark.parametrize(("name", "given", "value", "note"), RULES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(RULES)])
def test_rule(name: str, given: list[Any], value: str | None, note: str | None, sql: duckdb.DuckDBPyConnection) -> None:
    assert_rule(sql, name, transforms.load()[name].reference, given, (value, note))


def test_a_currency_outside_the_value_map_has_its_own_finding() -> None:
    assert transforms.load()["currency"].unmapped == "R-CUR"
    assert transforms.load()["label"].unmapped == "R-PICK"
    assert {"R-CUR", "R-PICK", "R-PLAN", "R-USER-EMAIL", "R-LONG"} <= set(transforms.findings())
