from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chartlift.errors import CredentialsError, SessionExpired, StopError, Unreachable, UsageError
from chartlift.platforms.aeronaclinic import connect, credentials
from chartlift.platforms.aeronaclinic.errors import BadAnswer, Declined
from chartlift.platforms.aeronaclinic.limiter import uptime
from chartlift.platforms.aeronaclinic.session import Session, safe_url

Make = Callable[..., Session]
SECRETS = {"CHARTLIFT_AERONA_USERNAME": "u", "CHARTLIFT_AERONA_PASSWORD": "p", "CHARTLIFT_AERONA_PIN": "1"}


def times(count: int, answer: tuple[int, dict[str, str], bytes]) -> Callable[..., Any]:
    left = [count]

    def fault(method: str, _path: str, _query: dict[str, str]) -> Any:
        if method == "GET" and left[0]:
            left[0] -= 1
            return answer
        return None

    return fault


def test_one_login_serves_many_requests_and_is_renewed_before_its_hour(
    session: Make, clinic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = session()
    one.get("/practices", {})
    one.get("/practices", {})
    assert clinic.logins == 1
    later = uptime() + 3400
    monkeypatch.setattr("chartlift.platforms.aeronaclinic.session.uptime", lambda: later)
    one.get("/practices", {})
    assert clinic.logins == 2


def test_what_was_waited_for_the_limit_ages_the_token(session: Make, clinic: Any) -> None:
    one = session()
    for _ in range(4 * 285 + 1):
        one.get("/practices", {})
    assert clinic.logins == 2


def test_a_401_brings_one_new_login_and_not_more(session: Make, clinic: Any) -> None:
    one = session()
    one.get("/practices", {})
    clinic.tokens.clear()
    assert one.get("/practices", {}) == []
    assert clinic.logins == 2
    clinic.faults.append(times(9, (401, {}, b'{"error":"TOKEN_INVALID"}')))
    with pytest.raises(SessionExpired):
        one.get("/practices", {})
    assert clinic.logins == 3


def test_a_refused_login_names_no_value(session: Make) -> None:
    with pytest.raises(CredentialsError) as refused:
        session(password="wrong").get("/practices", {})
    assert "Jane" not in refused.value.message
    assert "wrong" not in repr(refused.value)
    assert "LOGIN_FAILED" in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [
        (503, {"Content-Type": "text/html"}, b"<html>busy</html>"),
        (200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        (200, {}, b'[{"practiceId": 1'),
        (200, {"Content-Length": "99"}, b"[]"),
        (200, {}, b'[{"a": NaN}]'),
        (200, {}, b'[{"a": 1, "a": 2}]'),
        (200, {}, b"[] []"),
        (200, {}, "é".encode("cp1252")),
        (200, {}, b"[" * 100_000),
        (200, {"Content-Encoding": "gzip"}, b"no gzip"),
        (302, {"Location": "https://elsewhere.example/"}, b""),
    ],
)
def test_an_unusable_answer_is_asked_for_again(session: Make, clinic: Any, answer: Any) -> None:
    clinic.faults.append(times(2, answer))
    assert session().get("/practices", {}) == []
    assert len(clinic.asked("/practices")) == 3


def test_an_answer_that_stays_unusable_is_given_up_after_seven_tries_with_growing_pauses(
    session: Make, clinic: Any, clock: Any
) -> None:
    clinic.faults.append(times(99, (500, {}, b"")))
    with pytest.raises(BadAnswer):
        session().get("/practices", {})
    assert len(clinic.asked("/practices")) == 7
    assert 30 < clock.slept < 70


def test_no_connection_at_all_is_a_pause_that_can_be_continued(session: Make, clinic: Any) -> None:
    def broken(*_asked: Any) -> Any:
        raise httpx2.ConnectError("no route to Jane")

    clinic.faults.append(broken)
    with pytest.raises(Unreachable) as paused:
        session().get("/practices", {})
    assert paused.value.exit_code == 5
    assert "Jane" not in paused.value.message


def test_retry_after_is_honoured_and_nonsense_in_it_ignored(session: Make, clinic: Any, clock: Any) -> None:
    clinic.faults += [times(1, (503, {"Retry-After": "77"}, b"")), times(2, (503, {"Retry-After": "soon"}, b""))]
    session().get("/practices", {})
    assert 77 <= clock.slept < 90


def test_a_rate_limit_answer_waits_a_whole_window_before_the_next_login(session: Make, clinic: Any, clock: Any) -> None:
    clinic.faults.append(times(1, (429, {}, b'{"error":"RATE_LIMIT"}')))
    assert session().get("/practices", {}) == []
    assert clock.slept == pytest.approx(910, abs=1)
    assert clinic.logins == 2


def test_every_request_counts_logins_and_retries_too(session: Make, clinic: Any) -> None:
    one = session()
    clinic.faults.append(times(3, (500, {}, b"")))
    one.get("/practices", {})
    assert one._limiter.used() == len(clinic.requests) == 5


def test_only_get_and_the_login_leave_the_house(session: Make, clinic: Any) -> None:
    for method, path in (("POST", "/patients"), ("PUT", "/login"), ("DELETE", "/patients/1")):
        with pytest.raises(StopError):
            session()._once(method, path, {})
    assert clinic.requests == []


def test_numbers_keep_their_own_spelling(session: Make, clinic: Any) -> None:
    clinic.faults.append(times(1, (200, {}, b"\xef\xbb\xbf[76.60, -0, 1e400, 12345678901234567890]")))
    assert session().get("/practices", {}) == ["76.60", "-0", "1e400", "12345678901234567890"]


def test_an_error_keeps_the_code_and_drops_the_message(session: Make, clinic: Any) -> None:
    clinic.faults.append(times(9, (400, {}, json.dumps({"error": "VALIDATION", "message": "Jane"}).encode())))
    with pytest.raises(Declined, match=r"^400 VALIDATION$"):
        session().get("/practices", {})


def test_a_body_beyond_all_bounds_is_refused(session: Make, clinic: Any) -> None:
    clinic.faults.append(times(99, (200, {}, b" " * (65 * 1024 * 1024))))
    with pytest.raises(BadAnswer, match="too large"):
        session().get("/practices", {}, tries=1)


@pytest.mark.parametrize(
    "url",
    ["http://clinic.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example", "https://u:p@clinic.example",
     "clinic", "https://clinic.example/?x=1", ""],
)  # fmt: skip
def test_a_url_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        safe_url(url)


@pytest.mark.parametrize(
    "url", ["https://clinic.example/api/", "http://127.0.0.1:8000", "http://[::1]:1", "http://localhost:1"]
)
def test_https_and_loopback_are_taken(url: str) -> None:
    assert safe_url(url) == url.rstrip("/")


def test_the_clinics_time_is_never_later_than_ours(session: Make, clinic: Any, clock: Any) -> None:
    one = session()
    clinic.faults.append(times(1, (200, {"Date": "Sun, 01 Mar 2026 11:50:00 GMT"}, b"[]")))
    one.get("/practices", {})
    assert (clock.now() - one.now()).total_seconds() == 600
    one._compared -= 60
    clinic.faults.append(times(1, (200, {"Date": "Sun, 01 Mar 2026 12:20:00 GMT"}, b"[]")))
    one.get("/practices", {})
    assert one.now() == clock.now()


def test_secrets_come_from_names_and_one_pin_may_belong_to_one_practice(tmp_path: Path, clock: Any) -> None:
    assert [one.pin for one in credentials(SECRETS)] == ["1"]
    lanes = credentials({**SECRETS, "CHARTLIFT_AERONA_PIN__102": "22", "CHARTLIFT_AERONA_PIN__101": "11"})
    assert [(one.practice, one.pin) for one in lanes] == [("101", "11"), ("102", "22")]
    assert "11" not in repr(lanes[0]).replace("101", "")
    with pytest.raises(CredentialsError, match="CHARTLIFT_AERONA_PASSWORD, CHARTLIFT_AERONA_PIN"):
        connect("https://clinic.example", secrets={"CHARTLIFT_AERONA_USERNAME": "u"}, clock=clock, state=tmp_path)
