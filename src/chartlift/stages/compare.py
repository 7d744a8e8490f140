"""Source against org, field by field, set-based: the engine of the sample's diff and of the reconciliation.

One letter per field: E equal · W withheld · S changed by the server (a named rule) · P changed by a person · D differs.
"""

from __future__ import annotations

from chartlift.model.outcomes import ObjectCompare
from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues
from chartlift.model.selection import Everything
from chartlift.stages.carry.context import KEY, Carry, field_names, key_prefix
from chartlift.stages.carry.images import read_ours
from chartlift.stages.carry.preread import SMALL
from chartlift.stages.carry.spine import selected
from chartlift.stages.memory import execute, give_back
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import rows_of, view

LETTERS = {"E": "equal", "W": "withheld", "S": "server", "P": "person", "D": "differs"}
SHOWN = 25
AT_ONCE = 15_000  # rows compared together
OPEN = "?"  # differs, and nobody has looked yet why


def compare(work: Carry, unit: ObjectMap) -> ObjectCompare:
    """Read the unit back and compare every mapped field of every selected record; leaves the table `compared`."""
    _read(work, unit)
    names = field_names(unit)
    _weigh(work, unit, names)
    if work.value(f"SELECT count(*) FROM compared WHERE contains(letters, '{OPEN}')"):
        _explain(work, unit, names)
    give_back()
    return ObjectCompare(
        object=unit.object,
        unit=unit.name,
        records=_records(work),
        fields=_fields(work, names),
        samples=_samples(work, names),
    )


def _weigh(work: Carry, unit: ObjectMap, names: list[str]) -> None:
    """`compared`, with `OPEN` for what differs: most rows are equal in every field, and that is one question a row."""
    equal = " AND ".join(f"v.{ident(name)} IS NOT DISTINCT FROM o.{ident(name)}" for name in names)
    letters = " || ".join(
        f"CASE WHEN contains(w.held, {literal(f' {name}:')}) THEN 'W'"
        f" WHEN v.{ident(name)} IS NOT DISTINCT FROM o.{ident(name)} THEN 'E' ELSE '{OPEN}' END"
        for name in names
    )
    parts = work.value(f"SELECT count(*) // {AT_ONCE} + 1 FROM {rows_of(unit)}")
    for part in range(parts):  # a join of wide rows takes as much memory as they do
        execute(
            work.sql,
            f"""
        {"INSERT INTO compared" if part else "CREATE OR REPLACE TEMP TABLE compared AS"}
        SELECT v.key, v.fate, v.reason, v.withheld, l.id AS landed, o."Id" AS id,
               CASE WHEN v.fate = 'ok' AND o."Id" IS NOT NULL THEN
                 CASE WHEN w.held = '' AND {equal} THEN {literal("E" * len(names))} ELSE {letters} END END AS letters
        FROM {view(unit)} AS v
        LEFT JOIN landed AS l ON l.key = v.key AND l.hash IS NOT NULL
        LEFT JOIN (FROM org_now WHERE hash("{KEY}") % {parts} = {part}) AS o ON o."{KEY}" = v.key,
        LATERAL (SELECT CASE WHEN len(v.withheld) = 0 THEN '' ELSE ' ' || array_to_string(v.withheld, ' ') END AS held) AS w
        WHERE {selected(work, unit)} AND hash(v.key) % {parts} = {part}
        """,
        )


def _explain(work: Carry, unit: ObjectMap, names: list[str]) -> None:
    """Who made the difference in the fields that are `OPEN`: for those rows alone, what we left there is read."""
    open_rows = f"SELECT key FROM compared WHERE contains(letters, '{OPEN}')"
    read_ours(work, unit, open_rows)
    told = " || ".join(
        f"CASE WHEN substr(c.letters, {place}, 1) <> '{OPEN}' THEN substr(c.letters, {place}, 1) ELSE {_letter(name)} END"
        for place, name in enumerate(names, 1)
    )
    execute(
        work.sql,
        f"""
        UPDATE compared SET letters = e.letters FROM (
          SELECT v.key, {told} AS letters FROM compared AS c JOIN {view(unit)} AS v ON v.key = c.key
          JOIN org_now AS o ON o."{KEY}" = v.key LEFT JOIN ours AS r ON r.key = v.key
          WHERE contains(c.letters, '{OPEN}')) AS e
        WHERE e.key = compared.key
    """,
    )


def _read(work: Carry, unit: ObjectMap) -> None:
    fields = ["Id", KEY, "SystemModstamp", *field_names(unit)]
    chosen = f"FROM {rows_of(unit)} AS v WHERE {selected(work, unit)}"
    if work.value(f"SELECT count(*) {chosen}") <= SMALL:
        keys = work.table(f"SELECT key {chosen} ORDER BY seq")
        where: ByValues | ByPrefix = ByValues(KEY, tuple(keys.column(0).to_pylist()))
    else:
        where = ByPrefix(KEY, key_prefix(work.plan, unit))
    work.read("org_now", unit.object, fields, where)


def _letter(name: str) -> str:
    """SQL: why a field differs."""
    column = ident(name)
    expected, now, ours = f"v.{column}", f"o.{column}", f"r.{column}"
    return (
        f"CASE WHEN r.key IS NOT NULL AND {now} IS DISTINCT FROM {ours} THEN 'P'"
        f" WHEN {_server_rule(expected, now)} THEN 'S' ELSE 'D' END"
    )


def _server_rule(expected: str, now: str) -> str:
    """Named changes a server makes: case (e-mail), blanks (trimmed, line ends), default (nothing sent, a value there)."""
    return (
        f"(lower({expected}) = lower({now})"
        f" OR regexp_replace({expected}, '\\s+', ' ', 'g') = regexp_replace({now}, '\\s+', ' ', 'g')"
        f" OR ({expected} IS NULL AND {now} IS NOT NULL AND r.key IS NOT NULL))"
    )


def _records(work: Carry) -> dict[str, int]:
    rows = work.sql.execute("""
        SELECT CASE
            WHEN c.fate <> 'ok' THEN CASE WHEN c.fate = 'skip' THEN 'skipped' ELSE 'held' END
            WHEN c.id IS NULL AND c.landed IS NULL THEN CASE WHEN f.fate = 'failed' THEN 'failed'
                                                             WHEN f.fate = 'hold' THEN 'held' ELSE 'missing' END
            WHEN c.id IS NULL THEN 'removed_by_person'
            WHEN contains(c.letters, 'D') THEN 'differs'
            WHEN contains(c.letters, 'P') THEN 'changed_by_person' ELSE 'equal' END AS verdict, count(*)
        FROM compared AS c LEFT JOIN known_fates AS f ON f.key = c.key GROUP BY 1 ORDER BY 1
    """).fetchall()
    unexpected = 0
    if isinstance(work.selection, Everything):  # seen from a slice, everything outside it would look unexpected
        unexpected = work.value(f"""
            SELECT count(*) FROM org_now
            WHERE "{KEY}" NOT IN (SELECT key FROM compared WHERE fate = 'ok' OR landed IS NOT NULL)
        """)
    return dict(rows) | ({"unexpected": unexpected} if unexpected else {})


def _fields(work: Carry, names: list[str]) -> dict[str, int]:
    counts = ", ".join(
        f"coalesce(sum(length(letters) - length(replace(letters, '{letter}', ''))), 0)::BIGINT" for letter in LETTERS
    )
    row = work.sql.execute(f"SELECT {counts} FROM compared WHERE letters IS NOT NULL").fetchone()
    del names
    return dict(zip(LETTERS.values(), row, strict=True))


def _samples(work: Carry, names: list[str]) -> tuple[tuple[str, str, str], ...]:
    """The first fields that differ, or that people changed, by record and field."""
    rows = work.sql.execute(
        "SELECT key, letters FROM compared WHERE contains(letters, 'D') OR contains(letters, 'P')"
        f" ORDER BY contains(letters, 'D') DESC, key LIMIT {SHOWN}"
    ).fetchall()
    found = [
        (key, name, LETTERS[letter])
        for key, letters in rows
        for name, letter in zip(names, letters, strict=True)
        if letter in "DP"
    ]
    missing = work.sql.execute(
        f"SELECT key FROM compared WHERE fate = 'ok' AND id IS NULL AND landed IS NOT NULL ORDER BY key LIMIT {SHOWN}"
    ).fetchall()
    return tuple(found[:SHOWN] + [(key, "", "removed_by_person") for (key,) in missing])
