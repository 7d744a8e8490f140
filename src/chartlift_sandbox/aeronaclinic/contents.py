"""Downloads of documents: whole, or a part of them where the service honours Range."""

import re
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from chartlift_sandbox.generator.documents import Content

_PARTIAL, _NOT_SATISFIABLE = 206, 416
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def download(found: Content, request: Request, *, ranges: bool) -> Response:
    """The content; with ``ranges`` 206 for a part of it and 416 for a part that lies beyond its end.

    ``If-Range`` with another ETag, several ranges at once and what is no range are answered with the whole.
    """
    tag = f'"{sha256(found.body).hexdigest()[:32]}"'
    headers = {"ETag": tag} | ({"Accept-Ranges": "bytes"} if ranges else {})
    wanted = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if not ranges or wanted is None or wanted.groups() == ("", "") or request.headers.get("if-range", tag) != tag:
        return Response(found.body, media_type=found.mime, headers=headers)
    first, last = _bounds(*wanted.groups(), len(found.body))
    if first > last:
        headers["Content-Range"] = f"bytes */{len(found.body)}"
        return Response(b"", _NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(found.body)}"
    return Response(found.body[first : last + 1], _PARTIAL, media_type=found.mime, headers=headers)


def _bounds(start: str, end: str, size: int) -> tuple[int, int]:
    """First and last byte, the last before the first if there is nothing to send."""
    if not start:
        return max(size - int(end), 0), size - 1 if int(end) else -1
    first = int(start)
    last = min(int(end), size - 1) if end else size - 1
    return (first, last) if first < size else (first, -1)
