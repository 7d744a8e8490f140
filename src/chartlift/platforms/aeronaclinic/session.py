"""Speaks HTTP with AeronaClinic: one login, then GET only. Every request passes the limiter first."""

from __future__ import annotations

import base64
import ipaddress
import random
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from chartlift.errors import CredentialsError, SessionExpired, StopError, Unreachable, UsageError
from chartlift.model.ports import Clock
from chartlift.platforms.aeronaclinic.errors import BadAnswer, Broken, Declined, RateExceeded, error_code
from chartlift.platforms.aeronaclinic.limiter import Allowance, Limiter, uptime
from chartlift.platforms.aeronaclinic.profile import BASIC, BEARER, LOGIN, Profile
from chartlift.platforms.aeronaclinic.wire import parse

_JITTER = random.SystemRandom()
_COMPARE_EVERY = 60.0  # seconds
_CONTENT = (200, 206)
_OK, _REFUSED, _UNAUTHORISED, _SERVER_ERROR = 200, 400, 401, 500


@dataclass(frozen=True, slots=True)
class Credential:
    """One login; `practice` is '' unless each practice has its own pin. Secrets never show in a repr."""

    username: str
    password: str = field(repr=False)
    pin: str = field(repr=False)
    practice: str = ""


def safe_url(url: str) -> str:
    """The base URL without a trailing slash.

    Raises:
        UsageError: not https (plain http is for loopback only), or it carries a user, a query or a fragment.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("the clinic's URL must be scheme, host and path only")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError("the clinic's URL must start with https:// (plain http is for this machine only)")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """True for localhost and loopback addresses; names are not resolved."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Session:
    """One credential's connection. `get` answers parsed JSON; waiting, retries and logins happen inside."""

    def __init__(
        self,
        url: str,
        credential: Credential,
        profile: Profile,
        limiter: Limiter,
        clock: Clock,
        *,
        ca_file: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. `transport` stands in for the network in tests."""
        self._url = safe_url(url)
        self.credential = credential
        self._profile = profile
        self._limiter = limiter
        self._clock = clock
        self._token = ""
        self._token_since = 0.0  # by `_age`
        self._waited = 0.0  # seconds waited through the clock, which a virtual one only pretends
        self._behind = timedelta(0)  # how far the clinic's clock is behind ours, never negative
        self._compared = -_COMPARE_EVERY  # when it was looked at last, by `uptime`
        self._client = httpx2.Client(
            transport=transport,
            verify=_context(ca_file),
            timeout=profile.transport.timeout,
            follow_redirects=False,
            trust_env=not is_loopback(urlsplit(self._url).hostname or ""),
            headers={
                "User-Agent": profile.transport.user_agent,
                "Accept": "application/json",
                "Cache-Control": "no-cache",
            },
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def now(self) -> datetime:
        """The clinic's time by its last answer, never later than ours."""
        return self._clock.now() - self._behind

    def login(self) -> None:
        """Log in anew; with a lasting key there is nothing to send.

        Raises:
            CredentialsError: user name, password or pin were refused.
            Unreachable: no usable answer.
        """
        words, mine = self._profile.login, self.credential
        if words.kind != LOGIN:
            self._token = _key(words.kind, mine.password)
            return
        body = {words.username: mine.username, words.password: mine.password, words.pin: mine.pin}
        try:
            answer = self._patiently("POST", words.path, body, self._profile.transport.tries)
        except Declined as no:
            where = f" of practice {mine.practice}" if mine.practice else ""
            raise CredentialsError(
                f"AeronaClinic refused the login{where} ({no})",
                hint="set CHARTLIFT_AERONA_USERNAME, CHARTLIFT_AERONA_PASSWORD and CHARTLIFT_AERONA_PIN",
            ) from None
        except BadAnswer as bad:
            raise Unreachable(f"AeronaClinic's login gives no usable answer: {bad.reason}") from None
        self._token = answer.headers.get(words.header, "")
        self._token_since = self._age()
        if not self._token:
            raise Unreachable("AeronaClinic's login answered without a token")

    def get(self, path: str, parameters: Mapping[str, str], *, tries: int = 0) -> Any:
        """The JSON value of a GET; numbers are `wire.Number`.

        Raises:
            BadAnswer: the answers stayed unusable; another page may be fine.
            Declined: a lasting 4xx.
            SessionExpired: a fresh token is refused.
            Unreachable: no answer at all.
        """
        for fresh in (False, True):
            if fresh or self._is_stale():
                self.login()
            try:
                answer = self._patiently("GET", path, parameters, tries or self._profile.transport.tries)
            except Declined as no:
                if no.status != _UNAUTHORISED:
                    raise
                self._refused_key(no)
                self._token = ""
                continue
            return answer.json
        raise SessionExpired("AeronaClinic refuses the token it has just given", hint="run the same command again")

    @contextmanager
    def opened(self, path: str, headers: Mapping[str, str]) -> Generator[Flow]:
        """One GET whose body is still to be read; a dead token is replaced once.

        Raises:
            BadAnswer, Broken, Declined: this time; nothing is tried again here.
        """
        try:
            with self._open(path, headers) as response:
                yield Flow(response.status_code, response.headers, response.iter_bytes)
        except httpx2.RequestError as error:
            refuse_bad_certificate(error)
            raise Broken(type(error).__name__) from None

    @contextmanager
    def _open(self, path: str, headers: Mapping[str, str]) -> Generator[httpx2.Response]:
        for fresh in (False, True):
            if fresh or self._is_stale():
                self.login()
            self._waited += self._limiter.reserve()
            sent = {**headers, self._profile.login.header: self._token, "Accept": "*/*", "Accept-Encoding": "identity"}
            with self._client.stream("GET", self._url + path, headers=sent) as response:
                if response.status_code in _CONTENT:
                    yield response
                    return
                self._refused(response)
        raise SessionExpired("AeronaClinic refuses the token it has just given", hint="run the same command again")

    def _refused(self, response: httpx2.Response) -> None:
        """Only a dead token comes back from here: the caller logs in again."""
        try:
            _checked(response, self._body(response), self._profile.limit)
        except RateExceeded:
            self._limiter.exhausted()
        except Declined as no:
            if no.status != _UNAUTHORISED:
                raise
            self._refused_key(no)
        self._token = ""

    def _refused_key(self, no: Declined) -> None:
        """A key does not come to life again, unless it only ran into the limit."""
        if self._profile.login.kind != LOGIN and no.code != "RATE_LIMIT":
            raise CredentialsError(
                f"AeronaClinic refused the key ({no})", hint="set CHARTLIFT_AERONA_KEY to a key that may read"
            ) from None

    def pause(self, number: int) -> None:
        """Wait after the try with that number (from 1) went wrong."""
        bounds = self._profile.transport
        wait = min(bounds.backoff * 2 ** (number - 1), bounds.longest_backoff) * _JITTER.uniform(0.5, 1.0)
        self._clock.sleep(wait)
        self._waited += wait

    def _is_stale(self) -> bool:
        if self._profile.login.kind != LOGIN:
            return not self._token
        age = self._age() - self._token_since
        return not self._token or age >= self._profile.login.lifetime - self._profile.login.renew_before

    def _age(self) -> float:
        """Seconds on a clock that no one can set; what was waited virtually counts."""
        return uptime() + self._waited

    def _patiently(self, method: str, path: str, data: Mapping[str, str], tries: int) -> _Answer:
        """Send until an answer is usable; unusable ones cost a request each, too."""
        pause = self._profile.transport.backoff
        for last in (number == tries for number in range(1, tries + 1)):
            try:
                return self._once(method, path, data)
            except RateExceeded:
                self._token = ""
                self._limiter.exhausted()
                if method == "GET":
                    raise Declined(_UNAUTHORISED, "RATE_LIMIT") from None
                wait = 0.0
            except (BadAnswer, httpx2.RequestError) as error:
                refuse_bad_certificate(error)
                if last:
                    raise _final(error, path) from None
                wait = max(pause * _JITTER.uniform(0.5, 1.0), getattr(error, "retry_after", 0.0))
            self._clock.sleep(min(wait, self._profile.limit.window))
            self._waited += wait
            pause = min(pause * 2, self._profile.transport.longest_backoff)
        raise Unreachable("AeronaClinic keeps saying that its rate limit is used up", hint="run the same command again")

    def _once(self, method: str, path: str, data: Mapping[str, str]) -> _Answer:
        words = self._profile.login
        if method != "GET" and (words.kind, method, path) != (LOGIN, "POST", words.path):
            raise StopError("chartlift only reads from AeronaClinic")  # a guard: no caller does otherwise
        self._waited += self._limiter.reserve()
        login = method == "POST"
        headers = {} if login else {self._profile.login.header: self._token}
        with self._client.stream(
            method,
            self._url + path,
            json=dict(data) if login else None,
            params=None if login else dict(data),
            headers=headers,
        ) as response:
            body = self._body(response)
        self._note_time(response)
        return _Answer(_checked(response, body, self._profile.limit), response.headers)

    def _body(self, response: httpx2.Response) -> bytes:
        """The body, bounded in size and in time, also when it trickles."""
        bounds, parts, size, end = self._profile.transport, [], 0, time.monotonic() + self._profile.transport.deadline
        for part in response.iter_bytes(65536):
            size += len(part)
            if size > bounds.max_body:
                raise BadAnswer("the answer is too large")
            if time.monotonic() > end:
                raise BadAnswer("the answer takes too long")
            parts.append(part)
        return b"".join(parts)

    def _note_time(self, response: httpx2.Response) -> None:
        """Compare the clocks now and then; asking a sandbox for the time is a request."""
        if uptime() - self._compared < _COMPARE_EVERY:
            return
        try:
            theirs = parsedate_to_datetime(response.headers["date"])
            self._behind = max(timedelta(0), self._clock.now() - theirs)
            self._compared = uptime()
        except (KeyError, TypeError, ValueError):
            return  # no usable Date: our clock has to do


@dataclass(frozen=True, slots=True)
class Flow:
    """An answer whose body is still to come, in pieces as the network brings them."""

    status: int
    headers: Mapping[str, str]
    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class _Answer:
    json: Any
    headers: Mapping[str, str]


class _Busy(BadAnswer):
    """A refusal that will pass, with the seconds to wait that the server asks for."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def _key(kind: str, key: str) -> str:
    """The header's value for a lasting key."""
    if kind == BEARER:
        return f"Bearer {key}"
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode("ascii") if kind == BASIC else key


def _checked(response: httpx2.Response, body: bytes, limit: Allowance) -> Any:
    status = response.status_code
    code = error_code(body) if status >= _REFUSED else ""
    if status in limit.exceeded or (code and code in limit.codes):
        raise RateExceeded
    if status >= _SERVER_ERROR:
        raise _Busy(f"status {status}", _seconds(response.headers.get("retry-after", "")))
    if status >= _REFUSED:
        raise Declined(status, code)
    if status != _OK:
        raise BadAnswer(f"status {status}")  # a redirect is not followed: the token goes to no other host
    expected = response.headers.get("content-length")
    if expected and "content-encoding" not in response.headers and expected != str(len(body)):
        raise BadAnswer("the answer was cut")
    return parse(body)


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), 900.0) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _final(error: Exception, path: str) -> Exception:
    if isinstance(error, BadAnswer):
        return error
    return Unreachable(
        f"AeronaClinic does not answer ({type(error).__name__}, {path})", hint="run the same command again"
    )


def refuse_bad_certificate(error: BaseException | None) -> None:
    """Stop at once if a certificate is why there was no connection: asking again would not make it trustworthy."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise StopError(
                f"AeronaClinic's certificate is not trusted: {error.verify_message}",
                hint="CHARTLIFT_CA_FILE names a file with your own authority's certificate",
            ) from None
        error = error.__cause__ or error.__context__


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise UsageError(f"CHARTLIFT_CA_FILE cannot be read: {type(error).__name__}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
