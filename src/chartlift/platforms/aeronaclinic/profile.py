"""The endpoint profile as frozen values: `source.toml`, and what a profile of one's own changes in it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from typing import Any

from chartlift.errors import UsageError
from chartlift.model.source import EntityShape, Pick
from chartlift.platforms.aeronaclinic.limiter import Allowance

LOGIN, BEARER, BASIC, HEADER = "login", "bearer", "basic", "header"
PAGE, OFFSET, CURSOR, LINK, NONE = "page", "offset", "cursor", "link", "none"
UPDATED_SINCE, FULL_RESCAN = "updated-since", "full-rescan"
ENDPOINT, FLAG, RESCAN = "endpoint", "flag", "rescan"
_KINDS = {
    "login": (LOGIN, BEARER, BASIC, HEADER),
    "paging": (PAGE, OFFSET, CURSOR, LINK, NONE),
    "changes": (UPDATED_SINCE, FULL_RESCAN),
    "deletions": (ENDPOINT, FLAG, RESCAN, NONE),
}
_SCOPES = ("credential", "practice", "tenant")
_MERGED = ("login", "limit", "transport", "paging", "changes", "deletions")


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in and how long that lasts (seconds), or where a lasting key goes."""

    kind: str
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
    """Names of the paging parameters and of the members of the envelope (paths with dots; '' = there is none)."""

    kind: str
    page: str  # the parameter with the page's number, or with how many rows to pass over
    size: str
    cursor: str  # the parameter that takes the answer's `next` of kind cursor
    first: int
    rows: int
    items: str
    total: str
    next: str  # a page's number, a cursor or an address
    pages: str  # how many pages there are
    clamped: str
    order: Mapping[str, str]

    @property
    def by_token(self) -> bool:
        """Whether an answer says where the next page is, so that pages cannot be chosen by number."""
        return self.kind in {CURSOR, LINK}


@dataclass(frozen=True, slots=True)
class Changes:
    """How to ask for what changed since a time."""

    kind: str
    parameter: str
    overlap: float


@dataclass(frozen=True, slots=True)
class Deletions:
    """How deletions show: in a list (`of`: our entity -> the clinic's word), or by a member of the record itself."""

    kind: str
    flag: str  # the member that a deleted record has a value in
    asking: Mapping[str, str]  # parameters that make listings bring deleted records, too
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
    evidence: str = ""  # where the entity (not its path) is publicly seen
    paging: Mapping[str, Any] = field(default_factory=dict)  # what is otherwise than in the profile's own paging
    names: Mapping[str, str] = field(default_factory=dict)  # column -> the clinic's member, a path with dots
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # column -> from, words
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

    @property
    def rescans(self) -> bool:
        """Whether a later reading has to bring everything again, because changes or deletions show in no other way."""
        return self.changes.kind == FULL_RESCAN or self.deletions.kind == RESCAN

    @property
    def flag(self) -> str:
        """The member that marks a record as deleted; '' if there is none."""
        return self.deletions.flag if self.deletions.kind == FLAG else ""

    @property
    def logged(self) -> tuple[str, ...]:
        """The entities whose deletions the clinic lists."""
        of = self.deletions.of if self.deletions.kind == ENDPOINT else ()
        return tuple(name for name in of if name in self.read)

    def paging_of(self, entity: Entity) -> Paging:
        """How the pages of this entity are asked for."""
        return replace(self.paging, **entity.paging) if entity.paging else self.paging

    def is_paged(self, entity: Entity) -> bool:
        """False if one answer brings all rows."""
        return self.paging_of(entity).kind != NONE

    def size(self, entity: Entity) -> int:
        """Rows to ask for in a page."""
        return entity.rows or self.paging_of(entity).rows

    def wanted(self, entity: Entity) -> tuple[Embedded, ...]:
        """The embedded arrays whose rows we read."""
        return tuple(array for array in entity.embedded if self._kept(self.entities[array.entity]))

    def _kept(self, entity: Entity) -> bool:
        if entity.nests:
            return self._kept(self.entities[entity.nests])
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
            refs={column: name for column, name in entity.refs.items() if self._kept(self.entities[name])},
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
    """The profile of this folder; `text` (TOML) changes in it what it names, a whole table below a section at a time.

    Raises:
        UsageError: a member is missing or unknown, or a kind is none of those there are.
    """
    own = resources.files("chartlift.platforms.aeronaclinic").joinpath("source.toml").read_text("utf-8")
    try:
        data = _over(tomllib.loads(own), tomllib.loads(text or ""))
        _known_kinds(data)
        return Profile(
            name=data["name"],
            read=tuple(data["read"]),
            id_form=data["id_form"],
            login=Login(**data["login"]),
            limit=Allowance(**_frozen(data["limit"])),
            transport=Transport(**data["transport"]),
            paging=Paging(**data["paging"]),
            changes=Changes(**data["changes"]),
            deletions=Deletions(**data["deletions"]),
            entities={name: _entity(name, table) for name, table in data["entity"].items()},
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"the source profile cannot be used: {error}") from error


def _over(own: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = {**own, **{word: value for word, value in other.items() if word not in {*_MERGED, "entity"}}}
    for section in _MERGED:
        _fits(section, own[section], other.get(section, {}))
        made[section] = {**own[section], **other.get(section, {})}
    made["entity"] = dict(own["entity"])
    members = _members()
    for name, table in other.get("entity", {}).items():
        _fits(f"entity.{name}", members, table)
        _fits(f"entity.{name}.paging", own["paging"], table.get("paging", {}))
        made["entity"][name] = {**own["entity"].get(name, {}), **table}
    return made


def _members() -> dict[str, Any]:
    """A value of the right kind for each member of an entity; pick and columns have their own checks."""
    kinds = {"str": "", "int": 0, "bool": False}
    known = {
        one.name: kinds.get(str(one.type), {} if str(one.type).startswith("Mapping") else []) for one in fields(Entity)
    }
    return {**known, "pick": {}}


def _fits(where: str, known: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Every member is one that there is, and of its kind: a mistake shows here, not in the middle of a reading."""
    if not isinstance(table, dict):
        raise UsageError(f"the source profile cannot be used: {where} has to be a table")
    for name, value in table.items():
        if name not in known:
            raise UsageError(f"the source profile cannot be used: {where} has no {name}")
        kinds = (int, float) if type(known[name]) in {int, float} else (type(known[name]),)
        if type(value) not in kinds:
            raise UsageError(f"the source profile cannot be used: {where}.{name} has to be like {known[name]!r}")


def _known_kinds(data: Mapping[str, Any]) -> None:
    kinds = [(section, data[section]["kind"]) for section in _KINDS]
    kinds += [("paging", table["paging"].get("kind", PAGE)) for table in data["entity"].values() if "paging" in table]
    for section, kind in kinds:
        if kind not in _KINDS[section]:
            raise UsageError(
                f"the source profile cannot be used: {section} has no kind {kind}",
                hint=f"kinds of {section}: {', '.join(_KINDS[section])}",
            )
    if data["limit"]["scope"] not in _SCOPES:
        raise UsageError(f"the source profile cannot be used: limit.scope is one of {', '.join(_SCOPES)}")
    strange = set(data) - {*_MERGED, "entity", "name", "read", "id_form"}
    unknown = [name for name in data["read"] if name not in data["entity"]]
    if strange or unknown:
        raise UsageError(f"the source profile cannot be used: unknown {', '.join(sorted(strange) + unknown)}")


def _frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    return {word: tuple(v) if isinstance(v, list) else v for word, v in table.items()}


def _entity(name: str, table: Mapping[str, Any]) -> Entity:
    words = _frozen(table)
    words["name"] = name
    words["embedded"] = tuple(Embedded(**array) for array in table.get("embedded", ()))
    if "pick" in table:
        words["pick"] = Pick(**table["pick"])
    return Entity(**words)
