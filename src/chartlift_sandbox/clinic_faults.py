"""Planned faults of the clinic: staff who change it in mid-read, lists that lie about themselves, spoilt downloads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from chartlift_sandbox.clinic import Clinic
from chartlift_sandbox.fault_answers import Answer, plain
from chartlift_sandbox.fault_words import Fault
from chartlift_sandbox.generator.entities import BY_PATH, Entity

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_OTHER_STATUS = (
    {"appointmentStatusId": 6, "appointmentStatus": "Cancelled"},
    "appointmentStatusId",
    "appointmentStatus",
)
_BROKEN = b'{"error":"SERVER_ERROR","message":"Something went wrong."}'
_HUGE = 3 * 2**30


class ClinicActs:
    """What `clinic` faults do to the records, as the practice's staff would; what they did stays."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic

    def act(self, fault: Fault, scope: Scope) -> None:
        """Does it to the entity of the path; nothing where the path is of none, or it has no records."""
        parts = scope["path"].split("/")
        entity = BY_PATH.get("/" + parts[1]) if len(parts) > 1 else None
        if entity is None:
            return
        acts: dict[str, Callable[[Fault, Entity, int], None]] = {
            "delete": self._delete, "merge": self._merge, "late": self._late, "same_stamp": self._same_stamp,
            "flicker": self._flicker, "aba": self._there_and_back, "stamp": self._stamp,
        }  # fmt: skip
        with self._clinic.lock:
            keys = self._clinic.ids(entity.name)
            key = int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else next(iter(keys), None)  # noqa: PLR2004
            if key is not None:
                acts[fault.what](fault, entity, key)

    def _delete(self, _: Fault, entity: Entity, key: int) -> None:
        self._clinic.mutate("delete", entity.name, key)

    def _merge(self, _: Fault, entity: Entity, key: int) -> None:
        loser = next((one for one in self._clinic.ids(entity.name) if one > key), None)
        if loser is not None:
            self._clinic.mutate("merge", entity.name, key, {"loser": loser})

    def _late(self, fault: Fault, entity: Entity, key: int) -> None:
        """A row that was entered earlier and becomes visible only now."""
        known = self._clinic.record(entity.name, key) or {}
        owner = {"patientId": known["patientId"]} if "patientId" in known and entity.name != "patient" else {}
        new = self._clinic.mutate("create", entity.name, None, owner)
        stamp = (self._clinic.clock.now() - timedelta(seconds=fault.clock_s)).strftime(_STAMP)
        self._clinic.put(entity, new, {**(self._clinic.record(entity.name, new) or {}), "updatedAt": stamp})

    def _same_stamp(self, fault: Fault, entity: Entity, _: int) -> None:
        stamp = self._clinic.clock.now().strftime(_STAMP)
        for key in list(self._clinic.ids(entity.name))[: fault.rows]:
            self._clinic.put(entity, key, {**(self._clinic.record(entity.name, key) or {}), "updatedAt": stamp})

    def _flicker(self, fault: Fault, entity: Entity, key: int) -> None:
        self._late(fault, entity, key)
        self._delete(fault, entity, self._clinic.ids(entity.name)[-1])

    def _there_and_back(self, _: Fault, entity: Entity, key: int) -> None:
        row = self._clinic.record(entity.name, key) or {}
        other, *names = _OTHER_STATUS
        before = {name: row[name] for name in names if name in row}
        self._clinic.mutate("update", entity.name, key, dict(other) if before else {})
        self._clinic.mutate("update", entity.name, key, before)

    def _stamp(self, fault: Fault, entity: Entity, key: int) -> None:
        row = self._clinic.record(entity.name, key) or {}
        self._clinic.put(entity, key, {**row, str(fault.column): fault.value})


async def forge_list(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A page of a list that lies about size, total, end or content; other answers pass as they are."""
    if fault.what == "size":
        scope = _asking(scope, pageSize=str(fault.rows))
    answer = await Answer.of(app, plain(scope), receive)
    page = _page_of(answer)
    if page is None:
        await answer.send(send)
        return
    if fault.what == "doubled" and page["page"] > 1 and page["items"]:
        before = _page_of(await Answer.of(app, plain(_asking(scope, page=str(page["page"] - 1))), receive))
        page["items"] = [(before or {"items": []})["items"][-1], *page["items"][:-1]]
    elif fault.what == "empty_end" and page["nextPage"] is None and page["items"]:
        page["nextPage"] = page["page"] + 1
    elif fault.what == "total":
        page["total"] += fault.rows
    elif fault.what == "self":
        page["nextPage"] = page["page"]
    elif fault.what == "poison" and _holds(page["items"], scope["path"], fault.value):
        answer.start["status"], page = 500, None
    answer.body = _BROKEN if page is None else orjson.dumps(page)
    await answer.send(send)


def _holds(rows: list[dict[str, Any]], path: str, key: str) -> bool:
    entity = BY_PATH.get(path)
    return entity is not None and any(str(row.get(entity.key)) == key for row in rows)


def _asking(scope: Scope, **words: str) -> Scope:
    """The request with other words in its query."""
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))) | words
    return {**scope, "query_string": urlencode(asked).encode()}


def _page_of(answer: Answer) -> dict[str, Any] | None:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and "nextPage" in found else None


async def spoil_content(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
    """A download other than its metadata say; answers whether the connection has to end at once."""
    answer = await Answer.of(app, scope, receive)
    if fault.what == "huge":
        answer.with_header(b"content-length", str(_HUGE))
        await send(answer.start)
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        return True
    if fault.what == "empty":
        answer.body = b""
    elif fault.what == "length":
        answer.body += b"\n" * 7
    elif fault.what == "hash" and answer.body:
        answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
    elif fault.what == "mime":
        answer.with_header(b"content-type", "text/html; charset=UTF-8")
    await answer.send(send)
    return False
