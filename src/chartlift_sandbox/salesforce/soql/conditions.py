"""WHERE and HAVING as SQL conditions in two-valued logic, as the platform evaluates them."""

from __future__ import annotations

from collections.abc import Callable

from chartlift_sandbox.salesforce.soql import demands, refusal
from chartlift_sandbox.salesforce.soql.filters import Filter
from chartlift_sandbox.salesforce.soql.functions import is_aggregate, is_grouping, operand
from chartlift_sandbox.salesforce.soql.scope import Column, Scope
from chartlift_sandbox.salesforce.soql.syntax import (
    Compare,
    Condition,
    FieldRef,
    Function,
    Junction,
    Membership,
    Negation,
    Operand,
    Query,
    SelectItem,
)

_ID_TYPES = frozenset({"id", "reference"})
_TOP, _MEMBER, _UNDER_OR, _UNDER_NOT, _NESTED = range(5)
"""Where a condition stands: alone or joined by AND at the top, under a top OR, under NOT, further down."""
MAX_SEMI_JOINS = 2


class Conditions:
    """Compiles the conditions of one SELECT.

    Args:
        scope: Names of the SELECT.
        column: How an operand becomes a column; HAVING also checks that it is grouped or aggregated.
        nested: Whether this is the condition of a sub-select, where no further sub-select may stand.
    """

    def __init__(self, scope: Scope, column: Callable[[Operand], Column], *, nested: bool = False) -> None:
        self._scope = scope
        self._column = column
        self._nested = nested
        self._text = scope.statement.text
        self._semi_joins = 0

    def sql(self, condition: Condition, *, strict: bool = False, place: int = _TOP) -> str:
        """One condition as SQL; see `Filter` for `strict`."""
        if isinstance(condition, Junction):
            below = (_UNDER_OR if condition.operator == "OR" else _MEMBER) if place == _TOP else _NESTED
            parts = [self.sql(part, strict=strict, place=below) for part in condition.parts]
            return f"({f' {condition.operator} '.join(parts)})"
        if isinstance(condition, Negation):
            below = _UNDER_NOT if place in {_TOP, _MEMBER} else _NESTED
            return f"(NOT {self.sql(condition.part, strict=True, place=below)})"
        filtered = self._filter(condition.left)
        if isinstance(condition, Compare):
            return filtered.compare(condition.operator, condition.value, strict=strict)
        return self._member(filtered, condition, place)

    def _filter(self, left: Operand) -> Filter:
        return Filter(self._scope.statement, self._column(left), left.written, left.at)

    def _member(self, filtered: Filter, condition: Membership, place: int) -> str:
        if condition.operator in {"INCLUDES", "EXCLUDES"}:
            if not condition.texts:
                raise refusal.malformed(self._text, condition.at, f"unexpected token: '{condition.operator.lower()}'")
            sql = filtered.includes(condition.texts, condition.at)
        elif condition.query is not None:
            sql = self._semi_join(filtered, condition, condition.query, place)
        elif condition.values:
            sql = filtered.among_values(condition.values)
        elif filtered.is_text or filtered.is_id:
            sql = filtered.among_texts(condition.texts, condition.at)
        else:
            raise refusal.bad_value(self._text, condition.at, filtered.written, filtered.column.type, quoted=False)
        return f"(NOT {sql})" if condition.operator in {"NOT IN", "EXCLUDES"} else sql

    def _semi_join(self, filtered: Filter, condition: Membership, query: Query, place: int) -> str:
        self._check_semi_join(filtered, condition, query, place)
        statement = self._scope.statement
        sobject = statement.object(query.source.name)
        if sobject is None:
            raise refusal.unknown_type(self._text, query.source.at, query.source.name)
        demands.check_semi_join(statement, query, sobject.name)
        if sobject is self._scope.root.sobject:
            message = "The inner and outer selects should not be on the same object type"
            raise refusal.malformed(self._text, query.source.at, message)
        inner = Scope(statement, sobject, query.sources)
        item = query.select[0]
        assert isinstance(item, SelectItem)
        assert isinstance(item.what, FieldRef)
        chosen = inner.resolve(item.what)
        if chosen.type not in _ID_TYPES or not _targets(chosen) & _targets(filtered.column):
            message = (
                f"The selected field '{item.what.written}' in the subquery and the left operand field in the where "
                f"expression in the outer query '{filtered.written}' should point to the same object type"
            )
            raise refusal.malformed(self._text, item.what.at, message)
        wheres = [*inner.living(), f"{chosen.sql} IS NOT NULL"]
        if query.where is not None:
            wheres.append(Conditions(inner, lambda what: plain(inner, what), nested=True).sql(query.where))
        members = f"SELECT {chosen.sql} {inner.from_sql()} WHERE {' AND '.join(wheres)}"
        return f"coalesce({filtered.column.sql} IN ({members}), false)"

    def _check_semi_join(self, filtered: Filter, condition: Membership, query: Query, place: int) -> None:
        complaint = _MISPLACED.get(place) or self._complaint(filtered, query)
        if complaint:
            raise refusal.malformed(self._text, condition.at, complaint)

    def _complaint(self, filtered: Filter, query: Query) -> str | None:
        """What is wrong with a semi-join that stands where it may."""
        item = query.select[0]
        self._semi_joins += 1
        if self._nested:
            return "Nesting of semi join sub-selects is not supported"
        if self._semi_joins > MAX_SEMI_JOINS:
            return f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed"
        if not filtered.is_id or len(filtered.column.path) > 1:
            return (
                "The left operand field in the where expression for outer query should be an id field, "
                f"cannot use: '{filtered.written}'"
            )
        if len(query.select) != 1 or not isinstance(item, SelectItem) or not isinstance(item.what, FieldRef):
            return "semi join sub-selects can only query one id field"
        if query.group_by or query.order_by or query.limit is not None or query.offset is not None:
            return "GROUP BY, ORDER BY, LIMIT and OFFSET are not allowed in semi join sub-selects"
        return None


_MISPLACED = {
    _UNDER_OR: "Semi join sub-selects are not allowed with the 'OR' operator",
    _UNDER_NOT: "Semi join sub-selects are not allowed with the 'NOT' operator",
    _NESTED: (
        "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
    ),
}


_SHOWN_ONLY = frozenset({"FORMAT", "CONVERTCURRENCY"})


def plain(scope: Scope, what: Operand) -> Column:
    """The column of an operand in WHERE and ORDER BY, where aggregates, GROUPING and what only shows have no place."""
    if is_aggregate(what) or is_grouping(what) or (isinstance(what, Function) and what.upper in _SHOWN_ONLY):
        raise refusal.malformed(scope.statement.text, what.at, f"unexpected token: '{what.written}'")
    return operand(scope, what)


def _targets(column: Column) -> set[str]:
    if column.type == "id" and column.relation is not None:
        relation = column.relation
        return {target.name for target in relation.targets} or {relation.sobject.name}
    return set(column.field.reference_to)
