"""What `plain` calls canonical as it stands must be what the macros leave alone."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from chartlift.platforms.salesforce.canon import Canon
from chartlift.platforms.salesforce.plain import is_plain

KINDS = ("string", "email", "id", "reference", "boolean", "date", "datetime", "double", "int", "textarea", "picklist")
ODD = [
    *("", " ", " a", "a ", "a\nb", "a\tb", "é", "A@X.test", "a@x.test", "a\r\nb", "\x7f", "~", "e\u0301"),
    *("0", "00", "01", "-0", "-5", "5.", "5.0", "5.50", "1e3", "+4", "1234567890123456789", "123456789012345678"),
    *("true", "false", "True", "yes", "1", "2026-11-26", "2026-11-26T00:00:00Z", "2026-11-26 00:00:00", "26/11/2026"),
    *(
        "2026-11-26T01:02:03.000Z",
        "2026-11-26 01:02:03.000Z",
        "2026-11-26T01:02:03.000+0000",
        "2026-99-26T01:02:03.000Z",
    ),
    *(
        "2026-11-26T01:02:03,000Z",
        "2026-11-26T01:02:03.00Z",
        "0035g00000AbCdE",
        "0035g00000AbCdEAAV",
        "0035g00000AbCdEAA",
    ),
]


def left_alone(values: list[str | None], kind: str) -> bool:
    """Whether the macros change nothing, asked for each value with a neighbour that they must look at."""
    found = pa.table({"x": pa.array([*values, "\u00a0odd\u00a0"], pa.string())})
    return Canon().table(found, ["x"], [kind]).column("x").to_pylist()[:-1] == values


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_plain_is_left_alone_by_the_macros(kind: str) -> None:
    plain = [value for value in ODD if is_plain(pa.chunked_array([pa.array([value])]), kind)]
    assert plain
    assert left_alone([*plain, None], kind)
    assert is_plain(pa.chunked_array([pa.array([None, *plain, None])]), kind) or kind in ("id", "reference")


@pytest.mark.parametrize("kind", KINDS)
def test_one_odd_value_anywhere_sends_the_column_to_the_macros(kind: str) -> None:
    chance = random.Random(kind)
    plain = [value for value in ODD if is_plain(pa.chunked_array([pa.array([value])]), kind)]
    odd = [value for value in ODD if value not in plain]
    for value in odd:
        column = [chance.choice([*plain, None]) for _ in range(20)]
        column[chance.randrange(20)] = value
        assert not is_plain(pa.chunked_array([pa.array(column, pa.string())]), kind), value
        sliced = pa.array(["\u00e9", *column, " "], pa.string()).slice(1, 20)
        assert not is_plain(pa.chunked_array([sliced]), kind), value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "O'Hara, Ann"),
        ("email", "ann@mail.example"),
        ("id", "0035g00000AbCdEAAV"),
        ("boolean", "true"),
        ("date", "1980-01-02"),
        ("datetime", "2026-11-26T01:02:03.000Z"),
        ("double", "120"),
    ],
)
def test_the_usual_is_plain_even_in_a_slice_of_odd_ones(kind: str, value: str) -> None:
    whole = pa.array(["\u00e9", value, None, value, " "], pa.string())
    assert is_plain(pa.chunked_array([whole.slice(1, 3), whole.slice(2, 1)]), kind)
    assert not is_plain(pa.chunked_array([whole]), kind)
