"""The table of the mappings a practice manager knows: per line of the pack's overview what became of it, and why.

A line is a whole unit or several, some fields of them, or people who are matched and not moved. Everything is counted in
staging, over the tables that `compare` leaves for the unit it has just read back; nothing about a clinic stands in here.
Units that no line names get one of their own, so that none is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chartlift.errors import PackError
from chartlift.model.plan import ConfirmedPlan, FieldRule, ObjectMap
from chartlift.model.reports import MappingLine, MappingReason
from chartlift.stages import reasons
from chartlift.stages.carry.context import Carry
from chartlift.stages.parents import PEOPLE, is_record_lookup
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import rows_of

TEXTS = {
    "fallback": "no User of their own in Salesforce; the fallback User takes their records",
    "unmatched": "no User of their own in Salesforce, and nobody decided yet",
    "rebuild": "never moved, to be built anew: chartlift rebuild lists them",
}


@dataclass
class _Line:
    """One line while it is being counted."""

    title: str
    units: tuple[str, ...]
    fields: tuple[str, ...]
    matched: bool
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # (fate, code) -> rows

    def takes(self, unit: ObjectMap) -> bool:
        """Whether rows of this unit belong to the line."""
        if self.units:
            return unit.name in self.units
        return self.matched or any(name.partition(".")[0] == unit.object for name in self.fields)

    def rules(self, unit: ObjectMap) -> list[tuple[int, FieldRule]]:
        """The fields of the unit that count, with their place in the letters of `compared`."""
        placed = enumerate(unit.fields, start=1)
        if self.matched and not self.fields:
            return [(n, rule) for n, rule in placed if rule.lookup in PEOPLE and rule.sources]
        named = {name.partition(".")[2] for name in self.fields if name.partition(".")[0] == unit.object}
        return [(n, rule) for n, rule in placed if not self.fields or rule.target in named]


class Overview:
    """Counts unit by unit while a reconciliation goes through them."""

    def __init__(self, pack: Any, plan: ConfirmedPlan) -> None:
        """Take the lines of the pack; a map that was broken since the confirmation leaves one line per unit."""
        try:
            given: Iterable[Any] = getattr(pack, "overview", ())
        except PackError:
            given = ()
        self._lines = [_Line(x.title, tuple(x.units), tuple(x.fields), bool(x.matched)) for x in given]
        self._mapped = {unit.name for unit in plan.maps}
        named = {name for line in self._lines if not line.fields and not line.matched for name in line.units}
        self._lines += [
            _Line(f"{unit.source} → {unit.object}", (unit.name,), (), matched=False)
            for unit in plan.maps
            if unit.name not in named
        ]
        for line in self._lines:
            if line.matched:
                _people(line, plan)

    def count(self, work: Carry, unit: ObjectMap) -> None:
        """Add a unit whose `compared` is there."""
        lines = [line for line in self._lines if line.takes(unit)]
        if not lines:
            return
        _judge(work, unit)
        for line in lines:
            rules = line.rules(unit)
            if not rules:
                continue
            if not line.matched:
                _rows(work, line, unit, rules)
            _fields(work, line, unit, rules)

    def lines(self, sql: Any) -> tuple[MappingLine, ...]:
        """The table, in the order of the pack, once every unit has been counted."""
        for line in self._lines:
            _listed(line, sql, self._mapped)
        return tuple(_report(line) for line in self._lines)


def _people(line: _Line, plan: ConfirmedPlan) -> None:
    """Clinicians are matched with Users, none is made."""
    hows = Counter(person.how for person in plan.people)
    line.counts["source"] = len(plan.people)
    line.counts["sent"] = hows["email"] + hows["decided"]
    line.counts["held"] = hows["unmatched"]
    if hows["fallback"]:
        line.reasons["fallback", "fallback"] = hows["fallback"]
    if hows["unmatched"]:
        line.reasons["hold", "unmatched"] = hows["unmatched"]


def _listed(line: _Line, sql: Any, mapped: set[str]) -> None:
    """Entities that a line names in place of a unit never move: their records are on the list of `rebuild`."""
    there = {row[0] for row in sql.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    for name in line.units:
        if name not in mapped and f"src_{name}" in there:
            rows = sql.execute(f"SELECT count(*) FROM {ident('src_' + name)}").fetchone()[0]
            line.counts["source"] += rows
            line.counts["listed"] += rows
            if rows:
                line.reasons["rebuild", "rebuild"] += rows


def _judge(work: Carry, unit: ObjectMap) -> None:
    """`judged(key, source_id, fate, reason, letters, withheld)`: the row's fate by source and org, its reason by the journal."""
    work.sql.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT c.key, r.source_id, c.letters, c.withheld, j.fate,
               CASE WHEN f.fate = j.fate AND f.reason <> '' THEN f.reason ELSE coalesce(c.reason, '') END AS reason
        FROM compared AS c
        JOIN {rows_of(unit)} AS r ON r.key = c.key
        LEFT JOIN known_fates AS f ON f.key = c.key,
        LATERAL (SELECT CASE
            WHEN c.fate <> 'ok' THEN c.fate
            WHEN c.id IS NOT NULL THEN 'sent'
            WHEN c.landed IS NOT NULL THEN 'removed'
            WHEN f.fate IN ('failed', 'reject') THEN 'failed'
            WHEN f.fate IN ('hold', 'skip') THEN f.fate
            ELSE 'missing' END AS fate) AS j
    """)


def _chosen(line: _Line, rules: Sequence[tuple[int, FieldRule]]) -> str:
    """SQL over `judged` j and the unit's rows r: the rows of a line of fields are those that have something in them."""
    if not line.fields and not line.matched:
        return "true"
    tests = []
    for _, rule in rules:
        name = literal(rule.target)
        tests.append(f"{_value(rule)} IS NOT NULL OR ends_with(j.reason, '@' || {name})")
        tests.append(f"len(list_filter(r.withheld, lambda code: starts_with(code, {name} || ':'))) > 0")
    return f"({' OR '.join(tests)})"


def _value(rule: FieldRule) -> str:
    return f"r.{ident('key:' + rule.target if is_record_lookup(rule) else rule.target)}"


def _rows(work: Carry, line: _Line, unit: ObjectMap, rules: Sequence[tuple[int, FieldRule]]) -> None:
    """Records of the clinic by fate. One that goes in several parts has gone when all of them have."""
    found = work.sql.execute(f"""
        WITH parts AS (
            SELECT j.source_id, j.fate, j.reason, count(*) AS parts
            FROM judged AS j JOIN {rows_of(unit)} AS r ON r.key = j.key WHERE {_chosen(line, rules)}
            GROUP BY ALL),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY source_id ORDER BY fate = 'sent', fate, reason) AS rank,
                   sum(parts) FILTER (fate = 'sent') OVER (PARTITION BY source_id) AS there
            FROM parts)
        SELECT fate, CASE WHEN fate = 'sent' THEN '' ELSE reason END AS reason, count(*),
               coalesce(sum(there), 0)::BIGINT
        FROM ranked WHERE rank = 1 GROUP BY ALL
    """).fetchall()
    for fate, why, rows, records in found:
        line.counts["source"] += rows
        line.counts["records"] += records
        line.counts["gone" if fate in ("removed", "missing") else fate] += rows
        if fate != "sent":
            line.reasons[fate, why] += rows


def _fields(work: Carry, line: _Line, unit: ObjectMap, rules: Sequence[tuple[int, FieldRule]]) -> None:
    """Fields of records that went: equal on both sides, and withheld with their codes."""
    rows = f"judged AS j JOIN {rows_of(unit)} AS r ON r.key = j.key"
    where = f"j.letters IS NOT NULL AND {_chosen(line, rules)}"
    if len(rules) == len(unit.fields):
        letters = "j.letters"
    else:
        letters = f"concat({', '.join(f'substr(j.letters, {n}, 1)' for n, _ in rules)})"
    equal, left = work.sql.execute(f"""
        SELECT coalesce(sum(length(l) - length(replace(l, 'E', ''))), 0)::BIGINT,
               coalesce(sum(length(l) - length(replace(l, 'W', ''))), 0)::BIGINT
        FROM (SELECT {letters} AS l FROM {rows} WHERE {where})
    """).fetchone()
    line.counts["verified"] += equal
    line.counts["withheld"] += left
    if not left:
        return
    names = ", ".join(literal(rule.target) for _, rule in rules)
    codes = work.sql.execute(f"""
        SELECT code, count(*) FROM (SELECT unnest(j.withheld) AS code FROM {rows} WHERE {where})
        WHERE split_part(code, ':', 1) IN ({names}) GROUP BY code
    """).fetchall()
    for code, number in codes:
        line.reasons["withheld", code] += number


def _report(line: _Line) -> MappingLine:
    ordered = sorted(line.reasons.items(), key=lambda r: (r[0][0] == "withheld", -r[1], r[0]))
    counts = line.counts
    return MappingLine(
        title=line.title,
        units=line.units,
        fields=line.fields,
        matched=line.matched,
        source=counts["source"],
        sent=counts["sent"],
        records=counts["records"],
        verified=counts["verified"],
        withheld=counts["withheld"],
        held=counts["hold"] + counts["held"],
        skipped=counts["skip"],
        failed=counts["failed"],
        gone=counts["gone"],
        listed=counts["listed"],
        reasons=tuple(MappingReason(fate, code, rows, _text(fate, code)) for (fate, code), rows in ordered),
    )


def _text(fate: str, code: str) -> str:
    if fate == "withheld":
        return reasons.withheld(code)
    if code in TEXTS:
        return TEXTS[code]
    if fate == "removed":
        return "removed by a person in Salesforce"
    return reasons.reason(code) if code else "not in Salesforce, and nothing says why"
