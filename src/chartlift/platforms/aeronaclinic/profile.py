"""The endpoint profile (`source.toml`) as frozen values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from chartlift.errors import UsageError
from chartlift.model.source import EntityShape, Pick
from chartlift.platforms.aeronaclinic.limiter import Allowance


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in and how long that lasts (seconds)."""

    path: str
    username: str
    password: str
    pin: str
    header: str
    lifetime: float
    renew_before: float


@dataclass(frozen=True, slots=True)
class Transport:
    """Patience (seconds) and bounds (bytes) on the wire."""

    timeout: float
    deadline: float
    tries: int
    backoff: float
    longest_backoff: float
    max_body: int
    max_content: int
    user_agent: str


@dataclass(frozen=True, slots=True)
class Paging:
    """Names of the paging parameters and of the members of the envelope."""

    page: str
    size: str
    first: int
    rows: int
    items: str
    total: str
    next: str
    clamped: str
    order: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """How to ask for what changed since a time."""

    parameter: str
    overlap: float


@dataclass(frozen=True, slots=True)
class Deletions:
    """Where deletions are listed; `of`: our entity -> the clinic's word."""

    path: str
    entity: str
    since: str
    id: str
    survivor: str
    of: Mapping[str, str]
    beginning: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """An array inside a record: the rows of another entity, and the member that says how many there should be.

    With `group` each element is a flat row: the fields of the entity `group`, repeated, and one row of `entity`.
    """

    member: str
    entity: str
    total: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """One flat entity, and where its rows come from ('' = they are made from another one's)."""

    name: str
    columns: tuple[str, ...]
    id: str = ""  # nests have none of their own
    path: str = ""
    paged: bool = True
    optional: bool = False
    rows: int = 0
    patient: str = ""
    stamp: str = ""
    survivor: str = ""
    embed: str = ""
    embed_always: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    refs: Mapping[str, str] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    person: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    dated: str = ""
    state: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    embedded: tuple[Embedded, ...] = ()
    id_form: str = ""
    part_of: str = ""
    copied: tuple[str, ...] = ()  # columns that a row takes from the record it is embedded in
    nests: str = ""
    by: str = ""
    order: str = ""
    without: str = ""
    pick: Pick | None = None
    fallback: Mapping[str, Any] = field(default_factory=dict)
    content: str = ""  # path of a row's own content, with {id}

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that the clinic itself delivers."""
        return tuple(column for column in self.columns if column not in self.derived)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that is specific to this vendor."""

    name: str
    read: tuple[str, ...]
    id_form: str
    login: Login
    limit: Allowance
    transport: Transport
    paging: Paging
    changes: Changes
    deletions: Deletions
    entities: Mapping[str, Entity]

    def size(self, entity: Entity) -> int:
        """Rows to ask for in a page."""
        return entity.rows or self.paging.rows

    def wanted(self, entity: Entity) -> tuple[Embedded, ...]:
        """The embedded arrays whose rows we read."""
        return tuple(array for array in entity.embedded if self._kept(self.entities[array.entity]))

    def _kept(self, entity: Entity) -> bool:
        return not entity.path or entity.name in self.read

    def shapes(self) -> tuple[EntityShape, ...]:
        """The flat entities we read and those made from them, as the stages know them."""
        return tuple(self._shape(entity) for entity in self.entities.values() if self._kept(entity))

    def _shape(self, entity: Entity) -> EntityShape:
        return EntityShape(
            name=entity.name,
            id=entity.id,
            columns=entity.columns,
            patient=entity.patient,
            id_form=entity.id_form or (self.id_form if entity.path else ""),
            stamp=entity.stamp,
            survivor=entity.survivor,
            volatile=entity.volatile or ((entity.stamp,) if entity.stamp else ()),
            counts={array.total: array.entity for array in self.wanted(entity) if array.total},
            refs=entity.refs,
            lists=entity.lists,
            person=entity.person,
            roles=entity.roles,
            dated=entity.dated,
            state=entity.state,
            states=entity.states,
            part_of=entity.part_of,
            nests=entity.nests,
            by=entity.by,
            order=entity.order,
            without=entity.without,
            pick=entity.pick,
        )


def load(text: str | None = None) -> Profile:
    """The profile of this folder, or of `text` (TOML).

    Raises:
        UsageError: a member is missing or unknown.
    """
    if text is None:
        text = resources.files("chartlift.platforms.aeronaclinic").joinpath("source.toml").read_text("utf-8")
    try:
        data = tomllib.loads(text)
        return Profile(
            name=data["name"],
            read=tuple(data["read"]),
            id_form=data["id_form"],
            login=Login(**data["login"]),
            limit=Allowance(**data["limit"]),
            transport=Transport(**data["transport"]),
            paging=Paging(**data["paging"]),
            changes=Changes(**data["changes"]),
            deletions=Deletions(**data["deletions"]),
            entities={name: _entity(name, table) for name, table in data["entity"].items()},
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"the source profile cannot be used: {error}") from error


def _entity(name: str, table: Mapping[str, Any]) -> Entity:
    words: dict[str, Any] = {word: tuple(v) if isinstance(v, list) else v for word, v in table.items()}
    words["name"] = name
    words["embedded"] = tuple(Embedded(**array) for array in table.get("embedded", ()))
    if "pick" in table:
        words["pick"] = Pick(**table["pick"])
    return Entity(**words)
