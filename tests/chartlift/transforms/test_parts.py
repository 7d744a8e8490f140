"""Long texts are cut so that the parts make the text again, whatever the org trims and however it counts."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from chartlift.transforms.canonical import clean, units
from chartlift.transforms.parts import cut

FAMILY = "👩\u200d👩\u200d👧\u200d👦"
ACCENTED = "e" + "\u0323\u0301" * 3
PIECES = st.sampled_from(
    [
        "a",
        "b",
        " ",
        "  ",
        "\n",
        "\t",
        "\u00a0",
        "é",
        ACCENTED,
        "😀",
        FAMILY,
        "🇬🇧",
        "🇮🇪🇬🇧",
        "한",
        "\u1112\u1161\u11ab",
        "क्षि",
        "\u0600x",
        "0\ufe0f\u20e3",
        "\u200b",
    ]
)


def clusters(text: str) -> set[int]:
    return {found.start() for found in regex.finditer(r"\X", text)}


def assert_sound(text: str, parts: list[str] | None, part: int) -> None:
    assert parts is not None
    assert "".join(parts) == text
    assert all(parts)
    starts, place = clusters(text), 0
    for piece in parts:
        assert units(piece) <= part
        assert place in starts
        assert clean(piece) == piece
        place += len(piece)


@given(st.lists(PIECES, min_size=1, max_size=120), st.integers(12, 40))
@settings(max_examples=300, deadline=None)
def test_parts_make_the_text_again(pieces: list[str], part: int) -> None:
    text = clean("".join(pieces)) or "x"
    parts = cut(text, part + 4, part)
    if units(text) <= part + 4:
        assert parts == [text]
    elif parts is not None:
        assert_sound(text, parts, part)
        assert len(parts) > 1
    else:
        assert not reachable(text, part)


@given(st.lists(PIECES, min_size=1, max_size=120), st.integers(12, 40))
@settings(max_examples=300, deadline=None)
def test_each_cut_is_as_late_as_it_may_be(pieces: list[str], part: int) -> None:
    text = clean("".join(pieces)) or "x"
    parts = cut(text, part, part) or [text]
    places, start = sorted(allowed(text)), 0
    for piece in parts[:-1]:
        end = start + len(piece)
        assert not [place for place in places if place > end and units(text[start:place]) <= part]
        start = end


def allowed(text: str) -> set[int]:
    """Where a text may be cut at all."""
    starts = clusters(text)
    return {
        place
        for place in range(1, len(text))
        if place in starts and not (text[place - 1].isspace() or text[place].isspace())
    }


def reachable(text: str, part: int) -> bool:
    """Whether any way of cutting exists, by trying them all."""
    ends = {0}
    for place in [*sorted(allowed(text)), len(text)]:
        if any(units(text[start:place]) <= part for start in ends if start < place):
            ends.add(place)
    return len(text) in ends


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("x" * 32_768, [32_768]),
        ("x" * 32_769, [32_000, 769]),
        ("x" * 32_766 + "\nx", [32_000, 769]),
        ("x" * 32_765 + "\nx", [32_768]),
        ("😀" * 16_384, [32_768]),
        ("😀" * 16_385, [32_000, 770]),
        ("x" + "😀" * 16_384, [31_999, 770]),
        ("x" * 31_990 + FAMILY + "y" * 800, [31_990, 811]),
        ("x" * 31_999 + "e\u0323\u0301" + "y" * 800, [31_999, 802]),
        ("x" * 31_990 + " " * 20 + "y" * 800, [31_989, 821]),
        ("x\n" * 11_000, [31_998, 1002]),
        ("한" * 40_000, [32_000, 8_000]),
    ],
)
def test_sizes_at_the_limit(text: str, sizes: list[int]) -> None:
    text = clean(text) or ""
    parts = cut(text)
    if text.startswith("x\nx"):
        assert parts is None  # a line end stands between all characters
        return
    assert_sound(text, parts, max(32_000, *sizes) if len(sizes) == 1 else 32_000)
    assert [units(piece) for piece in parts or ()] == sizes


@pytest.mark.parametrize("before", ["", "x", "x\u0600", "🇬🇧😀", "e\u0301", "\u200d"])
def test_flags_stay_whole(before: str) -> None:
    text = before + "🇬🇧" * 9_000
    parts = cut(text)
    assert parts is not None
    assert [len(piece) % 2 for piece in parts[1:]] == [0] * (len(parts) - 1)
    assert "".join(parts) == text
    assert 31_996 <= units(parts[0]) <= 32_000


@pytest.mark.parametrize(
    "text", ["x" + " " * 40_000 + "y", "e" + "\u0323" * 40_000, "x " * 20_000 + "y", "👩" + "\u200d👩" * 20_000]
)
def test_no_place_to_cut(text: str) -> None:
    assert cut(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Pt attended for exam. " * 454_546,
        FAMILY * 909_091 + "x" * 10,
        "e\u0323" * 5_000_000,
        "क्षि" * 2_500_000,
        "x" * 9_999_999 + "😀",
        "🇬🇧" * 5_000_000,
        ("x" * 31_900 + " " * 90) * 313,
    ],
    ids=["words", "families", "accents", "conjuncts", "letters", "flags", "gaps"],
)
def test_ten_million_characters_take_seconds(text: str) -> None:
    begun = time.process_time()
    parts = cut(text.strip())
    assert time.process_time() - begun < 3
    assert parts is not None
    assert "".join(parts) == text.strip()
    assert max(map(units, parts)) <= 32_000
    assert not any(piece[0].isspace() or piece[-1].isspace() for piece in parts)
