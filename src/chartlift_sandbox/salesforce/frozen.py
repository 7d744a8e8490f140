"""State as JSON and back: the plain values of Python, moments, bytes, paths, and the dataclasses that are named."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

_TAG = "$"
_SIMPLE: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (timedelta, "timedelta", timedelta.total_seconds),
    (bytes, "bytes", lambda value: base64.b64encode(value).decode()),
    (Path, "path", lambda value: value.name),
)
"""Types with a form of their own; a moment is a day too, so it comes first."""


def freeze(value: Any) -> Any:
    """A value as JSON can hold it.

    Raises:
        TypeError: something that has no form.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    for kind, word, form in _SIMPLE:
        if isinstance(value, kind):
            return {_TAG: word, "value": form(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return {_TAG: type(value).__name__, "value": [freeze(one) for one in value]}
    if isinstance(value, dict):
        return {_TAG: "dict", "value": [[freeze(key), freeze(one)] for key, one in value.items()]}
    if dataclasses.is_dataclass(value):
        held = {one.name: freeze(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return {_TAG: "object", "class": type(value).__name__, "value": held}
    raise TypeError(f"{type(value).__name__} cannot be kept")


class Thaw:
    """The way back.

    Args:
        classes: The dataclasses that may come back.
        folder: Where paths lie now.
    """

    def __init__(self, classes: tuple[type, ...], folder: Path) -> None:
        self._classes = {one.__name__: one for one in classes}
        self._folder = folder

    def __call__(self, value: Any) -> Any:
        """The value that `freeze` was given.

        Raises:
            KeyError: a class or form that is not known here.
        """
        if not isinstance(value, dict):
            return value
        kind, inner = value[_TAG], value["value"]
        simple = {
            "datetime": datetime.fromisoformat, "date": date.fromisoformat, "bytes": base64.b64decode,
            "timedelta": lambda seconds: timedelta(seconds=seconds), "path": lambda name: self._folder / name,
        }  # fmt: skip
        if kind in simple:
            return simple[kind](inner)
        if kind == "dict":
            return {self(key): self(one) for key, one in inner}
        if kind == "object":
            made: Any = self._classes[value["class"]]
            known = {one.name for one in dataclasses.fields(made) if one.init}
            return made(**{name: self(one) for name, one in inner.items() if name in known})
        return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind](self(one) for one in inner)
