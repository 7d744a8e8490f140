"""Rates of defects: as told, for every class, and nothing of a class whose rate is nought."""

import re
from pathlib import Path
from typing import Any

import pytest

from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.generator.appointment_cases import CAST as VISITS
from chartlift_sandbox.generator.billing import CAST as INVOICES
from chartlift_sandbox.generator.documents import CAST as DOCUMENTS
from chartlift_sandbox.generator.notes import CAST as NOTES
from chartlift_sandbox.generator.patient_catalogue import CAST as PATIENTS
from chartlift_sandbox.generator.rates import UNIT, Rates, RatesError, default_rates, read_rates
from chartlift_sandbox.generator.treatments import CAST as TREATMENTS
from chartlift_sandbox.generator.treatments import COURSE_CAST

NOT_A_RATE = [
    "patient", "patient=3", "patient.merged", "patient.nobody knows=3", "nothing.merged=3", "patient.merged=-1",
    "patient.merged=1.5", "patient.merged=100001", "patient.merged=50000", "patient.merged=often",
]  # fmt: skip


def test_the_file_names_every_class_and_no_other() -> None:
    tables = default_rates().tables
    assert set(tables["patient"]) == {case.name for case in PATIENTS}
    assert set(tables["appointment"]) == {case.name for case in VISITS}
    for cast in (INVOICES, DOCUMENTS, NOTES, TREATMENTS, COURSE_CAST):
        assert set(tables[cast.entity]) == {case.name for case in (*cast.cases, *cast.common)}


def test_nothing_is_planted_where_every_rate_is_nought(still_clock: Any) -> None:
    clean = read_rates(None, [f"{table}.*=0" for table in default_rates().tables])
    truth = Clinic(700, 7, still_clock, clean).truth()
    assert {row["rule"] for row in truth} <= {"R-USER-EMAIL", "R-GUARDIAN", "R-STATE-TIME", "R-REBUILD", "R-CAREPLAN",
                                             "R-DECEASED", "R-PLAN", "R-DT", "R-REF", "R-MONEY", "R-LEN"}  # fmt: skip
    casts = {"patient", "treatment", "coursesOfTreatment", "clinicalNote", "document", "invoice"}
    left = [row for row in truth if row["entity"] in casts and row["rule"] not in {"R-GUARDIAN", "R-DECEASED"}]
    assert left == []


def test_one_class_alone_comes_as_often_as_told(still_clock: Any) -> None:
    words = [f"{table}.*=0" for table in default_rates().tables] + ["patient.phone is a remark=10000"]
    truth = Clinic(3000, 7, still_clock, read_rates(None, words)).truth()
    struck = [row for row in truth if row["rule"] == "R-PHONE"]
    assert 250 < len(struck) < 350
    assert {row["note"] for row in struck} == {"phone is a remark"}


def test_the_shipped_rates_are_met(still_clock: Any) -> None:
    truth = Clinic(6000, 11, still_clock).truth()
    for rule, rate in {"R-PHONE": 3000 + 300, "R-NHS": 2000, "R-POSTCODE": 2000, "R-EMAIL": 1500}.items():
        found = sum(row["entity"] == "patient" and row["rule"] == rule for row in truth)
        assert 0.7 * rate < found * UNIT / 6000 < 1.5 * rate + 300, (rule, found)


def test_a_file_replaces_what_it_mentions_and_words_come_last(tmp_path: Path) -> None:
    path = tmp_path / "few.toml"
    path.write_text('[patient]\n"*" = 7\nmerged = 0\n[document]\n"CON" = "once"\n'.replace('"CON"', '"type lies"'))
    rates = read_rates(path, ["patient.twins=70"])
    assert (rates.of("patient", "no birth date"), rates.of("patient", "twins")) == (7, 70)
    assert (rates.shown("patient", "merged"), rates.shown("document", "type lies")) == (False, True)
    assert rates.of("document", "type lies") == 0
    assert rates.tables["invoice"] == default_rates().tables["invoice"]


@pytest.mark.parametrize("word", NOT_A_RATE)
def test_what_is_no_rate_is_refused(word: str) -> None:
    with pytest.raises(RatesError, match=re.escape(word.split(".", maxsplit=1)[0].split("=", maxsplit=1)[0])):
        read_rates(None, [word])


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("patient = [", encoding="utf-8")
    for one in (path, tmp_path / "missing.toml"):
        with pytest.raises(RatesError, match=one.name):
            read_rates(one)


def test_an_empty_table_draws_nothing(still_clock: Any) -> None:
    rates = Rates({table: {} for table in default_rates().tables})
    assert not any(row["rule"] == "R-DUP" for row in Clinic(200, 3, still_clock, rates).truth())
