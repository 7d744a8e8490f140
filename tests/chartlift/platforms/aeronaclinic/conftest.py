"""A source wired to the clinic in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chartlift.model.ports import Clock
from chartlift.platforms.aeronaclinic.limiter import Limiter
from chartlift.platforms.aeronaclinic.profile import load
from chartlift.platforms.aeronaclinic.session import Credential, Session
from chartlift.platforms.aeronaclinic.source import AeronaSource


@pytest.fixture
def session(clinic: Any, clock: Clock, tmp_path: Path) -> Callable[..., Session]:
    def handler(request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, more, data = clinic.handle(
            request.method, request.url.path, dict(request.url.params), headers, request.read()
        )
        return httpx2.Response(status, headers=more, content=data)

    def make(*, password: str = "secret", practice: str = "") -> Session:
        profile = load()
        limiter = Limiter(tmp_path / "state", f"one{practice}", profile.limit, clock)
        credential = Credential("user", password, "1234", practice)
        transport = httpx2.MockTransport(handler)
        return Session("https://clinic.example", credential, profile, limiter, clock, transport=transport)

    return make


@pytest.fixture
def source(session: Callable[..., Session]) -> AeronaSource:
    return AeronaSource([session()], load())
