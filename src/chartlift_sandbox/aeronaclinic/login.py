"""Sign-in and tokens: one hour of the virtual clock, then another sign-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_urlsafe

import orjson

from chartlift_sandbox.aeronaclinic.switches import Switches

TOKEN_HEADER = "AERONA-AUTH-TOKEN"  # noqa: S105 - a header's name
_FIELDS = ("username", "password", "practicePin")


@dataclass(slots=True)
class _Token:
    counter: str
    issued: float
    dead: bool = False


class Tokens:
    """Tokens given out, dead ones remembered, so that the reason of a refusal can be told."""

    def __init__(self, switches: Switches, credentials: Mapping[str, str]) -> None:
        self._switches = switches
        self._expected = {
            "username": credentials["CHARTLIFT_AERONA_USERNAME"],
            "password": credentials["CHARTLIFT_AERONA_PASSWORD"],
            "practicePin": credentials["CHARTLIFT_AERONA_PIN"],
        }
        self._tokens: dict[str, _Token] = {}

    def reset(self) -> None:
        """Forgets every token."""
        self._tokens.clear()

    def accepts(self, body: Mapping[str, str]) -> bool:
        """Whether user name, password and pin are right."""
        given = [compare_digest(body[name].encode(), self._expected[name].encode()) for name in _FIELDS]
        return all(given)

    def issue(self, counter: str, now: float) -> str:
        """A new token that counts on ``counter``."""
        text = token_urlsafe(24)
        self._tokens[text] = _Token(counter, now)
        return text

    def counter_of(self, text: str | None) -> str:
        """The counter a token belongs to; strangers share one."""
        token = self._tokens.get(text or "")
        return token.counter if token is not None else "stranger"

    def problem(self, text: str | None, now: float) -> str | None:
        """Why the token is refused: TOKEN_MISSING, TOKEN_INVALID or TOKEN_EXPIRED; None if it is good."""
        if not text:
            return "TOKEN_MISSING"
        token = self._tokens.get(text)
        if token is None or token.dead:
            return "TOKEN_INVALID"
        return "TOKEN_EXPIRED" if now >= token.issued + self._switches.token_lifetime_s else None

    def kill(self, counter: str) -> None:
        """Ends every token of a counter at once."""
        for token in self._tokens.values():
            if token.counter == counter:
                token.dead = True

    def expire(self, text: str | None) -> None:
        """Lets one token's hour be over."""
        token = self._tokens.get(text or "")
        if token is not None:
            token.issued = float("-inf")


def read_sign_in(raw: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """The sign-in body, and what is wrong with it by field (nothing, if it can be read)."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return {}, {"body": "must be a JSON object"}
    return body, {name: "is required" for name in _FIELDS if not isinstance(body.get(name), str) or not body[name]}
