"""ASGI middleware that makes planned faults happen on the wire. Only the request counter may lie outside it."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chartlift_sandbox.faults import WIRE_KINDS, Fault, FaultPlan

ObjectOfPath = Callable[[str], str | None]
ExpireToken = Callable[[Scope], None]
Advance = Callable[[float], object]
_PEEK_LIMIT = 1_000_000


class FaultDoor:
    """Acts on the wire faults of one vendor.

    Args:
        object_of: Object that a path touches (job ids are looked up), or None.
        expire: Ends the session of the caller.
        advance: Pushes the virtual clock.
    """

    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        vendor: str,
        *,
        object_of: ObjectOfPath,
        expire: ExpireToken,
        advance: Advance,
    ) -> None:
        self._app, self._plan, self._vendor = app, plan, vendor
        self._object_of, self._expire, self._advance = object_of, expire, advance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sobject = self._object_of(scope["path"])
        if sobject is None and self._plan.watches_objects() and scope["path"].rstrip("/").endswith("/jobs/ingest"):
            sobject, receive = await _peek_object(receive)
        terminal: Fault | None = None
        late: Fault | None = None
        for fault in self._plan.take(WIRE_KINDS, self._vendor, scope["method"], scope["path"], sobject):
            if fault.kind == "delay" and fault.late:
                late = fault
            elif fault.kind == "delay":
                self._advance(fault.clock_s)
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "expire_token":
                self._expire(scope)
            elif terminal is None:
                terminal = fault
        if late is not None and terminal is None:
            await self._answer_late(late, scope, receive, send)
        else:
            await self._finish(terminal, scope, receive, send)

    async def _answer_late(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """The effect at once, its answer after the wait: by then the client may be gone."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        self._advance(fault.clock_s)
        await asyncio.sleep(fault.seconds)
        for message in messages:
            await send(message)

    async def _finish(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "status":
            await _answer(fault, send)
        elif fault.kind == "reset":
            await _swallow(receive, fault.bytes or 0)
            await reset_connection(send)
        elif fault.kind == "drop":
            await self._app(scope, receive, _discard)
            await reset_connection(send)
        else:
            await self._truncate(fault, scope, receive, send)

    async def _truncate(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.row_boundary:
            # a cut at a line end is only meaningful in plain text
            scope = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k.lower() != b"accept-encoding"]}
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
        cut = body[: _cut_at(fault, body)]
        start = dict(next(m for m in messages if m["type"] == "http.response.start"))
        length = str(len(cut) if fault.clean else len(body)).encode()
        kept = [(k, v) for k, v in start["headers"] if k.lower() not in {b"content-length", b"transfer-encoding"}]
        start["headers"] = [*kept, (b"content-length", length)]
        await send(start)
        await send({"type": "http.response.body", "body": cut, "more_body": not fault.clean})
        if not fault.clean:
            await reset_connection(send, linger=True)


def _cut_at(fault: Fault, body: bytes) -> int:
    at = len(body) // 2
    if fault.fraction is not None:
        at = int(len(body) * fault.fraction)
    if fault.bytes is not None:
        at = min(fault.bytes, len(body))
    return body.rfind(b"\n", 0, at) + 1 if fault.row_boundary else at


async def _answer(fault: Fault, send: Send) -> None:
    headers = {"content-type": "text/html; charset=UTF-8"} | {k.lower(): v for k, v in fault.headers.items()}
    body = fault.body.encode()
    if body[:1] in {b"[", b"{"} and "content-type" not in {k.lower() for k in fault.headers}:
        headers["content-type"] = "application/json;charset=UTF-8"
    raw = [(k.encode(), v.encode()) for k, v in headers.items()] + [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _swallow(receive: Receive, at_least: int) -> None:
    """Reads that much of the request body, so that the reset comes in the middle of an upload."""
    seen = 0
    while seen < at_least:
        message = await receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _discard(message: Message) -> None:
    """A send that throws the answer away: the effect happened, nobody hears of it."""


async def _peek_object(receive: Receive) -> tuple[str | None, Receive]:
    """Reads the body of a job creation and answers the object it names, with a receive that plays the body again."""
    chunks: list[bytes] = []
    more = True
    while more and sum(map(len, chunks)) < _PEEK_LIMIT:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body, rest = b"".join(chunks), [True]

    async def replay() -> Message:
        if rest:
            rest.pop()
            return {"type": "http.request", "body": body, "more_body": more}
        return await receive()

    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, replay
    return (data.get("object") if isinstance(data, dict) else None), replay


async def reset_connection(send: Send, *, linger: bool = False) -> None:
    """Closes the client's connection with a TCP reset (with `linger`, sent bytes are delivered first).

    Raises:
        ConnectionResetError: there is no socket below (an in-process client).
    """
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("a planned fault reset the connection")
    if linger:
        transport.close()
    else:
        raw: socket.socket | None = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    waiter: Awaitable[None] = asyncio.sleep(0.01)  # lets the server notice, so that it does not answer 500 to nobody
    await waiter
