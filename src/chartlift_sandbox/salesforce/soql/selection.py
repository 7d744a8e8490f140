"""The select list: values to fetch, ids of the records they hang on, and the nested shape of a record."""

from __future__ import annotations

from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.functions import operand
from chartlift_sandbox.salesforce.soql.grouping import Grouping
from chartlift_sandbox.salesforce.soql.plan import ChildSlot, Choice, Layout, Output
from chartlift_sandbox.salesforce.soql.scope import Column, Relation, Scope
from chartlift_sandbox.salesforce.soql.statement import quoted
from chartlift_sandbox.salesforce.soql.syntax import (
    Compare,
    Condition,
    FieldRef,
    Function,
    Junction,
    Membership,
    Query,
    SelectItem,
    Subquery,
    TypeOf,
)

FIELDS_LIMIT = 200
LONG_TEXT = 255
_PARTS = ("city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street")
_RENAMING = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})


class Selection:
    """Collects the outputs of one SELECT."""

    def __init__(self, scope: Scope, grouping: Grouping | None, query: Query) -> None:
        self._scope = scope
        self._grouping = grouping
        self._query = query
        self._text = scope.statement.text
        self._numbers: dict[int, int] = {}
        self._unnamed = 0
        self._seen: set[str] = set()
        self.outputs: list[Output] = []
        self.identities: list[str] = []
        self.kinds: list[str | None] = []
        self.long_texts = 0
        entity = "AggregateResult" if grouping is not None else scope.root.entity
        self.layout = Layout(entity, -1 if grouping is not None else self._identity(scope.root))

    def add_count(self) -> None:
        """`COUNT()`: one number, no records."""
        self.outputs.append(Output("count(*)", Field("count", "Count", "int"), "count()", aggregate=True))

    def add_all(self, child_keys: list[str]) -> None:
        """Every item of the select list; `child_keys` are the names of the child queries, in order."""
        children = 0
        for item in self._query.select:
            if isinstance(item, Subquery):
                self._once(child_keys[children], item.at)
                self.layout.entries[child_keys[children]] = ChildSlot(children)
                children += 1
            elif isinstance(item, TypeOf):
                self._typeof(item)
            elif self._grouping is not None:
                self._grouped(item)
            else:
                self._item(item)

    def _once(self, name: str, at: int) -> None:
        if name.lower() in self._seen:
            raise refusal.placed("INVALID_FIELD", self._text, at, f"duplicate field selected: {name}")
        self._seen.add(name.lower())

    def _identity(self, relation: Relation) -> int:
        known = self._numbers.get(id(relation))
        if known is not None:
            return known
        number = self._numbers[id(relation)] = len(self.identities)
        self.identities.append(f'{relation.alias}."Id"')
        self.kinds.append(f'{relation.alias}."Type"' if relation.polymorphic else None)
        return number

    def _output(self, column: Column, header: str, label: str = "") -> int:
        sql = _address(column) if column.type == "address" else column.sql
        if column.type == "base64" and column.relation is not None:
            sql = f'{column.relation.alias}."Id"'
        if column.type == "textarea" and column.field.custom and column.field.length > LONG_TEXT:
            self.long_texts += 1
        self.outputs.append(Output(sql, column.field, header, column.kind == "aggregate", label or header))
        return len(self.outputs) - 1

    def _item(self, item: SelectItem) -> None:
        what = item.what
        if isinstance(what, Function) and what.upper == "FIELDS":
            self._fields(what)
            return
        renaming = isinstance(what, Function) and what.upper in _RENAMING
        if item.alias and not renaming:
            raise refusal.malformed(self._text, what.at, "only aggregate expressions use field aliasing")
        column = operand(self._scope, what)
        if isinstance(what, Function) and not renaming:
            raise refusal.malformed(self._text, what.at, f"Field must be grouped or aggregated: {what.written}")
        if item.alias:
            self._once(item.alias, what.at)
            self.layout.entries[item.alias] = self._output(column, item.alias)
        else:
            self._place(column, what.written, what.at)

    def _place(self, column: Column, header: str, at: int) -> None:
        self._once(".".join(column.path), at)
        here = self.layout
        for depth in range(1, len(column.path)):
            parent = self._scope.relation(column.path[:depth], at)
            name = column.path[depth - 1]
            if name not in here.entries:
                here.entries[name] = Layout(parent.entity, self._identity(parent), parent.polymorphic)
            below = here.entries[name]
            if not isinstance(below, Layout):
                raise refusal.malformed(self._text, at, f"duplicate field selected: {name}")
            here = below
        here.entries[column.path[-1]] = self._output(column, header)

    def _grouped(self, item: SelectItem) -> None:
        assert self._grouping is not None
        what = item.what
        column = self._grouping.column(what)
        if item.alias:
            name = item.alias
        elif isinstance(what, FieldRef):
            name = column.path[-1]
        else:
            name = f"expr{self._unnamed}"
            self._unnamed += 1
        if name.lower() in self._seen:
            raise refusal.malformed(self._text, what.at, f"duplicate alias: {name}")
        self._seen.add(name.lower())
        self.layout.entries[name] = self._output(column, name, item.alias or what.written)

    def _fields(self, call: Function) -> None:
        which = call.arguments[0].written.upper() if call.arguments and isinstance(call.arguments[0], FieldRef) else ""
        if which not in {"ALL", "CUSTOM", "STANDARD"} or len(call.arguments) != 1:
            raise refusal.malformed(self._text, call.at, f"unexpected token: '{call.written}'")
        bounded = self._query.limit is not None and self._query.limit <= FIELDS_LIMIT
        if which != "STANDARD" and not bounded and not _few_ids(self._query.where):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}"
            raise refusal.malformed(self._text, call.at, message)
        root = self._scope.root
        for found in root.sobject.fields.values():
            wanted = which == "ALL" or found.custom == (which == "CUSTOM")
            if wanted and self._scope.statement.sees(root.sobject, found):
                self._place(self._scope.column(root, found.name, call.at), found.name, call.at)

    def _typeof(self, item: TypeOf) -> None:
        ref = item.relationship
        relation = self._scope.relation(ref.parts, ref.at)
        if self._grouping is not None or not relation.polymorphic or len(ref.parts) != 1:
            raise refusal.malformed(self._text, ref.at, f"TYPEOF is not allowed on '{ref.written}'")
        self._once(relation.path[-1], ref.at)
        branches = []
        for name, fields in item.branches:
            branch = self._scope.branch(relation, name.written, name.at)
            branches.append(self._branch(branch, fields))
        otherwise = self._branch(relation, item.otherwise) if item.otherwise else None
        self.layout.entries[relation.path[-1]] = Choice(branches, otherwise)

    def _branch(self, relation: Relation, fields: tuple[FieldRef, ...]) -> Layout:
        layout = Layout(relation.entity, self._identity(relation), relation.polymorphic)
        for ref in fields:
            column = self._scope.column(relation, ref.written, ref.at)
            layout.entries[column.path[-1]] = self._output(column, ref.written)
        return layout


def _address(column: Column) -> str:
    """A compound address as a struct, null when every part of it is."""
    assert column.relation is not None
    prefix = column.field.name.removesuffix("Address")
    fields = column.relation.sobject.fields
    parts = {}
    for part in _PARTS:
        name = prefix + part[0].upper() + part[1:]
        parts[part] = f"{column.relation.alias}.{quoted(name)}" if name in fields else "NULL::VARCHAR"
    given = " OR ".join(f"{sql} IS NOT NULL" for sql in parts.values())
    packed = ", ".join(f'"{part}" := {sql}' for part, sql in parts.items())
    return f"CASE WHEN {given} THEN struct_pack({packed}) END"


def _few_ids(where: Condition | None) -> bool:
    """Whether a condition picks at most 200 records by id."""
    if isinstance(where, Junction):
        return where.operator == "AND" and any(_few_ids(part) for part in where.parts)
    if isinstance(where, Compare):
        return where.operator == "=" and where.left.written.lower() == "id"
    if isinstance(where, Membership) and where.operator == "IN" and where.query is None:
        return where.left.written.lower() == "id" and len(where.texts) + len(where.values) <= FIELDS_LIMIT
    return False
