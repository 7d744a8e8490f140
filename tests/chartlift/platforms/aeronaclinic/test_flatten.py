from __future__ import annotations

import json
from collections import Counter

import duckdb
import pytest

from chartlift.model.source import LONE_SURROGATE
from chartlift.platforms.aeronaclinic import flatten
from chartlift.platforms.aeronaclinic.errors import BadAnswer
from chartlift.platforms.aeronaclinic.profile import load
from chartlift.platforms.aeronaclinic.wire import compact, parse

PATIENT = load().entities["patient"]
APPOINTMENT = load().entities["appointment"]


def test_cells_are_text_as_received() -> None:
    record = parse(
        b'{"patientId": 5500123, "balance": 45.50, "email": "", "allowSms": true, "title": null, "lastName":'
        b' "O\\u2019Neill", "allergies": [{"medicalItemId": 1, "dose": 1.50}], "medications": []}'
    )
    row = flatten.table(PATIENT, [record], Counter()).to_pylist()[0]
    expected = {
        "patientId": "5500123", "balance": "45.50", "email": "", "allowSms": "true", "title": None,
        "lastName": "O\u2019Neill", "allergies": '[{"medicalItemId":1,"dose":1.50}]', "medications": "[]",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["county"] is None
    assert '"balance":45.50' in row["_raw"]


def test_keys_the_profile_does_not_know_stay_in_raw_and_are_counted() -> None:
    problems: Counter[tuple[str, str]] = Counter()
    rows = [{"patientId": 1, "shoeSize": "44"}, {"patientId": 2, "shoeSize": "45", "Jane Doe": 1}]
    table = flatten.table(PATIENT, rows, problems)
    assert problems == {("S-UNMAPPED", "patient.shoeSize"): 2, ("S-UNMAPPED", "patient.(odd name)"): 1}
    assert json.loads(table["_raw"][0].as_py())["shoeSize"] == "44"
    assert "shoeSize" not in table.column_names


def test_half_a_character_is_marked_in_the_cell_and_kept_in_raw() -> None:
    problems: Counter[tuple[str, str]] = Counter()
    record = parse(b'{"patientId": 1, "lastName": "A\\ud83dB", "firstName": "\\ud83d\\ude00", "balance": 1.10}')
    table_ = flatten.table(PATIENT, [record], problems)
    row = table_.to_pylist()[0]
    assert row["lastName"] == f"A{LONE_SURROGATE}d83dB"
    assert row["firstName"] == "😀"
    assert "\\ud83d" in row["_raw"]
    assert '"balance":1.10' in row["_raw"]
    assert problems == {("R-TEXT", "patient.lastName"): 1}
    assert duckdb.sql('SELECT "firstName" FROM table_').fetchone() == ("😀",)


def test_half_a_character_inside_an_array_is_marked_so_that_the_array_stays_json() -> None:
    record = parse(b'{"patientId": 1, "allergies": [{"substance": "a\\udc00", "grade": 1.0, "note": "\\\\ud800"}]}')
    row = flatten.table(PATIENT, [record], Counter()).to_pylist()[0]
    assert json.loads(row["allergies"]) == [{"substance": f"a{LONE_SURROGATE}dc00", "grade": 1.0, "note": "\\ud800"}]
    assert '"grade":1.0' in row["allergies"]


def test_a_control_character_survives_the_way_into_the_database() -> None:
    table_ = flatten.table(PATIENT, [parse(b'{"patientId": 1, "lastName": "a\\u0000b"}')], Counter())
    assert table_.num_rows == 1
    assert duckdb.sql('SELECT "lastName" FROM table_').fetchone() == ("a\0b",)


def test_arrays_with_tables_of_their_own_are_not_kept_twice() -> None:
    table = flatten.table(PATIENT, [{"patientId": 1, "appointments": [1], "treatments": []}], Counter())
    assert table["_raw"][0].as_py() == '{"patientId":1}'


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"practiceId": 101, "practiceName": "Lagan"}, "PRA-101"),
        ({"practiceId": None, "practiceName": " Lagan  Dental-Care "}, "PRN-lagan-dental-care"),
        ({"practiceId": "", "practiceName": "LAGAN dental care"}, "PRN-lagan-dental-care"),
        ({"practiceId": None, "practiceName": "Clínica Dental"}, "PRN-clinica-dental"),
        ({"practiceName": "  "}, None),
        ({}, None),
    ],
)
def test_the_site_of_a_patient_is_an_id_else_a_folded_name(record: dict[str, object], key: str | None) -> None:
    assert flatten.site_key(record) == key


def test_slugs_tell_long_and_foreign_names_apart() -> None:
    names = ["歯科", "歯科 2", "A" * 60 + "x", "A" * 60 + "y", "Кабинет", "O'Neill", "A & B"]
    slugs = [flatten.slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(text and len(text) <= 40 and text.isascii() and text == text.lower() for text in slugs)
    assert flatten.slug("A \ud800") is not None


def test_groups_and_named_practices_come_once_each() -> None:
    practices = [
        {"practiceId": 1, "groupName": "Lagan Group"},
        {"practiceId": 2, "groupName": "LAGAN GROUP"},
        {"practiceId": 3},
    ]
    assert flatten.made("practice", practices) == (
        "practiceGroup",
        [{"groupSlug": "lagan-group", "name": "Lagan Group"}],
    )
    patients = [{"patientId": 1, "practiceId": 5, "practiceName": "X"}, {"patientId": 2, "practiceName": "Foyle"}]
    assert flatten.made("patient", patients) == ("practiceNamed", [{"nameSlug": "foyle", "name": "Foyle"}])
    assert flatten.made("appointment", []) is None


@pytest.mark.parametrize("token", ["45.50", "-0", "1e5", "123456789012345678901234567890", "18446744073709551616"])
def test_a_number_keeps_its_spelling_and_the_rows_beside_it_theirs(token: str) -> None:
    page = f'[{{"patientId": 1, "balance": {token}, "title": "a\\":b"}}, {{"patientId": 2, "allowSms": true}}]'
    table = flatten.table(PATIENT, parse(page.encode()), Counter())
    assert table["balance"].to_pylist() == [token, None]
    assert table["patientId"].to_pylist() == ["1", "2"]
    assert f'"balance":{token}' in table["_raw"][0].as_py()


def test_a_column_may_be_of_another_kind_on_the_next_page() -> None:
    pages = [[1, 2], ["x", 3], [None, None], [True, 1], [4, 5], [[1, {"a": None}], "y"], [2**70, -1], ["z", None]]
    for values in pages:
        records = [{"patientId": 1, "title": value} for value in values]
        assert flatten.table(PATIENT, records, Counter())["title"].to_pylist() == [flatten.cell(v) for v in values]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":1,"a":1}', b"[NaN]", b"[-Infinity]", b"\xff\xfe[\x00]\x00", b"[1] x"]
)
def test_json_that_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse(body)


@pytest.mark.parametrize("text", ['{"a":1.50,"b":[true,null,"é"],"c":{"d":-0}}', '{"a":"\\ud800","b":1e400}'])
def test_compact_gives_back_what_was_parsed(text: str) -> None:
    assert compact(parse(text.encode())) == text


def test_the_documented_fields_of_an_appointment_all_have_a_column() -> None:
    documented = {
        "practiceId", "userId", "appointmentTypeId", "appointmentStatusId", "appointmentTime", "duration", "patientId",
        "emergency", "appointmentNotes",
    }  # fmt: skip
    assert documented <= set(APPOINTMENT.keys)
