"""The answers of the confirmed statements, stored in staging, and the view that joins parents to them.

`rows_UNIT` depends on source and plan alone: it is made once per plan and extraction, and after a delta only for what changed.
"""

from __future__ import annotations

from chartlift import transforms
from chartlift.model.plan import ConfirmedPlan, FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.stages.continuation import fill_parts
from chartlift.stages.memory import execute
from chartlift.stages.parents import is_record_lookup, is_self_lookup
from chartlift.stages.sqltext import ident, literal

AT_ONCE = 40_000  # rows of the source that are translated together: memory depends on this, not on their number


def stale(tools: Tools, plan: ConfirmedPlan) -> bool:
    """Whether a unit's stored translation is of another plan or of an older extraction."""
    newest, done = _state(tools)
    return any(done.get(unit.name) != (plan.fingerprint, newest) for unit in plan.maps)


def _state(tools: Tools) -> tuple[int, dict[str, tuple[str, int]]]:
    """The newest extraction, and per unit the plan and extraction that its stored translation is of."""
    sql = tools.staging.sql
    sql.execute("CREATE TABLE IF NOT EXISTS translated (unit VARCHAR, fingerprint VARCHAR, extraction INTEGER)")
    newest = sql.execute("SELECT coalesce(max(number), 0) FROM extraction WHERE finished IS NOT NULL").fetchone()[0]
    rows = sql.execute("SELECT unit, fingerprint, extraction FROM translated").fetchall()
    return newest, {row[0]: (row[1], row[2]) for row in rows}


def translate(tools: Tools, plan: ConfirmedPlan) -> None:
    """Bring `rows_UNIT` of every unit up to the newest extraction under this plan."""
    sql = tools.staging.sql
    newest, done = _state(tools)
    for unit in plan.maps:
        fingerprint, extraction = done.get(unit.name, ("", -1))
        if fingerprint == plan.fingerprint and extraction == newest:
            continue
        tools.progress.step(f"{unit.name}: translate")
        if fingerprint != plan.fingerprint:
            _all(tools, plan, unit)
        else:
            _changed(tools, plan, unit, extraction)
        _twins(tools, unit)
        sql.execute("DELETE FROM translated WHERE unit = ?", [unit.name])
        sql.execute("INSERT INTO translated VALUES (?, ?, ?)", [unit.name, plan.fingerprint, newest])


def _twins(tools: Tools, unit: ObjectMap) -> None:
    """`twins_UNIT(key)`: live patients who share their health number with another; nobody can tell whose it is."""
    for name in shared_fields(unit)[:1]:
        tools.staging.sql.execute(f"""
            CREATE OR REPLACE TABLE {ident("twins_" + unit.name)} AS
            SELECT key FROM {rows_of(unit)} WHERE fate <> 'skip' AND {ident(name)} IS NOT NULL
            QUALIFY count(*) OVER (PARTITION BY {ident(name)}) > 1
        """)


def shared_fields(unit: ObjectMap) -> list[str]:
    """The health number of a unit and what goes with it; empty if it has none."""
    found = {rule.transform: rule.target for rule in unit.fields if not rule.lookup}
    return [found[name] for name in ("nhs_number", "health_number_type") if "nhs_number" in found and name in found]


def rows_of(unit: ObjectMap) -> str:
    """Name of the stored translation of a unit, quoted."""
    return ident("rows_" + unit.name)


def _all(tools: Tools, plan: ConfirmedPlan, unit: ObjectMap) -> None:
    fill_parts(tools, unit)
    sql, source = tools.staging.sql, ident("src_" + unit.source)
    firsts = sql.execute(f"""
        SELECT min(_seq) FROM (
          SELECT _seq, (row_number() OVER (ORDER BY _seq) - 1) // {AT_ONCE} AS part FROM {source})
        GROUP BY part ORDER BY part
    """).fetchall()
    ends = [f"_seq < {first}" for (first,) in firsts[1:]] + ["true"]
    starts = ["true"] + [f"_seq >= {first}" for (first,) in firsts[1:]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        opening = f"INSERT INTO {rows_of(unit)}" if number else f"CREATE OR REPLACE TABLE {rows_of(unit)} AS"
        text = _over(plan, unit, f"{start} AND {end}") if len(ends) > 1 else plan.statements[unit.name]
        execute(sql, f"{opening} SELECT *, {_size(unit)} AS _bytes FROM ({text}) ORDER BY seq")


def _over(plan: ConfirmedPlan, unit: ObjectMap, chosen: str) -> str:
    """The confirmed statement over some rows of the source: row by row it says the same as over all of them."""
    source = ident("src_" + unit.source)
    few = f"FROM (SELECT * FROM {source} WHERE {chosen}) AS s"
    return plan.statements[unit.name].replace(f"FROM {source} AS s", few, 1)


def _size(unit: ObjectMap) -> str:
    """SQL for the bytes of a row's cells, ids of parents not yet among them: what batches are cut by."""
    cells = [ident(rule.target) for rule in unit.fields if not is_record_lookup(rule)]
    return " + ".join(["0", *(f"coalesce(strlen({cell}), 0)" for cell in cells)])


def _changed(tools: Tools, plan: ConfirmedPlan, unit: ObjectMap, extraction: int) -> None:
    """Rows that arrived again, rows of patients that did, that went, or that were merged, and rows that point at such."""
    source = ident("src_" + unit.source)
    chosen = (
        f"SELECT _id FROM {source} WHERE _extraction > {int(extraction)} OR _patient IN ("
        f"SELECT _id FROM src_patient WHERE _extraction > {int(extraction)}"
        f" UNION ALL SELECT id FROM src_deleted WHERE extraction > {int(extraction)} AND entity = 'patient')"
        f" UNION ALL SELECT id FROM src_deleted WHERE extraction > {int(extraction)} AND entity = {literal(unit.source)}"
    )
    chosen = " UNION ALL ".join([chosen, *dependents(plan, unit, "_id", extraction)])
    sql = tools.staging.sql
    sql.execute(f"CREATE OR REPLACE TABLE again AS SELECT DISTINCT _id FROM ({chosen})")
    fill_parts(tools, unit, "SELECT _id FROM again")
    sql.execute(f"DELETE FROM {rows_of(unit)} WHERE source_id IN (SELECT _id FROM again)")
    # what did not change is not translated to be thrown away
    statement = _over(plan, unit, "_id IN (SELECT _id FROM again)")
    execute(sql, f"INSERT INTO {rows_of(unit)} SELECT *, {_size(unit)} AS _bytes FROM ({statement})")


def dependents(plan: ConfirmedPlan, unit: ObjectMap, column: str, extraction: int) -> list[str]:
    """SQL for `column` of the unit's source rows that join or look up a row which changed after `extraction`.

    Their own cells did not change, yet what becomes of them may: a name in a list, a parent that was merged away.
    """
    sources = {each.code: each.source for each in plan.maps}
    points = {(on, entity) for entity, on in unit.join.items()}
    for rule in unit.fields:
        parent = sources.get(rule.lookup.partition(":")[2])
        points |= {(name, parent) for name in rule.sources if parent and not name.startswith("_")}
    return [
        f"SELECT s.{column} FROM {ident('src_' + unit.source)} AS s{_joined(unit, on)} IN ("
        f"SELECT _id FROM {ident('src_' + entity)} WHERE _extraction > {int(extraction)}"
        f" UNION ALL SELECT id FROM src_deleted WHERE extraction > {int(extraction)} AND entity = {literal(entity)})"
        for on, entity in sorted(points)
    ]


def _joined(unit: ObjectMap, on: str) -> str:
    """` … WHERE column`, for a column of the row itself or of a joined one."""
    alias, _, column = on.rpartition(".")
    if not alias:
        return f" WHERE s.{ident(column)}"
    return f" JOIN {ident('src_' + alias)} AS j ON j._id = s.{ident(unit.join[alias])} WHERE j.{ident(column)}"


def macros(tools: Tools) -> None:
    """Make the macros of `transforms` in this connection, with the practices' time zones."""
    zones = dict.fromkeys((*transforms.HOME_ZONES, *_zones(tools)))
    transforms.install(tools.staging.sql, tuple(zones), today=tools.clock.now().date())


def _zones(tools: Tools) -> list[str]:
    """The time zones that the practices name."""
    rows = tools.staging.sql.execute(
        "SELECT DISTINCT timezone FROM src_practice WHERE timezone <> '' ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def view(unit: ObjectMap) -> str:
    """SQL over `rows_UNIT` and `landed`: the statement's columns, each lookup resolved to the parent's Id.

    A required parent that is not there decides about the row; an optional one is withheld (R-REF). For lookups into the own
    unit the Id is there once the parent has landed; `spine` decides about them.
    """
    parents = [rule for rule in unit.fields if is_record_lookup(rule)]
    joins, cells, verdicts, withheld, hashed = [], [], [], [], []
    for number, rule in enumerate(parents):
        alias, key, field = f"l{number}", f"r.{ident('key:' + rule.target)}", literal(rule.target)
        joins.append(f"LEFT JOIN {_landed(rule)} AS {alias} ON {alias}.key = {key}")
        cells.append(f"{alias}.id AS {ident(rule.target)}")
        lost = f"({key} IS NOT NULL AND {alias}.fate IS DISTINCT FROM 'ok')"
        if rule.required:
            verdicts.append(f"WHEN {lost} THEN {_parent_verdict(alias, rule.target)}")
        elif not is_self_lookup(unit, rule):
            withheld.append(f"CASE WHEN {lost} THEN {field} || ':R-REF' END")
            hashed.append(f"CASE WHEN {lost} THEN chr(1) ELSE '' END")
    twins = shared_fields(unit)
    if twins:
        joins.append(f"LEFT JOIN {ident('twins_' + unit.name)} AS t ON t.key = r.key")
        cells += [f"CASE WHEN t.key IS NULL THEN r.{ident(name)} END AS {ident(name)}" for name in twins]
        withheld += [f"CASE WHEN t.key IS NOT NULL THEN {literal(name + ':R-NHS-DUP')} END" for name in twins]
        hashed.append("CASE WHEN t.key IS NOT NULL THEN chr(3) ELSE '' END")
    verdict = f"CASE WHEN r.fate <> 'ok' THEN r.fate || ':' || coalesce(r.reason, '') {' '.join(verdicts)} END"
    more = f"list_filter([{', '.join(withheld)}]::VARCHAR[], lambda code: code IS NOT NULL)"
    lists = f"list_concat(r.withheld, {more})" if withheld else "r.withheld"
    hashes = f"md5(concat_ws(chr(31), r.h0, {', '.join(hashed)}))" if hashed else "r.h0"
    hidden = ", ".join(["fate", "reason", "withheld", "h0", *(ident(name) for name in twins)])
    columns = [f"r.* EXCLUDE ({hidden})", *cells]
    return (
        f"(SELECT {', '.join(columns)}, coalesce(split_part(v.verdict, ':', 1), 'ok') AS fate,"
        f" substr(v.verdict, strpos(v.verdict, ':') + 1) AS reason,"
        f" {lists} AS withheld, {hashes} AS h0"
        f" FROM {rows_of(unit)} AS r {' '.join(joins)}, LATERAL (SELECT {verdict} AS verdict) AS v)"
    )


def _landed(rule: FieldRule) -> str:
    """SQL: what has landed of the parent's kind, so that a join need not remember everything."""
    code = rule.lookup.partition(":")[2]
    return f"(FROM landed WHERE contains(key, {literal(f'-{code}-')}))" if code else "landed"


def _parent_verdict(alias: str, target: str) -> str:
    return (
        f"CASE WHEN {alias}.reason IS NULL THEN 'hold:R-REF@{target}'"
        f" WHEN {alias}.fate = 'skip' THEN 'skip:' || {alias}.reason"
        f" ELSE 'hold:parent:' || replace({alias}.reason, 'parent:', '') END"
    )
