"""Answers that a planned fault forges: cut, trickling, from a cache, or leading to the wrong next page."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.fault_words import Fault

_LENGTH = frozenset({b"content-length", b"transfer-encoding"})
_POINTER = b"sforce-locator"
_INSIDE_A_CELL = 3


class Answer:
    """A whole answer of the application, kept back."""

    def __init__(self, start: Message, body: bytes) -> None:
        self.start, self.body = start, body

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
        """Lets the application answer and keeps what it says."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, collect)
        body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
        return cls(dict(next(m for m in messages if m["type"] == "http.response.start")), body)

    def header(self, name: bytes) -> str | None:
        """A header's value."""
        return next((v.decode("latin-1") for k, v in self.start["headers"] if k.lower() == name), None)

    def with_header(self, name: bytes, value: str | None) -> None:
        """Replaces a header, or drops it."""
        kept = [(k, v) for k, v in self.start["headers"] if k.lower() != name]
        self.start["headers"] = kept if value is None else [*kept, (name, value.encode("latin-1"))]

    async def send(self, send: Send) -> None:
        """Sends it with the length that it has."""
        self.with_header(b"content-length", str(len(self.body)))
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


def plain(scope: Scope) -> Scope:
    """The request without its wish for a packed answer: only plain text can be cut at a line end or rewritten."""
    return {**scope, "headers": [(k, v) for k, v in scope["headers"] if k.lower() != b"accept-encoding"]}


def packed(scope: Scope) -> Scope:
    """The request with a wish for gzip."""
    return {**scope, "headers": [*plain(scope)["headers"], (b"accept-encoding", b"gzip")]}


async def truncate(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends part of the answer; the caller resets the connection unless the fault is `clean`."""
    if fault.gzip:
        scope = packed(scope)
    elif fault.row_boundary or fault.mid_row:
        scope = plain(scope)
    answer = await Answer.of(app, scope, receive)
    cut = answer.body[: cut_at(fault, answer.body)]
    kept = [(k, v) for k, v in answer.start["headers"] if k.lower() not in _LENGTH]
    if not fault.chunked:
        kept.append((b"content-length", str(len(cut) if fault.clean else len(answer.body)).encode()))
    await send({**answer.start, "headers": kept})
    await send({"type": "http.response.body", "body": cut, "more_body": not fault.clean or fault.chunked})
    if fault.clean and fault.chunked:
        await send({"type": "http.response.body", "body": b""})


def cut_at(fault: Fault, body: bytes) -> int:
    """Where a body ends that the fault cuts."""
    at = len(body) // 2
    if fault.fraction is not None:
        at = int(len(body) * fault.fraction)
    if fault.bytes is not None and fault.bytes < len(body):
        at = fault.bytes
    if fault.row_boundary:
        return body.rfind(b"\n", 0, at) + 1
    if fault.mid_row:
        start = body.rfind(b"\n", 0, at) + 1
        return min(start + _INSIDE_A_CELL, max(len(body) - 1, 0))
    return at


async def say(fault: Fault, send: Send, clock: Clock) -> None:
    """The planned status, headers and body. `{date+N}` in a header is an HTTP date N seconds ahead."""
    given = {k.lower(): _dated(v, clock) for k, v in fault.headers.items()}
    body = fault.body.encode()
    kind = "application/json;charset=UTF-8" if body[:1] in {b"[", b"{"} else "text/html; charset=UTF-8"
    headers = {"content-type": kind} | given
    raw = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    await send(
        {
            "type": "http.response.start",
            "status": fault.status,
            "headers": [*raw, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _dated(value: str, clock: Clock) -> str:
    number = value[len("{date+") : -1]
    if not (value.startswith("{date+") and number.isdigit()):
        return value
    return format_datetime(clock.now() + timedelta(seconds=int(number)), usegmt=True)


async def trickle(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends the answer a byte at a time, or stops after the first, or never begins; the effect has happened."""
    answer = await Answer.of(app, scope, receive)
    if fault.what == "silent":
        await _until_gone(receive)
        return
    answer.with_header(b"content-length", str(len(answer.body)))
    await send(answer.start)
    if fault.what == "endless":
        await send({"type": "http.response.body", "body": answer.body[:1], "more_body": True})
        await _until_gone(receive)
        return
    for place in range(len(answer.body)):
        last = place == len(answer.body) - 1
        await send({"type": "http.response.body", "body": answer.body[place : place + 1], "more_body": not last})
        await asyncio.sleep(fault.seconds)
    if not answer.body:
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    """Waits until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def forge_pages(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """The page with a pointer to the wrong next one; result sets without pages lose or double their second half."""
    answer = await Answer.of(app, plain(scope), receive)
    if answer.header(_POINTER) is not None:
        await _forge_locator(fault, answer, app, scope, receive)
    elif answer.body[:1] == b"{":
        await _forge_next_url(fault, answer, app, scope, receive)
    else:
        cut = answer.body.find(b"\n", len(answer.body) // 2) + 1 or len(answer.body)
        more = answer.body[cut:] if fault.what in {"twice", "loop"} else b""
        answer.body = answer.body + more if fault.what in {"twice", "loop"} else answer.body[:cut]
    await answer.send(send)


async def _forge_locator(fault: Fault, answer: Answer, app: ASGIApp, scope: Scope, receive: Receive) -> None:
    following = answer.header(_POINTER)
    query: bytes = scope["query_string"]
    asked = [part for part in query.split(b"&") if part and not part.startswith(b"locator=")]
    own = next((p[len(b"locator=") :].decode() for p in query.split(b"&") if p.startswith(b"locator=")), None)
    if fault.what in {"null", "absent"}:
        answer.with_header(_POINTER, "null" if fault.what == "null" else None)
    elif fault.what in {"twice", "loop"}:
        answer.with_header(_POINTER, own or _FIRST_LOCATOR)
    elif following not in {None, "null"}:
        further = b"&".join([*asked, f"locator={following}".encode()])
        skipped = await Answer.of(app, {**plain(scope), "query_string": further}, receive)
        answer.with_header(_POINTER, skipped.header(_POINTER))


async def _forge_next_url(fault: Fault, answer: Answer, app: ASGIApp, scope: Scope, receive: Receive) -> None:
    try:
        page: dict[str, Any] = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return
    following = page.get("nextRecordsUrl")
    if fault.what in {"null", "absent"}:
        page |= {"done": fault.what == "null"}
        page.pop("nextRecordsUrl", None)
    elif fault.what in {"twice", "loop"}:
        query = scope["query_string"].decode()
        page |= {"done": False, "nextRecordsUrl": scope["path"] + (f"?{query}" if query else "")}
    elif following:
        target = urlsplit(following)
        onward = {**plain(scope), "path": target.path, "raw_path": target.path.encode(), "query_string": b""}
        skipped = orjson.loads((await Answer.of(app, onward, receive)).body)
        page.pop("nextRecordsUrl", None)
        page |= {name: skipped[name] for name in ("nextRecordsUrl", "done") if name in skipped}
    answer.body = orjson.dumps(page)


_FIRST_LOCATOR = "MA"
"""The locator of the first row, as the query jobs write it."""


class Cache:
    """What a proxy kept of earlier answers, by fault and URL."""

    def __init__(self, memory: dict[tuple[str, str], Any], clock: Clock) -> None:
        self._memory, self._clock = memory, clock

    async def answer(self, fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """The kept answer; the application's if there is none, or if the client does not want a cached one."""
        wish = dict(scope["headers"])
        key = (fault.id, f"{scope['path']}?{scope['query_string'].decode('latin-1')}")
        fresh = b"no-cache" in wish.get(b"cache-control", b"") or b"no-cache" in wish.get(b"pragma", b"")
        kept = None if fresh else self._memory.get(key)
        if kept is None:
            answer = await Answer.of(app, plain(scope), receive)
            self._memory[key] = (self._clock.now(), dict(answer.start), answer.body)
            await answer.send(send)
            return
        since, start, body = kept
        answer = Answer(dict(start), body)
        answer.with_header(b"age", str(int((self._clock.now() - since).total_seconds())))
        await answer.send(send)
