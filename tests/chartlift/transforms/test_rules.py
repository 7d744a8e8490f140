"""The rules value by value: what decisions say, in the words of a table. Each line holds for macro and reference."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pair_dice import assert_rule

from chartlift import transforms

TODAY = date(2026, 11, 25)
LONDON, DUBLIN = "Europe/London", "Europe/Dublin"
PENICILLIN = (
    '{"medicalItemId":1,"substance":"Penicillin","reaction":"Rash","severity":"MODERATE",'
    '"recordedAt":"2019-03-01T00:00:00Z","active":true}'
)
GONE = PENICILLIN.replace("Penicillin", "Latex").replace('"active":true', '"active":false')
SUMMER = '{"medicalItemId":2,"substance":"Nuts","recordedAt":"2019-06-30T23:30:00Z"}'
UNDATED = '{"medicalItemId":0,"substance":"Eggs"}'

SENT = None
RULES: list[tuple[str, list[Any], str | None, str | None]] = [
    # text: line ends, composition, ends, controls, halves of characters
    ("text", ["a\r\nb"], "a\nb", SENT),
    ("text", ["e\u0301"], "é", SENT),
    ("text", ["\u00a0 x \u2003"], "x", SENT),
    ("text", [" \u00a0 "], None, SENT),
    ("text", ["a\x00b\rc"], "abc", "R-TEXT-CONTROL"),
    ("text", ["a\tb"], "a\tb", SENT),
    ("text", ["Ã©"], "Ã©", "R-TEXT-MOJIBAKE"),
    ("text", ["ÁÃO"], "ÁÃO", SENT),
    ("text", ["half \ufdd0d83d"], None, "R-TEXT-SURROGATE"),
    ("text", ["#N/A"], "#N/A", SENT),
    ("text", ["=cmd()"], "=cmd()", SENT),
    ("join_lines", [["1 High St", " "]], "1 High St", SENT),
    ("join_lines", [["1 High St ", "Flat 2"]], "1 High St\nFlat 2", SENT),
    ("first", [["", "5500123"]], "5500123", SENT),
    # checkboxes
    ("boolean", [None], "false", SENT),
    ("boolean", ["12"], None, "R-BOOL"),
    ("opt_out", ["true", "ACTIVE", None], "false", SENT),
    ("opt_out", [None, "ACTIVE", None], "true", "R-CONSENT"),
    ("opt_out", ["true", "DECEASED", None], "true", SENT),
    ("opt_out", ["true", "ACTIVE", "2020-01-01"], "true", SENT),
    ("opt_out", ["perhaps", "ACTIVE", None], None, "R-CONSENT-UNREADABLE"),
    ("consent", ["true", "2024-05-01T10:11:12Z", "ACTIVE", None], "true", SENT),
    ("consent", ["true", None, "ACTIVE", None], None, "R-CONSENT-DATE"),
    ("consent", ["true", "2024-05-01T10:11:12Z", "DECEASED", None], "false", SENT),
    ("consent", [None, None, "ACTIVE", None], "false", "R-CONSENT"),
    # days
    ("date", ["29/02/2024"], "2024-02-29", SENT),
    ("date", ["31/02/2024"], None, "R-DT"),
    ("date", ["1949-12-31"], None, "R-DT-RANGE"),
    ("date", ["2036-11-25"], "2036-11-25", SENT),
    ("date", ["2036-11-26"], None, "R-DT-RANGE"),
    ("birth_date", ["1970-01-01"], "1970-01-01", "R-DOB-EPOCH"),
    ("birth_date", ["01/01/1900"], None, "R-DOB-SENTINEL"),
    ("birth_date", ["1900-01-02"], "1900-01-02", SENT),
    ("birth_date", ["2026-11-26"], None, "R-DOB-RANGE"),
    ("birth_date", ["0000-00-00"], None, "R-DOB"),
    # moments
    ("instant", ["2014-06-01T10:00:00Z"], "2014-06-01T10:00:00.000Z", SENT),
    ("instant", ["2014-06-01T10:00:00+01:00"], "2014-06-01T09:00:00.000Z", SENT),
    ("instant", ["2014-06-01T10:00:00.5Z"], "2014-06-01T10:00:00.000Z", "R-DT-FRACTION"),
    ("instant", ["2014-06-01T10:00:00"], None, "R-DT-ZONE"),
    ("instant", ["2014-06-01"], None, "R-DT"),
    ("local_time", ["2025-10-14T09:20:00", LONDON], "2025-10-14T08:20:00.000Z", SENT),
    ("local_time", ["2025-12-14T09:20:00", DUBLIN], "2025-12-14T09:20:00.000Z", SENT),
    ("local_time", ["2025-03-30T01:30:00", LONDON], "2025-03-30T01:30:00.000Z", "R-DT-GAP"),
    ("local_time", ["2025-10-26T01:30:00", LONDON], "2025-10-26T00:30:00.000Z", "R-DT-OVERLAP"),
    ("local_time", ["2025-10-26T02:00:00", DUBLIN], "2025-10-26T02:00:00.000Z", SENT),
    ("local_time", ["1970-01-15T09:00:00", LONDON], "1970-01-15T08:00:00.000Z", SENT),
    ("local_time", ["2025-10-14T09:20:00", None], "2025-10-14T08:20:00.000Z", "R-DT-ZONE"),
    ("local_time", ["tomorrow", LONDON], None, "R-DT"),
    ("local_time", ["2025-07-14T09:20:00Z", LONDON], "2025-07-14T09:20:00.000Z", SENT),
    # numbers
    ("integer", ["15.0"], "15", SENT),
    ("integer", ["15.5"], None, "R-NUMBER"),
    ("minutes", ["1441"], None, "R-DURATION"),
    ("money", ["76.60"], "76.6", SENT),
    ("money", ["0.30000000000000004"], "0.3", SENT),
    ("money", ["12.345"], None, "R-MONEY-DECIMALS"),
    ("money", ["£1,234.50"], "1234.5", "R-MONEY-FORMAT"),
    ("money", ["(45.00)"], "-45", "R-MONEY-FORMAT"),
    ("money", ["1.234,50"], None, "R-MONEY"),
    ("money", ["-0"], "0", SENT),
    ("money", ["1e400"], None, "R-MONEY"),
    # health numbers
    ("nhs_number", ["999 000 0018"], "9990000018", SENT),
    ("nhs_number", ["943-476-5919"], "9434765919", SENT),
    ("nhs_number", ["943 476 5918"], None, "R-NHS"),
    ("nhs_number", ["0101011234"], None, "R-NHS"),
    ("nhs_number", ["101011008"], "0101011008", "R-NHS-PADDED"),
    ("nhs_number", ["1111111111"], None, "R-NHS-REPEATED"),
    ("nhs_number", ["6433435F"], None, "R-NHS"),
    ("health_number_type", [None, "9990000018"], "NHS", SENT),
    ("health_number_type", ["CHI", "9990000018"], "CHI", "R-NHS-RANGE"),
    ("health_number_type", ["NHS", "9434765918"], None, "R-NHS"),
    ("health_number_type", ["NHS", None], None, SENT),
    # addresses
    ("postcode", ["bt71sh", "GB"], "BT7 1SH", SENT),
    ("postcode", ["BT1", "GB"], "BT1", "R-POSTCODE"),
    ("postcode", ["d02x285", "IE"], "D02 X285", SENT),
    ("postcode", ["Dublin 4", "IE"], "Dublin 4", "R-POSTCODE"),
    ("postcode", ["00-950", "PL"], "00-950", SENT),
    ("country", ["GB"], "United Kingdom", SENT),
    ("country", ["pol"], "Poland", SENT),
    ("country", ["Northumbria"], "Northumbria", "R-COUNTRY"),
    ("email", ["Pat.Doe@Example.org "], "pat.doe@example.org", SENT),
    ("email", ["pat@exämple.org"], None, "R-EMAIL"),
    ("email", ["pat@home"], None, "R-EMAIL"),
    ("phone", ["07911 123456", "GB", ""], "+447911123456", SENT),
    ("phone", ["07700 900123", "GB", ""], "+447700900123", "R-PHONE-NOT-VALID"),
    ("phone", ["048 9024 0000", "IE", ""], "+442890240000", SENT),
    ("phone", ["028 9024 0000 ext 12", "GB", ""], "+442890240000 x12", SENT),
    ("phone", ["087 123 4567", "", "IE"], "+353871234567", SENT),
    ("phone", ["n/a", "GB", ""], None, "R-PHONE"),
    # codes
    ("label", ["CONSENT_FORM"], "Consent Form", SENT),
    ("blood_type", ["0 pos"], "O+", SENT),
    ("blood_type", ["C"], None, "R-PICK"),
    ("insurance_policy", ["DP-1", None], "DP-1", "R-INSURANCE"),
    (
        "next_of_kin",
        [["Pat O\u2019Neill", "Spouse", "07700 900124"], "GB", None],
        "Pat O\u2019Neill; Spouse; +447700900124",
        SENT,
    ),
    ("next_of_kin", [["Pat", None, "next door"], "GB", None], "Pat; next door", "R-PHONE-RAW"),
    # medical history
    ("alert_text", ["x" * 255], "x" * 255, SENT),
    ("alert_text", ["é" * 256], None, "R-LEN-ALERT"),
    (
        "allergy_lines",
        [[f"[{PENICILLIN}]", "false"], LONDON],
        "Penicillin — Rash — MODERATE — recorded 2019-03-01",
        SENT,
    ),
    ("allergy_lines", [["[]", "true"], LONDON], "No known allergies", SENT),
    ("allergy_lines", [[None, "false"], LONDON], None, SENT),
    ("allergy_lines", [[f"[{PENICILLIN}]", "true"], LONDON], None, "R-NKA"),
    ("allergy_lines", [['[{"reaction":"Rash"}]', "false"], LONDON], None, "R-REQ"),
    ("allergy_lines", [['["Penicillin"]', None], LONDON], None, "R-JSON"),
    (
        "allergy_lines",
        [[f"[{GONE}]", "true"], LONDON],
        "No known allergies\nInactive:\nLatex — Rash — MODERATE — recorded 2019-03-01",
        SENT,
    ),
    (
        "allergy_lines",
        [[f"[{UNDATED},{SUMMER},{GONE},{PENICILLIN}]", "false"], LONDON],
        (
            "Penicillin — Rash — MODERATE — recorded 2019-03-01\nNuts — recorded 2019-07-01\nEggs\n"
            "Inactive:\nLatex — Rash — MODERATE — recorded 2019-03-01"
        ),
        SENT,
    ),
    (
        "condition_lines",
        [
            [
                "DIABETIC",
                '[{"medicalItemId":2,"name":"Type 2 diabetes","since":"2015","notes":null,"active":true}]',
                "[]",
            ]
        ],
        "Type 2 diabetes — 2015",
        SENT,
    ),
    (
        "condition_lines",
        [["a" * 256, None, '[{"name":"Metformin","dose":"500 mg","since":"2016"}]']],
        f"ALERT: {'a' * 256}\nMedications:\nMetformin — 500 mg — 2016",
        SENT,
    ),
]


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    transforms.install(connection, today=TODAY)
    return connection


@pytest.mark.parametrize(("name", "given", "value", "note"), RULES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(RULES)])
def test_rule(name: str, given: list[Any], value: str | None, note: str | None, sql: duckdb.DuckDBPyConnection) -> None:
    reference = transforms.load()[name].reference
    if name in {"date", "birth_date", "instant", "local_time", "allergy_lines"}:
        reference = partial(reference, today=TODAY)
    assert_rule(sql, name, reference, given, (value, note))


def test_every_transform_has_a_rule() -> None:
    written = "".join(path.read_text() for path in Path(__file__).parent.glob("test_rules*.py"))
    assert {name for name in transforms.load() if not re.search(rf'\(\s*"{name}",', written)} == set()


def test_every_finding_can_be_said_to_a_person() -> None:
    for transform in transforms.load().values():
        for code, text in transform.findings.items():
            assert code.startswith("R-")
            assert len(text) >= 10
            assert code in transforms.findings()
