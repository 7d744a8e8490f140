"""JSON as the clinic sends it, without loss: a number keeps its own spelling, a repeated key or NaN is refused."""

from __future__ import annotations

import json
from typing import Any, Never

import orjson

from chartlift.platforms.aeronaclinic.errors import BadAnswer


class Number(str):
    """A JSON number by its raw token: `76.60`, `-0`, `1e400`."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise BadAnswer("a key twice in one object")
    return record


def _no_number(_token: str) -> Never:
    raise BadAnswer("NaN or Infinity")


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_number, object_pairs_hook=_unique)


def parse(body: bytes) -> Any:
    """The JSON value of a body in UTF-8.

    Raises:
        BadAnswer: it is not one JSON document, or one of the things refused here.
    """
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadAnswer("not UTF-8") from None  # the cause would carry the body
    except RecursionError:
        raise BadAnswer("nested too deeply") from None
    except ValueError:
        raise BadAnswer("not JSON") from None


def compact(value: Any) -> str:
    """The value as JSON text; numbers by their tokens, halves of characters as escapes."""
    try:
        return orjson.dumps(value, default=_raw, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    except TypeError:
        return _slowly(value)


def _raw(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.encode())
    raise TypeError


def _slowly(value: Any) -> str:
    """The same for text that UTF-8 cannot hold."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_slowly(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_slowly, value)) + "]"
    return json.dumps(value)
