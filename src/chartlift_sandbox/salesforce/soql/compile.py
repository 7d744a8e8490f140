"""From the words of a statement to SQL and the shape of its records."""

from __future__ import annotations

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.soql import demands, refusal, scopes
from chartlift_sandbox.salesforce.soql.conditions import Conditions, plain
from chartlift_sandbox.salesforce.soql.functions import is_aggregate, is_count_all
from chartlift_sandbox.salesforce.soql.grouping import Grouping
from chartlift_sandbox.salesforce.soql.ordering import order_sql
from chartlift_sandbox.salesforce.soql.plan import PARENTS, Child, Plan
from chartlift_sandbox.salesforce.soql.scope import Scope
from chartlift_sandbox.salesforce.soql.selection import Selection
from chartlift_sandbox.salesforce.soql.statement import Statement, quoted
from chartlift_sandbox.salesforce.soql.syntax import Query, SelectItem, Subquery

MAX_OFFSET = 2_000
MAX_CHILD_DEPTH = 5
MAX_CHILDREN = 20
_BIG = 10**15


def compile_query(statement: Statement, query: Query) -> Plan:
    """Compile a whole statement.

    Raises:
        OrgError: whatever the query service would refuse.
    """
    sobject = statement.object(query.source.name)
    if sobject is None:
        raise refusal.unknown_type(statement.text, query.source.at, query.source.name)
    if sobject.name == demands.LINKS:
        demands.check_filter(statement, query)
    statement.all_rows = statement.all_rows or query.all_rows
    return _Compiler(statement, query, sobject).plan()


class _Compiler:
    """Compiles one SELECT; `depth` counts the queries it is nested in."""

    def __init__(self, statement: Statement, query: Query, sobject: SObject, depth: int = 0) -> None:
        self.statement = statement
        self.query = query
        self.depth = depth
        self.scope = Scope(statement, sobject, query.sources)
        self.count_all = any(is_count_all(call) for call in query.functions())
        self.aggregate = bool(query.group_by) or any(is_aggregate(call) for call in query.functions())

    def plan(self, link: Field | None = None) -> Plan:
        """The plan; `link` is the child's lookup field when this is a sub-query."""
        self._check()
        children = [self._child(sub) for sub in self.query.subqueries()]
        grouping = Grouping(self.scope, self.query.group_by) if self.aggregate else None
        only_count = self.count_all and not self.query.group_by
        selection = Selection(self.scope, grouping, self.query)
        if only_count:
            selection.add_count()
        else:
            selection.add_all([child.key for child in children])
        order = order_sql(self.scope, grouping, self.query.order_by)
        limit = self.query.limit
        return Plan(
            entity=self.scope.root.sobject.name,
            outputs=selection.outputs,
            identities=selection.identities,
            kinds=selection.kinds,
            layout=None if only_count else selection.layout,
            tail=self._tail(grouping, link),
            order=order,
            unique=f'{self.scope.root.alias}."Id"' if grouping is None else grouping.order,
            limit=None if limit is None else min(limit, _BIG),
            offset=self.query.offset or 0,
            children=children,
            params=self.statement.params,
            aggregate=self.aggregate,
            long_texts=selection.long_texts,
            virtual=frozenset(self.statement.virtual),
        )

    def _tail(self, grouping: Grouping | None, link: Field | None) -> str:
        """FROM, WHERE, GROUP BY and HAVING."""
        wheres = self.scope.living()
        if link is not None:
            wheres.append(f"{self._link(link)} IN (SELECT id FROM {PARENTS})")
        scoped = scopes.condition(self.statement, self.query.scope or "", self.scope.root)
        if scoped is not None:
            wheres.append(scoped)
        if self.query.where is not None:
            wheres.append(Conditions(self.scope, lambda what: plain(self.scope, what)).sql(self.query.where))
        if self.statement.matched is not None and self.depth == 0:
            wheres.append(self.statement.matched(self.scope))
        having = ""
        if self.query.having is not None and grouping is not None:
            having = f" HAVING {Conditions(self.scope, grouping.column).sql(self.query.having)}"
        where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
        groups = grouping.sql() if grouping is not None else ""
        return self.scope.from_sql() + where + groups + having

    def _link(self, link: Field) -> str:
        return f"{self.scope.root.alias}.{quoted(link.name)}"

    def _child(self, sub: Subquery) -> Child:
        name = sub.query.source.name
        if self.depth + 1 >= MAX_CHILD_DEPTH:
            message = f"SOQL statements cannot query more than {MAX_CHILD_DEPTH} levels of child relationships."
            raise refusal.malformed(self.statement.text, sub.at, message)
        found = self._relationship(name)
        if found is None:
            raise refusal.unknown_child(self.statement.text, sub.at, name)
        sobject, link, key = found
        inner = _Compiler(self.statement, sub.query, sobject, self.depth + 1)
        if inner.aggregate:
            raise refusal.malformed(self.statement.text, sub.at, "aggregate functions are not allowed in a sub-query")
        return Child(key, inner.plan(link), inner._link(link))

    def _relationship(self, name: str) -> tuple[SObject, Field, str] | None:
        """The child object, its lookup field and the relationship's own spelling."""
        for sobject, link in self.statement.schema.children(self.scope.root.sobject.name):
            key = child_name(link)
            if key and key.lower() == name.lower():
                shown = self.statement.object(sobject.name) is not None and self.statement.sees(sobject, link)
                return (sobject, link, key) if shown else None
        return None

    def _check(self) -> None:
        query, text = self.query, self.statement.text
        if (query.offset or 0) > MAX_OFFSET:
            raise OrgError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        complaint = None
        if not scopes.known(query.scope or "everything"):
            complaint = f"unexpected filterScope: '{query.scope}'"
        elif sum(1 for _ in query.subqueries()) > MAX_CHILDREN:
            complaint = f"a query may have at most {MAX_CHILDREN} child sub-queries"
        elif self.count_all and (len(query.select) > 1 or query.group_by):
            complaint = "COUNT() must be the only element in the SELECT list"
        elif self.count_all and query.order_by:
            complaint = "ORDER BY is not allowed with COUNT()"
        elif self.aggregate and not query.group_by and not self.count_all and query.limit is not None:
            complaint = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
        elif self.aggregate and any(query.subqueries()):
            complaint = "sub-queries are not allowed in an aggregate query"
        elif query.having is not None and not query.group_by:
            complaint = "HAVING is only allowed with GROUP BY"
        if complaint:
            at = next((item.what.at for item in query.select if isinstance(item, SelectItem)), 0)
            raise refusal.malformed(text, at, complaint)


def child_name(link: Field) -> str | None:
    """Name of the relationship from the parent's side; custom ones end in `__r` in queries."""
    name = link.child_relationship_name
    if name and link.custom and not name.endswith("__r"):
        return f"{name}__r"
    return name
