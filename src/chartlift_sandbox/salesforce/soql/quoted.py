"""Quoted texts of SOQL: escapes and LIKE patterns. Everything here ends up in bound parameters."""

from __future__ import annotations

import re

_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}
_SIMPLE |= {letter.upper(): meaning for letter, meaning in _SIMPLE.items() if letter.isalpha()}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


class BadEscape(ValueError):
    """A backslash before a character that has no meaning there; the argument is the sequence."""


def _plain(found: re.Match[str]) -> str:
    sequence = found.group(1)
    if len(sequence) > 1:
        return chr(int(sequence[1:], 16))
    if sequence not in _SIMPLE:
        raise BadEscape(found.group(0))
    return _SIMPLE[sequence]


def text_of(raw: str) -> str:
    """The text that a quoted literal means.

    Raises:
        BadEscape: an unknown escape sequence.
    """
    if "\\" not in raw:
        return raw
    return _whole(_ESCAPE.sub(_plain, raw))


def _whole(text: str) -> str:
    """Joins surrogate pairs that escapes spelt apart; a lone one becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def pattern_of(raw: str) -> str:
    r"""The LIKE pattern of a quoted literal, for SQL with `\` as its escape character.

    Raises:
        BadEscape: an unknown escape sequence.
    """

    def part(found: re.Match[str]) -> str:
        sequence = found.group(1)
        meaning = _plain(found)
        return f"\\{meaning}" if sequence in {"_", "%", "\\"} else meaning

    return _whole(_ESCAPE.sub(part, raw))
