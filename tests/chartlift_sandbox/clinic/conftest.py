"""A served clinic and a caller in memory, without a socket or an HTTP library."""

import asyncio
import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from chartlift_sandbox.aeronaclinic import Switches, app
from chartlift_sandbox.clinic import Clinic

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; clinic_audit is shared


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        raw = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(raw)


class Desk:
    """A served clinic together with a caller."""

    def __init__(self, clinic: Clinic, clock: StillClock, switches: Switches | None = None) -> None:
        self.clinic, self.clock = clinic, clock
        self.app: Starlette = app(clinic, clock, switches)
        self.token: str | None = None

    def call(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        path, _, query = target.partition("?")
        sent = dict(headers or {})
        if self.token is not None:
            sent["AERONA-AUTH-TOKEN"] = self.token
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()], "http_version": "1.1",
            "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip
        return asyncio.run(self._run(scope, body))

    async def _run(self, scope: dict[str, Any], body: bytes) -> Answer:
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        head = messages[0]
        sent = b"".join(m.get("body", b"") for m in messages[1:])
        return Answer(head["status"], {k.decode().lower(): v.decode() for k, v in head["headers"]}, sent)

    def get(self, target: str, **headers: str) -> Answer:
        return self.call("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def sign_in(self, **changes: str) -> Answer:
        known = self.clinic.credentials()
        body = {
            "username": known["CHARTLIFT_AERONA_USERNAME"],
            "password": known["CHARTLIFT_AERONA_PASSWORD"],
            "practicePin": known["CHARTLIFT_AERONA_PIN"],
        } | changes
        answer = self.call("POST", "/login", orjson.dumps(body))
        self.token = answer.headers.get("aerona-auth-token", self.token)
        return answer

    def everything(self, target: str, size: int = 500) -> list[dict[str, Any]]:
        mark = "&" if "?" in target else "?"
        rows: list[dict[str, Any]] = []
        page: int | None = 1
        while page is not None:
            answer = self.get(f"{target}{mark}page={page}&pageSize={size}&sort=id").json
            rows += answer["items"]
            page = answer["nextPage"]
        return rows


@pytest.fixture
def still_clock() -> StillClock:
    return StillClock()


def opened(clock: StillClock, *, patients: int = 40, seed: int = 7, signed_in: bool = True, **switches: Any) -> Desk:
    one = Desk(Clinic(patients, seed, clock), clock, Switches(**switches))
    if signed_in:
        one.sign_in()
    return one


@pytest.fixture
def desk(still_clock: StillClock) -> Callable[..., Desk]:
    return partial(opened, still_clock)


@pytest.fixture(scope="session")
def lasting_desk() -> Callable[..., Desk]:
    return partial(opened, StillClock())
