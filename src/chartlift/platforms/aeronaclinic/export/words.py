"""`export.toml` as frozen values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from chartlift.errors import UsageError
from chartlift.platforms.aeronaclinic.export.archive import Bounds


@dataclass(frozen=True, slots=True)
class Gather:
    """Rows of a file as an array in a column of the rows that they belong to; members: name -> number, text, boolean."""

    into: str
    column: str
    file: str
    by: str
    members: Mapping[str, str]
    where: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that is specific to the export files."""

    name: str
    zone: str
    manifest: str
    documents: str
    block: int
    rows: int
    required: tuple[str, ...]
    bounds: Bounds
    file: Mapping[str, str]
    kinds: Mapping[str, str]  # column -> kind
    aliases: Mapping[str, Mapping[str, list[str]]]
    gather: tuple[Gather, ...]

    def heads(self, entity: str) -> Mapping[str, str]:
        """Folded alias -> column, for one entity."""
        return folded(self.aliases.get(entity, {}))


def fold(head: str) -> str:
    """A head by its letters and digits."""
    return re.sub(r"[\W_]", "", head.casefold())


def folded(aliases: Mapping[str, list[str]]) -> dict[str, str]:
    """Folded alias -> column."""
    return {fold(alias): column for column, names in aliases.items() for alias in names}


def load(text: str | None = None) -> Words:
    """The words of this folder, or of `text` (TOML).

    Raises:
        UsageError: a member is missing or unknown.
    """
    if text is None:
        text = resources.files("chartlift.platforms.aeronaclinic").joinpath("export.toml").read_text("utf-8")
    try:
        data = tomllib.loads(text)
        data["kinds"] = {column: kind for kind, columns in data["kinds"].items() for column in columns}
        data["bounds"] = Bounds(**data["bounds"])
        data["gather"] = tuple(Gather(**one) for one in data.get("gather", ()))
        data["required"] = tuple(data["required"])
        return Words(**data)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"the export profile cannot be used: {error}") from error
