"""Derived tables in staging that the confirmed statements read; rebuilt from plan and journal at every start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from chartlift import transforms
from chartlift.model.plan import ConfirmedPlan, FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.stages.lists import fill_lists
from chartlift.stages.memory import give_back, modest
from chartlift.stages.sqltext import ident
from chartlift.stages.translation import macros, stale, translate

WIDE = "160MB"


def prepare(tools: Tools, plan: ConfirmedPlan) -> None:
    """Make `landed`; and where the stored translation is not of this plan and extraction, all that it needs, and it."""
    fill_landed(tools)
    if stale(tools, plan):
        _translate(tools, plan)
    narrow(tools)


def narrow(tools: Tools) -> None:
    """From here on DuckDB keeps little in memory; what is above the limit goes back to the system."""
    modest(tools.staging.sql)
    give_back()


def _translate(tools: Tools, plan: ConfirmedPlan) -> None:
    tools.staging.sql.execute(f"SET memory_limit = '{WIDE}'")  # a small table that is joined takes megabytes, too
    macros(tools)
    people = [(p.source_id, p.user_id, p.how) for p in plan.people]
    _keep(tools, "people", _texts(people, ("source_id", "user_id", "how")))
    fill_lists(tools, plan.value_maps)
    for unit in plan.maps:
        for rule in unit.fields:
            fill_distinct(tools, unit, rule)
    translate(tools, plan)


def _texts(rows: Sequence[tuple[str | None, ...]], names: tuple[str, ...]) -> pa.Table:
    """Rows of text as an Arrow table."""
    columns = list(zip(*rows, strict=True)) or [() for _ in names]
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], names=list(names))


def _keep(tools: Tools, name: str, table: pa.Table) -> None:
    sql = tools.staging.sql
    sql.register("incoming", table)
    sql.execute(f"CREATE OR REPLACE TABLE {ident(name)} AS SELECT * FROM incoming")
    sql.unregister("incoming")


def fill_landed(tools: Tools) -> None:
    """`landed(key, id, hash, fate, reason)`: what the journal says is in the org because of us or linked by us."""
    sql = tools.staging.sql
    sql.execute(
        "CREATE OR REPLACE TEMP TABLE landings (key VARCHAR, id VARCHAR, hash VARCHAR, batch BIGINT, stays BOOLEAN)"
    )
    for part in tools.journal.landings():
        sql.register("incoming", part)
        sql.execute("INSERT INTO landings SELECT key, id, hash, batch, stays FROM incoming")
        sql.unregister("incoming")
        give_back()
    sql.execute("""
        CREATE OR REPLACE TEMP TABLE landed AS
        SELECT l.key, l.id, l.hash, 'ok' AS fate, NULL::VARCHAR AS reason
        FROM landings AS l JOIN (SELECT key, max(batch) AS batch FROM landings GROUP BY key) AS n
          ON n.key = l.key AND n.batch = l.batch
        WHERE l.stays
    """)
    sql.execute("DROP TABLE landings")


def fill_distinct(tools: Tools, unit: ObjectMap, rule: FieldRule) -> None:
    """Answer the distinct values of a field that only a library can judge, each once."""
    transform = transforms.load().get(rule.transform) if not rule.lookup and rule.const is None else None
    if transform is None or transform.kind != "distinct":
        return
    sql, table = tools.staging.sql, ident("distinct_" + rule.transform)
    names = [f"a{i}" for i in range(len(rule.arguments))]
    listed = "".join(f", {name} VARCHAR" for name in names)
    sql.execute(f"CREATE TABLE IF NOT EXISTS {table} (x VARCHAR{listed}, v VARCHAR, note VARCHAR, bad BOOLEAN)")
    for source in rule.sources:
        fresh = sql.execute(_fresh_values(unit, rule, source, table, names)).fetchall()
        answers = [(*given, *_answer(transform.reference, given)) for given in fresh]
        if answers:
            columns = [pa.array(c) for c in zip(*answers, strict=True)]
            sql.register("incoming", pa.Table.from_arrays(columns, names=["x", *names, "v", "note", "bad"]))
            sql.execute(f"INSERT INTO {table} SELECT * FROM incoming")
            sql.unregister("incoming")


def _fresh_values(unit: ObjectMap, rule: FieldRule, source: str, table: str, names: list[str]) -> str:
    def column(name: str) -> str:
        alias, _, rest = name.rpartition(".")
        return f"{ident('j_' + alias) if alias else 's'}.{ident(rest)}"

    joins = " ".join(
        f"LEFT JOIN {ident('src_' + alias)} AS {ident('j_' + alias)} ON {ident('j_' + alias)}._id = {column(on)}"
        for alias, on in unit.join.items()
    )
    picked = [
        f"{column(source)} AS x",
        *(f"coalesce({column(a)}, '') AS {n}" for a, n in zip(rule.arguments, names, strict=True)),
    ]
    same = " AND ".join(f"known.{name} = given.{name}" for name in ["x", *names])
    return (
        f"SELECT * FROM (SELECT DISTINCT {', '.join(picked)} FROM {ident('src_' + unit.source)} AS s {joins}"
        f" WHERE {column(source)} IS NOT NULL) AS given ANTI JOIN {table} AS known ON {same} ORDER BY ALL"
    )


def _answer(reference: Any, given: tuple[str, ...]) -> tuple[str | None, str | None, bool]:
    outcome = reference(*given)
    return outcome.v, outcome.note, outcome.bad
