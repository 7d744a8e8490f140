"""ASGI middleware that makes planned faults happen on the wire. Only the request counter may lie outside it."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chartlift_sandbox.clinic_faults import forge_list, spoil_content
from chartlift_sandbox.clock import Clock
from chartlift_sandbox.envelopes import forge_envelope
from chartlift_sandbox.fault_answers import Answer, Cache, forge_pages, say, trickle, truncate
from chartlift_sandbox.faults import WIRE_KINDS, Fault, FaultPlan

ObjectOfPath = Callable[[str], str | None]
ExpireToken = Callable[[Scope], None]
Act = Callable[[Fault, Scope], None]
CURRENT: ContextVar[tuple[str | None, str]] = ContextVar("request", default=(None, ""))
"""Method and path of the request in hand, for faults inside it."""
_TERMINAL = frozenset(
    {"status", "reset", "drop", "truncate", "trickle", "pages", "stale", "listing", "content", "envelope"}
)
"""Kinds that decide the answer; the first one of a call wins."""
_FORGERS = {"pages": forge_pages, "listing": forge_list, "envelope": forge_envelope}
_PEEK_LIMIT = 1_000_000


class FaultDoor:
    """Acts on the wire faults of one vendor.

    Args:
        object_of: Object that a path touches (job ids are looked up), or None.
        expire: Ends the session of the caller.
        act: Changes the records as a fault of the vendor's own kind (`org`, `clinic`) wants it.
    """

    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        vendor: str,
        clock: Clock,
        *,
        object_of: ObjectOfPath,
        expire: ExpireToken,
        act: Act | None = None,
    ) -> None:
        self._app, self._plan, self._vendor, self._clock = app, plan, vendor, clock
        self._object_of, self._expire, self._act = object_of, expire, act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        CURRENT.set((scope["method"], scope["path"]))
        if not self._plan.has(WIRE_KINDS):
            await self._app(scope, receive, send)
            return
        sobject = self._object_of(scope["path"])
        if sobject is None and self._plan.watches_objects() and scope["path"].rstrip("/").endswith("/jobs/ingest"):
            sobject, receive = await _peek_object(receive)
        due = self._plan.take(WIRE_KINDS, self._vendor, scope["method"], scope["path"], sobject)
        terminal = next((one for one in due if one.kind in _TERMINAL), None)
        late = [one for one in due if one.late and one.kind in {"delay", "org"}]
        for fault in due:
            if not fault.late:
                await self._before(fault, scope)
        if late and (terminal is None or terminal.kind == "drop" or terminal.late):
            await self._answer_late(late, terminal, scope, receive, send)
        else:
            await self._finish(terminal, scope, receive, send)

    async def _before(self, fault: Fault, scope: Scope) -> None:
        if fault.kind == "delay":
            self._clock.advance(fault.clock_s)
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "expire_token":
            self._expire(scope)
        elif fault.kind == self._vendor and self._act is not None:
            await run_in_threadpool(self._act, fault, scope)

    async def _answer_late(
        self, late: list[Fault], terminal: Fault | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """The effect at once, its answer after the wait: by then the client may be gone."""
        answer = await Answer.of(self._app, scope, receive)
        for fault in late:
            await self._before(fault, scope)
        if terminal is None:
            await answer.send(send)
        elif terminal.kind == "drop":
            await reset_connection(send)
        else:
            await say(terminal, send, self._clock)

    async def _finish(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "status":
            if fault.late:
                await self._app(scope, receive, _discard)
            await say(fault, send, self._clock)
        elif fault.kind == "reset":
            await _swallow(receive, fault.bytes or 0)
            await reset_connection(send)
        elif fault.kind == "drop":
            await self._app(scope, receive, _discard)
            await reset_connection(send)
        elif fault.kind == "trickle":
            await trickle(fault, self._app, scope, receive, send)
        elif fault.kind == "stale":
            await Cache(self._plan.memory, self._clock).answer(fault, self._app, scope, receive, send)
        elif fault.kind in _FORGERS:
            await _FORGERS[fault.kind](fault, self._app, scope, receive, send)
        elif fault.kind == "content":
            if await spoil_content(fault, self._app, scope, receive, send):
                await reset_connection(send, linger=True)
        else:
            await truncate(fault, self._app, scope, receive, send)
            if not fault.clean:
                await reset_connection(send, linger=True)


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
