"""JSON as the clinic sends it, without loss: a number keeps its own spelling, a repeated key or NaN is refused.

Nearly every answer can be read by a fast parser that knows neither: whole numbers lose nothing, and a repeated key shows
in the number of keys. What it cannot vouch for is read once more by the slow one, which can.
"""

from __future__ import annotations

import json
import re
from typing import Any, Never

import orjson

from chartlift.platforms.aeronaclinic.errors import BadAnswer

_MINUS_ZERO = re.compile(rb"-0[\s,\]}]")


class Number(str):
    """A JSON number by its raw token: `76.60`, `-0`, `1e400`. Plain whole numbers may also come as `int`."""

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
        value = orjson.loads(body)
        if not (_MINUS_ZERO.search(body) or _has_float(value)) and _keys(orjson.dumps(value)) == _keys(body):
            return value
    except (ValueError, TypeError):
        pass  # the slow parser says what is wrong, or takes what is merely unusual
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadAnswer("not UTF-8") from None  # the cause would carry the body
    except RecursionError:
        raise BadAnswer("nested too deeply") from None
    except ValueError:
        raise BadAnswer("not JSON") from None


def first_value(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that starts there, and where it ends.

    Raises:
        BadAnswer: there is none, or it does not end.
    """
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise BadAnswer("nested too deeply") from None
    except ValueError:
        raise BadAnswer("not JSON") from None


def _keys(text: bytes) -> int:
    """How many keys there are; text with an escaped quote before a colon counts too, the same in every spelling."""
    return text.count(b'":')


def _has_float(value: Any) -> bool:
    """True if a number lost its spelling; the fast parser reads whole numbers beyond 64 bits as floats, too."""
    waiting = [value]
    for one in waiting:
        kind = type(one)
        inside = one.values() if kind is dict else one if kind is list else (one,)
        kinds = set(map(type, inside))
        if float in kinds:
            return True
        if dict in kinds or list in kinds:
            waiting += [item for item in inside if type(item) is dict or type(item) is list]
    return False


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
