"""What a single value becomes, written from the reference alone; nothing here is shared with the product."""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pycountry


class Withhold(Exception):
    """The field is not sent; its text is the class of the reason."""


class Hold(Exception):
    """The row does not move; its text is the class of the reason."""


class Skip(Exception):
    """The row is none that should move; its text is the class of the reason."""


def text(raw: Any) -> str | None:
    """The canonical text: LF, NFC, no controls but LF and TAB, trimmed; None for nothing."""
    if raw is None:
        return None
    kept = str(raw).replace("\r\n", "\n")
    if any("\ud800" <= sign <= "\udfff" for sign in kept):
        raise Hold("R-TEXT")
    kept = "".join(sign for sign in kept if sign in "\n\t" or sign >= " ")
    return unicodedata.normalize("NFC", kept).strip() or None


def units(value: str) -> int:
    """Length in UTF-16 units, a line end counted as two."""
    return len(value.encode("utf-16-le")) // 2 + value.count("\n")


def limited(raw: Any, limit: int) -> str | None:
    """Canonical text that fits, or Withhold."""
    value = text(raw)
    if value is not None and units(value) > limit:
        raise Withhold("R-LEN")
    return value


def lines(raw: list[Any], limit: int) -> str | None:
    """Several texts, one per line, blanks left out."""
    return limited("\n".join(part for part in map(text, raw) if part), limit)


def folded(raw: str) -> str:
    """A list value without case, punctuation and blanks."""
    return "".join(sign for sign in raw.casefold() if sign.isalnum())


def label(raw: Any, codes: tuple[str, ...]) -> str | None:
    """The code in words and title case; a word that is not on the list is withheld."""
    value = text(raw)
    if value is None:
        return None
    for code in codes:
        if folded(code) == folded(value):
            return code.replace("_", " ").title()
    raise Withhold("R-PICK")


def nation(raw: Any) -> str | None:
    """The two letters of a country given by code or by name."""
    value = text(raw)
    found = pycountry.countries.get(alpha_2=value.upper()) or pycountry.countries.get(name=value) if value else None
    return found.alpha_2 if found else None


def country(raw: Any) -> str | None:
    """The ISO name, or the raw text."""
    value = limited(raw, 80)
    found = pycountry.countries.get(alpha_2=value.upper()) if value and len(value) == 2 else None
    return found.name if found else value


UK_POSTCODE = re.compile(
    r"(GIR0AA|[A-PR-UWYZ](\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY])\d[ABD-HJLNP-UW-Z]{2})"
)
EIRCODE = re.compile(r"([AC-FHKNPRTV-Y]\d{2}|D6W)[0-9AC-FHKNPRTV-Y]{4}")


def postcode(raw: Any, land: str | None) -> str | None:
    """The usual spelling where the code is well formed for the country, else the text as it stands."""
    value = limited(raw, 20)
    if value is None:
        return None
    tight = re.sub(r"\s", "", value).upper()
    if land in ("GB", None) and UK_POSTCODE.fullmatch(tight):
        return f"{tight[:-3]} {tight[-3:]}"
    if land in ("IE", None) and EIRCODE.fullmatch(tight):
        return f"{tight[:3]} {tight[3:]}"
    return value


def phone(raw: Any, region: str) -> str | None:
    """E.164 with " x12" for an extension; a number that cannot be is withheld."""
    value = text(raw)
    if value is None:
        return None
    if region == "IE" and re.sub(r"\D", "", value).startswith("048"):
        value = re.sub(r"^\D*0\D*4\D*8", "+4428", value)
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise Withhold("R-PHONE") from None
    if not phonenumbers.is_possible_number(number):
        raise Withhold("R-PHONE")
    extension = f" x{number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{{2,}}")


def email(raw: Any) -> str | None:
    """An ASCII addr-spec as the org stores it, in lower case; anything else is withheld."""
    value = text(raw)
    if value is None:
        return None
    if len(value) > 80 or not ADDRESS.fullmatch(value):
        raise Withhold("R-EMAIL")
    return value.lower()


def day(raw: Any, first: date, last: date) -> date | None:
    """A calendar day within the range, ISO or dd/MM/yyyy."""
    value = text(raw)
    if value is None:
        return None
    british = re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", value)
    try:
        iso = re.sub(r"[T ]00:00(:00(\.0+)?)?Z?$", "", value)
        read = date.fromisoformat("-".join(reversed(british.groups())) if british else iso)
    except ValueError:
        raise Withhold("R-DT") from None
    if not first <= read <= last:
        raise Withhold("R-DT")
    return read


def instant(raw: Any, last: date, zone: ZoneInfo) -> datetime | None:
    """A moment in UTC; without an offset it is wall time of the practice, the earlier of two and later than a gap."""
    value = text(raw)
    if value is None:
        return None
    british = re.fullmatch(r"(\d{2})/(\d{2})/(\d{4}) (\d{2}:\d{2})", value)
    written = "{2}-{1}-{0}T{3}".format(*british.groups()) if british else value
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise Withhold("R-DT") from None
    if len(written) == len("2025-10-14"):
        raise Withhold("R-DT")
    if not date(1950, 1, 1) <= read.date() <= last:
        raise Withhold("R-DT")
    return (read if read.tzinfo else read.replace(tzinfo=zone, fold=0)).astimezone(UTC).replace(microsecond=0)


MOST = Decimal(10) ** 14
UNREADABLE = "R-MONEY-UNREADABLE"


def money(raw: Any) -> Decimal | None:
    """An amount with at most two decimals; signs of currency and brackets are read."""
    value = text(raw)
    if value is None:
        return None
    plain = re.sub(r"[£€, ]", "", value)
    plain = f"-{plain[1:-1]}" if re.fullmatch(r"\(.*\)", plain) else plain
    try:
        read = Decimal(plain)
    except InvalidOperation:
        raise Withhold(UNREADABLE) from None
    if not read.is_finite() or abs(read) >= MOST:
        raise Withhold(UNREADABLE)
    if read != read.quantize(Decimal("0.01")):
        raise Withhold("R-MONEY")
    return read


def number(raw: Any, digits: int, decimals: int) -> Decimal | None:
    """A number of at most so many digits before and so many behind the point; anything else is withheld."""
    value = text(raw)
    if value is None:
        return None
    try:
        read = Decimal(value)
    except InvalidOperation:
        raise Withhold("R-NUMBER") from None
    if not read.is_finite() or abs(read) >= 10**digits or read != round(read, decimals):
        raise Withhold("R-NUMBER")
    return read


def health_number(raw: Any) -> str | None:
    """Ten digits that pass the modulus 11 check; nine only if they pass with a zero in front."""
    value = text(raw)
    if value is None:
        return None
    digits = re.sub(r"[\s-]", "", value)
    digits = digits.zfill(10) if re.fullmatch(r"[0-9]{9}", digits) else digits
    if not re.fullmatch(r"[0-9]{10}", digits) or len(set(digits)) == 1:
        raise Withhold("R-NHS")
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    if check == 10 or check % 11 != int(digits[9]):
        raise Withhold("R-NHS")
    return digits


def scheme_of(number: str) -> str | None:
    """The scheme whose range the number lies in; None for reserved and test ranges."""
    ranges = {
        "CHI": [(100000000, 3112999999)],
        "H&C": [(3200000000, 3999999999)],
        "NHS": [(4000000000, 4999999999), (6000000000, 7999999999)],
        "IHI": [(8000000000, 8599999999)],
    }
    for scheme, spans in ranges.items():
        if any(first <= int(number) <= last for first, last in spans):
            return scheme
    return None
