"""Assembles the service: sign-in, the turnstile in front of everything else, lists, details, deletions."""

from collections import OrderedDict
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chartlift_sandbox.aeronaclinic import listing
from chartlift_sandbox.aeronaclinic.answers import ApiError, encoded, json_response, packed, wants_gzip
from chartlift_sandbox.aeronaclinic.contents import download
from chartlift_sandbox.aeronaclinic.limiter import Limiter
from chartlift_sandbox.aeronaclinic.login import TOKEN_HEADER, Tokens, read_sign_in
from chartlift_sandbox.aeronaclinic.switches import Switches
from chartlift_sandbox.clinic import Clinic, ClockLike
from chartlift_sandbox.generator.entities import BY_PATH

_BYTES_KEPT = 24_000_000
_LOGIN = "/login"


class Turnstile:
    """ASGI middleware: counts every request but sign-ins (they count themselves), then looks at the token."""

    def __init__(self, app: ASGIApp, *, limiter: Limiter, tokens: Tokens, clock: ClockLike, switches: Switches) -> None:
        self._app, self._limiter, self._tokens = app, limiter, tokens
        self._clock, self._switches = clock, switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets one request through, or answers it."""
        if scope["type"] != "http" or (scope["path"] == _LOGIN and scope["method"] == "POST"):
            await self._app(scope, receive, send)
            return
        text = Request(scope).headers.get(TOKEN_HEADER)
        now = self._clock.now().timestamp()
        counter = self._tokens.counter_of(text)
        if not self._limiter.hit(counter, now):
            self._tokens.kill(counter)
            await ApiError(self._switches.exceed_status, "RATE_LIMIT").response()(scope, receive, send)
            return
        problem = self._tokens.problem(text, now)
        if problem is not None:
            await ApiError(HTTPStatus.UNAUTHORIZED, problem).response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Practice:
    """The endpoints. Pages are kept as bytes until the clinic changes."""

    def __init__(self, clinic: Clinic, clock: ClockLike, switches: Switches) -> None:
        self.clinic, self.clock, self.switches = clinic, clock, switches
        self.limiter = Limiter(switches)
        self.tokens = Tokens(switches, clinic.credentials())
        self._pages: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0

    def reset(self) -> None:
        """Forgets tokens, counts and pages."""
        self.limiter.reset()
        self.tokens.reset()
        self._pages.clear()
        self._kept = 0

    async def login(self, request: Request) -> Response:
        """Answers an empty object with the token in a header."""
        body, wrong = read_sign_in(await request.body())
        if wrong:
            self.limiter.hit("stranger", self.clock.now().timestamp())
            raise ApiError(HTTPStatus.BAD_REQUEST, "VALIDATION", wrong)
        now = self.clock.now().timestamp()
        counter = self.limiter.counter_of(body["username"], body["practicePin"])
        if not self.limiter.hit(counter, now):
            self.tokens.kill(counter)
            raise ApiError(self.switches.exceed_status, "RATE_LIMIT")
        if not self.tokens.accepts(body):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "LOGIN_FAILED")
        self.limiter.signed_in(counter, now)
        answer = json_response(b"{}")
        answer.headers[TOKEN_HEADER] = self.tokens.issue(counter, now)
        return answer

    async def listed(self, request: Request) -> Response:
        """A page of one entity, or the whole of a short list."""
        return await run_in_threadpool(self._answer, request, None)

    async def single(self, request: Request) -> Response:
        """One record by id."""
        return await run_in_threadpool(self._answer, request, request.path_params["key"])

    async def content(self, request: Request) -> Response:
        """The content of a document."""
        key = request.path_params["key"]
        found = await run_in_threadpool(self.clinic.content, key)
        if found is None or found.missing:
            raise ApiError(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        return download(found, request, ranges=self.switches.content_ranges)

    async def deletions(self, request: Request) -> Response:
        """The deletions feed."""
        if not self.switches.deletions_endpoint:
            raise ApiError(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        body = encoded(await run_in_threadpool(listing.deletions, self.clinic, request.query_params, self.switches))
        gzipped = wants_gzip(request, body)
        return json_response(packed(body) if gzipped else body, gzipped=gzipped)

    def _answer(self, request: Request, key: str | None) -> Response:
        query = listing.read_query(request.query_params, self.switches)
        entity = BY_PATH.get("/" + request.path_params["entity"])
        if entity is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "NOT_FOUND")
        name = f"{self.clinic.version} {self.switches.embed_cap} {key} {entity.name} {query}"
        body = self._pages.get(name)
        if body is None:
            if key is None:
                body = encoded(listing.page_of(self.clinic, entity, query, self.switches))
            else:
                body = encoded(listing.single(self.clinic, entity, key, query, self.switches))
            self._keep(name, body)
        if not wants_gzip(request, body):
            return json_response(body)
        small = self._pages.get(name + " gzip") or packed(body)
        self._keep(name + " gzip", small)
        return json_response(small, gzipped=True)

    def _keep(self, name: str, body: bytes) -> None:
        with self.clinic.lock:
            self._kept += len(body) - len(self._pages.pop(name, b""))
            self._pages[name] = body
            while self._kept > _BYTES_KEPT:
                _, oldest = self._pages.popitem(last=False)
                self._kept -= len(oldest)


def app(clinic: Clinic, clock: ClockLike, switches: Switches | None = None) -> Starlette:
    """The clinic's API as an ASGI application.

    ``app.state`` carries ``limiter`` (``max_in_window``, ``exceeded``), ``tokens``, ``switches``, ``reset()`` and
    ``expire(scope)`` (ends the caller's token, for planned faults).
    """
    practice = Practice(clinic, clock, switches if switches is not None else Switches())
    routes = [
        Route(_LOGIN, practice.login, methods=["POST"]),
        Route("/deletions", practice.deletions, methods=["GET"]),
        Route("/documents/{key:int}/content", practice.content, methods=["GET"]),
        Route("/{entity}", practice.listed, methods=["GET"]),
        Route("/{entity}/{key}", practice.single, methods=["GET"]),
    ]
    turnstile = Middleware(
        Turnstile, limiter=practice.limiter, tokens=practice.tokens, clock=clock, switches=practice.switches
    )
    service = Starlette(
        routes=routes,
        middleware=[turnstile],
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _unexpected},
    )

    def expire(scope: Scope) -> None:
        practice.tokens.expire(Request(scope).headers.get(TOKEN_HEADER))

    state = service.state
    state.limiter, state.tokens, state.switches = practice.limiter, practice.tokens, practice.switches
    state.reset, state.expire = practice.reset, expire
    return service


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "METHOD_NOT_ALLOWED" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "NOT_FOUND"
    return ApiError(error.status_code, code).response()


async def _unexpected(_: Request, __: Exception) -> Response:
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "SERVER_ERROR").response()
