"""Every named switch with its value, its default and what it means, read from where it is defined."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

_LISTED = re.compile(
    r"^ {4}([a-z_]+(?:, [a-z_]+)*): (.+?)(?=^ {4}[a-z_]+(?:, [a-z_]+)*: |\Z)", re.MULTILINE | re.DOTALL
)


def listed(homes: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"name", "of", "value", "default", "type", "meaning"}` of every switch, in the order of their definition.

    Args:
        homes: Settings objects (dataclasses) by whose they are.
    """
    found = []
    for owner, home in homes.items():
        meant = meanings(type(home))
        for one in fields(home):
            default = one.default if one.default is not MISSING else None
            found.append(
                {
                    "name": one.name, "of": owner, "value": getattr(home, one.name), "default": default,
                    "type": _type(one.type),
                    "meaning": meant.get(one.name, ""),
                }
            )  # fmt: skip
    return found


def _type(kind: Any) -> str:
    """A type as a reader knows it: bool, int, float, str, or what a choice is made of."""
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


@cache
def meanings(kind: type) -> dict[str, str]:
    """What the switches of a settings class mean: the text after each, or the class's list of attributes."""
    source = textwrap.dedent(inspect.getsource(kind))
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    meant: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        target = before.target if isinstance(before, ast.AnnAssign) else None
        said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
        if isinstance(target, ast.Name) and isinstance(said, str):
            meant[target.id] = _flat(said)
    attributes = (ast.get_docstring(body) or "").partition("Attributes:\n")[2]
    for names, text in _LISTED.findall(attributes):
        meant |= {name: _flat(text) for name in names.split(", ")}
    return meant


def _flat(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
