"""Each macro against its plain-Python twin, on 10,000 generated values per transform, compared in bulk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pair_dice import ROWS, Dice, differences

from chartlift import transforms

TODAY = date(2026, 11, 25)
ZONES = ("Europe/London", "Europe/Dublin", "Europe/Warsaw")
DATED = {"allergy_lines", "date", "birth_date", "instant", "local_time"}

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


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_macro_and_reference_answer_alike(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    transform = transforms.load()[name]
    dice = Dice(f"pairs-{name}")
    rows = [MAKERS[name](dice) for _ in range(ROWS)]
    reference = partial(transform.reference, today=TODAY) if name in DATED else transform.reference
    differing, got = differences(sql, f"tf_{name}", rows, reference)
    assert not differing, f"{len(differing)} of {len(rows)}: {differing[:5]}"
    notes = {note for _, note, _ in got if note}
    assert notes <= set(transform.findings)
    assert all((v is None) if bad else True for v, _, bad in got)
    assert len({answer[0] for answer in got}) > 1


@pytest.mark.parametrize("name", sorted(name for name in MAKERS if transforms.load()[name].quick))
def test_quick_macro_answers_alike_or_not_at_all(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    dice = Dice(f"pairs-{name}")
    rows = [MAKERS[name](dice) for _ in range(ROWS)]
    reference = (
        partial(transforms.load()[name].reference, today=TODAY) if name in DATED else transforms.load()[name].reference
    )
    differing, _ = differences(sql, f"tq_{name}", rows, reference)
    assert not [made for made in differing if made[1] != (None, None, None)]
    assert 0 < len(differing) < len(rows)


def test_every_macro_is_compared() -> None:
    compared = "".join(path.read_text() for path in Path(__file__).parent.glob("test_pairs_*.py"))
    macros = {name for name, transform in transforms.load().items() if transform.kind == "macro" or transform.quick}
    assert {name for name in macros if f'"{name}": ' not in compared} == set()
