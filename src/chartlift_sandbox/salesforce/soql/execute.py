"""Runs a statement against the org's tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from chartlift_sandbox.salesforce.archiving import archive_if_due
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.soql import cells, virtual
from chartlift_sandbox.salesforce.soql.compile import compile_query
from chartlift_sandbox.salesforce.soql.dates import Calendar
from chartlift_sandbox.salesforce.soql.money import Money
from chartlift_sandbox.salesforce.soql.parse import parse
from chartlift_sandbox.salesforce.soql.plan import PARENTS, Plan
from chartlift_sandbox.salesforce.soql.result import QueryResult
from chartlift_sandbox.salesforce.soql.scope import Scope
from chartlift_sandbox.salesforce.soql.statement import Statement, quoted
from chartlift_sandbox.salesforce.soql.syntax import Query

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

_BOUND = re.compile(r"\$(p\d+)\b")
MAX_AGGREGATES = 2_000
DEFAULT_ZONE = "Europe/London"
DEFAULT_LOCALE = "en_GB"
_SUNDAY = 6
_WEEKS_FROM_SUNDAY = frozenset({"US", "CA", "MX", "BR", "JP", "KR", "TW", "IL", "ZA", "IN"})


def calendar(org: Org, actor: Actor) -> Calendar:
    """Today and the calendar's units for the caller: the user's zone and locale, the organization's fiscal year."""
    user = _row(org, "User", ("TimeZoneSidKey", "LocaleSidKey"), actor.user_id)
    organization = _row(org, "Organization", ("TimeZoneSidKey", "DefaultLocaleSidKey", "FiscalYearStartMonth"))
    zone = user.get("TimeZoneSidKey") or organization.get("TimeZoneSidKey") or DEFAULT_ZONE
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        found = ZoneInfo(DEFAULT_ZONE)
    locale = user.get("LocaleSidKey") or organization.get("DefaultLocaleSidKey") or DEFAULT_LOCALE
    sunday = locale.rpartition("_")[2] in _WEEKS_FROM_SUNDAY
    return Calendar(
        org.clock.now(), found, _SUNDAY if sunday else 0, organization.get("FiscalYearStartMonth") or 1, locale
    )


def money(org: Org, actor: Actor) -> Money | None:
    """The active currencies and the caller's own; None in an org with one currency."""
    if "CurrencyType" not in org.schema.objects:
        return None
    rows = org.db.execute('SELECT "IsoCode", "ConversionRate" FROM "CurrencyType" WHERE "IsActive"').fetchall()
    own = _row(org, "User", ("DefaultCurrencyIsoCode",), actor.user_id).get("DefaultCurrencyIsoCode")
    return Money({code: rate for code, rate in rows if rate}, own or "")


def _row(org: Org, name: str, fields: tuple[str, ...], record: str | None = None) -> dict[str, Any]:
    """The wanted fields of one record, as far as the object has them."""
    sobject = org.schema.object(name)
    known = [field for field in fields if sobject is not None and field in sobject.fields]
    if sobject is None or not known:
        return {}
    sql = f"SELECT {', '.join(quoted(field) for field in known)} FROM {quoted(sobject.name)}"
    sql += ' WHERE "Id" = $record LIMIT 1' if record else " LIMIT 1"
    row = org.db.execute(sql, {"record": record} if record else {}).fetchone()
    return dict(zip(known, row, strict=True)) if row else {}


def prepare(org: Org, actor: Actor, text: str, *, all_rows: bool = False, tooling: bool = False) -> Plan:
    """Parse and compile a statement.

    Raises:
        OrgError: in the words of the query service.
    """
    archive_if_due(org)
    return _compiled(org, actor, text, parse(text), all_rows=all_rows, tooling=tooling)


def _compiled(org: Org, actor: Actor, text: str, query: Query, *, all_rows: bool, tooling: bool = False) -> Plan:
    return compile_query(_statement(org, actor, text, all_rows=all_rows, tooling=tooling), query)


def _statement(org: Org, actor: Actor, text: str, **more: Any) -> Statement:
    return Statement(org, actor, text, lambda: calendar(org, actor), money_of=lambda: money(org, actor), **more)


def run(org: Org, actor: Actor, text: str, all_rows: bool = False, *, tooling: bool = False) -> QueryResult:
    """Run a statement; the result does not change when the org does.

    Args:
        org: The org.
        actor: Who asks; field-level security is theirs.
        text: SOQL.
        all_rows: Whether soft-deleted rows and archived activities count, as in queryAll.
        tooling: Whether objects that only the Tooling API has can be asked for.

    Raises:
        OrgError: whatever the query service would refuse.
    """
    query = parse(text)
    with org.lock:
        archive_if_due(org)
        plan = _compiled(org, actor, text, query, all_rows=all_rows, tooling=tooling)
        with virtual.shown(org, plan.virtual):
            return _result(org, plan)


def run_query(org: Org, actor: Actor, text: str, query: Query, matched: Callable[[Scope], str]) -> QueryResult:
    """Run one SELECT of a search: live records of the object for which the further condition holds.

    The caller holds the org's lock.

    Raises:
        OrgError: whatever the query service would refuse.
    """
    archive_if_due(org)
    plan = compile_query(_statement(org, actor, text, matched=matched), query)
    with virtual.shown(org, plan.virtual):
        return _result(org, plan)


def _result(org: Org, plan: Plan) -> QueryResult:
    table = _fetch(org, plan.sql(), plan)
    if plan.count_only:
        return QueryResult(plan, table, _counted(plan, table))
    if plan.aggregate and table.num_rows > MAX_AGGREGATES:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise OrgError("EXCEEDED_ID_LIMIT", message)
    _refuse_metadata(plan, table.num_rows)
    result = QueryResult(plan, table, table.num_rows)
    _add_children(org, result)
    return result


def _refuse_metadata(plan: Plan, rows: int) -> None:
    """Metadata and FullName are worked out for one record at a time."""
    if rows > 1 and plan.virtual and any(output.field.name in {"Metadata", "FullName"} for output in plan.outputs):
        message = (
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more "
            f"than one row for retrieval. Result size: {rows}"
        )
        raise OrgError("MALFORMED_QUERY", message)


def _fetch(org: Org, sql: str, plan: Plan) -> pa.Table:
    return org.db.execute(sql, bound(sql, plan)).to_arrow_table()


def bound(sql: str, plan: Plan) -> dict[str, Any]:
    """The values that an SQL text of the plan binds; parents and children share one set."""
    return {name: plan.params[name] for name in set(_BOUND.findall(sql))}


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


def cells_sql(plan: Plan, *, java_doubles: bool, zulu: bool = True) -> str:
    """The statement with every value as the text of a CSV cell; rows without ORDER BY and LIMIT come as they lie."""
    texts = [
        f"{cells.cell_sql(output.sql, output.field.type, java=java_doubles, zulu=zulu)} AS c{n}"
        for n, output in enumerate(plan.outputs)
    ]
    total = bool(plan.order) or plan.limit is not None
    return f"SELECT {', '.join(texts)} {plan.tail}{plan.order_sql(total=total)}{plan.limit_sql()}"
