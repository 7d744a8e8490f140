"""The one place that writes SOQL: quoting, conditions, and lists split so that each statement fits.

Source: reference 3.8 (statement 100,000 characters), 3.1 (URI 16,384 bytes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from chartlift.errors import PlanError
from chartlift.model.ports import ByPrefix, ByValues, Where

LONGEST_STATEMENT = 95_000  # characters
LONGEST_URI = 15_000  # bytes of an encoded statement, with room for the path
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_TRANSLATION = str.maketrans(_ESCAPES)
_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


def literal(text: str) -> str:
    """A quoted string for `=` and `IN`."""
    return f"'{text.translate(_TRANSLATION)}'"


def starts_with(text: str) -> str:
    """A quoted pattern for `LIKE` that matches what starts with `text`, taken literally."""
    escaped = "".join("\\" + c if c in "%_" else _ESCAPES.get(c, c) for c in text)
    return f"'{escaped}%'"


def name(text: str) -> str:
    """An object or field name (dots allowed), checked.

    Raises:
        PlanError: it is none.
    """
    if not _NAME.fullmatch(text):
        raise PlanError(f"{text!r} is not the name of an object or field")
    return text


def uri_cost(statement: str) -> int:
    """Bytes of a statement in a URI."""
    return len(quote(statement, safe=""))


def statements(selected: str, object_name: str, where: Where, *, in_uri: bool) -> Iterator[str]:
    """`SELECT selected FROM object_name WHERE …`, in several statements if a list of values is long."""
    head = f"SELECT {selected} FROM {name(object_name)}"
    if isinstance(where, ByPrefix):
        yield f"{head} WHERE {name(where.field)} LIKE {starts_with(where.prefix)}"
    elif isinstance(where, ByValues):
        opening = f"{head} WHERE {name(where.field)} IN ("
        for values in split(where.values, opening, in_uri=in_uri):
            yield f"{opening}{','.join(values)})"
    else:
        yield head


def split(values: Sequence[str], opening: str, *, in_uri: bool) -> Iterator[list[str]]:
    """Quoted values in lists, each short enough to follow `opening` in one statement."""
    room = (LONGEST_URI - uri_cost(opening)) if in_uri else (LONGEST_STATEMENT - len(opening))
    cost = (lambda text: uri_cost(text) + 3) if in_uri else (lambda text: len(text) + 1)
    taken: list[str] = []
    used = 0
    for value in dict.fromkeys(values):
        quoted = literal(value)
        size = cost(quoted)
        if taken and used + size > room:
            yield taken
            taken, used = [], 0
        taken.append(quoted)
        used += size
    if taken:
        yield taken
