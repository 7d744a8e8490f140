"""The source side of the ports: a practice management system that is read, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chartlift.model.arrow import ArrowStream


@dataclass(frozen=True, slots=True)
class Pick:
    """Which one row of a group a nest keeps: of those with these values, the first or last by a column of dates."""

    equals: Mapping[str, str] = field(default_factory=dict)  # column -> the value it has to have, in any case
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class EntityShape:
    """A flat entity a source delivers: its columns (all text) and which of them is the id.

    With `nests` it is a nest: nothing is read for it, its rows are those of another entity gathered by one of their
    columns, and `_id` is the value of that column. A column is then a list of text, one element for each gathered row,
    or with `pick` the text of the one row that is kept.
    """

    name: str
    id: str
    columns: tuple[str, ...]
    patient: str = ""  # the column with the patient's id, if the entity belongs to one
    id_form: str = ""  # regular expression that every usable id matches; "" = any text
    stamp: str = ""  # the column that says when the row was last changed
    survivor: str = ""  # the column with the id of the row this one was merged into
    volatile: tuple[str, ...] = ()  # columns that may differ between two readings of an unchanged row
    counts: Mapping[str, str] = field(default_factory=dict)  # column of a patient -> entity whose rows it counts
    refs: Mapping[str, str] = field(default_factory=dict)  # column -> entity whose id it holds
    lists: tuple[str, ...] = ()  # columns whose values come from a list, not from a person's own words
    person: Mapping[str, str] = field(default_factory=dict)  # role (born, surname, forename, …) -> column
    roles: Mapping[str, str] = field(
        default_factory=dict
    )  # what a column is: total, paid, due, size, hash, mail … -> column
    dated: str = ""  # the column that says which year a row belongs to
    state: str = ""  # the column with the row's state …
    states: Mapping[str, str] = field(default_factory=dict)  # … and what it says: open = ahead, done = behind
    part_of: str = ""  # the column with the id of a row that always brings all its rows of this entity (see refs)
    falls_with: str = ""  # the column with the id of a row that takes this one along when it is deleted (see refs)
    nests: str = ""  # the entity whose rows are gathered …
    by: str = ""  # … by this column of theirs …
    order: str = ""  # … in the order of this one, as a number, then by id
    without: str = ""  # a column of theirs: rows where it says true stay out
    pick: Pick | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the source, already flat. `tables` has rows per entity, columns as in its EntityShape plus
    `_raw` (the row's JSON as received). `cursor` continues after this page; None = the listing is complete."""

    listing: str
    tables: Mapping[str, ArrowStream]
    cursor: str | None
    total: int | None = None  # rows of the whole listing, as the source says; it may lie
    deleted: tuple[tuple[str, str, str | None], ...] = ()  # (entity, id, id of the survivor if merged)
    bare: tuple[tuple[str, str], ...] = ()  # (entity, id) of rows that came without the rows that are part of them
    problems: tuple[tuple[str, str, int], ...] = ()  # (code, entity.column or where, how many), never a value


@dataclass(frozen=True, slots=True)
class Probe:
    """What one call of `check` found."""

    name: str
    ok: bool
    detail: str
    rows: int | None = None


CONTENTS = "contents"
"""Stands beside the listings of a forecast for the contents to be fetched."""


class NoContent(Exception):
    """A row's content cannot be had: missing | refused | too large | unreadable, or torn: it has to be begun anew."""

    def __init__(self, reason: str) -> None:
        """Take one of the words above."""
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """A practice management system that is read, never written."""

    name: str
    rereads: bool  # whether a later reading brings everything again, so that what changed shows by comparison only
    contents: str  # the entity whose rows have a content of their own, as documents do; "" = there is none

    def check(self) -> list[Probe]:
        """Log in and try each listing with the smallest page; `rows` is the listing's total where it has one."""
        ...

    def now(self) -> datetime:
        """The source's own time, never later than ours: what `since` of a later reading is measured by."""
        ...

    def shapes(self) -> tuple[EntityShape, ...]:
        """The flat entities, in the order they are to be stored."""
        ...

    def listings(self, since: datetime | None) -> tuple[str, ...]:
        """The listings to read, in order; with `since` those that deliver changes (deletions included)."""
        ...

    def pages(self, listing: str, *, since: datetime | None, cursor: str | None) -> Iterator[Page]:
        """Read a listing on from `cursor` (None = from its start)."""
        ...

    def content(self, key: str) -> Iterator[bytes]:
        """The content of the row of `contents` with that id, in pieces of any size.

        Raises:
            NoContent: there is none, or not now.
            TransientError: the source does not answer at all.
        """
        ...

    def forecast(self, rows: Mapping[str, int]) -> Mapping[str, float]:
        """`requests` and `hours` a whole extraction needs for so many rows per listing, and so many `CONTENTS`."""
        ...


LONE_SURROGATE = "\ufdd0"
"""Stands, with four hex digits behind it, in text cells for half of a character (an unpaired UTF-16 surrogate): the row's
text is damaged, `_raw` has it as received. A noncharacter, so no source text holds it by itself."""
