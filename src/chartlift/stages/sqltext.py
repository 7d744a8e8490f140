"""The only place that turns names and values into SQL text; everything else goes through parameters."""

from __future__ import annotations

from collections.abc import Iterable


def ident(name: str) -> str:
    """Quote a name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text constant of the plan (never a patient's value)."""
    return "'" + text.replace("'", "''") + "'"


def select(columns: Iterable[str], source: Iterable[str]) -> str:
    """`SELECT columns source`, a column on each line."""
    between = ",\n         "
    return f"SELECT {between.join(columns)}\n    {' '.join(source)}"
