"""OAuth of the org: token, userinfo, introspection, revocation, identity. Sessions live on the virtual clock.

Sources: REST and OAuth pages of the platform's guides, and what simple-salesforce, CumulusCI and sfdx-core read.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.access import UserAccess
from chartlift_sandbox.salesforce.errors import CONTENT_TYPE
from chartlift_sandbox.salesforce.org import Actor, Org, Session
from chartlift_sandbox.salesforce.usage import Usage

SESSION = timedelta(hours=2)
SCOPE = "api refresh_token"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_JWT_AHEAD = timedelta(minutes=5)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_SHORT_ID = 15


class OAuthError(Exception):
    """A refused token request: `error` and `error_description` of the answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass
class ConnectedApp:
    """The one app that may ask for tokens.

    Attributes:
        run_as: Id of the user that client credentials stand for.
        jwt_keys: PEM public keys or certificates accepted for JWT bearer assertions.
        blocked: An administrator has blocked the app: no grant is given any more.
        issued: When each session began, by token (introspection tells it).
    """

    client_id: str
    client_secret: str
    run_as: str
    jwt_keys: list[str] = field(default_factory=list)
    refresh: dict[str, str] = field(default_factory=dict)
    blocked: bool = False
    issued: dict[str, datetime] = field(default_factory=dict)


class Sessions:
    """Creates, slides and ends sessions of one org."""

    def __init__(self, org: Org, app: ConnectedApp) -> None:
        self._org, self.app = org, app
        self.timeout = SESSION
        self.usage: Usage | None = None
        self.origins: list[str] = []
        self._known: dict[str, tuple[UserAccess, Actor]] = {}

    def begin(self, user_id: str, *, token: str | None = None) -> str:
        """A new session for a user; one with a given token (the preset one) never times out."""
        made = token or f"{self._org.org_id[:_SHORT_ID]}!AQ{secrets.token_urlsafe(60)}"
        now = self._org.clock.now()
        self._org.sessions[made] = Session(user_id, NEVER if token else now + self.timeout)
        self.app.issued[made] = now
        return made

    def grant_refresh(self, username: str) -> str | None:
        """A refresh token as a person's login in the browser leaves it with the app; None if nobody has that name."""
        user = self.user_named(username)
        if user is None:
            return None
        token = f"5Aep861{secrets.token_urlsafe(48)}"
        self.app.refresh[token] = user["Id"]
        return token

    def slide(self, token: str) -> None:
        """Puts off the end of a session that was just used."""
        session = self._org.sessions.get(token)
        if session is not None and session.expires_at != NEVER:
            self._org.sessions[token] = Session(session.user_id, self._org.clock.now() + self.timeout)

    def live(self, token: str | None) -> Session | None:
        """The session of a token, if it has not ended."""
        session = self._org.sessions.get(token or "")
        return session if session is not None and session.expires_at > self._org.clock.now() else None

    def known_actor(self, token: str) -> Actor | None:
        """The caller behind a live session, if nothing about the user changed since `actor` looked."""
        session = self.live(token)
        known = self._known.get(session.user_id) if session is not None else None
        if session is None or known is None or known[0] is not self._org.access.of(session.user_id):
            return None
        return known[1]

    def actor(self, token: str) -> Actor | None:
        """The caller behind a session; None if it has ended or the user is inactive. May wait for the org's lock."""
        session = self.live(token)
        if session is None:
            return None
        access = self._org.access.of(session.user_id)
        found = self._org.actor(token)
        if found is not None:
            self._known[session.user_id] = (access, found)
        return found

    def end(self, token: str) -> None:
        """Ends a session at once."""
        self._org.sessions.pop(token, None)

    def user(self, user_id: str) -> dict[str, Any]:
        """The User row."""
        with self._org.lock:
            rows = self._org.rows('SELECT * FROM "User" WHERE "Id" = ?', [user_id])
        return rows[0]

    def user_named(self, username: str) -> dict[str, Any] | None:
        """The active or inactive user of that username."""
        with self._org.lock:
            rows = self._org.rows('SELECT * FROM "User" WHERE lower("Username") = lower(?)', [username])
        return rows[0] if rows else None


class LoginDoor:
    """The OAuth endpoints."""

    def __init__(self, org: Org, sessions: Sessions) -> None:
        self._org, self._sessions = org, sessions
        self._grants: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
            "password": self._password,
            _JWT_GRANT: self._jwt,
        }

    async def token(self, request: Request) -> Response:
        """POST of a grant; 200 with a session or 400 with an OAuth error."""
        form = _with_basic(request, dict(parse_qsl((await request.body()).decode(errors="replace"))))
        try:
            grant = self._grants.get(form.get("grant_type", ""), _unsupported)
            extra = (_blocked if self._sessions.app.blocked else grant)(form)
        except OAuthError as error:
            return _json({"error": error.error, "error_description": error.description}, error.status)
        return _json(self._answer(request, extra))

    def _answer(self, request: Request, extra: dict[str, str]) -> dict[str, str]:
        user_id = extra.pop("user_id")
        token = self._sessions.begin(user_id)
        identity = f"{origin(request)}/id/{self._org.org_id}/{user_id}"
        issued = str(int(self._org.clock.now().timestamp() * 1000))
        answer = {"access_token": token, "scope": extra.pop("scope"), "instance_url": origin(request), "id": identity}
        answer |= {"token_type": "Bearer"}
        if not extra.pop("bare", None):
            secret = self._sessions.app.client_secret.encode()
            digest = hmac.new(secret, (identity + issued).encode(), hashlib.sha256).digest()
            answer |= {"issued_at": issued, "signature": base64.b64encode(digest).decode()}
            answer["api_instance_url"] = "https://api.salesforce.com"
        return answer | extra

    def _check_client(self, form: dict[str, str]) -> None:
        app = self._sessions.app
        if not hmac.compare_digest(form.get("client_id", "").encode(), app.client_id.encode()):
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), app.client_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")

    def _active(self, user: dict[str, Any] | None) -> str:
        if user is None:
            raise OAuthError("invalid_grant", "authentication failure")
        if not user["IsActive"]:
            raise OAuthError("inactive_user", "user is inactive")
        return user["Id"]

    def _client_credentials(self, form: dict[str, str]) -> dict[str, str]:
        self._check_client(form)
        return {"user_id": self._active(self._sessions.user(self._sessions.app.run_as)), "scope": "api"}

    def _refresh(self, form: dict[str, str]) -> dict[str, str]:
        app = self._sessions.app
        # the secret may be left out, and is then not asked for
        self._check_client({"client_secret": app.client_secret} | form)
        user_id = app.refresh.get(form.get("refresh_token", ""))
        if user_id is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        return {"user_id": self._active(self._sessions.user(user_id)), "scope": SCOPE}

    def _password(self, form: dict[str, str]) -> dict[str, str]:
        """Blocked by default in orgs of today."""
        self._check_client(form)
        raise OAuthError("invalid_grant", "authentication failure")

    def _jwt(self, form: dict[str, str]) -> dict[str, str]:
        claims = self._claims(form.get("assertion", ""))
        if claims.get("iss") != self._sessions.app.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        now = self._org.clock.now().timestamp()
        if not now - 1 <= float(claims.get("exp", 0)) + 180 or float(claims.get("exp", 0)) > now + 180 + 300:
            raise OAuthError("invalid_grant", "assertion is not valid")
        user = self._sessions.user_named(str(claims.get("sub", "")))
        if user is None:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return {"user_id": self._active(user), "scope": "api", "bare": "true"}

    def _claims(self, assertion: str) -> dict[str, Any]:
        import jwt  # only this grant needs it, and it slows the start down

        for key in self._sessions.app.jwt_keys:
            try:
                options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
                claims = jwt.decode(assertion, key, algorithms=["RS256"], options=options)
            except jwt.InvalidTokenError:
                continue
            aud = claims.get("aud")
            if aud not in (*_JWT_AUDIENCES, self._org.base_url, *self._sessions.origins):
                raise OAuthError("invalid_grant", "audience is invalid")
            return claims
        raise OAuthError("invalid_grant", "invalid assertion")

    async def introspect(self, request: Request) -> Response:
        """POST: whether a token is alive and until when (epoch seconds)."""
        form = _with_basic(request, dict(parse_qsl((await request.body()).decode(errors="replace"))))
        try:
            self._check_client(form)
        except OAuthError as error:
            return _json({"error": error.error, "error_description": error.description}, 401)
        token = form.get("token", "")
        session = self._sessions.live(token)
        if session is None:
            return _json({"active": False})
        begun = int(self._sessions.app.issued.get(token, self._org.clock.started).timestamp())
        identity = f"{origin(request)}/id/{self._org.org_id}/{session.user_id}"
        user = self._sessions.user(session.user_id)
        return _json(
            {
                "active": True, "scope": "api", "client_id": self._sessions.app.client_id, "username": user["Username"],
                "sub": identity, "token_type": "access_token", "exp": int(session.expires_at.timestamp()), "iat": begun,
                "nbf": begun,
            }
        )  # fmt: skip

    async def revoke(self, request: Request) -> Response:
        """POST or GET with a token: ends its session; 400 if there is none."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace"))) | dict(request.query_params)
        token = form.get("token", "")
        if self._sessions.app.refresh.pop(token, None) is None and self._sessions.live(token) is None:
            return _json(
                {"error": "unsupported_token_type", "error_description": "this token type is not supported"}, 400
            )
        self._sessions.end(token)
        return Response(status_code=200)

    async def userinfo(self, request: Request) -> Response:
        """GET or POST: who the bearer is; 403 plain text for a dead token."""
        session = self._bearer(request)
        if session is None:
            return PlainTextResponse("Bad_OAuth_Token", status_code=403)
        return _json(self._person(request, session.user_id) | self._openid(request, session.user_id))

    async def identity(self, request: Request) -> Response:
        """GET of the identity URL that the token answer names."""
        session = self._bearer(request)
        if session is None:
            return PlainTextResponse("Bad_OAuth_Token", status_code=403)
        if session.user_id[:_SHORT_ID] != request.path_params["user"][:_SHORT_ID]:
            return PlainTextResponse("Wrong_Id", status_code=404)
        user = self._sessions.user(session.user_id)
        person = self._person(request, session.user_id)
        return _json(
            person
            | {
                "id": f"{origin(request)}/id/{self._org.org_id}/{session.user_id}", "asserted_user": True,
                "username": user["Username"], "nick_name": person["nickname"], "display_name": person["name"],
                "first_name": user["FirstName"], "last_name": user["LastName"], "status": {},
            }
        )  # fmt: skip

    def _bearer(self, request: Request) -> Session | None:
        token = bearer_token(request)
        session = self._sessions.live(token)
        if session is not None and token is not None:
            self._sessions.slide(token)
        return session

    def _person(self, request: Request, user_id: str) -> dict[str, Any]:
        user, home = self._sessions.user(user_id), origin(request)
        rest, soap, org = f"{home}/services/data/v{{version}}", f"{home}/services/Soap", self._org.org_id
        return {
            "user_id": user_id, "organization_id": self._org.org_id, "name": user["Name"], "email": user["Email"],
            "nickname": user.get("CommunityNickname") or user["Alias"], "active": user["IsActive"],
            "user_type": "STANDARD", "language": user.get("LanguageLocaleKey"), "locale": user.get("LocaleSidKey"),
            "utcOffset": 0, "email_verified": True, "is_app_installed": True, "photos": {}, "addr_street": None,
            "urls": {
                "rest": f"{rest}/", "sobjects": f"{rest}/sobjects/", "search": f"{rest}/search/",
                "query": f"{rest}/query/", "recent": f"{rest}/recent/", "profile": f"{home}/{user_id}",
                "metadata": f"{soap}/m/{{version}}/{org}", "partner": f"{soap}/u/{{version}}/{org}",
                "enterprise": f"{soap}/c/{{version}}/{org}", "custom_domain": home,
            },
        }  # fmt: skip

    def _openid(self, request: Request, user_id: str) -> dict[str, Any]:
        user = self._sessions.user(user_id)
        return {
            "sub": f"{origin(request)}/id/{self._org.org_id}/{user_id}", "preferred_username": user["Username"],
            "given_name": user["FirstName"], "family_name": user["LastName"], "zoneinfo": user.get("TimeZoneSidKey"),
            "updated_at": f"{user['LastModifiedDate']:%Y-%m-%dT%H:%M:%SZ}", "profile": f"{origin(request)}/{user_id}",
            "picture": f"{origin(request)}/profilephoto/005/F", "address": {},
        }  # fmt: skip


def _unsupported(form: dict[str, str]) -> dict[str, str]:
    raise OAuthError("unsupported_grant_type", f"grant type not supported: {form.get('grant_type', '')}")


def _blocked(form: dict[str, str]) -> dict[str, str]:  # noqa: ARG001 - a grant's signature
    raise OAuthError("invalid_grant", "expired access/refresh token")


def origin(request: Request) -> str:
    """The door the caller came in by; it is this org's My Domain for them."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def bearer_token(request: Request) -> str | None:
    """The session id of a request, from any of the places where clients put it."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() in {"bearer", "oauth"} and token:
        return token.strip()
    return request.headers.get("x-sfdc-session") or request.query_params.get("oauth_token")


def _with_basic(request: Request, form: dict[str, str]) -> dict[str, str]:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form
    try:
        client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return form
    return form | {"client_id": client, "client_secret": secret}


def _json(data: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(data), status, {"cache-control": "no-cache, no-store"}, CONTENT_TYPE)


def routes(org: Org, sessions: Sessions) -> list[BaseRoute]:
    """OAuth and identity routes; all of them do their own authentication."""
    door = LoginDoor(org, sessions)
    return [
        Route("/services/oauth2/token", door.token, methods=["POST"]),
        Route("/services/oauth2/introspect", door.introspect, methods=["POST"]),
        Route("/services/oauth2/revoke", door.revoke, methods=["GET", "POST"]),
        Route("/services/oauth2/userinfo", door.userinfo, methods=["GET", "POST"]),
        Route("/id/{org}/{user}", door.identity, methods=["GET", "POST"]),
    ]
