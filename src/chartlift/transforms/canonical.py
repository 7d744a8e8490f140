"""Canonical text: a value in the one form in which it is hashed, sent, read back and compared. Twin of canonical.sql.

Written from the rules, not from the macros: CRLF becomes LF, C0 controls other than LF and TAB go, then NFC, then white
space at both ends (no-break spaces included) goes. An empty text is no value.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext

from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

TEXT_FINDINGS = {
    "R-TEXT-CONTROL": "control characters were removed",
    "R-TEXT-MOJIBAKE": "the text looks as if it had been read in the wrong character set; it is sent as it is",
    "R-TEXT-SURROGATE": "half a character (a lone surrogate) cannot be stored; correct the text at the source",
}
SPACE = "\t\n \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANK = SPACE + "".join(map(chr, range(32)))
_CONTROL = re.compile("[" + "".join(chr(code) for code in range(32) if chr(code) not in "\t\n") + "]")
_LONE = re.compile("[\ud800-\udfff]")
_LEAD = re.compile("[ÂÃ]")
_CP1252 = {bytes([b]).decode("cp1252") for b in range(0x80, 0xC0) if b not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}}
_CONTINUATION = {chr(code) for code in range(0x80, 0xC0)} | _CP1252


def clean(x: str | None) -> str | None:
    """The canonical text of `x`, None if nothing is left of it."""
    if x is None:
        return None
    kept = _CONTROL.sub("", x.replace("\r\n", "\n"))
    return unicodedata.normalize("NFC", kept).strip(SPACE) or None


def text_note(x: str) -> str | None:
    """The finding a text gives rise to, the gravest first."""
    if MARK in x or _LONE.search(x):
        return "R-TEXT-SURROGATE"
    if _CONTROL.search(x.replace("\r\n", "\n")):
        return "R-TEXT-CONTROL"
    followed = (x[at.end() : at.end() + 1] for at in _LEAD.finditer(x))
    if "â€" in x or any(c and (c in _CONTINUATION or "\u2013" <= c <= "\u203a") for c in followed):
        return "R-TEXT-MOJIBAKE"
    return None


def text_outcome(x: str | None) -> Outcome:
    """Canonical text with its finding; a text with a lone surrogate is unusable."""
    if x is None:
        return NOTHING
    note = text_note(x)
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    return Outcome(clean(x), note)


def truth(x: str | None) -> bool | None:
    """A truth value as written in JSON or in an export file; None where it is neither."""
    word = (x or "").strip(_BLANK).lower()
    if word in {"true", "yes", "y", "1"}:
        return True
    return False if word in {"false", "no", "n", "0"} else None


def units(x: str) -> int:
    """Length as the org counts it: UTF-16 units, each line end counted as two."""
    lines = x.replace("\r\n", "\n")
    return len(lines.encode("utf-16-le", "surrogatepass")) // 2 + lines.count("\n")


def fits(x: str | None, n: int) -> bool:
    """Whether the org takes `x` in a field of length `n`."""
    return x is None or units(x) <= n


def number_text(d: Decimal) -> str:
    """Plain digits: no exponent, no trailing zeros, no sign on zero."""
    text = format(d, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def canonical_number(x: str) -> str | None:
    """A number with noise below 1e-9 rounded away; other text unchanged."""
    if not _NUMBER.fullmatch(x):
        return clean(x)
    value = Decimal(x)
    if abs(value) >= Decimal(10) ** 26:
        return x
    with localcontext(prec=60):
        exact = value.quantize(Decimal("1e-12"), ROUND_HALF_UP).quantize(Decimal("1e-9"), ROUND_HALF_UP)
    return number_text(exact)


_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))", re.ASCII)


def canonical_datetime(x: str) -> str | None:
    """`yyyy-mm-ddThh:mm:ss.000Z` in UTC; other text unchanged."""
    found = _STAMP.fullmatch(x)
    if not found:
        return clean(x)
    day, time, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)
    except ValueError:
        return clean(x)
    if sign:
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        moment = moment - shift if sign == "+" else moment + shift
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '')[:3]:0<3}Z"


_MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\dT00:00:00(\.0+)?(Z|[+-]00:?00)?", re.ASCII)


def canonical_date(x: str) -> str | None:
    """`yyyy-mm-dd`, also out of a midnight; other text unchanged."""
    return x[:10] if _MIDNIGHT.fullmatch(x) else clean(x)


def canonical_boolean(x: str) -> str | None:
    """True or false; other text unchanged."""
    value = truth(x)
    return clean(x) if value is None else str(value).lower()


def canonical_id(x: str) -> str | None:
    """18 characters out of 15; other text unchanged."""
    if not re.fullmatch(r"[0-9A-Za-z]{15}", x):
        return clean(x)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (x[0:5], x[5:10], x[10:15])
    return x + "".join(letters[sum(1 << i for i, c in enumerate(part) if "A" <= c <= "Z")] for part in parts)


def canonical_email(x: str) -> str | None:
    """Lower case, as the org stores it."""
    text = clean(x)
    return text.lower() if text else None


_KINDS = {
    "number": canonical_number,
    "currency": canonical_number,
    "percent": canonical_number,
    "double": canonical_number,
    "int": canonical_number,
    "checkbox": canonical_boolean,
    "boolean": canonical_boolean,
    "date": canonical_date,
    "datetime": canonical_datetime,
    "email": canonical_email,
    "lookup": canonical_id,
    "masterdetail": canonical_id,
    "reference": canonical_id,
    "id": canonical_id,
}
_MACROS = {
    canonical_number: "canon_number",
    canonical_boolean: "canon_boolean",
    canonical_date: "canon_date",
    canonical_datetime: "canon_datetime",
    canonical_email: "canon_email",
    canonical_id: "canon_id",
}


def kind_of(type_word: str) -> str:
    """`Text(40) Unique` -> `text`; also takes the type names of describe."""
    return re.split(r"[( ]", type_word.strip(), maxsplit=1)[0].lower()


def canonical(type_word: str, x: str | None) -> str | None:
    """The value of a field of this type in canonical form, from the source, from us or from the org."""
    if x is None or x == "":
        return None
    return _KINDS.get(kind_of(type_word), clean)(x)


def canonical_macro(type_word: str) -> str:
    """Name of the macro that does in SQL what `canonical` does for this type."""
    kind = _KINDS.get(kind_of(type_word))
    return "canon_text" if kind is None else _MACROS[kind]


def text_sha256(x: str | None) -> str | None:
    """SHA-256 (hex) of the canonical text in UTF-8."""
    text = clean(x)
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
