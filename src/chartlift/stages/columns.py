"""What a statement can read: columns of the row and of joined ones, checked; and what no source delivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chartlift import transforms
from chartlift.errors import PackError
from chartlift.model.plan import ObjectMap, Policies
from chartlift.model.source import EntityShape
from chartlift.stages.sqltext import ident

WHOLE_HASH = "_sha256"
PARTS = {
    "_part": "coalesce(q.part, 1)::VARCHAR",
    "_parts": "coalesce(q.parts, 1)::VARCHAR",
    WHOLE_HASH: "q.sha256",  # of a text that is whole in its row the statement makes it
    "_whole": "CASE WHEN q.part > 1 THEN s._id END",
}
MOST_PARTS = 999  # of one text: three digits; `seq` leaves room for them


@dataclass(frozen=True, slots=True)
class Entities:
    """What a source delivers: the columns of each entity, and which entities belong to a patient without being one."""

    columns: Mapping[str, frozenset[str]]
    owned: frozenset[str] = frozenset()

    @classmethod
    def of(cls, shapes: Iterable[EntityShape]) -> Entities:
        """From the shapes of a source."""
        known = tuple(shapes)
        owned = frozenset(shape.name for shape in known if shape.patient not in ("", shape.id))
        return cls({shape.name: frozenset(shape.columns) for shape in known}, owned)


@dataclass
class Query:
    """The parts of the statement while it is being put together."""

    unit: ObjectMap
    tenant: str
    policies: Policies
    entities: Entities
    units: Mapping[str, ObjectMap]  # by code
    joins: list[str] = field(default_factory=list)  # of the first level
    given: dict[str, str] = field(default_factory=dict)  # SQL of the first level -> its name in the others
    links: dict[str, str] = field(default_factory=dict)  # of a later level: what stands behind LEFT JOIN -> its alias
    lists: dict[str, str] = field(default_factory=dict)  # value map -> its name in `lists`

    def link(self, alias: str, text: str) -> str:
        """Join what `text` says (`@` stands for the alias) to the values; returns the alias, or that of an equal join."""
        return self.links.setdefault(text, alias)

    def value(self, name: str) -> str:
        """The name of a column's value in the levels behind the first one."""
        return self.handed(self.column(name))

    def handed(self, sql: str) -> str:
        """The name under which the first level hands the value of `sql` to the others."""
        return self.given.setdefault(sql, f"i{len(self.given)}")

    def column(self, name: str) -> str:
        """SQL of the first level for a column of the entity or of a joined one, checked against what the source delivers."""
        if name.startswith("_"):
            return self.made(name)
        alias, _, rest = name.rpartition(".")
        entity = alias or self.unit.source
        if alias and alias not in self.unit.join:
            raise PackError(f"{self.unit.name}: join {alias} is not declared (column {name})")
        if rest == "_owner":
            return self.owner_of(alias)
        if rest not in self.entities.columns.get(entity, frozenset()):
            raise PackError(f"{self.unit.name}: the source has no column {rest} in {entity}")
        return f"{ident('j_' + alias) if alias else 's'}.{ident(rest)}"

    def owner_of(self, alias: str) -> str:
        """SQL for the patient of a joined row, after merges."""
        theirs, redirect = f"{ident('j_' + alias)}._patient", ident("og_" + alias)
        join = f"LEFT JOIN src_merged AS {redirect} ON {redirect}.entity = 'patient' AND {redirect}.id = {theirs}"
        if join not in self.joins:
            self.joins.append(join)
        return f"coalesce({redirect}.survivor, {theirs})"

    def made(self, name: str) -> str:
        """SQL for what no source delivers: the owner, and the place of a part in its whole."""
        if name == "_owner":
            return "coalesce(og.survivor, s._patient)"
        if continued(self.unit) is None or name not in PARTS:
            raise PackError(f"{self.unit.name}: there is no column {name}")
        return PARTS[name]


def continued(unit: ObjectMap) -> int | None:
    """The place of the field whose text may continue in further rows; None if the unit has none."""
    places = (n for n, rule in enumerate(unit.fields) if not rule.lookup and rule.const is None)
    return next((n for n in places if transforms.load()[unit.fields[n].transform].kind == "parts"), None)


def first_filled(sources: list[str]) -> str:
    """The first column that is not blank."""
    if len(sources) == 1:
        return sources[0]
    filled = [f"nullif(trim({source}), '')" for source in sources]
    return f"coalesce({', '.join(filled)})"
