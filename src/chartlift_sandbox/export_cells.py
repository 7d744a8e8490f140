"""How the clinic's export writes one line of CSV: encodings, delimiters, dates, and null beside empty text."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8-sig": ("utf-8", codecs.BOM_UTF8),
    "cp1252": ("cp1252", b""),
    "utf-16le": ("utf-16-le", codecs.BOM_UTF16_LE),
}
"""Codec and first bytes of each encoding on offer."""
DELIMITERS = frozenset({",", ";", "\t"})
_LOCAL = ZoneInfo("Europe/London")  # Dublin keeps the same hours
_DATED = re.compile(r"(?:On|At|Date|Time)$|^dateOfBirth$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")


class CellError(Exception):
    """A value that cannot be written; the text names file, record and field, never the value."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the export shall look.

    Attributes:
        password: Encrypts every entry with AES, if given.
        encoding: A key of ENCODINGS; of CSV only, JSON is UTF-8.
        delimiter: One of DELIMITERS.
        dates: ``iso`` as the API writes them, ``uk`` as dd/MM/yyyy, instants in local time to the minute.
        documents: Whether the contents of documents come along.
        format: ``csv`` or ``json``.
        unencodable: What becomes of a character that the encoding cannot hold: ``refuse``, or ``replace`` by a
            question mark; ``pass`` writes half a surrogate pair as the bytes it would have in Unicode encodings.
    """

    password: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    dates: str = "iso"
    documents: bool = True
    format: str = "csv"
    unencodable: str = "refuse"

    def problem(self) -> str | None:
        """What is wrong with the wishes, or None."""
        choices: tuple[tuple[str, frozenset[str]], ...] = (
            ("encoding", frozenset(ENCODINGS)),
            ("delimiter", DELIMITERS),
            ("dates", frozenset({"iso", "uk"})),
            ("format", frozenset({"csv", "json"})),
            ("unencodable", frozenset({"refuse", "replace", "pass"})),
        )
        for name, allowed in choices:
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                return f"{name} must be one of {', '.join(sorted(map(repr, allowed)))}"
        if not isinstance(self.documents, bool):
            return "documents must be true or false"
        if self.password is not None and (not isinstance(self.password, str) or not self.password):
            return "password must be text"
        return None


class Sheet:
    """One CSV file in the making.

    Attributes:
        columns: Its columns, in order; the first is the record's key.
        replaced: How many values were written otherwise than they are, because of the encoding.
    """

    def __init__(self, name: str, wishes: Wishes) -> None:
        self.name, self.wishes, self.replaced = name, wishes, 0
        self.columns: list[str] = []
        self._codec, self._mark = ENCODINGS[wishes.encoding]
        self._quoted = re.compile(rf'[{re.escape(wishes.delimiter)}"\r\n]|^\s|\s$')

    def head(self) -> bytes:
        """Mark of the encoding and the header."""
        return self._mark + self._bytes(self.wishes.delimiter.join(self.columns) + "\r\n", None)

    def line(self, row: Mapping[str, Any]) -> bytes:
        """One record.

        Raises:
            CellError: the encoding cannot hold a value of it.
        """
        text = self.wishes.delimiter.join(self._cell(name, row.get(name)) for name in self.columns) + "\r\n"
        return self._bytes(text, row)

    def _cell(self, name: str, value: object) -> str:
        """Null is an empty cell, empty text a quoted one."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            text = self._dated(name, value)
        elif isinstance(value, list | dict):
            text = json.dumps(value, ensure_ascii=self.wishes.encoding == "cp1252", separators=(",", ":"))
        else:
            text = str(value)
        quoted = not text or self._quoted.search(text) is not None
        return '"' + text.replace('"', '""') + '"' if quoted else text

    def _dated(self, name: str, text: str) -> str:
        if self.wishes.dates == "iso" or _DATED.search(name) is None:
            return text
        try:
            if _DAY.fullmatch(text):
                return datetime.fromisoformat(text).strftime("%d/%m/%Y")
            if _INSTANT.fullmatch(text):
                moment = datetime.fromisoformat(text)
                local = moment.astimezone(_LOCAL) if moment.tzinfo is not None else moment
                return local.strftime("%d/%m/%Y %H:%M")
        except (ValueError, OverflowError):
            pass  # a date that is none is exported as it was typed
        return text

    def _bytes(self, text: str, row: Mapping[str, Any] | None) -> bytes:
        try:
            return text.encode(self._codec)
        except UnicodeEncodeError as error:
            if self.wishes.unencodable == "replace":
                self.replaced += 1
                return text.encode(self._codec, "replace")
            if self.wishes.unencodable == "pass" and self._codec.startswith("utf"):
                return text.encode(self._codec, "surrogatepass")
            raise CellError(self._blame(row)) from error

    def _blame(self, row: Mapping[str, Any] | None) -> str:
        for name in self.columns:
            try:
                self._cell(name, (row or {}).get(name)).encode(self._codec)
            except UnicodeEncodeError:
                where = f"{self.columns[0]} {(row or {}).get(self.columns[0])}, field {name}"
                return f"{self.name}: {where} holds a character that {self.wishes.encoding} cannot hold"
        return f"{self.name}: the header cannot be written in {self.wishes.encoding}"
