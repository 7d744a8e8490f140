"""One HTTP answer, read whole and judged before anybody uses it.

A truncated, mistyped or oversized body must never look like a short result: a lost gzip tail, an HTML page with
status 200 and a body that simply stops are all failures here.
"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from isal import isal_zlib

from chartlift.platforms.salesforce.errors import UNRECOGNISED, safe_code, safe_fields

GZIP = 31  # window bits: gzip container
_DAMAGED: Any = isal_zlib.error  # declared as a value, but a class
LONGEST_WAIT = 900.0  # seconds a server may ask us to wait


class Unusable(Exception):
    """The body cannot be trusted; the text says why, without its content. Callers turn it into NoAnswer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower-case names), decoded body, and what a JSON body says.

    `framed`: the transport proved that the body is whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    framed: bool = True
    document: Any = None

    @property
    def kind(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; numbers with a point stay text, as they came.

        Raises:
            Unusable: it is something else.
        """
        if self.kind != "application/json":
            raise Unusable(f"not JSON but {self.kind or 'untyped'}")
        try:
            return json.loads(self.body, parse_constant=_no_constant, parse_float=str)
        except ValueError:
            raise Unusable("the JSON is damaged") from None

    def errors(self) -> list[tuple[str, str]]:
        """(code, fields) of each error in an error answer; [] if it has none that can be read."""
        try:
            found = self.json()
        except Unusable:
            text = self.body[:64].strip()
            return [("Bad_OAuth_Token", "")] if text == b"Bad_OAuth_Token" else []
        items = found if isinstance(found, list) else [found]
        return [(code_of(item), safe_fields(item.get("fields"))) for item in items if isinstance(item, dict)]

    def wait(self, now: datetime) -> float | None:
        """Seconds the server asks us to wait (Retry-After as number or date); None if it says nothing usable."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return min(float(text), LONGEST_WAIT)
        try:
            at = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
        return min(max(seconds, 0.0), LONGEST_WAIT)


def code_of(item: Mapping[str, Any]) -> str:
    """The code in one error object, whichever of the three names it goes by."""
    for name in ("errorCode", "statusCode", "error"):
        if name in item:
            return safe_code(item[name])
    return UNRECOGNISED


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def unpack(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo Content-Encoding, at most `limit` bytes.

    Raises:
        Unusable: cut short, damaged, longer than `limit` or in an encoding we did not ask for.
    """
    if encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise Unusable(f"unknown encoding {safe_code(encoding)}")
    if not raw:
        raise Unusable("the compressed body is missing")
    out = bytearray()
    while raw:
        stream = isal_zlib.decompressobj(GZIP)
        try:
            out += stream.decompress(raw, limit - len(out) + 1)
        except _DAMAGED:
            raise Unusable("the compressed body is damaged") from None
        if len(out) > limit:
            raise Unusable("the body is too large")
        if not stream.eof:
            raise Unusable("the compressed body is cut short")
        raw = stream.unused_data
    return bytes(out)
