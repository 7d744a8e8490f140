"""Plain text for people: titles, wrapped lines and tables that fit a terminal, and look alike in a pipe."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

NARROWEST, USUAL, WIDEST = 60, 96, 110
GAP = "  "
LONGEST_CELL = 34
LEAST_CELL = 12
LEAST_REST = 26  # the last column gets a line of its own rather than less than this


class Sheet:
    """Lines of text that grow from top to bottom."""

    def __init__(self, width: int = 0) -> None:
        """Take the width, by default that of the terminal."""
        self.width = width or min(max(shutil.get_terminal_size((USUAL, 24)).columns, NARROWEST), WIDEST)
        self._bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lines: list[str] = []

    def title(self, text: str) -> None:
        """A heading, with an empty line above it unless it is the first."""
        if self._lines:
            self._lines.append("")
        self._lines += [f"\x1b[1m{line}\x1b[0m" if self._bold else line for line in self._wrapped(clean(text), "")]

    def line(self, text: str, indent: int = 0, hang: int = 2) -> None:
        """A paragraph, wrapped with a hanging indent."""
        before = " " * indent
        self._lines += self._wrapped(clean(text), before, before + " " * hang)

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]], left: str, indent: int = 2) -> None:
        """A table; `left` has a letter per column: t = text, w = text that wraps in its column, k = text never cut,
        f = figure, r = text that takes the rest and wraps."""
        cells = [[_cell(value) for value in row] for row in rows]
        if not cells:
            return
        above = [[clean(head) for head in heads]] if any(heads) else []
        widths = self._widths([*above, *cells], left, indent)
        for number, row in enumerate([*above, *cells]):
            lines = self._row(row, widths, left, indent)
            bold = self._bold and number < len(above)
            self._lines += [f"\x1b[1m{line}\x1b[0m" for line in lines] if bold else lines

    def text(self) -> str:
        """Everything so far."""
        return "\n".join(self._lines)

    def _wrapped(self, text: str, first: str, rest: str = "") -> list[str]:
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]

    def _widths(self, rows: Sequence[Sequence[str]], kinds: str, indent: int) -> list[int]:
        widths = [max(len(row[n]) for row in rows) for n in range(len(kinds))]
        texts = [n for n, kind in enumerate(kinds) if kind in "tw"]
        for n in texts:
            widths[n] = min(widths[n], LONGEST_CELL if "r" in kinds else self.width // 2)
        taken = [width for width, kind in zip(widths, kinds, strict=True) if kind != "r"]
        room = self.width - indent - sum(taken) - len(GAP) * (len(kinds) - 1)
        while room < 0 and texts and max(widths[n] for n in texts) > LEAST_CELL:
            widest = max(texts, key=lambda n: widths[n])
            widths[widest] -= 1
            room += 1
        return [max(room, 0) if kind == "r" else width for width, kind in zip(widths, kinds, strict=True)]

    def _row(self, row: Sequence[str], widths: Sequence[int], kinds: str, indent: int) -> list[str]:
        parts, rest = [], ""
        folded = {n: textwrap.wrap(row[n], widths[n]) for n, kind in enumerate(kinds) if kind == "w"}
        if any(len(lines) > 1 for lines in folded.values()):
            more = [" ".join(folded[n][1:]) if n in folded else "" for n in range(len(row))]
            first = [folded[n][0] if folded.get(n) else text for n, text in enumerate(row)]
            return [*self._row(first, widths, kinds, indent), *self._row(more, widths, kinds, indent)]
        for text, width, kind in zip(row, widths, kinds, strict=True):
            if kind == "r":
                rest = text
            else:
                parts.append(f"{short(text, width):>{width}}" if kind == "f" else f"{short(text, width):<{width}}")
        head = " " * indent + GAP.join(parts)
        if not rest:
            return [head.rstrip()]
        room = widths[-1]
        if room < max(min(LEAST_REST, len(rest)), *map(len, [*rest.split(" "), ""])):
            under = " " * (indent + 4)
            return [head.rstrip(), *self._wrapped(rest, under, under)]
        first, *others = textwrap.wrap(rest, room, break_on_hyphens=False) or [""]
        return [head + GAP + first, *(" " * (len(head) + len(GAP)) + other for other in others)]


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else clean(str(value))


def clean(text: str) -> str:
    """Without control characters: names and list values come from elsewhere and must not steer a terminal."""
    return "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cf", "Cs") else sign for sign in text)


def short(text: str, width: int) -> str:
    """Cut to `width` with a sign that something is missing."""
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"


def count(number: int, one: str, many: str = "") -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004 - SI units
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def hours(number: float) -> str:
    """Hours for people."""
    minutes = round(number * 60)
    if minutes < 1:
        return "less than a minute"
    return count(minutes, "minute") if minutes < 120 else f"{number:.0f} hours"  # noqa: PLR2004 - two hours


def moment(text: str) -> str:
    """An ISO 8601 instant without seconds, as UTC."""
    return text[:16].replace("T", " ")
