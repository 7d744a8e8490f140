"""A member's bytes as text in UTF-8, whatever the clinic's computer wrote, and how its cells are set apart."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from chartlift import transforms
from chartlift.errors import StopError
from chartlift.model.source import LONE_SURROGATE

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DELIMITERS = ",;\t|"
_LONGEST_HEAD = 1 << 16
_ESCAPED = re.compile("[\udc80-\udcff]")
_HALF = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")
_BEYOND = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written: its encoding, the bytes of its mark, the delimiter, the lines before the rows, the heads.

    `quoted`: all heads are in quotes, and then all cells may be.
    """

    encoding: str
    mark: int
    delimiter: str
    lines: int
    heads: tuple[str, ...]
    quoted: bool = False


def encoding(pieces: Iterable[bytes]) -> tuple[str, int]:
    """(encoding, bytes of its mark) of a whole text: UTF-8 and UTF-16 by their marks or their form, else Windows-1252.

    UTF-8 with some damage is `utf-8-damaged`: a few bad bytes do not turn the letters of a whole file into others.

    Raises:
        StopError: it is none of these.
    """
    found = iter(pieces)
    first = next(found, b"")
    for mark, name in _MARKS:
        if first.startswith(mark) and name != "utf-8":
            return name, len(mark)
    if first[1:64:2].count(0) > len(first[1:64:2]) * 3 // 4:
        return "utf-16-le", 0
    marked = first.startswith(codecs.BOM_UTF8)
    damage = _Damage()
    for piece in chain((first,), found):
        damage.look(piece)
    damage.look(b"", final=True)
    if not damage.found or marked or damage.good > damage.bad:
        return ("utf-8-damaged" if damage.found else "utf-8"), len(codecs.BOM_UTF8) if marked else 0
    if not damage.ansi:
        raise StopError("a file of the export is neither UTF-8 nor UTF-16 nor Windows-1252", hint="export it as UTF-8")
    return "cp1252", 0


class _Damage:
    """Counts letters beyond ASCII that are UTF-8, and bytes that are not; halves of characters come from UTF-8 only."""

    def __init__(self) -> None:
        self.good, self.bad, self.found, self.ansi = 0, 0, False, True
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def look(self, piece: bytes, *, final: bool = False) -> None:
        """Take the next piece into account."""
        if not piece.isascii() and self.ansi:
            self.ansi = not any(byte in piece for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))
        decoded = self._decoder.decode(piece, final=final)
        if not decoded.isascii():
            beyond, bad, halves = (len(kind.findall(decoded)) for kind in (_BEYOND, _ESCAPED, _HALF))
            self.found |= bad > 0
            self.bad += bad - 3 * halves
            self.good += beyond - bad + halves


def _mark_damage(error: UnicodeError) -> tuple[str, int]:
    """A half character is marked as such, so that its row is held; any other bad byte becomes the sign for it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    half = error.object[error.start : error.start + 3]
    if re.fullmatch(rb"\xed[\xa0-\xbf][\x80-\xbf]", half, re.DOTALL):
        return f"{LONE_SURROGATE}{ord(half.decode('utf-8', 'surrogatepass')):04x}", error.start + 3
    return "\ufffd", error.start + 1


codecs.register_error("chartlift-damage", _mark_damage)


def text(pieces: Iterable[bytes], name: str, mark: int) -> Iterator[bytes]:
    """The text in UTF-8, without its mark."""
    errors = {"utf-8-damaged": "chartlift-damage", "cp1252": "replace"}.get(name, "surrogatepass")
    decoder = codecs.getincrementaldecoder(name.removesuffix("-damaged"))(errors)
    for number, piece in enumerate(pieces):
        body = piece[mark:] if number == 0 else piece
        if name == "utf-8":
            yield body
        elif out := decoder.decode(body):
            yield _encoded(out)
    if name != "utf-8" and (rest := decoder.decode(b"", final=name != "utf-16-le")):
        yield _encoded(rest)


def _encoded(text_: str) -> bytes:
    try:
        return text_.encode()
    except UnicodeEncodeError:
        return transforms.mark_surrogates(text_).encode()


class Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill what is asked for as far as the next piece goes."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = piece
        part = self._held[: len(buffer)]
        buffer[: len(part)] = part
        self._held = self._held[len(part) :]
        return len(part)


def dialect(name: str, mark: int, start: bytes) -> Dialect:
    """From the start of a text in UTF-8: the delimiter that its head line has most often, and the heads.

    Raises:
        StopError: there is no head line.
    """
    head = start.decode("utf-8", "ignore")
    lines, said = 0, ""
    if head[:4].lower() == "sep=":  # a line for spreadsheets
        said, lines = head[4:5], 1
        head = head.split("\n", 1)[-1]
    row = _first_row(head)
    outside = "".join(part for number, part in enumerate(row.split('"')) if number % 2 == 0)
    delimiter = said or max(_DELIMITERS, key=lambda mark_: (outside.count(mark_), -_DELIMITERS.index(mark_)))
    heads = next(csv.reader(io.StringIO(row, newline=""), delimiter=delimiter), [])
    if not any(head.strip() for head in heads):
        raise StopError("a file of the export has no line of headers", hint="export it with headers")
    return Dialect(
        name, mark, delimiter, lines + _line_ends(row), tuple(heads), quoted=row.count('"') >= 2 * len(heads)
    )


def _first_row(text_: str) -> str:
    """The first row, line ends inside of quotes included, with the line end behind it."""
    quoted = False
    for place, letter in enumerate(text_):
        if letter == '"':
            quoted = not quoted
        elif letter in "\r\n" and not quoted:
            after = text_[place : place + 2]
            return text_[: place + (2 if after == "\r\n" else 1)]
        if place > _LONGEST_HEAD:
            break
    return text_[:_LONGEST_HEAD]


def _line_ends(row: str) -> int:
    return max(1, row.replace("\r\n", "\n").replace("\r", "\n").count("\n"))
