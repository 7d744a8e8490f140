"""Seeded values with the oddities of real texts, and the comparison of a macro with its reference over them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from chartlift import transforms

ROWS = 10_000
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


def answers(sql: duckdb.DuckDBPyConnection, call: str, rows: list[list[Any]]) -> list[tuple[Any, ...]]:
    """What a macro answers for each row; a column is of lists as soon as one value is."""
    columns = []
    for column in zip(*rows, strict=True):
        lists = any(isinstance(value, list) for value in column)
        columns.append(pa.array(column, pa.list_(pa.string()) if lists else pa.string()))
    sql.register("given", pa.Table.from_arrays(columns, names=[f"c{i}" for i in range(len(columns))]))
    try:
        made = f"{call}({', '.join(f'c{i}' for i in range(len(columns)))})"
        return sql.execute(f"SELECT q.v, q.note, q.bad FROM (SELECT {made} AS q FROM given)").fetchall()
    finally:
        sql.unregister("given")


def differences(
    sql: duckdb.DuckDBPyConnection, name: str, rows: list[list[Any]], reference: Callable[..., tuple[Any, ...]]
) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Rows on which macro and reference do not agree, and all answers of the macro."""
    got = answers(sql, name, rows)
    expected = [tuple(reference(*row)) for row in rows]
    return [made for made in zip(rows, got, expected, strict=True) if made[1] != made[2]], got


# Arguments that are lists even where they are NULL.
LISTS = {
    "cost_derived": range(3, 7),
    "invoice_total": range(5, 9),
    "line_items": range(1, 4),
    "uda": range(5, 6),
    "visit_cost": range(3, 7),
}


def assert_rule(
    sql: duckdb.DuckDBPyConnection,
    name: str,
    reference: Callable[..., transforms.Outcome],
    given: list[Any],
    expected: tuple[str | None, str | None],
) -> None:
    """Reference and macro give `(value, note)`; without a value, a note means that it is unusable."""
    value, note = expected
    got = reference(*given)
    assert (got.v, got.note) == (value, note)
    assert got.bad == (value is None and note is not None)
    kind = transforms.load()[name].kind
    if kind != "distinct":
        lists = LISTS.get(name, ())
        casts = [f"${i}::VARCHAR{'[]' if isinstance(x, list) or i in lists else ''}" for i, x in enumerate(given, 1)]
        call = f"{'tq' if kind == 'parts' else 'tf'}_{name}({', '.join(casts)})"
        row = sql.execute(f"SELECT {call}", given).fetchone()
        assert row is not None
        assert row[0] == got._asdict() or (kind == "parts" and row[0] is None)
