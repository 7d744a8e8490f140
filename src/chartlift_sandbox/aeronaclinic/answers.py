"""Bodies and error shapes of the service."""

import json
from typing import Any

import orjson
from isal import isal_zlib
from starlette.requests import Request
from starlette.responses import Response

_WORTH_PACKING = 500
_GZIP_BITS = 31
_TEXTS = {
    "TOKEN_MISSING": "No authentication token was sent.",
    "TOKEN_INVALID": "The authentication token is not valid.",
    "TOKEN_EXPIRED": "The authentication token has expired.",
    "LOGIN_FAILED": "The user name, password or practice pin is wrong.",
    "RATE_LIMIT": "Too many requests. The token has been invalidated.",
    "NOT_FOUND": "There is no such resource.",
    "METHOD_NOT_ALLOWED": "This resource cannot be used in that way.",
    "SERVER_ERROR": "Something went wrong.",
}


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.fields = status, code, fields

    def response(self) -> Response:
        """The error as served."""
        detail = {"fields": self.fields} if self.fields is not None else {"message": _TEXTS.get(self.code, self.code)}
        return Response(encoded({"error": self.code, **detail}), self.status, media_type="application/json")


def encoded(value: Any) -> bytes:
    """UTF-8 JSON; a value with half a surrogate pair is written in ASCII with escapes, as the service does."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def packed(body: bytes) -> bytes:
    """The body as gzip, the same bytes every time."""
    packer = isal_zlib.compressobj(1, wbits=_GZIP_BITS)
    return packer.compress(body) + packer.flush()


def wants_gzip(request: Request, body: bytes) -> bool:
    """Whether the caller asked for gzip and the body is worth it."""
    return len(body) >= _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", "").lower()


def json_response(body: bytes, *, gzipped: bool = False) -> Response:
    """A successful answer."""
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if gzipped else {})
    return Response(body, media_type="application/json", headers=headers)
