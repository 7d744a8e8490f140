"""The only place that turns names and values into SQL text; everything else goes through parameters."""

from __future__ import annotations


def ident(name: str) -> str:
    """Quote a name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text constant of the plan (never a patient's value)."""
    return "'" + text.replace("'", "''") + "'"
