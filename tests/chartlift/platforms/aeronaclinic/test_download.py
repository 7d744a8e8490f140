"""Contents of documents: taken up where a connection broke, and never put together from two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chartlift.errors import Unreachable
from chartlift.model.source import NoContent
from chartlift.platforms.aeronaclinic.limiter import Limiter
from chartlift.platforms.aeronaclinic.profile import load
from chartlift.platforms.aeronaclinic.session import Credential, Session
from chartlift.platforms.aeronaclinic.source import AeronaSource

BODY = bytes(range(256)) * 40


class Breaking(httpx2.SyncByteStream):
    """A body that ends in the middle, as a connection that is reset."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise httpx2.ReadError("reset")


@dataclass
class Files:
    """A clinic that serves one document, and breaks off after so many bytes of each of the first answers."""

    breaks: list[int]
    ranges: bool = True
    tags: list[str] = field(default_factory=lambda: ['"one"'])  # of each answer; the last one stays
    then: int = 200  # status after the breaks
    asked: list[str] = field(default_factory=list)  # the Range of each request

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(200, headers={"AERONA-AUTH-TOKEN": "t"}, content=b"{}")
        self.asked.append(request.headers.get("range", ""))
        number = len(self.asked) - 1
        tag = self.tags[min(number, len(self.tags) - 1)]
        start = self._start(request, tag)
        if number >= len(self.breaks):
            if self.then != httpx2.codes.OK:
                return httpx2.Response(self.then, content=b"{}")
            return self._answer(start, tag, content=BODY[start:])
        return self._answer(start, tag, stream=Breaking(BODY[start:][: self.breaks[number]]))

    def _start(self, request: httpx2.Request, tag: str) -> int:
        wanted = request.headers.get("range", "")
        return int(wanted[6:-1]) if self.ranges and wanted and request.headers["if-range"] == tag else 0

    def _answer(self, start: int, tag: str, **body: Any) -> httpx2.Response:
        part = {"Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"} if start else {}
        return httpx2.Response(206 if start else 200, headers={"ETag": tag, **part}, **body)


@pytest.fixture
def fetched(clock: Any, tmp_path: Path) -> Callable[..., bytes]:
    def fetch(*clinics: Files) -> bytes:
        profile, sessions = load(), []
        for number, clinic in enumerate(clinics):
            limiter = Limiter(tmp_path, f"c{number}", profile.limit, clock)
            transport = httpx2.MockTransport(clinic.handle)
            login = Credential("user", "secret", "1234", str(number))
            sessions.append(Session("https://clinic.example", login, profile, limiter, clock, transport=transport))
        return b"".join(AeronaSource(sessions, profile).content("330012"))

    return fetch


def test_what_broke_off_is_asked_for_from_there(fetched: Callable[..., bytes]) -> None:
    clinic = Files([100, 4000])
    assert fetched(clinic) == BODY
    assert clinic.asked == ["", "bytes=100-", "bytes=4100-"]


def test_a_clinic_without_ranges_sends_all_again_and_each_byte_counts_once(fetched: Callable[..., bytes]) -> None:
    assert fetched(Files([100, 4000], ranges=False)) == BODY


def test_another_content_is_not_put_behind_the_first(fetched: Callable[..., bytes]) -> None:
    with pytest.raises(NoContent, match="torn"):
        fetched(Files([100], tags=['"one"', '"two"']))


@pytest.mark.parametrize("status", [404, 403, 416])
def test_a_content_withdrawn_in_the_middle_is_not_continued_by_another_login(
    fetched: Callable[..., bytes], status: int
) -> None:
    with pytest.raises(NoContent, match="torn"):
        fetched(Files([100], then=status), Files([]))


def test_a_login_that_may_not_see_it_is_followed_by_one_that_may(fetched: Callable[..., bytes]) -> None:
    assert fetched(Files([], then=404), Files([])) == BODY
    with pytest.raises(NoContent, match="refused"):
        fetched(Files([], then=403))


def test_a_clinic_that_breaks_off_again_and_again_is_left_for_later(fetched: Callable[..., bytes]) -> None:
    clinic = Files([10] * 100)
    with pytest.raises(Unreachable):
        fetched(clinic)
    assert len(clinic.asked) == load().transport.tries


def test_more_than_an_org_takes_is_not_read(fetched: Callable[..., bytes]) -> None:
    clinic = Files([])
    answer = clinic._answer

    def huge(start: int, tag: str, **body: Any) -> httpx2.Response:
        found = answer(start, tag, **body)
        found.headers["Content-Length"] = str(3 << 30)
        return found

    clinic._answer = huge
    with pytest.raises(NoContent, match="too large"):
        fetched(clinic)
