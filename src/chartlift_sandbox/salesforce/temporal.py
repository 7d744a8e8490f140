"""Dates, date-times and times from text, strictly: ISO forms only, and never shifted."""

from __future__ import annotations

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import any_true
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.settings import OrgSettings

FIRST_DAY = "1700-01-01"
LAST_DAY = "4000-12-31"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_DATE_Z = r"^\d{4}-\d{2}-\d{2}Z?$"
_CLOCK = r"\d{2}:\d{2}:\d{2}(\.\d{1,6})?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})"
Parsed = tuple[pa.Array, pa.Array | None, pa.Array | None]


def _months_ok(text: pa.Array) -> pa.Array:
    """Which `YYYY-MM-DD…` texts name a day that exists."""
    day = pc.cast(pc.utf8_slice_codeunits(text, 8, 10), pa.int32())
    month = pc.cast(pc.utf8_slice_codeunits(text, 5, 7), pa.int32())
    year = pc.cast(pc.utf8_slice_codeunits(text, 0, 4), pa.int32())
    known = pc.and_(pc.and_(pc.greater(month, 0), pc.less_equal(month, 12)), pc.greater(year, 0))
    lengths = pa.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], pa.int32())
    last = lengths.take(pc.if_else(known, month, 0))
    leap = pc.and_(_divides(year, 4), pc.or_(pc.invert(_divides(year, 100)), _divides(year, 400)))
    last = pc.add(last, pc.cast(pc.and_(leap, pc.equal(month, 2)), pa.int32()))
    return pc.and_(known, pc.and_(pc.greater(day, 0), pc.less_equal(day, last)))


def _divides(numbers: pa.Array, divisor: int) -> pa.Array:
    return pc.equal(pc.multiply(pc.divide(numbers, divisor), divisor), numbers)


def _beyond(value: pa.Array, kind: pa.DataType) -> pa.Array | None:
    first, last = pa.scalar(FIRST_DAY).cast(pa.date32()), pa.scalar(LAST_DAY).cast(pa.date32())
    days = value if kind == pa.date32() else pc.cast(value, pa.date32(), safe=False)
    outside = pc.or_(pc.less(days, first), pc.greater(days, last))
    return outside if any_true(outside) else None


def _cast(text: pa.Array, pattern: str, kind: pa.DataType) -> tuple[pa.Array, pa.Array | None]:
    """Cast the texts that have the shape and name a real moment; the mask tells the others."""
    try:
        value = pc.cast(text, kind)
        # Arrow's own reading of a day is as strict as ours; of a moment it is not.
        if kind == pa.date32() or not any_true(pc.invert(pc.match_substring_regex(text, pattern))):
            return value, None
    except pa.ArrowInvalid:
        pass  # some text is no such value: look at each below
    shaped = pc.match_substring_regex(text, pattern)
    wrong = pc.invert(shaped)
    days = pc.if_else(wrong, None, text)
    wrong = pc.or_kleene(wrong, pc.invert(_months_ok(days)))
    if kind != pa.date32():
        wrong = pc.or_kleene(wrong, pc.invert(_clock_ok(pc.if_else(wrong, None, text))))
    return pc.cast(pc.if_else(wrong, None, text), kind), wrong


def _clock_ok(text: pa.Array) -> pa.Array:
    """Which `YYYY-MM-DDTHH:MM:SS…` texts have a time of day and an offset that exist."""
    good = r"^.{10}[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$"
    return pc.match_substring_regex(text, good)


def to_date(text: pa.Array, settings: OrgSettings) -> Parsed:
    """date32 values, the mask of texts that are no date, the mask of days out of range."""
    if settings.date_accepts_z:
        text = pc.replace_substring_regex(text, r"Z$", "")
    value, wrong = _cast(text, _DATE, pa.date32())
    return value, wrong, _beyond(value, pa.date32())


def to_datetime(text: pa.Array, settings: OrgSettings) -> Parsed:
    """Timestamps in UTC without zone, cut to whole seconds; masks as for dates."""
    if settings.datetime_without_zone:
        text = pc.replace_substring_regex(text, rf"^(\d{{4}}-\d{{2}}-\d{{2}}[T ]{_CLOCK})$", r"\1Z")
    value, wrong = _cast(text, rf"^\d{{4}}-\d{{2}}-\d{{2}}[T ]{_CLOCK}{_ZONE}$", pa.timestamp("us", "UTC"))
    seconds = pc.floor_temporal(pc.cast(value, pa.timestamp("us")), unit="second")
    return seconds, wrong, _beyond(seconds, pa.timestamp("us"))


def to_time(text: pa.Array, settings: OrgSettings) -> Parsed:
    """Times of day; the zone letter Z is optional."""
    _ = settings
    shaped = pc.match_substring_regex(text, r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?Z?$")
    wrong = pc.invert(shaped)
    plain = pc.replace_substring_regex(pc.if_else(shaped, text, None), r"Z$", "")
    moment = pc.cast(pc.binary_join_element_wise("1970-01-01", plain, "T"), pa.timestamp("us"))
    return pc.cast(moment, pa.time64("us")), wrong if any_true(wrong) else None, None
