"""What can go wrong between us and AeronaClinic, told without a value: status and error code.

These are signals inside this platform; what leaves it is one of `chartlift.errors`.
"""

from __future__ import annotations

import re

import orjson

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


class BadAnswer(Exception):
    """The answer is not what the profile promises (status 5xx, HTML, cut, not JSON): worth asking again."""

    def __init__(self, reason: str) -> None:
        """Take the reason, without any part of the body."""
        super().__init__(reason)
        self.reason = reason


class Broken(Exception):
    """There was no answer, or the connection broke in the middle of one; the text is the kind of the break."""


class Declined(Exception):
    """A lasting no: status 4xx other than login and rate limit."""

    def __init__(self, status: int, code: str) -> None:
        """Take the HTTP status and the vendor's error code ('' if there is none)."""
        super().__init__(f"{status} {code}".strip())
        self.status = status
        self.code = code


class RateExceeded(Exception):
    """The clinic counted more requests than it allows; the token is dead."""


def error_code(body: bytes) -> str:
    """The vendor's error code from an error body. The message beside it may echo values and is left alone."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return ""
    code = answer.get("error") if isinstance(answer, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
