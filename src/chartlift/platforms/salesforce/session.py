"""The only place that speaks HTTP to Salesforce: login, transport, retries, limits.

What it promises to the modules above:

- a token goes to the configured origin only; plain http only to this machine; no redirect is followed;
- an ended session (401, or 400 InvalidSessionId) is renewed once per call, and after every login it must still be the
  same org (else WrongOrg);
- only what certainly was not acted on, or may safely be repeated, is sent again;
- an answer is complete and of the expected kind, or the call fails;
- errors carry a code and field names, never the org's message.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from http import HTTPStatus
from typing import Any

import httpx2
import stamina

from chartlift.errors import CredentialsError, QuotaExhausted, SessionExpired, StopError, WrongOrg
from chartlift.model.ports import Clock
from chartlift.platforms.salesforce.answers import Answer, Unusable, unpack
from chartlift.platforms.salesforce.credentials import Secrets
from chartlift.platforms.salesforce.errors import UNRECOGNISED, NoAnswer, Refused, safe_code
from chartlift.platforms.salesforce.limits import Usage
from chartlift.platforms.salesforce.origins import checked_origin, is_loopback, same_org
from chartlift.transforms.canonical import canonical_id

logging.getLogger("httpx2").setLevel(logging.WARNING)  # its INFO lines hold URLs, and URLs hold queries

stamina.instrumentation.set_on_retry_hooks(())  # its own hook would print on stderr

JSON = "application/json"
TIMEOUT = httpx2.Timeout(120.0, connect=20.0)
DEADLINE = 1_200.0  # seconds for one answer, however it trickles
LARGEST_ANSWER = 1_000_000_000
LARGEST_REQUEST = 100_000_000  # bytes before compression; the org's limit is 150 MB of base64
FIRST_ATTEMPTS, ATTEMPTS = 4, 9  # before and after the org was reached once; 9 waits bridge a minute and a half
LIMIT_WAITS = (5.0, 30.0, 120.0)  # seconds to wait on REQUEST_LIMIT_EXCEEDED before giving up
BUSY = frozenset({420, 429, 500, 502, 503, 504})
REDIRECTS = range(300, 400)
REFUSING_BUSY = frozenset({429})  # the request was turned away, not interrupted
SESSION_CODES = frozenset({"INVALID_SESSION_ID", "InvalidSessionId", "INVALIDSESSIONID", "Bad_OAuth_Token"})


class Repeat(Enum):
    """When a request may be sent again."""

    ALWAYS = "always"  # reading, or doing it twice is the same as once
    UNSENT = "unsent"  # only if the org certainly did not act on it


class _Ended(Exception):
    """The session is not accepted any more."""


class _OverLimit(QuotaExhausted):
    """The org counts too many requests right now."""


class Session:
    """A logged-in connection to one org."""

    def __init__(
        self,
        url: str,
        secrets: Secrets,
        *,
        clock: Clock,
        expected_org_id: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Take the org's My Domain URL; nothing is sent before the first call. `transport` replaces the network."""
        self.url = checked_origin(url)
        self.usage = Usage()
        self._secrets = secrets
        self._clock = clock
        self._org_id = canonical_id(expected_org_id) or ""
        self._token = ""
        self._reached = False
        self._who: dict[str, Any] = {}
        local = is_loopback(self.url)
        self._client = httpx2.Client(
            base_url=self.url,
            verify=_trust(self.url, secrets.ca_file),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=not local,  # a proxy has no business between us and this machine
            transport=transport,
            # shorter than a server's own keep-alive, so that we never write into a connection it is closing
            limits=httpx2.Limits(max_connections=2, keepalive_expiry=3.0),
            headers={
                "User-Agent": "chartlift",
                "Accept-Encoding": "gzip",
                "Cache-Control": "no-cache",
                "Sforce-Call-Options": "client=chartlift",
            },
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    # ------------------------------------------------------------ calls

    def who(self) -> Mapping[str, Any]:
        """The userinfo answer of the last login (organization_id, user_id, preferred_username and more)."""
        if not self._token:
            self._login()
        return self._who

    def call(
        self,
        method: str,
        path: str,
        *,
        repeat: Repeat,
        accept: str = JSON,
        content: bytes | Callable[[str], bytes] = b"",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (200, 201, 204),
        ended: Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """Send one request and return its answer, of media type `accept` (or empty).

        `content` may be a function of the access token, for SOAP envelopes; `ended` tells from an answer with a status
        in `ok` that the session is over (SOAP says so in the body).

        Raises:
            Refused: the org answered with an error.
            NoAnswer: nothing usable came; `unsent` says whether the org certainly did nothing.
            SessionExpired, QuotaExhausted: renewing or waiting did not help.
            WrongOrg, StopError: another org, an untrusted certificate, a redirect.
        """
        if not self._token:
            self._login()

        def once() -> Answer:
            body = content if isinstance(content, bytes) else content(self._token)
            extra = {"Authorization": f"Bearer {self._token}", "Accept": accept, **(headers or {})}
            answer = self._once(method, path, body, extra, params, accept, ok)
            if ended and ended(answer):
                raise _Ended
            return answer

        return self._renewing(once, repeat)

    def open(self, path: str) -> Answer:
        """GET something that needs no login."""
        headers = {"Accept": JSON}
        return self._repeated(lambda: self._once("GET", path, b"", headers, None, JSON, (200,)), Repeat.ALWAYS)

    # ------------------------------------------------------------ login

    def _renewing(self, once: Callable[[], Answer], repeat: Repeat) -> Answer:
        """Do it, and if the session turns out to be over, once more in a new one."""
        try:
            return self._repeated(once, repeat)
        except _Ended:
            self._renew()
        try:
            return self._repeated(once, repeat)
        except _Ended:
            raise SessionExpired("Salesforce does not accept the new session either", hint=_AGAIN) from None

    def _renew(self) -> None:
        if not self._secrets.renewable:
            raise SessionExpired(
                "the Salesforce session ended and was given as a bare access token", hint=f"Get a new token. {_AGAIN}"
            )
        try:
            self._login()
        except CredentialsError as error:
            raise SessionExpired(f"the session ended: {error.message}", hint=_AGAIN) from None

    def _login(self) -> None:
        self._token = self._secrets.access_token if not self._secrets.renewable else self._fetch_token()
        if not self._token:
            self._secrets.form(self.url, self._clock.now())  # raises with the hint on what to set
        try:
            self._who = self._repeated(self._userinfo, Repeat.ALWAYS)
        except (_Ended, Refused):
            self._token = ""
            raise CredentialsError(
                "Salesforce does not accept the access token", hint="Get a new one, or check the connected app."
            ) from None
        org_id = canonical_id(str(self._who["organization_id"])) or ""
        if self._org_id and org_id != self._org_id:
            self._token = ""
            raise WrongOrg(f"org {org_id} answers, expected was {self._org_id}", hint="Check the URL and the login.")
        self._org_id = org_id

    def _userinfo(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": JSON}
        path = "/services/oauth2/userinfo"
        found = self._once("GET", path, b"", headers, None, JSON, (200,)).document
        if not isinstance(found, dict) or not found.get("organization_id") or not found.get("user_id"):
            raise NoAnswer(f"GET {path}", "it names no org", unsent=True)
        return found

    def _fetch_token(self) -> str:
        path = "/services/oauth2/token"

        def once() -> Answer:
            form = self._secrets.form(self.url, self._clock.now())
            body = str(httpx2.QueryParams(form)).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": JSON}
            return self._once("POST", path, body, headers, None, JSON, (200,))

        try:
            found = self._repeated(once, Repeat.ALWAYS).document
        except (_Ended, Refused) as error:
            code = error.code if isinstance(error, Refused) else "INVALID_SESSION_ID"
            raise CredentialsError(
                f"Salesforce refused the login: {code}", hint="Check client id and secret."
            ) from None
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise CredentialsError("Salesforce's login answer has no access token")
        instance = str(found.get("instance_url", self.url))
        if not same_org(self.url, instance):
            raise WrongOrg("the login answer points to another org's URL", hint="Use the org's own My Domain URL.")
        return token

    # ------------------------------------------------------------ transport

    def _repeated(self, once: Callable[[], Any], repeat: Repeat) -> Any:
        attempts = ATTEMPTS if self._reached else FIRST_ATTEMPTS
        for attempt in stamina.retry_context(on=_Pace(self._clock, repeat), attempts=attempts, timeout=None):
            with attempt:
                found = once()
                self._reached = True
                return found
        raise AssertionError("the retry context ends with an answer or an error")

    def _once(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        accept: str,
        ok: tuple[int, ...],
    ) -> Answer:
        what = f"{method} {path}"
        if len(body) > LARGEST_REQUEST:
            raise StopError(f"{what} would send {len(body)} bytes, more than Salesforce takes")
        try:
            answer = self._exchange(method, path, body, headers, params)
            self.usage.note(answer.headers.get("sforce-limit-info", ""))
            return self._judged(answer, what, accept, ok)
        except Unusable as error:
            raise NoAnswer(what, str(error), unsent=False) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            if _untrusted(error):
                raise StopError(
                    "the server's certificate is not trusted", hint="For an own authority set CHARTLIFT_CA_FILE."
                ) from None
            raise NoAnswer(what, type(error).__name__, unsent=True) from None
        except httpx2.TransportError as error:
            raise NoAnswer(what, type(error).__name__, unsent=False) from None

    def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], params: Mapping[str, str] | None
    ) -> Answer:
        until = time.monotonic() + DEADLINE
        with self._client.stream(method, path, content=body or None, headers=dict(headers), params=params) as response:
            raw = bytearray()
            for chunk in _chunks(response):
                raw += chunk
                if len(raw) > LARGEST_ANSWER:
                    raise Unusable("the body is too large")
                if time.monotonic() > until:
                    raise Unusable("it does not end")
            found = {name.lower(): value for name, value in response.headers.items()}
            encoding = found.get("content-encoding", "").strip().lower()
            framed = bool(encoding) or "content-length" in found or "chunked" in found.get("transfer-encoding", "")
            return Answer(response.status_code, found, unpack(bytes(raw), encoding, LARGEST_ANSWER), framed)

    def _judged(self, answer: Answer, what: str, accept: str, ok: tuple[int, ...]) -> Answer:
        status = answer.status
        if status in ok:
            if status != HTTPStatus.NO_CONTENT and answer.body and answer.kind != accept:
                raise Unusable(f"{answer.kind or 'untyped'} instead of {accept}")
            # only a 200 has to say something: an upload is answered by an empty 201, a change by an empty 204
            told = accept == JSON and (answer.body or status == HTTPStatus.OK)
            return replace(answer, document=answer.json()) if told else answer
        if status in REDIRECTS:
            raise StopError(f"Salesforce answered {what} with a redirect, which is not followed")
        errors = answer.errors()
        codes = {code for code, _ in errors}
        if codes & SESSION_CODES or (
            status == HTTPStatus.UNAUTHORIZED and not codes & {"invalid_client", "invalid_client_id"}
        ):
            raise _Ended
        if "REQUEST_LIMIT_EXCEEDED" in codes:
            raise _OverLimit("the org's request limit is exceeded", hint=_AGAIN)
        if status in BUSY:
            wait = answer.wait(self._clock.now())
            raise NoAnswer(what, f"status {status}", unsent=status in REFUSING_BUSY, wait=wait)
        code, fields = errors[0] if errors else (UNRECOGNISED, "")
        raise Refused(what, status=status, code=safe_code(code), fields=fields)


_AGAIN = "Run the same command again."


class _Pace:
    """Decides whether to send again, and waits (on the given clock) before it says yes."""

    def __init__(self, clock: Clock, repeat: Repeat) -> None:
        """Take the clock all waiting goes through."""
        self._clock = clock
        self._repeat = repeat
        self._next = 0.5
        self._limit_waits: Iterator[float] = iter(LIMIT_WAITS)

    def __call__(self, error: Exception) -> bool | float:
        """`False`, or 0.0 after the wait is over."""
        if isinstance(error, _OverLimit):
            wait = next(self._limit_waits, None)
            if wait is None:
                return False
            self._clock.sleep(wait)
            return 0.0
        if not isinstance(error, NoAnswer) or not (error.unsent or self._repeat is Repeat.ALWAYS):
            return False
        jittered = self._next * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, hides nothing
        self._clock.sleep(error.wait if error.wait is not None else jittered)
        self._next = min(self._next * 2, 30.0)
        return 0.0


def _chunks(response: httpx2.Response) -> Iterator[bytes]:
    """The body as it came over the wire, still compressed."""
    if response.is_stream_consumed:  # a replaced transport may hand over a body that is already read
        yield response.content
        return
    yield from response.iter_raw()


def _trust(url: str, ca_file: str) -> ssl.SSLContext:
    if url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; loading the public authorities takes 30 ms
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError:
        raise CredentialsError("CHARTLIFT_CA_FILE cannot be read as a certificate file") from None


def _untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
