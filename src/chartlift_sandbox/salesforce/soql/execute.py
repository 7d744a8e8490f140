"""Runs a statement against the org's tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.soql import cells
from chartlift_sandbox.salesforce.soql.compile import compile_query
from chartlift_sandbox.salesforce.soql.dates import Calendar
from chartlift_sandbox.salesforce.soql.parse import parse
from chartlift_sandbox.salesforce.soql.plan import PARENTS, Plan
from chartlift_sandbox.salesforce.soql.result import QueryResult
from chartlift_sandbox.salesforce.soql.statement import Statement

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

_PLACEHOLDER = re.compile(r"\$(p\d+)\b")
MAX_AGGREGATES = 2_000
DEFAULT_ZONE = "Europe/London"


def calendar(org: Org) -> Calendar:
    """Today and the calendar's units where the org is."""
    zone = getattr(org.settings, "time_zone", DEFAULT_ZONE)
    return Calendar(org.clock.now(), ZoneInfo(zone))


def prepare(org: Org, actor: Actor, text: str, *, all_rows: bool = False) -> Plan:
    """Parse and compile a statement.

    Raises:
        OrgError: in the words of the query service.
    """
    statement = Statement(org, actor, text, calendar(org), all_rows)
    return compile_query(statement, parse(text))


def run(org: Org, actor: Actor, text: str, all_rows: bool = False) -> QueryResult:
    """Run a statement; the result does not change when the org does.

    Args:
        org: The org.
        actor: Who asks; field-level security is theirs.
        text: SOQL.
        all_rows: Whether soft-deleted rows and archived activities count, as in queryAll.

    Raises:
        OrgError: whatever the query service would refuse.
    """
    with org.lock:
        plan = prepare(org, actor, text, all_rows=all_rows)
        table = _fetch(org, plan.sql(), plan)
        if plan.count_only:
            return QueryResult(plan, table, _counted(plan, table))
        if plan.aggregate and table.num_rows > MAX_AGGREGATES:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            )
            raise OrgError("EXCEEDED_ID_LIMIT", message)
        result = QueryResult(plan, table, table.num_rows)
        _add_children(org, result)
    return result


def _fetch(org: Org, sql: str, plan: Plan) -> pa.Table:
    return org.db.execute(sql, bound(sql, plan)).to_arrow_table()


def bound(sql: str, plan: Plan) -> dict[str, Any]:
    """The values that an SQL text of the plan binds; parents and children share one set."""
    return {name: plan.params[name] for name in set(_PLACEHOLDER.findall(sql))}


def _counted(plan: Plan, table: pa.Table) -> int:
    count = max(table.column("c0")[0].as_py() - plan.offset, 0)
    return count if plan.limit is None else min(count, plan.limit)


def _add_children(org: Org, parent: QueryResult) -> None:
    for child in parent.plan.children:
        ids = parent.table.select(["r0"]).rename_columns(["id"])
        org.db.register(PARENTS, ids)
        try:
            table = _fetch(org, child.plan.child_sql(child.link), child.plan)
        finally:
            org.db.unregister(PARENTS)
        result = QueryResult(child.plan, table, table.num_rows)
        result.find_spans()
        parent.children.append(result)
        _add_children(org, result)


def cells_sql(plan: Plan, *, java_doubles: bool) -> str:
    """The statement with every value as the text of a CSV cell; rows without ORDER BY and LIMIT come as they lie."""
    texts = [
        f"{cells.cell_sql(output.sql, output.field.type, java=java_doubles)} AS c{n}"
        for n, output in enumerate(plan.outputs)
    ]
    total = bool(plan.order) or plan.limit is not None
    return f"SELECT {', '.join(texts)} {plan.tail}{plan.order_sql(total=total)}{plan.limit_sql()}"
