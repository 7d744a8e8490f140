"""ObjectMap -> SQL text: the confirmed translation of one kind of row.

The text is a query over staging. It gives one row per source row: `seq, source_id, key, patient, fate (ok|skip|hold), reason,
withheld[], notes[], h0`, then one text column per field; for a lookup to a record `key:FIELD` with the parent's key instead.
A field that is withheld is NULL in its column and listed in `withheld` as `FIELD:code`.
`h0` is the md5 of everything but lookups into the own unit (their parents land while the unit is being loaded).

A long text that continues in further rows has one row per part (`continuation.py`); the pack may then read `_part`, `_parts`,
`_sha256` (of the whole text) and `_whole` (the row's id on every part but the first). `_owner` is the patient after merges.

It depends on the source and the plan alone, so its answer is stored (`translation.py`); whether parents are there is joined later.
Tables it reads: `src_*`, `src_merged`, `src_deleted` (extraction), `people`, `value_map`, `distinct_*` (`carry/prepare.py`),
`parts_*` (`continuation.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from chartlift import transforms
from chartlift.errors import PackError
from chartlift.model.plan import FieldRule, ObjectMap, Policies
from chartlift.stages.columns import MOST_PARTS, Entities, Query, continued, first_filled
from chartlift.stages.parents import (
    NOTHING,
    is_record_lookup,
    is_self_lookup,
    may_be_a_strangers,
    parent_keys,
    person,
)
from chartlift.stages.sqltext import ident, literal

HELD = ("Owner", "Practitioner")  # no record lands without a valid owner
TEXT_LENGTHS = {"TextArea": 255, "Phone": 40, "Email": 80, "Url": 255, "Picklist": 255}


def compile_statement(
    unit: ObjectMap,
    *,
    tenant: str,
    policies: Policies,
    entities: Entities,
    units: Mapping[str, ObjectMap],
) -> str:
    """Compile one unit.

    Raises:
        PackError: a column, join, transform or parent that does not exist.
    """
    query = Query(unit, tenant, policies, entities, units)
    for rule in unit.fields:
        if not rule.lookup and rule.const is None and rule.transform not in transforms.load():
            raise PackError(f"{unit.name}.{rule.target}: there is no transform {rule.transform}")
    for alias, source in unit.join.items():
        on = query.column(source)
        query.joins.append(
            f"LEFT JOIN {ident('src_' + alias)} AS {ident('j_' + alias)} ON {ident('j_' + alias)}._id = {on}"
        )
    numbered = sorted(enumerate(unit.fields), key=lambda each: each[0] != continued(unit))  # others use it
    raw = [f"{_raw(query, rule, number)} AS r{number}" for number, rule in numbered]
    first = ",\n         ".join([*_row_head(query), *raw, *parent_keys(query)])
    second = ",\n         ".join(["raw.*", *(f"{_cell(query, r, n)} AS x{n}" for n, r in enumerate(unit.fields))])
    joins = "\n    ".join([f"FROM {ident('src_' + unit.source)} AS s", *query.joins])
    map_joins = "\n    ".join(["FROM raw", *query.map_joins])
    return (
        f"WITH raw AS MATERIALIZED (\n  SELECT {first}\n    {joins}\n),\n"
        f"cells AS (\n  SELECT {second}\n    {map_joins}\n),\n"
        f"judged AS (SELECT *, {_verdict(query)} AS verdict FROM cells)\nSELECT {_output(unit)}\nFROM judged"
    )


def compile_cell(unit: ObjectMap, rule: FieldRule, entities: Entities) -> str:
    """SQL for `_id, _seq, cell` of one field that is no lookup: what the statement says of it, alone.

    Raises:
        PackError: as `compile_statement`.
    """
    query = Query(replace(unit, fields=(rule,)), "", Policies(), entities, {})
    used = {name.rpartition(".")[0] for name in (*rule.sources, *rule.arguments)}
    for alias in (alias for alias in unit.join if alias in used):
        on = f"{ident('j_' + alias)}._id = {query.column(unit.join[alias])}"
        query.joins.append(f"LEFT JOIN {ident('src_' + alias)} AS {ident('j_' + alias)} ON {on}")
    query.joins += _pseudo_joins(query)
    raw, cell = _raw(query, rule, 0), _cell(query, rule, 0)
    joins = " ".join([f"FROM {ident('src_' + unit.source)} AS s", *query.joins])
    return (
        f"WITH raw AS (SELECT s._id, s._seq, {raw} AS r0 {joins})"
        f" SELECT _id, _seq, {cell} AS cell {' '.join(['FROM raw', *query.map_joins])}"
    )


def _pseudo_joins(query: Query) -> list[str]:
    """What the columns need that no source delivers."""
    joins = ["LEFT JOIN src_merged AS og ON og.entity = 'patient' AND og.id = s._patient"]
    if continued(query.unit) is not None:
        joins.append(f"LEFT JOIN {ident('parts_' + query.unit.name)} AS q ON q._id = s._id")
    return joins


def _row_head(query: Query) -> list[str]:
    """Who the row is, and whether it may go at all: conflicts, merges and deletions come before the pack's own gates."""
    unit = query.unit
    entity = literal(unit.source)
    query.joins.append(f"LEFT JOIN src_merged AS g ON g.entity = {entity} AND g.id = s._id")
    query.joins.append(f"LEFT JOIN src_deleted AS t ON t.entity = {entity} AND t.id = s._id")
    query.joins += _pseudo_joins(query)
    seq, suffix = "s._seq", ""
    if continued(unit) is not None:
        seq = f"s._seq * {MOST_PARTS + 1} + coalesce(q.part, 1) - 1"
        suffix = " || CASE WHEN q.part > 1 THEN '-' || q.part ELSE '' END"
    gates = [
        "WHEN s._conflict THEN 'hold:R-KEY'",
        "WHEN g.problem IS NOT NULL THEN 'hold:merged_' || g.problem",
        "WHEN g.survivor IS NOT NULL THEN 'skip:merged'",
        "WHEN t.id IS NOT NULL THEN 'skip:source_deleted'",
    ]
    gates += [
        f"WHEN {_is_set(query.column(w.column))} THEN {literal(f'{w.fate}:{w.reason}')}" for w in unit.when if w.column
    ]
    return [
        f"{seq} AS seq",
        "s._id AS source_id",
        f"{literal(f'{query.tenant}-{unit.code}-')} || s._id{suffix} AS key",
        "s._patient AS patient",
        f"CASE {' '.join(gates)} END AS gate",
    ]


def _is_set(column: str) -> str:
    """True for a filled column; for a boolean one only if it says true."""
    return f"coalesce({column}, '') NOT IN ('', 'false', '0')"


def _raw(query: Query, rule: FieldRule, number: int) -> str:
    """First level: the value as its transform or lookup gives it."""
    if is_record_lookup(rule):
        return NOTHING
    if rule.lookup:
        return person(query, rule, number)
    if rule.const is not None:
        return f"{{'v': nullif({literal(rule.const)}, ''), 'note': NULL::VARCHAR, 'bad': false}}"
    return _transformed(query, rule, number)


def _cell(query: Query, rule: FieldRule, number: int) -> str:
    """Second level: value maps and lengths over the first."""
    value = f"r{number}"
    if rule.map:
        query.map_joins.append(
            f"LEFT JOIN value_map AS m{number}"
            f" ON m{number}.name = {literal(rule.map)} AND m{number}.folded = fold({value}.v)"
        )
        return (
            f"CASE WHEN {value}.v IS NULL THEN {value}"
            f" WHEN m{number}.label IS NULL"
            f" THEN {{'v': NULL::VARCHAR, 'note': {literal(transforms.load()[rule.transform].unmapped)}, 'bad': true}}"
            f" ELSE {{'v': m{number}.label, 'note': {value}.note, 'bad': false}} END"
        )
    limit, digits = (None, None) if rule.lookup else (text_limit(rule.type), whole_digits(rule.type))
    if limit is None and digits is None:
        return value
    if digits is None:
        fits, code = f"fits({value}.v, {limit})", literal("R-LEN")
    else:
        fits, code = f"strlen(split_part(ltrim({value}.v, '-'), '.', 1)) <= {digits}", literal("R-NUMBER")
    return (
        f"CASE WHEN {value}.v IS NULL OR {fits} THEN {value}"
        f" ELSE {{'v': NULL::VARCHAR, 'note': {code}, 'bad': true}} END"
    )


def _transformed(query: Query, rule: FieldRule, number: int) -> str:
    shape = transforms.load()[rule.transform]
    if rule.sources[0].startswith("_"):
        return f"{{'v': {query.column(rule.sources[0])}, 'note': NULL::VARCHAR, 'bad': false}}"
    sources = [query.column(name) for name in rule.sources]
    arguments = [query.column(name) for name in rule.arguments]
    if shape.kind == "distinct":
        return _distinct(query, rule, number, sources, arguments)
    given = f"[{', '.join(sources)}]" if shape.takes == "list" else first_filled(sources)
    if shape.kind == "parts":
        quick = f"tq_{rule.transform}({', '.join([given, *arguments])})"
        return f"CASE WHEN q._id IS NULL THEN {quick} ELSE {{'v': q.v, 'note': q.note, 'bad': q.bad}} END"
    return f"tf_{rule.transform}({', '.join([given, *arguments])})"


def _distinct(query: Query, rule: FieldRule, number: int, sources: list[str], arguments: list[str]) -> str:
    """Answers of a library, computed on distinct values and joined back; the first usable one of several sources wins."""
    table = ident("distinct_" + rule.transform)
    answers = []
    for position, source in enumerate(sources):
        alias = f"d{number}_{position}"
        on = " AND ".join(
            [
                f"{alias}.x = {source}",
                *(f"{alias}.a{i} = coalesce({argument}, '')" for i, argument in enumerate(arguments)),
            ]
        )
        query.joins.append(f"LEFT JOIN {table} AS {alias} ON {on}")
        answers.append(f"{{'v': {alias}.v, 'note': {alias}.note, 'bad': coalesce({alias}.bad, false)}}")
    if len(answers) == 1:
        return answers[0]
    tests = " ".join(f"WHEN d{number}_{i}.v IS NOT NULL THEN {answer}" for i, answer in enumerate(answers))
    bads = " ".join(f"WHEN d{number}_{i}.bad THEN {answer}" for i, answer in enumerate(answers))
    return f"CASE {tests} {bads} ELSE {NOTHING} END"


def whole_digits(type_words: str) -> int | None:
    """How many digits a number may have before the point; None if its type has no such limit."""
    found = re.match(r"(?:Number|Currency)\((\d+), ?(\d+)\)", type_words)
    return int(found.group(1)) - int(found.group(2)) if found else None


def text_limit(type_words: str) -> int | None:
    """How many UTF-16 units a field takes; None if its type has no such limit."""
    found = re.match(r"(?:Text|LongTextArea)\((\d+)\)", type_words)
    if found:
        return int(found.group(1))
    return TEXT_LENGTHS.get(type_words.partition(" ")[0])


def _verdict(query: Query) -> str:
    """`skip:reason`, `hold:reason` or NULL: the row's own gates first, then its fields in the order of the pack."""
    unit = query.unit
    targets = {rule.target: number for number, rule in enumerate(unit.fields)}
    holds = []
    for line in (w for w in unit.when if w.unless):
        cell = f"x{targets[line.unless]}"
        holds.append(f"WHEN {cell}.v IS NULL AND NOT {cell}.bad THEN {literal(f'{line.fate}:{line.reason}')}")
    for number, rule in enumerate(unit.fields):
        name, cell = literal("@" + rule.target), f"x{number}"
        if not is_record_lookup(rule) and (held := _held(rule, cell)):
            holds.append(f"WHEN {held} THEN 'hold:' || {cell}.note || {name}")
        if rule.required:
            empty = ident("key:" + rule.target) if is_record_lookup(rule) else f"{cell}.v"
            code = literal("hold:R-PICK" if rule.map else "hold:R-REQ")  # no word at all is no listed word either
            holds.append(f"WHEN {empty} IS NULL THEN {code} || {name}")
        if may_be_a_strangers(unit, rule, query.units, query.entities.owned):
            holds.append(f"WHEN stranger{number} THEN 'hold:R-REF' || {name}")
    return f"coalesce(gate, CASE {' '.join(holds)} END)" if holds else "gate"


def _held(rule: FieldRule, cell: str) -> str:
    """SQL for whether an unusable value holds its row; '' if it never does."""
    if rule.required or rule.on_bad == "hold" or rule.lookup in HELD:
        return f"{cell}.bad"
    return f"{cell}.bad AND NOT ends_with({cell}.note, '-DECIMALS')" if rule.on_bad == "hold_unreadable" else ""


def _output(unit: ObjectMap) -> str:
    fields, hashed = [], []
    for number, rule in enumerate(unit.fields):
        cell, key = f"x{number}", ident("key:" + rule.target)
        if is_record_lookup(rule):
            fields.append(key)
            hashed += [] if is_self_lookup(unit, rule) else [f"coalesce({key}, chr(2))"]
        else:
            fields.append(f"{cell}.v AS {ident(rule.target)}")
            hashed.append(f"CASE WHEN {cell}.bad THEN chr(1) ELSE coalesce({cell}.v, chr(2)) END")
    head = [
        "seq, source_id, key, patient",
        "coalesce(split_part(verdict, ':', 1), 'ok') AS fate",
        "substr(verdict, strpos(verdict, ':') + 1) AS reason",
        f"{_listed(unit, bad=True)} AS withheld",
        f"{_listed(unit, bad=False)} AS notes",
        f"md5(concat_ws(chr(31), {', '.join(hashed)})) AS h0",
    ]
    return ",\n       ".join([*head, *fields])


def _listed(unit: ObjectMap, *, bad: bool) -> str:
    """`FIELD:code` of the fields that are withheld, or of those that go with a note; most rows have neither."""
    told = [(n, r) for n, r in enumerate(unit.fields) if not is_record_lookup(r) and r.const is None]
    parts = ", ".join(
        f"CASE WHEN {'' if bad else 'NOT '}x{n}.bad AND x{n}.note IS NOT NULL THEN {literal(r.target + ':')} || x{n}.note END"
        for n, r in told
    )
    if not parts:
        return "[]::VARCHAR[]"
    return (
        f"CASE WHEN coalesce({', '.join(f'x{n}.note' for n, _ in told)}) IS NULL THEN []::VARCHAR[]"
        f" ELSE list_filter([{parts}]::VARCHAR[], lambda code: code IS NOT NULL) END"
    )
