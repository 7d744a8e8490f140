"""Answers of the clinic that are wrong as a whole: no JSON, too deep, too large, not what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

import orjson
from isal import isal_zlib
from starlette.types import ASGIApp, Receive, Scope, Send

from chartlift_sandbox.fault_answers import Answer, plain
from chartlift_sandbox.fault_words import Fault

_DEPTH, _DIGITS, _MIB, _BODY_MIB, _BOMB_MEMBERS = 10_000, 1_000_000, 2**20, 1024, 64
_GZIP_BITS = 31
_ENTITY = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><items><item>&x;</item></items>'
_LAUGHS = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
_PAGE = "<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>"
_TURN = count(1)

_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "B01": lambda body: body[:-1] + b",}",
    "B02": lambda body: body[: body.rfind(b'":"') + 4],
    "B03": lambda body: body + body,
    "B04": lambda body: b"\xef\xbb\xbf" + body,
    "B05": lambda body: body.decode().encode("utf-16"),
    "B06": lambda body: body[:-1] + b',"note":"caf\xe9"}',
    "B07": lambda body: body[:-1] + b',"ratio":NaN,"share":-Infinity}',
    "B08": lambda body: body[:-1] + b',"total":0,"items":[]}',
    "B09": lambda body: body[:-1] + b',"deep":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}",
    "B10": lambda body: body[:-1] + b',"large":' + b"7" * _DIGITS + b"}",
    "B12": lambda _: _ENTITY.encode(),
    "B12_laughs": lambda _: (_LAUGHS + "]><items>&l9;</items>").encode(),
    "B13": lambda _: _PAGE.encode(),
    "B14": lambda body: orjson.dumps(orjson.loads(body) | {"items": None}),
    "B14_object": lambda body: orjson.dumps(orjson.loads(body) | {"items": {"first": 1}}),
    "B28": lambda body: orjson.dumps(orjson.loads(body) | {"items": [], "total": 0, "nextPage": None}),
    "B20": lambda body: _with_rows(body, lambda row: row | {"appointments": None}),
    "B20_empty": lambda body: _with_rows(body, lambda row: row | {"appointments": [], "appointmentsTotal": 3}),
    "B20_missing": lambda body: _with_rows(body, lambda row: {k: v for k, v in row.items() if k != "appointments"}),
    "B78": lambda body: _with_rows(body, lambda row: row | {"updatedAt": f"2026-11-01T00:00:{next(_TURN) % 60:02}Z"}),
}
_TYPES = {"B12": "application/xml", "B12_laughs": "application/xml", "B13": "text/html; charset=UTF-8"}


def _with_rows(body: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    page = orjson.loads(body)
    return orjson.dumps(page | {"items": [change(row) for row in page["items"]]})


async def forge_envelope(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a list request wrongly; what is no page of a list passes as it is."""
    answer = await Answer.of(app, plain(scope), receive)
    if b'"items":' not in answer.body:
        await answer.send(send)
    elif fault.what == "B10_body":
        await _endless_blanks(answer, send)
    elif fault.what == "B11":
        answer.body = gzip_bomb()
        answer.with_header(b"content-encoding", "gzip")
        await answer.send(send)
    else:
        answer.body = _BODIES[fault.what](answer.body)
        if fault.what in _TYPES:
            answer.with_header(b"content-type", _TYPES[fault.what])
        await answer.send(send)


async def _endless_blanks(answer: Answer, send: Send) -> None:
    """A gibibyte of blanks in front of the JSON, a mebibyte at a time."""
    answer.with_header(b"content-length", None)
    await send(answer.start)
    for _ in range(_BODY_MIB):
        await send({"type": "http.response.body", "body": b" " * _MIB, "more_body": True})
    await send({"type": "http.response.body", "body": answer.body})


@cache
def gzip_bomb() -> bytes:
    """Four gibibytes of blanks in a few hundred kilobytes."""
    packer = isal_zlib.compressobj(3, wbits=_GZIP_BITS)
    member = b"".join([*(packer.compress(b" " * _MIB) for _ in range(64)), packer.flush()])
    return member * _BOMB_MEMBERS
