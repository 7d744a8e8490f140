"""Each macro against its plain-Python twin, on 10,000 generated values per transform, compared in bulk."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from chartlift import transforms

ROWS = 10_000
TODAY = date(2026, 11, 25)
ZONES = ("Europe/London", "Europe/Dublin", "Europe/Warsaw")
DATED = {"allergy_lines", "date", "birth_date", "instant", "local_time"}

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ODD = (
    "\r\n \n \r \t \x00 \x0b \x1f \x7f \x85 \u00a0 \u2003 \u2028 \u3000 \u200b \u00e9 e\u0301 \u00c3\u00a9 "
    "\u00c2\u00a3 \u00e2\u20ac\u2122 \u2019 \u2014 \u00df \u0141 \u0175 \u0130 \u03a3 \u017f \u212b \ufb01 \u00bd "
    "\u00b2 \u0661 \U0001f600 \U0001f469\u200d\U0001f467 \ufdd0d83d \ufeff \ud55c \u1112\u1161\u11ab \u05de "
    "\u0344 \u0958 % _ \\ ' \""
)
_NUMBERS = (
    "0.30000000000000004|1e3|7.66E1|1e400|-0|-0.00|+5|5.|.5|1.234,50|free|1,23|(£1,234.50)|99999999999999.99|"
    "100000000000000|12.345|12.340|0.005|(-5)|--5|£ 5|15.0"
)
_COUNTRIES = "GB|GB|IE|IE||gb|GBR|IRL|United Kingdom|ireland|UK|PL|Poland|XX|NI"
_FLAGS = "true|true|false|false||TRUE|Yes|n|0|1| false |perhaps|[]|null"
ODD = tuple(_ODD.split(" "))
NUMBERS, COUNTRIES, FLAGS = (tuple(texts.split("|")) for texts in (_NUMBERS, _COUNTRIES, _FLAGS))


class Dice:
    """Seeded values with the oddities that real texts have."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def one(self, *choices: Any) -> Any:
        made = self.random.choice(choices)
        return made() if callable(made) else made

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def digits(self, low: int, high: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(self.random.randint(low, high)))

    def word(self) -> str:
        return "".join(self.random.choice(LETTERS) for _ in range(self.random.randint(1, 9)))

    def text(self) -> str | None:
        parts = [
            self.one(self.word, self.word, " ", " ", partial(self.random.choice, ODD))
            for _ in range(self.random.randint(0, 6))
        ]
        return self.one(None, "", "".join(parts), "".join(parts), "".join(parts))

    def spoilt(self, value: str) -> str | None:
        """Mostly the value itself, sometimes with something around or inside it."""
        if self.chance(0.75):
            return value
        at = self.random.randint(0, len(value))
        return self.one(
            None,
            "",
            f" {value} ",
            f"\u00a0{value}\r\n",
            value[:at] + self.random.choice(ODD) + value[at:],
            value.lower(),
        )

    def day(self) -> str:
        year = self.one("0000", "0001", "1899", "1900", "1950", "1970", "1984", "2000", "2026", "2036", "2037", "9999")
        year = self.one(year, str(self.random.randint(1895, 2040)))
        month, day = self.random.randint(0, 13), self.random.randint(0, 32)
        iso = f"{year}-{month:02d}-{day:02d}"
        fixed = self.one(
            "1970-01-01",
            "1900-01-01",
            "01/01/1900",
            "0001-01-01",
            "2026-11-25",
            "2026-11-26",
            "2036-11-25",
            "2036-11-26",
        )
        return self.one(
            iso,
            iso,
            iso,
            fixed,
            f"{day:02d}/{month:02d}/{year}",
            f"{day}/{month}/{year}",
            f"{iso}T00:00:00Z",
            f"{iso} 00:00",
        )

    def clock(self) -> str:
        hour, minute, second = self.random.randint(0, 24), self.random.randint(0, 60), self.random.randint(0, 60)
        return self.one(
            f"{hour:02d}:{minute:02d}:{second:02d}", f"{hour:02d}:{minute:02d}", f"{hour:02d}:{minute:02d}:00"
        )

    def moment(self, *, zoned: bool) -> str:
        day = self.one(
            self.day, "2025-03-30", "2025-10-26", "1971-10-31", "1950-01-01", "2036-11-25", "1952-10-26", "2024-02-29"
        )
        clock = self.one(
            self.clock, "00:59:59", "01:00:00", "01:30:00", "01:59:59", "02:00:00", "02:30:00", "03:00:00", "00:00:00"
        )
        zone = self.one("Z", "Z", "+00:00", "+0100", "-05:30", "+14:00", "+15:00", "+01:60", "", " Z")
        fraction = self.one("", "", "", ".000", ".123", ".0", ".9999999")
        return f"{day}{self.one('T', 'T', 'T', ' ')}{clock}{fraction}{zone if zoned or self.chance(0.1) else ''}"

    def number(self) -> str:
        whole, part = self.digits(0, 20), self.digits(0, 12)
        plain = f"{self.random.randint(0, 99_999)}.{self.random.randint(0, 99):02d}"
        grouped = f"{self.random.randint(0, 9_999_999):,}"
        written = (f"£{grouped}.50", f"({plain})", f"€ -{plain}", f"-£{grouped}")
        counted = (str(self.random.randint(-3, 2000)), f"{whole}.{part}", f"-{plain}", f"00{whole}")
        return self.one(plain, plain, *written, *counted, *NUMBERS)

    def health(self) -> str:
        nine = self.one(self.digits(9, 9), "999000001", "010101123", "943476591", "450557710", "850000000", "123456789")
        total = sum((10 - i) * int(d) for i, d in enumerate(nine))
        check = (11 - total % 11) % 11
        number = nine + (str(check) if check < 10 else "0")
        spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
        dashed, wide = spaced.replace(" ", "-"), spaced.replace(" ", "\u00a0")
        short = (number.lstrip("0"), number[1:], self.digits(8, 11))
        odd = ("1111111111", "0000000000", "999999999", "1234567T", f"{number}.0", number.replace("1", "\u0661"))
        return self.one(number, number, spaced, dashed, wide, *short, *odd)

    def flag(self) -> str | None:
        return self.one(None, *FLAGS)

    def status(self) -> str | None:
        return self.one("ACTIVE", "ACTIVE", "ACTIVE", "DECEASED", "Deceased ", "ARCHIVED", None, "", "dead")

    def country(self) -> str | None:
        return self.one(None, *COUNTRIES)

    def items(self, kind: str) -> str | None:
        def item() -> Any:
            if self.chance(0.01):
                return self.one("Penicillin", None, 5, ["x"])
            named = {
                name: self.one(self.word, self.text, None, "") for name in ("reaction", "severity", "notes", "dose")
            }
            named["substance" if kind == "allergy" else "name"] = self.text() if self.chance(0.08) else self.word()
            return named | {
                "medicalItemId": self.one(1, 2, 3, self.random.randint(4, 40), None, "7", "x"),
                "recordedAt": self.one(
                    "2019-03-01T00:00:00Z",
                    "2019-07-01T23:30:00Z",
                    "2019-03-01",
                    None,
                    "",
                    "soon",
                    partial(self.moment, zoned=True),
                ),
                "since": self.one("2015", "2015-03", "2015-03-02", "childhood", None, "", 2012),
                "active": self.one(True, True, True, False, False, None, "false"),
            }

        if self.chance(0.5):
            return self.one(None, "[]", "[]", "", "null", " ", "{}", "[1]", "not JSON", '[{"substance":"a"', "[ ]")
        made = [item() for _ in range(self.random.randint(1, 4))]
        return json.dumps(made, ensure_ascii=self.chance(0.5), separators=self.one((",", ":"), (", ", ": ")))


# Rows of arguments per transform: x (a list where it takes one), then what stands in its brackets.
MAKERS: dict[str, Callable[[Dice], list[Any]]] = {
    "alert_text": lambda dice: [
        dice.one(dice.text, dice.text, "x" * 255, "x" * 256, "é" * 256, "😀" * 128, "a\n" * 86, "b\n" * 85)
    ],
    "allergy_lines": lambda dice: [
        [dice.items("allergy"), dice.one("false", "false", "true", dice.flag)],
        dice.one(*ZONES, None, "Mars/X"),
    ],
    "birth_date": lambda dice: [dice.spoilt(dice.day())],
    "blood_type": lambda dice: [
        dice.spoilt(
            dice.one(
                "A+",
                "AB-",
                "O pos",
                "0+",
                "a Rh positive",
                "B neg.",
                "O\u2212",
                "A \u2013ve",
                "unknown",
                "Not known",
                "C+",
                "A",
                "O +ve",
            )
        )
    ],
    "boolean": lambda dice: [dice.one(dice.flag, dice.text)],
    "condition_lines": lambda dice: [
        [dice.one(dice.text, None, "DIABETIC", "long " * 60), dice.items("condition"), dice.items("medication")]
    ],
    "consent": lambda dice: [
        dice.flag(),
        dice.one("2024-05-01T10:11:12Z", None, "", partial(dice.moment, zoned=True)),
        dice.status(),
        dice.one(None, None, "", "2020-01-01", "?"),
    ],
    "country": lambda dice: [dice.spoilt(dice.country() or "") if dice.chance(0.9) else dice.text()],
    "date": lambda dice: [dice.spoilt(dice.day())],
    "email": lambda dice: [
        dice.spoilt(
            dice.one(
                "a.b@example.org",
                "Pat.O'Neill@Example.ORG",
                "x@y",
                "x@@y.com",
                "a..b@c.de",
                "é@x.ie",
                "a@exämple.org",
                "a@-b.com",
                "a@b-.com",
                "a+tag@b.co.uk",
                "a b@c.de",
                ".a@b.com",
                "a@b.c1",
                "x" * 65 + "@b.com",
                "a@b.com.",
                "a@b..com",
                f"{dice.word()}@{dice.word()}.com",
            )
        )
    ],
    "first": lambda dice: [[dice.text(), dice.text(), dice.text()][: dice.one(1, 2, 3)]],
    "health_number_type": lambda dice: [
        dice.one("NHS", "NHS", "CHI", "H&C", "h & c", "HCN", "IHI", None, "", "PPS", dice.text),
        dice.one(dice.spoilt(dice.health()), None),
    ],
    "instant": lambda dice: [dice.spoilt(dice.moment(zoned=True))],
    "insurance_policy": lambda dice: [dice.one(dice.text, "DP-8831"), dice.one("Denplan", None, "", " ", dice.text)],
    "integer": lambda dice: [dice.spoilt(dice.number())],
    "join_lines": lambda dice: [[dice.one(dice.text, dice.word), dice.one(dice.text, dice.word, None, "")]],
    "label": lambda dice: [
        dice.spoilt(
            dice.one("CONSENT_FORM", "FEMALE", "Planned", "x-ray_photo", "__", "a__b", "ÉCRAN_oui", dice.text) or ""
        )
    ],
    "local_time": lambda dice: [dice.spoilt(dice.moment(zoned=False)), dice.one(*ZONES, None, "", "Mars/X")],
    "minutes": lambda dice: [dice.spoilt(dice.one("15", "0", "-5", "1440", "1441", "15.0", "1e2", "090", dice.number))],
    "money": lambda dice: [dice.spoilt(dice.number())],
    "next_of_kin": lambda dice: [
        [
            dice.one(dice.text, dice.word),
            dice.one(dice.text, "Spouse"),
            dice.one(
                dice.text,
                f"07700 9{dice.digits(5, 5)}",
                "+353 (0)1 234 5678",
                "(028) 9024-0000",
                "048 9024 0000",
                "0044 20 7946 0000",
                "087 123 4567",
                "7700900123",
                "n/a",
                None,
                dice.digits(6, 12),
            ),
        ],
        dice.country(),
        dice.country(),
    ],
    "nhs_number": lambda dice: [dice.spoilt(dice.health())],
    "opt_out": lambda dice: [dice.flag(), dice.status(), dice.one(None, None, "", "2020-01-01", "?")],
    "postcode": lambda dice: [
        dice.spoilt(
            dice.one(
                "BT7 1SH",
                "ec1a1bb",
                "W1G 9XX",
                "GIR 0AA",
                "GIR 1BB",
                "D02 X285",
                "d6w f8y9",
                "A65F4E2",
                "Dublin 4",
                "BT1",
                "12345",
                "BT71-SH",
            )
        ),
        dice.country(),
    ],
    "text": lambda dice: [dice.text()],
}


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    transforms.install(connection, ZONES, today=TODAY)
    return connection


def answers(sql: duckdb.DuckDBPyConnection, call: str, rows: list[list[Any]], *, lists: bool) -> list[tuple[Any, ...]]:
    kinds = [pa.list_(pa.string()) if lists and not i else pa.string() for i in range(len(rows[0]))]
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    sql.register("given", pa.Table.from_arrays(columns, names=[f"c{i}" for i in range(len(columns))]))
    try:
        made = f"{call}({', '.join(f'c{i}' for i in range(len(columns)))})"
        return sql.execute(f"SELECT q.v, q.note, q.bad FROM (SELECT {made} AS q FROM given)").fetchall()
    finally:
        sql.unregister("given")


MACROS = sorted(name for name, transform in transforms.load().items() if transform.kind == "macro")


@pytest.mark.parametrize("name", MACROS)
def test_macro_and_reference_answer_alike(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    transform = transforms.load()[name]
    dice = Dice(f"pairs-{name}")
    rows = [MAKERS[name](dice) for _ in range(ROWS)]
    reference = partial(transform.reference, today=TODAY) if name in DATED else transform.reference
    got = answers(sql, f"tf_{name}", rows, lists=transform.takes == "list")
    expected = [tuple(reference(*row)) for row in rows]
    differing = [made for made in zip(rows, got, expected, strict=True) if made[1] != made[2]]
    assert not differing, f"{len(differing)} of {len(rows)}: {differing[:5]}"
    notes = {note for _, note, _ in got if note}
    assert notes <= set(transform.findings)
    assert all((v is None) if bad else True for v, _, bad in got)
    assert len({answer[0] for answer in got}) > 1
