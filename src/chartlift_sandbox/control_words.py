"""How the control door reads requests and writes answers."""

import json
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class ControlError(Exception):
    """A control request that cannot be carried out: status and text."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


async def read_body(request: Request) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object.

    Raises:
        ControlError: it is something else.
    """
    data = read_json(await request.body())
    if not isinstance(data, dict):
        raise ControlError("a JSON object was expected")
    return data


def read_json(raw: bytes) -> Any:
    """JSON, read leniently.

    Raises:
        ControlError: it is none, or nested too deeply.
    """
    if not raw.strip():
        return {}
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass  # it may be half a surrogate pair, which tests put into notes and orjson does not read
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"no JSON: {error}") from error


def flag(request: Request, name: str) -> bool:
    """Whether a query parameter says yes."""
    return request.query_params.get(name, "").lower() in {"1", "true", "yes"}


def number(request: Request, name: str, default: int | None) -> int | None:
    """A query parameter that counts.

    Raises:
        ControlError: it is no number.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 - what 64 bits hold
        raise ControlError(f"{name} must be a number")
    return int(text)


def json_answer(data: Any, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(orjson.dumps(data, default=str), status, media_type="application/json")
