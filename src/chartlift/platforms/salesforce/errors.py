"""What Salesforce's error codes mean for us, and how they are read without keeping the values in their messages.

Source: reference on DML errors (section 8), REST status codes (3.1) and job-level codes (4.9).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute

from chartlift.errors import StopError, Unreachable

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them


class Remedy(StrEnum):
    """What helps against an error."""

    RETRY = "retry"  # the same again, later
    FIX = "fix"  # the data or the mapping
    PERMISSION = "permission"  # an administrator
    QUOTA = "quota"  # time, or a bigger allowance
    DUPLICATE = "duplicate"  # a question: which record is it?
    AUTOMATION = "automation"  # a trigger, flow or rule of the org


LOCKED_OUT = "TOO_MANY_RETRIES"
"""Our name for CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY when the org gave up retrying a chunk: sending again helps."""

UNRECOGNISED = "UNRECOGNISED"
"""Our name for an error whose code cannot be read."""

_CATALOGUE: dict[Remedy, tuple[str, ...]] = {
    Remedy.RETRY: (
        "UNABLE_TO_LOCK_ROW",
        LOCKED_OUT,
        "TOOMANYLOCKFAILURE",
        "TIMEOUT",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "QUERY_TIMEOUT",
        "INVALID_QUERY_LOCATOR",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
    ),
    Remedy.PERMISSION: (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INACTIVE_OWNER_OR_USER",
        "OPERATION_WITH_INACTIVE_USER",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INVALIDUSER",
        "FEATURENOTENABLED",
        "API_DISABLED_FOR_ORG",
        "TXN_SECURITY_NO_ACCESS",
        "TXN_SECURITY_METERING",
        "TXN_SECURITY_RUNTIME_EXCEPTION",
    ),
    Remedy.QUOTA: (
        "STORAGE_LIMIT_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED",
        "EXCEEDEDQUOTA",
        "EXCEEDED_QUOTA",
        "LICENSE_LIMIT_EXCEEDED",
    ),
    Remedy.DUPLICATE: ("DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"),
    Remedy.AUTOMATION: (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "APEX_ERROR",
    ),
}
_REMEDIES = {code: remedy for remedy, codes in _CATALOGUE.items() for code in codes}


def remedy(code: str) -> Remedy:
    """What helps against a code; anything that is not in the catalogue is data to fix."""
    return _REMEDIES.get(code.upper(), Remedy.FIX)


_CODE = re.compile(r"[A-Za-z][A-Za-z_ ]{1,79}")
_NAME = re.compile(r"[A-Za-z][\w.]{0,99}", re.ASCII)


def safe_code(text: object) -> str:
    """A code if it looks like one; an org's free text may hold patients' values and is dropped."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else UNRECOGNISED


def safe_fields(names: object) -> str:
    """Field names joined by comma; anything that cannot be a field name is dropped."""
    if not isinstance(names, list | tuple):
        return ""
    return ",".join(name for name in names if isinstance(name, str) and _NAME.fullmatch(name))


_TWIN = r"duplicate value found: (?P<twin>[A-Za-z]\w*) duplicates"


def twin_field(message: object) -> str:
    """The field that a DUPLICATE_VALUE is about; its message names it, its field list does not."""
    found = re.search(_TWIN, message, re.ASCII) if isinstance(message, str) else None
    return found["twin"] if found else ""


def row_errors(cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Codes and field lists of `CODE:message:Field1,Field2 --` cells, without the message.

    The message may hold colons, quotes and line ends: the code ends at the first colon, the fields follow the last.
    Of a DUPLICATE_VALUE the field is named inside the message; it is taken from there.
    """
    code = pc.struct_field(pc.extract_regex(cells, r"^\s*(?P<code>[A-Za-z][A-Za-z_]*):"), "code")
    code = pc.fill_null(code, UNRECOGNISED)
    gave_up = pc.match_substring(cells, "Too many retries of batch save")
    code = pc.if_else(gave_up, LOCKED_OUT, code)
    tail = pc.struct_field(
        pc.extract_regex(cells, r"(?s):(?P<tail>[A-Za-z][\w.]*(?:, ?[A-Za-z][\w.]*)*) ?--\s*$"), "tail"
    )
    twin = pc.struct_field(pc.extract_regex(cells, _TWIN), "twin")
    fields = pc.utf8_trim_whitespace(pc.fill_null(pc.coalesce(tail, twin), ""))
    return code, fields


class Refused(StopError):
    """The org answered with an error. Only status, code and field names are kept: its message echoes values."""

    def __init__(self, what: str, *, status: int, code: str, fields: str = "") -> None:
        """Take the call (method and path) and what is left of the answer."""
        where = f" ({fields})" if fields else ""
        super().__init__(f"Salesforce refused {what}: {code}{where}", hint=f"HTTP status {status}.")
        self.status = status
        self.code = code
        self.fields = fields


class NoAnswer(Unreachable):
    """No usable answer. `unsent` tells that the org certainly did not act on the request."""

    def __init__(self, what: str, why: str, *, unsent: bool, wait: float | None = None) -> None:
        """Take the call, the reason, and for how long the server asked us to wait (seconds)."""
        super().__init__(f"no usable answer from Salesforce to {what}: {why}", hint="Run the same command again.")
        self.unsent = unsent
        self.wait = wait
