"""Formulas give the values that the documentation of each function says, and bad ones are refused in Setup's words."""

from __future__ import annotations

from typing import Any

import pytest
from engine_bench import Bench

from chartlift_sandbox.salesforce.formulas import FormulaError, compile_formula
from chartlift_sandbox.salesforce.rulebook import Automation, ValidationRule

TRUE = [
    "AND(TRUE, NOT(FALSE), 1 < 2)",
    'OR(FALSE, "a" = "a")',
    "TRUE && !FALSE || FALSE",
    'IF(1 > 2, "a", "b") = "b"',
    'CASE(3, 1, "one", 3, "three", "other") = "three"',
    'CASE(4, 1, "one", 3, "three", "other") = "other"',
    "1 + 2 * 3 = 7 && (1 + 2) * 3 = 9 && 2 ^ 3 = 8 && -2 + 1 = -1 && 7 / 2 = 3.5",
    'LEN("Ännchen") = 7 && LEFT("abcdef", 2) = "ab" && RIGHT("abcdef", 2) = "ef" && MID("abcdef", 2, 3) = "bcd"',
    'LEFT("abc", -1) = "" && MID("abc", 9, 3) = ""',
    'CONTAINS("abc", "b") && BEGINS("abc", "ab") && NOT(BEGINS("abc", "b"))',
    'REGEX("AB12", "[A-Z]{2}[0-9]{2}") && NOT(REGEX("xAB12", "[A-Z]{2}[0-9]{2}"))',
    'TEXT(12) = "12" && TEXT(1.5) = "1.5" && VALUE("12.5") = 12.5 && ISNUMBER("4") && NOT(ISNUMBER("x"))',
    "DATE(2024, 2, 29) - DATE(2024, 2, 1) = 28 && DATE(2024, 2, 28) + 2 = DATE(2024, 3, 1)",
    "YEAR(DATE(2024, 2, 29)) = 2024 && MONTH(DATE(2024, 2, 29)) = 2 && DAY(DATE(2024, 2, 29)) = 29",
    'ISBLANK(DATE(2023, 2, 29)) && DATEVALUE("2024-05-06") = DATE(2024, 5, 6)',
    "TODAY() >= DATE(2020, 1, 1) && NOW() - NOW() = 0",
    'ISBLANK("") && NOT(ISNULL("")) && ISBLANK(NULL)',
    'BLANKVALUE("", "x") = "x" && "a" & "b" = "ab" && TRIM("  a ") = "a" && UPPER("a") = "A"',
    'SUBSTITUTE("a-b", "-", "+") = "a+b" && FIND("c", "abc") = 3 && LPAD("7", 3, "0") = "007"',
    "ABS(-3) = 3 && ROUND(2.345, 2) = 2.35 && FLOOR(-1.5) = -2 && CEILING(1.2) = 2 && MOD(-7, 3) = 2 && MAX(1, 3) = 3",
    "ISBLANK(1 / 0) && NOT(1 / 0 > 1)",
    "ADDMONTHS(DATE(2024, 1, 31), 1) = DATE(2024, 2, 29) && WEEKDAY(DATE(2024, 1, 7)) = 1",
    'ISBLANK(Units__c) && ISPICKVAL(Status__c, "Booked") && INCLUDES(Surfaces__c, "O") && Paid__c',
    'TEXT(Status__c) = "Booked" && CASE(Status__c, "Booked", 1, 0) = 1',
    'Contact__r.LastName = "Parent" && NOT(ISBLANK(Contact__r.Owner.Email)) && Owner.LastName = $User.LastName',
    '$Profile.Name = "Integration Administrator" && NOT($Permission.Nothing)',
    "ISNEW() && NOT(ISCHANGED(Note__c)) && PRIORVALUE(Note__c) = Note__c /* nothing before */",
    '"it\'s" = \'it\\\'s\' && "a\\"b" = \'a"b\'',
]  # fmt: skip
REFUSED = {
    "Nope__c = 1": "Field Nope__c does not exist. Check spelling.",
    "Contact__r.Nope = 1": "Field Contact__r.Nope does not exist. Check spelling.",
    '$Setup.X = "1"': "Field $Setup.X does not exist. Check spelling.",
    'Status__c = "Booked"': (
        "Field Status__c is a picklist field. Picklist fields are only supported in certain functions."
    ),
    "LEN(1) > 2": "Incorrect parameter type for function 'LEN()'. Expected Text, received Number",
    "LEN() > 2": "Incorrect number of parameters for function 'LEN()'. Expected 1, received 0",
    "1 + 1": "Formula result is data type (Number), incompatible with expected data type (true or false).",
    "FOO(1)": "Unknown function FOO. Check spelling.",
    'LEN("a"': "Syntax error. Missing ')'",
    "1 ++": "Syntax error.  Found end of formula",
    "1 = 1 ; 2": "Syntax error.  Found ';'",
    "TRUE && 1": "Incorrect parameter type for operator 'AND'. Expected Boolean, received Number",
    'VLOOKUP("a")': "Function VLOOKUP is not supported in validation rules here.",
    "!" * 3_000 + "TRUE": "Formula is nested too deeply",
    "1 = 1" + " " * 4_000: "Formula is too long (4,005 characters). Maximum length is 3,900 characters.",
}


def broken(bench: Bench, formula: str, **values: Any) -> bool:
    """Whether a rule of that formula refuses a new visit."""
    bench.org.rules.validation.clear()
    bench.org.rules.load(
        {"validation": [{"object_name": "Visit__c", "condition": "", "message": "m", "formula": formula}]}
    )
    row = bench.dml("insert", "Visit__c", [values])[0]
    assert row["success"] or row["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION", row
    return not row["success"]


@pytest.mark.parametrize("formula", TRUE)
def test_a_true_formula_refuses_and_its_opposite_does_not(fresh: Bench, formula: str) -> None:
    parent = fresh.insert("Contact", LastName="Parent")
    values = {"Contact__c": parent, "Surfaces__c": "M;O", "Note__c": "n"}
    assert broken(fresh, formula, **values)
    assert not broken(fresh, f"NOT({formula})", **values)


@pytest.mark.parametrize("formula", REFUSED)
def test_a_bad_formula_is_refused_in_words(bench: Bench, formula: str) -> None:
    schema = bench.org.schema
    with pytest.raises(FormulaError) as refused:
        compile_formula(schema, schema.objects["Visit__c"], formula)
    assert str(refused.value) == REFUSED[formula]


def test_values_out_of_reach_break_nothing(fresh: Bench) -> None:
    for formula in (
        "TODAY() + 10 ^ 30 < TODAY()", "DATE(10 ^ 12, 1, 1) > TODAY()", 'LEN(LPAD("a", 10 ^ 12)) > 5000',
        'MID("abc", 10 ^ 12, 10 ^ 12) = "x"', "ADDMONTHS(TODAY(), 10 ^ 9) < TODAY()", "SQRT(-1) > 0",
        "NOW() + 10 ^ 30 < NOW()", "ROUND(1.5, 10 ^ 12) = 7",
    ):  # fmt: skip
        assert not broken(fresh, formula, Note__c="n")


def test_a_percent_is_a_fraction_to_a_formula(fresh: Bench) -> None:
    fresh.org.rules.validation.append(ValidationRule("Opportunity", "", "No", "", "R", "Probability > 0.5"))
    words = (("field", "Probability"), ("value", "Probability + 0.1"))
    fresh.org.rules.automations.append(Automation("Opportunity", "A", "before_save", "set_field", words))
    deal = {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-01-01"}
    done = fresh.dml("insert", "Opportunity", [deal | {"Probability": one} for one in ("30", "60")])
    assert [row["success"] for row in done] == [True, False]
    assert round(fresh.one("Opportunity", done[0]["id"])["Probability"], 6) == 40
