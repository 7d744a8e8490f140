"""What a request of the org passes before a route sees it: tidy paths, bodies unpacked, the session checked."""

import logging
import re
import zlib
from typing import Any

import orjson
from isal import isal_zlib
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chartlift_sandbox.salesforce.errors import CONTENT_TYPE, OrgError, error_response
from chartlift_sandbox.salesforce.login import Sessions, bearer_token
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.usage import Usage

OLDEST = 31
URI_BYTES = 16_384
WORTH_PACKING, GZIP_BITS = 500, 31
BODY_BYTES = 160_000_000
_SERVED = frozenset(
    {
        "*/*", "application/*", "application/json", "application/xml", "application/octet-stream", "text/*", "text/csv",
        "text/plain", "text/html", "text/xml", "*",
    }
)  # fmt: skip
"""Types for which the org has an answer somewhere; JSON comes where the resource has no other form."""
_SLASHES = re.compile(r"/{2,}")
_VERSIONED = re.compile(r"^/services/data/v?(\d{1,3}\.\d)(?=/|$)", re.IGNORECASE)
_log = logging.getLogger(__name__)


class TidyPath:
    """Collapses double slashes, drops trailing ones, and puts a forgotten `v` before the version."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a scope with a tidy path."""
        if scope["type"] == "http":
            path = _SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
            path = _VERSIONED.sub(r"/services/data/v\1", path)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


class UnpackBody:
    """Undoes `Content-Encoding: gzip` of request bodies, piece by piece, and bounds their size."""

    def __init__(self, app: ASGIApp, *, limit: int = BODY_BYTES) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a receive that yields plain bytes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        packed = headers.get(b"content-encoding", b"").strip().lower() in {b"gzip", b"x-gzip"}
        unpack = zlib.decompressobj(wbits=GZIP_BITS) if packed else None
        if packed:
            dropped = {b"content-encoding", b"content-length"}
            scope = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k not in dropped]}
        size = 0

        async def plain() -> Message:
            nonlocal size
            message = await receive()
            body = message.get("body", b"")
            if unpack is not None and message["type"] == "http.request":
                body = _unpacked(unpack, body, self._limit - size + 1)
                if not message.get("more_body", False) and not unpack.eof and size + len(body) <= self._limit:
                    raise OrgError("MALFORMED_REQUEST", "The gzip body ends too early")
                message = {**message, "body": body}
            size += len(body)
            if size > self._limit:
                raise OrgError("REQUEST_ENTITY_TOO_LARGE", "The request body is too large", status=413)
            return message

        await self._app(scope, plain, send)


def _unpacked(unpack: Any, body: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(body, most)
    except zlib.error as error:
        raise OrgError("MALFORMED_REQUEST", "The gzip body cannot be read") from error


class PackAnswer:
    """Answers in gzip where the caller takes it and it is worth it. Result sets are large: the quickest level."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a send that packs."""
        taken = scope["type"] == "http" and b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        await self._app(scope, receive, _Packer(send) if taken else send)


class _Packer:
    """Packs one answer: a whole body, or one that comes in pieces."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._packer: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start:
            if len(body) >= WORTH_PACKING or more:
                self._packer = isal_zlib.compressobj(1, wbits=GZIP_BITS)
            else:
                await self._send(self._start)
        if self._packer is not None:
            body = await run_in_threadpool(self._pack, body, more=more)
            if self._start:
                await self._send({**self._start, "headers": self._headers(None if more else len(body))})
        self._start = {}
        await self._send({**message, "body": body})

    def _pack(self, body: bytes, *, more: bool) -> bytes:
        packed = self._packer.compress(body)
        return packed if more else packed + self._packer.flush()

    def _headers(self, size: int | None) -> list[tuple[bytes, bytes]]:
        kept = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        length = [] if size is None else [(b"content-length", str(size).encode())]
        return [*kept, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"), *length]


class Gate:
    """Checks session, version and daily allowance of REST calls, and stamps every answer with the API usage."""

    def __init__(self, app: ASGIApp, org: Org, sessions: Sessions, usage: Usage) -> None:
        self._app, self._org, self._sessions, self._usage = app, org, sessions, usage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request in, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "app": self, "state": dict(scope.get("state", {}))}

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                used, most = self._usage.used("DailyApiRequests"), self._usage.maximum["DailyApiRequests"]
                info = (b"sforce-limit-info", f"api-usage={used}/{most}".encode())
                message = {**message, "headers": [*message["headers"], info]}
            await send(message)

        try:
            await self._admit(scope)
        except OrgError as error:
            await error_response(error)(scope, receive, stamped)
            return
        await self._app(scope, receive, stamped)

    async def _admit(self, scope: Scope) -> None:
        target = len(scope["path"]) + len(scope["query_string"])
        if target > URI_BYTES:
            raise OrgError("URI_TOO_LONG", "The URI exceeds the 16,384 byte limit", status=414)
        if target + sum(len(k) + len(v) for k, v in scope["headers"]) > 2 * URI_BYTES:
            raise OrgError("REQUEST_HEADER_FIELDS_TOO_LARGE", "The headers exceed the limit", status=431)
        path: str = scope["path"]
        if not path.startswith("/services/data/"):
            return
        token = bearer_token(Request(scope))
        actor = self._sessions.known_actor(token) if token is not None else None
        if actor is None and token is not None:
            actor = await run_in_threadpool(self._sessions.actor, token)
        if token is None or actor is None:
            raise OrgError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        self._sessions.slide(token)
        if "ApiEnabled" not in actor.permissions:
            raise OrgError("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", status=403)
        if not self._usage.take("DailyApiRequests"):
            raise OrgError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        if self._org.settings.refuse_unknown_accept:
            _check_accept(dict(scope["headers"]).get(b"accept", b"").decode("latin-1"))
        scope["state"] |= {
            "actor": actor,
            "version": _version(path, self._org.settings.newest_api_version),
            "org_id": self._org.org_id,
        }


def _check_accept(header: str) -> None:
    """Raises OrgError 406 where no type in the header is one that REST answers with."""
    kinds = [one.partition(";")[0].strip().lower() for one in header.split(",")]
    if header.strip() and not any(one in _SERVED or one.endswith(("+json", "+xml")) for one in kinds):
        message = f"Accept header specified in HTTP request is not supported: {header[:200]}"
        raise OrgError("NOT_ACCEPTABLE", message, status=406)


def _version(path: str, newest: int) -> str:
    match = _VERSIONED.match(path)
    if match is None:
        raise OrgError("NOT_FOUND", "The requested resource does not exist", status=404)
    number = float(match.group(1))
    if number < OLDEST:
        raise OrgError("GONE", f"API version {number} is retired", status=410)
    if number > newest or not number.is_integer():
        raise OrgError("NOT_FOUND", "The requested resource does not exist", status=404)
    return match.group(1)


async def refuse_http(request: Request, error: Exception) -> Response:
    """Starlette's own refusals in the platform's words: unknown URL, method not allowed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:  # noqa: PLR2004 - the HTTP status itself
        allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
        listed = ",".join(sorted(allowed.replace(" ", "").split(",")))
        text = f"HTTP Method '{request.method}' not allowed. Allowed are {listed}"
        return error_response(OrgError("METHOD_NOT_ALLOWED", text, status=405))
    if status == 404:  # noqa: PLR2004 - the HTTP status itself
        return error_response(OrgError("NOT_FOUND", "The requested resource does not exist", status=404))
    detail = error.detail if isinstance(error, HTTPException) else ""
    return error_response(OrgError("INVALID_REQUEST", detail, status=status))


async def refuse_org(request: Request, error: Exception) -> Response:
    """A refusal raised by a route."""
    return error_response(error) if isinstance(error, OrgError) else await refuse_any(request, error)


async def refuse_any(request: Request, error: Exception) -> Response:
    """A mistake of the emulator: 500 with an error id, the trace only in the log."""
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    number = zlib.crc32(request.url.path.encode())
    text = f"An unexpected error occurred. Please include this ErrorId if you contact support: {number}-0 ({number})"
    return json_response([{"message": text, "errorCode": "UNKNOWN_EXCEPTION"}], 500)


def json_response(data: Any, status: int = 200) -> Response:
    """JSON with the platform's content type."""
    return Response(orjson.dumps(data), status, media_type=CONTENT_TYPE)
