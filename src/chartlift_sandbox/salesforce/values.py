"""From the text of a cell to the value that is stored, one Arrow kernel at a time, with the checks of its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import Failures, any_true, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import EMPTY, FALSE, NO_TEXT, TRUE, whole
from chartlift_sandbox.salesforce.literals import text as literal_text
from chartlift_sandbox.salesforce.schema import NUMBER_TYPES, Field, PicklistValue
from chartlift_sandbox.salesforce.settings import OrgSettings
from chartlift_sandbox.salesforce.temporal import to_date, to_datetime, to_time

SET_NULL = "\x00null"
_SET_NULL = literal_text(SET_NULL)
QUOTED = 255
"""Longest value, in characters, that an error message quotes."""
WHITE_SPACE = " \t\n\r\x0b\x0c"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
EMAIL = rf"^{_LOCAL}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{{2,}}$"
_TRUE = pa.array(["true", "1", "yes", "y", "t", "on"])
_FALSE = pa.array(["false", "0", "no", "n", "f", "off"])


@dataclass(slots=True)
class Cells:
    """One column of a call: `value` as stored (null = null) and `given` (mask, or None when every row gives it)."""

    field: Field
    value: pa.Array
    given: pa.Array | None


def clean(raw: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Trim, turn blanks and SET_NULL into null; also which rows gave a value at all."""
    given = None if raw.null_count == 0 else pc.is_valid(raw)
    text = pc.utf8_trim(raw, WHITE_SPACE)
    empty = pc.or_(pc.equal(text, EMPTY), pc.equal(text, _SET_NULL))
    if any_true(empty):
        text = pc.if_else(empty, NO_TEXT, text)
    return text, given


@dataclass(slots=True)
class Conversion:
    """What a converter needs: the field, its picklist entries, the switches, where errors go."""

    field: Field
    entries: tuple[PicklistValue, ...]
    settings: OrgSettings
    failures: Failures

    def reject(self, bad: pa.Array, code: str, middle: str, text: pa.Array, tail: str = "") -> None:
        """Fail rows with `<label>: <middle><value><tail>`."""
        if any_true(bad):
            shown = pc.utf8_slice_codeunits(text, 0, QUOTED)
            message = pc.binary_join_element_wise(f"{self.field.label}: {middle}", shown, tail, "")
            self.failures.add(bad, code, message, self.field.name)

    def reject_type(self, bad: pa.Array, text: pa.Array) -> None:
        """Fail rows whose text is not of the field's type."""
        self.reject(bad, "INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type: ", text)


def convert(text: pa.Array, job: Conversion) -> pa.Array:
    """The stored values of cleaned cells; rows that cannot be stored are failed in `job.failures`."""
    return _CONVERTERS.get(job.field.type, to_text)(text, job)


def utf16_units(text: pa.Array) -> pa.Array:
    """Length in UTF-16 code units, which is how the platform counts."""
    signs = pc.utf8_length(text)
    if pc.all(pc.equal(signs, pc.binary_length(text)), min_count=0).as_py():
        return signs
    return pc.add(signs, pc.count_substring_regex(text, r"[\x{10000}-\x{10FFFF}]"))


def _extra_breaks(text: pa.Array) -> pa.Array:
    """How many units a text grows by when each line end counts as CR LF."""
    feeds, returns = pc.count_substring(text, "\n"), pc.count_substring(text, "\r")
    if not (pc.max(returns).as_py() or 0):
        return feeds
    return pc.subtract(pc.add(feeds, returns), pc.multiply(pc.count_substring(text, "\r\n"), 2))


def to_text(text: pa.Array, job: Conversion) -> pa.Array:
    """Texts, checked against the field's length; never cut."""
    if job.field.type == "textarea" and job.settings.text_area_line_ends != "as_sent":
        text = pc.replace_substring(pc.replace_substring(text, "\r\n", "\n"), "\r", "\n")
        if job.settings.text_area_line_ends == "crlf":
            text = pc.replace_substring(text, "\n", "\r\n")
    limit = job.field.length
    breaks = job.field.type == "textarea" and job.settings.line_break_counts_two
    bound = pc.multiply(pc.binary_length(text), 2 if breaks else 1)  # no text has more units than this
    if not limit or (pc.max(bound).as_py() or 0) <= limit:
        return text
    # counting is slow, and in a batch of notes only a few can be too long
    rows = pc.indices_nonzero(pc.fill_null(pc.greater(bound, limit), fill_value=False))
    some = text if len(rows) == len(text) else text.take(rows)
    units = pc.add(utf16_units(some), _extra_breaks(some)) if breaks else utf16_units(some)
    long = rows.filter(pc.greater(units, whole(limit)))
    if len(long):
        bad = pc.is_in(pc.cast(row_numbers(len(text)), pa.uint64()), value_set=long)
        job.reject(bad, "STRING_TOO_LONG", "data value too large: ", text, f" (max length={limit})")
    return text


def to_boolean(text: pa.Array, job: Conversion) -> pa.Array:
    """Checkboxes; null becomes the default of the field."""
    lowered = pc.utf8_lower(text)
    true = pc.is_in(lowered, value_set=_TRUE)
    bad = pc.and_(pc.is_valid(text), pc.invert(pc.or_(true, pc.is_in(lowered, value_set=_FALSE))))
    job.reject_type(bad, text)
    return pc.if_else(pc.is_valid(text), true, TRUE if job.field.default == "true" else FALSE)


def to_number(text: pa.Array, job: Conversion) -> pa.Array:
    """Numbers as doubles; only the integer part is checked, decimals beyond the scale are kept."""
    wrong = pc.invert(pc.match_substring_regex(text, _NUMBER))
    if any_true(wrong):
        job.reject_type(wrong, text)
        text = pc.if_else(wrong, NO_TEXT, text)
    value = pc.cast(text, pa.float64())
    digits = job.field.precision - job.field.scale
    if job.field.precision:
        beyond = pc.greater_equal(pc.abs(value), pa.scalar(float(10**digits), pa.float64()))
        job.reject(beyond, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range on numeric field: ", text)
    return value


def to_integer(text: pa.Array, job: Conversion) -> pa.Array:
    """Whole numbers of at most `digits` digits."""
    wrong = pc.invert(pc.match_substring_regex(text, _NUMBER))
    value = pc.cast(pc.if_else(wrong, NO_TEXT, text), pa.float64())
    wrong = pc.or_kleene(wrong, pc.not_equal(value, pc.floor(value)))
    job.reject_type(wrong, text)
    beyond = pc.greater_equal(pc.abs(value), pa.scalar(float(10 ** (job.field.digits or 9)), pa.float64()))
    job.reject(beyond, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range on numeric field: ", text)
    unusable = pc.fill_null(pc.or_kleene(wrong, beyond), fill_value=False)
    return pc.cast(pc.if_else(unusable, None, value), pa.int64())


def to_email(text: pa.Array, job: Conversion) -> pa.Array:
    """E-mail addresses, stored in lower case."""
    wrong = pc.invert(pc.match_substring_regex(text, EMAIL))
    job.reject(wrong, "INVALID_EMAIL_ADDRESS", "invalid email address: ", text)
    return pc.utf8_lower(to_text(text, job))


def _each_distinct(text: pa.Array, rewrite: Callable[[str], str | None]) -> pa.Array:
    """Apply a rule to every distinct text; picklist columns have few."""
    distinct = pc.unique(text).drop_null()
    rewritten = pa.array([rewrite(value) for value in distinct.to_pylist()], pa.string())
    return rewritten.take(pc.index_in(text, value_set=distinct))


def to_picklist(text: pa.Array, job: Conversion) -> pa.Array:
    """Single values; a restricted field takes active entries only, and stores their spelling."""
    text = to_text(text, job)
    if not job.field.restricted:
        return text
    known = _spellings(job)
    value = _each_distinct(text, lambda given: known.get(_folded(given, job)))
    _reject_values(pc.and_(pc.is_valid(text), pc.is_null(value)), text, job)
    return value


def to_multipicklist(text: pa.Array, job: Conversion) -> pa.Array:
    """Values joined by semicolons, in the order of the definition."""
    text = pc.if_else(pc.match_substring_regex(text, r"^[;\s]*$"), NO_TEXT, text)
    known = _spellings(job)
    order = {entry.value: place for place, entry in enumerate(job.entries)}

    def arrange(given: str) -> str | None:
        parts = [part.strip() for part in given.split(";") if part.strip()]
        found = [known.get(_folded(part, job), None if job.field.restricted else part) for part in parts]
        spelled = [part for part in found if part is not None]
        if len(spelled) < len(found):
            return None
        return ";".join(sorted(dict.fromkeys(spelled), key=lambda part: order.get(part, len(order))))

    value = _each_distinct(text, arrange)
    _reject_values(pc.and_(pc.is_valid(text), pc.is_null(value)), text, job)
    return to_text(value, job)


def _folded(value: str, job: Conversion) -> str:
    return value.lower() if job.settings.picklist_ignores_case else value


def _spellings(job: Conversion) -> dict[str, str]:
    return {_folded(entry.value, job): entry.value for entry in job.entries if entry.active}


def _reject_values(bad: pa.Array, text: pa.Array, job: Conversion) -> None:
    job.reject(
        bad, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field: ", text
    )  # fmt: skip


def _temporal(parse: Callable[[pa.Array, OrgSettings], tuple[pa.Array, pa.Array | None, pa.Array | None]]) -> Callable:
    def converter(text: pa.Array, job: Conversion) -> pa.Array:
        value, wrong, beyond = parse(text, job.settings)
        if wrong is not None:
            job.reject_type(wrong, text)
        if beyond is not None:
            job.reject(beyond, "FIELD_INTEGRITY_EXCEPTION", "invalid date: ", text)
        return value

    return converter


_CONVERTERS: dict[str, Callable[[pa.Array, Conversion], pa.Array]] = {
    "boolean": to_boolean,
    "int": to_integer,
    "long": to_integer,
    "email": to_email,
    "picklist": to_picklist,
    "multipicklist": to_multipicklist,
    "date": _temporal(to_date),
    "datetime": _temporal(to_datetime),
    "time": _temporal(to_time),
    **dict.fromkeys(NUMBER_TYPES, to_number),
}
