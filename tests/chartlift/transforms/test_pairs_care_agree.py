"""Macros of treatments, notes, documents and invoices against their plain-Python twins, on 10,000 generated values each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import duckdb
import pytest
from pair_dice import ROWS, Dice, differences

from chartlift import transforms
from chartlift.transforms import file_type as types

# Findings that only a stage raises, or that generated values reach elsewhere.
ELSEWHERE = {
    "currency": {"R-CUR"},
    "file_type": set(),
    "note_text": {"R-LONG", "R-TEXT-HTML", "R-TEXT-RTF", "R-TEXT-MARKUP"},
}
_TEETH = (
    "36|16|85|11|48|49|99|09|UR6|ul1|LLE|lrA|UR9|ULF|UR 6|FM|fm|U/A|u/a|L/A|UA|LA|UR|LL|Q1|q4|Q5|36,37|36, 37|36 & 37|36,,37|"
    "36 37|UR1-UR3|UR3-UR1|UR1-3|UR1 - 3|UR1 \u2013 UR3|URA-URC|URA-UR3|UR1-UL3|11-13|13-11|18-28|11-18|11-17|11-13-15|-11|11-|"
    "1|3|03|32|33|0|A|T|U|K-O|1-3|6|6,7|E|6-8|UR6,UL6|UR6 LL7|UR67|36;37|36/37|36\u00a037|36\t37|\u0663\u0666|3\u017f|\ufb01|"
    "\u00a036 |11,12,13,14,15,16,17|11,12,13,14,15,16,17,18|, |&|missing|UR6, FM|UR A-C|UL A|11-16,U/A|11-16,UA"
)
_NAMES = (
    'consent-crown-36.pdf|scan 1.JPG|a/b\\c:d*e?f"g<h>i|j.png|.htaccess|..pdf|...| . |name.|name. .|report.tar.gz|photo.jpeg |'
    "no extension|x.toolongextension|x.p_f|x.pdf\x00|\x00|a\nb.txt|a\r\nb.txt|tab\there.doc|\u202eexe.pdf|Ní Bhriain.pdf|"
    "e\u0301.pdf|"
    "<\u0338.pdf|caf\u00c3\u00a9.pdf|\ufdd0d83d.pdf|\u0085|\u0085x\u0085.pdf\u0085|x\u009fy.pdf|del\x7f.pdf|\u2028.pdf|a.pdf\u3000|😀.png|"
    "x.P\u0130F|x.\u017fvg|.pdf|a.b.c.d|con.|a..b|\u00a0.pdf|\u00a0 a.pdf.\u00a0.|\u3000"
)
_MIMES = (
    "application/pdf|application/pdf|image/jpeg|image/jpeg|image/png|image/tiff|text/plain|Application/PDF; charset=binary|"
    " image/jpeg |image/x-foo|application/octet-stream|application/x-very-long-subtype|nonsense|;|image/jpg|video/mp4|"
    "\u0130mage/png|image/\u212a|\ufdd0d83d|application/vnd.ms-outlook|text/x-c|a/b/c|image/svg+xml|application/dicom"
)
UNIVERSAL = (*map(str, range(34)), *"ABCDEFGHIJKLMNOPQRSTU")
TEETH, NAMES, MIMES = (tuple(texts.split("|")) for texts in (_TEETH, _NAMES, _MIMES))
NAMES = (*NAMES, 'bar|"pipe".pdf')
STATUSES = (
    "COMPLETED",
    "COMPLETED",
    "COMPLETED",
    "Completed ",
    "com-pleted",
    "PLANNED",
    "CANCELLED",
    "",
    None,
    "DONE",
    "complété",
)
BANDS = ("1", "2", "2a", "2B", "2c", "3", "U", "urgent", "Urgent", "N/A", "", None, "-", "4", " 2b ", "2 a")


def many(dice: Dice, make: Callable[[], Any], *, most: int = 4) -> list[Any]:
    return [make() for _ in range(dice.random.randint(0, most))]


def amount(dice: Dice) -> str | None:
    """Mostly plain, so that sums have a chance."""
    plain = ("0.00", "1.00", "2.50", "10.00", "76.60", "5", "0", "7.5", "100.00", "999999.99", "1000000.00", "0.01")
    if dice.chance(0.93):
        return dice.one(*plain)
    return dice.one(None, "", " ", " 5.00 ", partial(dice.spoilt, "12.50"), dice.number, "99999999999999.99", "-3.00")


def bill(dice: Dice) -> list[Any]:
    """An invoice: header amounts that often add up, and lists of its lines."""
    lines = dice.one(0, 1, 1, 1, 2, 2, 3)
    counts = [
        dice.one("1", "1", "1", "2", "1.5", "0", None if dice.chance(0.2) else "3", "")
        if dice.chance(0.9)
        else amount(dice)
        for _ in range(lines)
    ]
    prices, totals = ([amount(dice) for _ in range(lines)] for _ in range(2))
    offs = [dice.one("0.00", "0.00", partial(amount, dice)) for _ in range(lines)]
    discount = dice.one("0.00", "0.00", "1.00", None, partial(amount, dice))

    def added(pairs: list[tuple[str | None, str | None]]) -> str | None:
        try:
            return f"{sum(float(a or 0) * float(b or 0) for a, b in pairs):.2f}"
        except ValueError:
            return None

    gross, net = added(list(zip(counts, prices, strict=True))), added([(t, "1") for t in totals])
    total = dice.one(gross, net, net, net, partial(amount, dice))
    if dice.chance(0.2) and total and discount:
        total = added([(total, "1"), (discount, "-1")])
    if dice.chance(0.1) and total:
        total = added([(total, "1"), (dice.one("0.01", "0.02", "-0.01", "-0.02"), "1")])
    if dice.chance(0.05) and total:
        total = f"£{total}"
    lists = [None if dice.chance(0.03) else texts for texts in (counts, prices, offs, totals)]
    if dice.chance(0.05):
        lists = [None, None, None, None]
    return [total, discount, dice.one(total, "0.00", partial(amount, dice)), partial(amount, dice)(), *lists]


def due(dice: Dice) -> list[Any]:
    whole, paid = (dice.random.randint(0, 9_999) / 100 for _ in range(2))
    off = dice.one(0.0, 0.0, 0.0, 0.01, 0.02, -0.01, 5.0)
    left = dice.one(
        f"{whole - paid + off:.2f}",
        f"{whole - paid + off:.2f}",
        None,
        "",
        f"£{abs(whole - paid):.2f}",
        "0.125",
        partial(amount, dice),
    )
    status = dice.one("UNPAID", "PART_PAID", "PAID", "VOID", "Written off", "REFUNDED", "void ", None, "")
    return [
        left,
        dice.one(f"{whole:.2f}", f"{whole:.2f}", partial(amount, dice), "99999999999999.99"),
        dice.one(f"{paid:.2f}", f"{paid:.2f}", partial(amount, dice), "-99999999999999"),
        status,
    ]


def visit(dice: Dice) -> list[Any]:
    rows = dice.one(0, 1, 1, 2, 3, 5)
    owner = dice.one("5500123", "5500123", "5500123", "7", None, "")
    lists = [
        [dice.one("5500123", "5500123", "5500123", "7", None, "") for _ in range(rows)],
        [dice.one(*STATUSES) for _ in range(rows)],
        [dice.one("76.60", partial(amount, dice)) for _ in range(rows)],
        [dice.one("0.00", "0.00", None, partial(amount, dice)) for _ in range(rows)],
    ]
    if dice.chance(0.1):
        lists = [None, None, None, None]
    return [dice.one(None, None, None, "", " ", partial(amount, dice), "£5.00"), owner, *lists]


def uda(dice: Dice) -> list[Any]:
    def units() -> str | None:
        plain = dice.one("1", "3", "3.0", "5.0", "7", "12.00", "1.2", "1.20", "0", "0.0", "2")
        return dice.one(
            plain,
            plain,
            plain,
            None,
            "",
            partial(dice.spoilt, plain),
            "9999.99",
            "10000",
            "9999.999999999999",
            dice.number,
        )

    ids = [
        dice.one("12", "13", "14", "9", "110", "012", "x", None, "", " 12", "12345678901")
        for _ in range(dice.one(0, 1, 2, 3))
    ]
    return [
        units(),
        units(),
        dice.one("410077", "410077", "410077", None, "", " "),
        dice.one(*(ids or ["12"]), "12", "9", "12", None, "x"),
        None if dice.chance(0.05) else ids,
        dice.one(*BANDS),
        dice.one("2022-11-24", "2022-11-25", "2025-06-02", "24/11/2022", None, "", "soon", partial(dice.day)),
    ]


def items(dice: Dice) -> list[Any]:
    rows = dice.one(0, 1, 1, 2, 3, 5)
    numbers = ("1", "2", "1.0", " 2 ", "76.60", "1e2", "0.30000000000000004", "£5.00", None, "", "-5.00", "x", "007")
    texts = [
        [dice.one("Composite filling 36 MOD", "Hygiene", "Scale & polish", partial(dice.text)) for _ in range(rows)],
        [dice.one("1", "1", "2", "3", dice.one(*numbers)) if dice.chance(0.9) else dice.text() for _ in range(rows)],
        [
            dice.one("76.60", "0.00", "10.50", dice.one(*numbers)) if dice.chance(0.95) else dice.text()
            for _ in range(rows)
        ],
    ]
    if dice.chance(0.05):
        texts[dice.one(1, 2)] = None if dice.chance(0.5) else []
    return [None, None, None] if dice.chance(0.05) else texts


def file_name(dice: Dice) -> str | None:
    if dice.chance(0.85):
        return dice.spoilt(dice.one(*NAMES, dice.word, f"{dice.word()}.{dice.word()}"))
    stem = dice.one("x", "é", "😀", "e\u0301", "ab ", "a.", "한") * dice.one(
        60, 120, 126, 127, 128, 250, 251, 252, 255, 256, 300
    )
    return stem + dice.one("", ".pdf", ".PDF", ".x", ".toolongextension", ".tar.gz")


def file_type(dice: Dice) -> list[Any]:
    if dice.chance(0.5):
        return [file_name(dice), dice.one(None, "", dice.spoilt(dice.one(*MIMES)))]
    pairs = [(mime, end) for mime, ends in types._TYPES.items() for end in ends.split(" ")]
    mime, end = dice.one(*pairs)
    return [
        f"scan.{dice.one(end, end, end.upper(), dice.one(*pairs)[1])}" if dice.chance(0.8) else "scan",
        dice.spoilt(mime),
    ]


# Rows of arguments per transform: x (a list where it takes one), then what stands in its brackets.
MAKERS: dict[str, Callable[[Dice], list[Any]]] = {
    "amount_due": due,
    "code_text": lambda dice: [
        dice.spoilt(
            dice.one(
                "1421",
                "EXAM",
                "crwnp",
                "Hyg-2",
                "straße",
                "ŉ1",
                "ᾳ",
                "é1",
                "e\u0301x",
                "ǆ",
                "\u0131",
                "\u0345a",
                dice.text,
            )
            or ""
        )
    ],
    "cost_derived": visit,
    "currency": lambda dice: [
        dice.spoilt(dice.one("GBP", "GBP", "EUR", "eur", "Gbp", "USD", "£", "euro", dice.text) or "")
    ],
    "file_name": lambda dice: [file_name(dice)],
    "file_type": file_type,
    "hex_sha256": lambda dice: [
        dice.spoilt(
            dice.one(
                "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b",
                "3A7BD3E2360A3D29EEA436FCFB7E44C735D117C42D1C1835420B6B9942DD4F1B",
                "a" * 63,
                "a" * 65,
                "g" * 64,
                "d41d8cd98f00b204e9800998ecf8427e",
                "e\u0301" * 32,
                f"sha256:{'a' * 57}",
            )
        )
    ],
    "invoice_total": bill,
    "line_items": items,
    "quantity": lambda dice: [
        dice.spoilt(
            dice.one(
                "1",
                "2",
                "1.0",
                "0.5",
                "-1",
                "1.25",
                "1.255",
                "999999.99",
                "1000000",
                "999999.9999999999",
                "1e2",
                "1,000",
                dice.number,
            )
        )
    ],
    "same_patient": lambda dice: [
        dice.one("70010009", "70010009", None, "", " ", dice.text),
        dice.one("1", "1", "2", None),
        dice.one("1", "1", "2", None),
    ],
    "source_tooth": lambda dice: [
        [dice.one(*TEETH, None, "", dice.text), dice.one("FDI", "PALMER", None, "", " ", dice.text)]
    ],
    "surfaces": lambda dice: [
        dice.spoilt(
            dice.one(
                "MOD",
                "mod",
                "B",
                "La",
                "MLa",
                "LA",
                "MODBL",
                "MOX",
                "M O",
                "M,O",
                "\u017f",
                "\uff2d",
                "MM",
                "P",
                "DOLaB",
                "A",
                "",
            )
        )
    ],
    "tooth": lambda dice: [
        [
            dice.spoilt(dice.one(dice.one(*TEETH), dice.one(*UNIVERSAL))) if dice.chance(0.85) else dice.one(None, ""),
            dice.one(
                "FDI",
                "FDI",
                "PALMER",
                "PALMER",
                "Palmer",
                "UNIVERSAL",
                "fdi ",
                None,
                "",
                "ISO",
                "Zsigmondy-Palmer",
                "other",
            ),
            dice.one(None, None, None, "", "UR", "ul", "LL", "LR", "Q1", "q3", "Q5", "upper", "\uff311", " "),
        ]
    ],
    "uda": uda,
    "visit_cost": visit,
}
NOTES: dict[str, Callable[[Dice], list[Any]]] = {
    "note_text": lambda dice: [
        dice.text()
        if dice.chance(0.7)
        else dice.one(
            "BPE <4 > 2 {x}", "<b>x</b>", "a<\x00b>", "{\\rtf1 x}", "x" * 16_385, " \r\nPt attended \u2026 \r\nRCT 36\t"
        ),
        "PLAIN" if dice.chance(0.8) else dice.one(None, "", "plain", "HTML", "RTF", "Markdown"),
    ]
}


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    transforms.install(connection)
    return connection


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_macro_and_reference_answer_alike(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    transform = transforms.load()[name]
    dice = Dice(f"pairs-{name}")
    rows = [MAKERS[name](dice) for _ in range(ROWS)]
    differing, got = differences(sql, f"tf_{name}", rows, transform.reference)
    assert not differing, f"{len(differing)} of {len(rows)}: {differing[:5]}"
    notes = {note for _, note, _ in got if note}
    assert notes == set(transform.findings) - ELSEWHERE.get(name, set())
    assert all((v is None) if bad else True for v, _, bad in got)
    assert len({answer[0] for answer in got}) > 1


@pytest.mark.parametrize("name", sorted(name for name in MAKERS if transforms.load()[name].quick))
def test_quick_macro_of_a_macro_answers_alike_or_not_at_all(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    dice = Dice(f"pairs-{name}")
    rows = [MAKERS[name](dice) for _ in range(ROWS)]
    differing, _ = differences(sql, f"tq_{name}", rows, transforms.load()[name].reference)
    assert not [made for made in differing if made[1] != (None, None, None)]
    assert 0 < len(differing) < len(rows)


@pytest.mark.parametrize("name", sorted(NOTES))
def test_quick_macro_answers_as_the_reference_or_not_at_all(name: str, sql: duckdb.DuckDBPyConnection) -> None:
    transform = transforms.load()[name]
    dice = Dice(f"pairs-{name}")
    rows = [NOTES[name](dice) for _ in range(ROWS)]
    differing, got = differences(sql, f"tq_{name}", rows, transform.reference)
    answered = [made for made in differing if made[1] != (None, None, None)]
    assert not answered, f"{len(answered)} of {len(rows)}: {answered[:5]}"
    assert len(rows) // 10 < len(differing) < len(rows) // 2
    assert {note for _, note, _ in got if note} == set(transform.findings) - ELSEWHERE[name]
