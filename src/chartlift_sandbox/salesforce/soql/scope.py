"""Names in one SELECT: fields of its object and of parents up to five relationships away, with their joins."""

from __future__ import annotations

from dataclasses import dataclass, field

from chartlift_sandbox.salesforce.schema import ACTIVITY_OBJECTS, Field, SObject
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.statement import Statement, quoted
from chartlift_sandbox.salesforce.soql.syntax import FieldRef, FromItem
from chartlift_sandbox.salesforce.store import alive_sql

MAX_PARENTS = 5
_NAME_ENTITY = "Name"
_NAME_FIELDS = (
    "Alias", "Email", "FirstName", "IsActive", "LastName", "LastReferencedDate", "LastViewedDate", "Phone", "ProfileId",
    "RecordTypeId", "Title", "Username", "UserRoleId",
)  # fmt: skip


@dataclass
class Relation:
    """A table in FROM: the object itself, a parent, or the common face of a polymorphic parent's possible types."""

    alias: str
    sobject: SObject
    path: tuple[str, ...] = ()
    link: str = ""
    targets: tuple[SObject, ...] = ()
    wanted: dict[str, Field] = field(default_factory=dict)

    @property
    def polymorphic(self) -> bool:
        """Whether rows may come from several objects."""
        return bool(self.targets)

    @property
    def entity(self) -> str:
        """The object's name; the common face of several is called Name."""
        return self.sobject.name


@dataclass(frozen=True)
class Column:
    """Something that has a value per row: its SQL, a field that tells its type, and its names from the object on."""

    sql: str
    field: Field
    path: tuple[str, ...]
    relation: Relation | None = None
    kind: str = "field"

    @property
    def type(self) -> str:
        """Type as describe shows it."""
        return self.field.type


class Scope:
    """Resolves the names of one SELECT and collects the joins they need."""

    def __init__(self, statement: Statement, sobject: SObject, sources: tuple[FromItem, ...]) -> None:
        self.statement = statement
        self.root = Relation(statement.alias(), sobject)
        self._relations: dict[tuple[str, ...], Relation] = {(): self.root}
        self._prefixes: dict[str, tuple[str, ...]] = {}
        if sources[0].alias:
            self._prefixes[sources[0].alias.lower()] = ()
        for extra in sources[1:]:
            self._add_source(extra)

    def _add_source(self, extra: FromItem) -> None:
        parts = tuple(extra.name.split("."))
        relation = self.relation(self._unprefixed(parts), extra.at)
        self._prefixes[(extra.alias or parts[-1]).lower()] = relation.path

    @property
    def relations(self) -> list[Relation]:
        """The object itself and every parent in use."""
        return list(self._relations.values())

    def _unprefixed(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        first = parts[0].lower()
        if first in self._prefixes:
            return self._prefixes[first] + parts[1:]
        if first == self.root.sobject.name.lower() and self.root.sobject.relationship(parts[0]) is None:
            return parts[1:]
        return parts

    def resolve(self, ref: FieldRef) -> Column:
        """The column that a name means.

        Raises:
            OrgError: INVALID_FIELD when a relationship or the field is unknown or hidden from the caller.
        """
        parts = ref.parts
        if len(parts) > 1:
            parts = self._unprefixed(parts)
        relation = self.relation(parts[:-1], ref.at)
        return self.column(relation, parts[-1] if parts else ref.written, ref.at)

    def column(self, relation: Relation, name: str, at: int) -> Column:
        """A field of one relation by name."""
        found = relation.sobject.field(name)
        seen = found is not None and (relation.polymorphic or self.statement.sees(relation.sobject, found))
        if found is None or not seen:
            raise refusal.unknown_field(self.statement.text, at, name, relation.entity)
        if relation.polymorphic:
            relation.wanted[found.name] = found
        return Column(f"{relation.alias}.{quoted(found.name)}", found, (*relation.path, found.name), relation)

    def relation(self, parts: tuple[str, ...], at: int) -> Relation:
        """The parent at the end of a path of relationship names; joins it on first use."""
        if len(parts) > MAX_PARENTS:
            message = f"SOQL statements cannot query more than {MAX_PARENTS} levels of parent relationships."
            raise refusal.malformed(self.statement.text, at, message)
        here = self.root
        for depth, name in enumerate(parts, start=1):
            key = tuple(part.lower() for part in parts[:depth])
            known = self._relations.get(key)
            here = known if known is not None else self._join(here, name, key, at)
        return here

    def _join(self, child: Relation, name: str, key: tuple[str, ...], at: int) -> Relation:
        link = child.sobject.relationship(name)
        if link is None or not (child.polymorphic or self.statement.sees(child.sobject, link)):
            raise refusal.unknown_relationship(self.statement.text, at, name)
        parents = [self.statement.object(target) for target in link.reference_to]
        targets = tuple(parent for parent in parents if parent is not None)
        if not targets:
            raise refusal.unknown_relationship(self.statement.text, at, name)
        if child.polymorphic:
            child.wanted[link.name] = link
        path = (*child.path, link.relationship_name or name)
        on = f"{child.alias}.{quoted(link.name)}"
        if len(link.reference_to) > 1 or link.polymorphic:
            found = Relation(self.statement.alias(), self._name_entity(targets), path, on, targets)
        else:
            found = Relation(self.statement.alias(), targets[0], path, on)
        self._relations[key] = found
        return found

    def branch(self, relation: Relation, name: str, at: int) -> Relation:
        """One concrete type of a polymorphic parent, for TYPEOF."""
        target = next((one for one in relation.targets if one.name.lower() == name.lower()), None)
        if target is None:
            raise refusal.unknown_type(self.statement.text, at, name)
        key = (*(part.lower() for part in relation.path), f"?{target.name}")
        if key not in self._relations:
            self._relations[key] = Relation(self.statement.alias(), target, relation.path, relation.link)
        return self._relations[key]

    def _name_entity(self, targets: tuple[SObject, ...]) -> SObject:
        face = SObject(_NAME_ENTITY, "Name", "Names", "", queryable=True)
        face.fields["Id"] = Field("Id", "ID", "id", length=18, nillable=False, always_visible=True)
        face.fields["Name"] = Field("Name", "Name", "string", length=255, name_field=True, always_visible=True)
        face.fields["Type"] = Field("Type", "Type", "picklist", length=40, always_visible=True)
        for name in _NAME_FIELDS:
            seen = (one.fields.get(name) for one in targets)
            shown = [f for one, f in zip(targets, seen, strict=True) if f is not None and self.statement.sees(one, f)]
            if shown:
                face.fields[name] = shown[0]
        return face

    def _union(self, relation: Relation) -> str:
        selects = []
        for target in relation.targets:
            columns = ['"Id"', f'{self.statement.bind(target.name)} AS "Type"']
            columns += [
                f"{self._face(target, wanted)} AS {quoted(wanted.name)}"
                for wanted in relation.wanted.values()
                if wanted.name not in {"Id", "Type"}
            ]
            selects.append(f"SELECT {', '.join(columns)} FROM {quoted(target.name)}")
        return f"({' UNION ALL '.join(selects)})"

    def _face(self, target: SObject, wanted: Field) -> str:
        name = target.name_field if wanted.name == "Name" else target.fields.get(wanted.name)
        if name is None or not self.statement.sees(target, name):
            return f"NULL::{wanted.sql_type}"
        return quoted(name.name)

    def from_sql(self) -> str:
        """FROM with the joins in use; call it when every name has been resolved."""
        sql = f"FROM {quoted(self.root.sobject.name)} AS {self.root.alias}"
        for relation in list(self._relations.values())[1:]:
            table = self._union(relation) if relation.polymorphic else quoted(relation.sobject.name)
            sql += f' LEFT JOIN {table} AS {relation.alias} ON {relation.alias}."Id" = {relation.link}'
        return sql

    def living(self) -> list[str]:
        """Conditions that hide soft-deleted rows and archived activities from an ordinary query, and from all
        fresh rows and records of others."""
        root, fields = self.root.alias, self.root.sobject.fields
        unseen = self.statement.org.first_unseen(self.root.sobject.key_prefix)
        lagging = [f'{root}."Id" < {self.statement.bind(unseen)}'] if unseen is not None else []
        allowed = self.statement.org.record_filter(self.statement.actor, self.root.sobject, root)
        if allowed is not None:
            lagging.append(allowed)
        if self.statement.all_rows:
            kept = self.statement.bind(self.statement.org.bin_starts())
            gone = f'{root}."_deleted_at" < {kept}'
            return [*lagging, f"({gone}) IS NOT TRUE"] if "IsDeleted" in fields else lagging
        shown = [*lagging, alive_sql("IsDeleted" in fields, root)]
        if self.root.sobject.name in ACTIVITY_OBJECTS and "IsArchived" in fields:
            shown.append(f'{root}."IsArchived" IS NOT TRUE')
        return shown
