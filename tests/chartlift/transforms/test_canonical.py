"""Canonical text, lengths, folding, keys: macro against twin, and the rules by example."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from chartlift import transforms
from chartlift.transforms import phone
from chartlift.transforms.canonical import canonical, canonical_macro, clean, fits, text_sha256, units
from chartlift.transforms.fold import fold, slug
from chartlift.transforms.surrogates import mark_surrogates, surrogates

ROWS = 10_000
PIECES = [
    *"abcXYZ019 -_.,:/()+%@",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\x00",
    "\u00a0",
    "\u2028",
    "é",
    "e\u0301",
    "Ł",
    "ß",
    "İ",
    "😀",
    "\u2019",
    "—",
    "한",
    "true",
    "FALSE",
    "1e-3",
    "0.30",
    "2025-01-02",
    "T10:11:12",
    ".000Z",
    "+0000",
    "Ní Bhriain",
    "ﬁ",
]
STAMPS = [
    "2025-10-14T08:20:00.000Z",
    "2025-10-14T08:20:00.000+0000",
    "2025-10-14T08:20:00Z",
    "2025-10-14 08:20:00.5+01:00",
    "2025-10-14",
    "2025-13-14T08:20:00.000Z",
    "2025-02-30T08:20:00Z",
    "2025-10-14T00:00:00.000Z",
    "2025-10-14T00:00:00",
    "2025-10-14T08:20:00.123456-0530",
]
NUMBERS = [
    "0",
    "-0",
    "0.0",
    "-0.00",
    "76.6",
    "76.60",
    "100",
    "1e3",
    "1E-3",
    "0.30000000000000004",
    "7.66E1",
    "-5.0",
    "12345678901234567.00",
    "0.1234567891",
    "1e400",
    "x",
    "00012",
    "123.0",
    "3.",
    ".5",
    "-.5",
    "0.0000000001",
    "1234567890123456789012345678",
]
IDS = ["001D000000IqhSL", "001D000000IqhSLIAZ", "a0B000000000001", "ZZZZZZZZZZZZZZZ", "short", "001D000000IqhS!"]


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    transforms.install(connection)
    return connection


def texts(seed: str) -> list[str | None]:
    dice = random.Random(seed)
    made = ["".join(dice.choice(PIECES) for _ in range(dice.randint(0, 7))) for _ in range(ROWS)]
    return [None, *made]


def run(sql: duckdb.DuckDBPyConnection, expression: str, given: list[str | None]) -> list[object]:
    sql.register("given", pa.table({"x": pa.array(given, pa.string())}))
    try:
        return [row[0] for row in sql.execute(f"SELECT {expression} FROM given").fetchall()]
    finally:
        sql.unregister("given")


TWINS: list[tuple[str, Callable[[str | None], object], list[str]]] = [
    ("clean(x)", clean, []),
    ("fold(x)", fold, []),
    ("slug(x)", slug, ["Lagan Group", "Café", "Ó Súilleabháin & Sons", "한의원", "a" * 50, "--", "a" * 39 + " b"]),
    ("text_sha256(x)", text_sha256, []),
    ("fits(x, 6)", lambda x: fits(x, 6), ["a\nb\nc", "a\r\nb\r\nc", "😀😀😀", "éééééé", "ééééééé"]),
    ("canon_text(x)", lambda x: canonical("Text(80)", x), []),
    ("canon_email(x)", lambda x: canonical("Email", x), ["A@B.IE "]),
    ("canon_boolean(x)", lambda x: canonical("Checkbox", x), ["true", "FALSE", "1", "no", "maybe"]),
    ("canon_date(x)", lambda x: canonical("Date", x), STAMPS),
    ("canon_datetime(x)", lambda x: canonical("DateTime", x), STAMPS),
    ("canon_number(x)", lambda x: canonical("Number(18,2)", x), NUMBERS),
    ("canon_id(x)", lambda x: canonical("Lookup(Contact)", x), IDS),
]


@pytest.mark.parametrize(("expression", "twin", "more"), TWINS, ids=[name for name, *_ in TWINS])
def test_macro_and_twin_agree(
    expression: str, twin: Callable[[str | None], object], more: list[str], sql: duckdb.DuckDBPyConnection
) -> None:
    plain = expression in {"clean(x)", "fold(x)", "slug(x)", "text_sha256(x)", "fits(x, 6)"}
    given = [*texts(expression), *more] if plain else [x for x in [*texts(expression), *more] if x != ""]
    got = run(sql, expression, given)
    differing = [(x, a, twin(x)) for x, a in zip(given, got, strict=True) if a != twin(x) and "İ" not in (x or "")]
    assert not differing, differing[:5]


def test_canonical_text_is_canonical(sql: duckdb.DuckDBPyConnection) -> None:
    once = [clean(x) for x in texts("again")]
    assert [clean(x) for x in once] == once
    assert run(sql, "clean(x)", once) == once


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("Currency(16,2)", "76.60", "76.6"),
        ("Number(6,2)", "0.30000000000000004", "0.3"),
        ("double", "7.66E1", "76.6"),
        ("DateTime", "2025-10-14T08:20:00.000+0000", "2025-10-14T08:20:00.000Z"),
        ("datetime", "2025-10-14T09:20:00+01:00", "2025-10-14T08:20:00.000Z"),
        ("Checkbox", "TRUE", "true"),
        ("Email", "Chloe.Myers@Example.com", "chloe.myers@example.com"),
        ("LongTextArea(32768)", " a\r\nb ", "a\nb"),
        ("reference", "001D000000IqhSL", "001D000000IqhSLIAZ"),
        ("Text(40)", "", None),
    ],
)
def test_canonical_value(kind: str, given: str, value: str | None, sql: duckdb.DuckDBPyConnection) -> None:
    assert canonical(kind, given) == value
    if given:
        assert run(sql, f"{canonical_macro(kind)}(x)", [given]) == [value]


def test_length_counts_utf_16_units_and_line_ends_twice() -> None:
    assert units("a\nb") == 4
    assert units("a\r\nb") == 4
    assert units("😀") == 2
    assert fits("x" * 32_768, 32_768)
    assert not fits("x" * 32_766 + "\n\n", 32_768)


def test_a_long_text_of_line_ends_is_measured_by_the_macro(sql: duckdb.DuckDBPyConnection) -> None:
    assert run(sql, "fits(x, 32768)", ["x" * 32_766 + "\n\n", "x" * 32_764 + "\n\n", "é" * 32_768]) == [
        False,
        True,
        True,
    ]


def test_names_that_differ_keep_different_slugs() -> None:
    assert slug("Lagan  GROUP!") == "lagan-group"
    assert slug("한의원") != slug("한의사")
    assert slug("a" * 50) != slug("a" * 51)
    assert slug("…") is None
    assert all(len(slug(x) or "") <= 40 for x in ("a" * 99, "é" * 99, "한" * 99))


def test_folding_ignores_case_punctuation_and_blanks_only() -> None:
    assert fold("F.T.A.") == fold(" fta ") == "fta"
    assert fold("FTA - no charge") != fold("FTA")
    assert fold("Né") != fold("Ne")
    assert fold(" - ") is None


@pytest.mark.parametrize(
    ("raw", "lone"),
    [
        (r'{"a":"\ud83d\ude00"}', False),
        (r'{"a":"\ud83d"}', True),
        (r'{"a":"\ude00"}', True),
        (r'{"a":"\ud83d\ud83d\ude00"}', True),
        (r'{"a":"\ud83d \ude00"}', True),
        (r'{"a":"\\ud83d"}', False),
        (r'{"a":"\\\ud83d"}', True),
        ('{"a":"😀"}', False),
        (r'{"a":"\uD83D\uDE00\u0041"}', False),
    ],
)
def test_half_characters_are_seen_in_json(raw: str, lone: bool) -> None:
    assert surrogates(raw) is lone
    assert any("\ud800" <= c <= "\udfff" for c in json.loads(raw)["a"]) is lone


def test_a_marked_half_character_goes_through_arrow_and_is_refused(sql: duckdb.DuckDBPyConnection) -> None:
    marked = mark_surrogates("a\ud83db😀")
    assert marked == "a\ufdd0d83db😀"
    assert run(sql, "tf_text(x)", [marked]) == [{"v": None, "note": "R-TEXT-SURROGATE", "bad": True}]


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Dublin", "Europe/Warsaw", "Africa/Casablanca"])
def test_ranges_say_what_zoneinfo_says_every_half_hour(zone: str, sql: duckdb.DuckDBPyConnection) -> None:
    rows = transforms.zone_ranges(zone, 2023, 2026)
    transforms.install(sql, {zone: rows})
    place, walls, expected = ZoneInfo(zone), [], []
    wall = datetime(2024, 1, 1)  # noqa: DTZ001 - wall time
    while wall.year < 2026:
        walls.append(wall.isoformat())
        expected.append(f"{wall.replace(tzinfo=place).astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z")
        wall += timedelta(minutes=30)
    got = run(sql, f"struct_extract(tf_local_time(x, '{zone}'), 'v')", walls)
    transforms.install(sql)
    assert got == expected


def test_usual_numbers_are_judged_as_the_library_judges_them() -> None:
    dice = random.Random("phones")
    starts = ["0", "+44", "+44 ", "0044", "+353", "00353 ", "", "+1", "00"]
    areas = [
        "7",
        "20",
        "28 9",
        "1",
        "8",
        "87",
        "1 ",
        "4",
        "44",
        "7700 900",
        "9",
        "3",
        "5",
        "800",
        "845",
        "76",
        "1481",
        "7624",
    ]
    settled = 0
    for _ in range(ROWS):
        number = (
            dice.choice(starts)
            + dice.choice(areas)
            + "".join(dice.choice("0123456789") for _ in range(dice.randint(2, 9)))
        )
        region = dice.choice(["GB", "IE", None])
        quick = phone.usual(number, region)
        if quick is not None:
            settled += 1
            assert quick == phone.by_library(number, region), number
    assert settled > ROWS // 10
