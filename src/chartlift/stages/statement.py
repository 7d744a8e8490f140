"""ObjectMap -> SQL text: the confirmed translation of one kind of row.

The text is a query over staging. It gives one row per source row: `seq, source_id, key, patient, fate (ok|skip|hold), reason,
withheld[], notes[], h0`, then one text column per field; for a lookup to a record `key:FIELD` with the parent's key instead.
A field that is withheld is NULL in its column and listed in `withheld` as `FIELD:code`.
`h0` is the md5 of everything but lookups into the own unit (their parents land while the unit is being loaded).

A long text that continues in further rows has one row per part (`continuation.py`); the pack may then read `_part`, `_parts`,
`_sha256` (of the whole text) and `_whole` (the row's id on every part but the first). `_owner` is the patient after merges.

It works level by level: first everything that is joined to a row, then a few fields at a time. Joins break their rows into
small portions, and a transform costs as much to set up as a hundred rows of it, in each of them; and a projection keeps some
vectors of 2,048 values for every word of its text, so that many fields at once fit neither into the processor's cache nor
into little memory.

It depends on the source and the plan alone, so its answer is stored (`translation.py`); whether parents are there is joined later.
Tables it reads: `src_*`, `src_merged`, `src_deleted` (extraction), `people`, `value_map`, `distinct_*` (`carry/prepare.py`),
`parts_*` (`continuation.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chartlift import transforms
from chartlift.errors import PackError
from chartlift.model.plan import FieldRule, ObjectMap, Policies
from chartlift.stages.columns import MOST_PARTS, WHOLE_HASH, Entities, Query, continued, first_filled
from chartlift.stages.judgement import answer, judged
from chartlift.stages.parents import NOTHING, is_record_lookup, parent_columns, person
from chartlift.stages.sqltext import ident, literal, select

FIELDS_AT_ONCE = 16
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
    _join_entities(query, unit.join)
    levels = _levels(query)
    text = ",\n".join(levels)
    return f"WITH {text}\n{answer(query, len(_groups(unit)))}"


def _join_entities(query: Query, aliases: Iterable[str]) -> None:
    for alias in aliases:
        table, name, on = ident("src_" + alias), ident("j_" + alias), query.column(query.unit.join[alias])
        query.joins.append(f"LEFT JOIN {table} AS {name} ON {name}._id = {on}")


def _levels(query: Query) -> list[str]:
    """The levels as SQL; together those of the groups have all columns of the answer."""
    levels = []
    for place, group in enumerate(_groups(query.unit)):
        before, cells = _cells_over(query, group, place)
        made = [f"{sql} AS {name}" for name, sql in judged(query, group, place).items()]
        levels += [*before, _level(f"fields{place}", select(["line", *made], [f"FROM ({cells})"]))]
    return [*_value_lists(query), _level("given", _given(query, _row_head(query))), *levels]


def _level(name: str, text: str) -> str:
    return f"{name} AS MATERIALIZED (\n  {text}\n)"


def _cells_over(query: Query, group: Sequence[int], place: int) -> tuple[list[str], str]:
    """SQL for the rows of the first level with the cells of a group of fields: `xN`, for a lookup to a record its columns.

    First come levels that it needs itself, if any.
    """
    query.links.clear()
    computed, linked, cells, slow = [], [], [], {}
    for number in group:
        rule = query.unit.fields[number]
        if is_record_lookup(rule):
            linked += [f"{sql} AS {name}" for name, sql in parent_columns(query, rule, number).items()]
            continue
        value = _raw(query, rule, number)
        if _is_quick(rule):
            slow[number], value = value, value.replace("tf_", "tq_", 1)
        (computed if _is_computed(rule) else linked).append(f"{value} AS r{number}")
        cells.append(f"{_cell(query, rule, number)} AS x{number}")
    joins = [f"LEFT JOIN {text.replace('@', alias)}" for text, alias in query.links.items()]
    kept = _used(query, [*linked, *joins, *slow.values()])
    values, levels, whole = select(["line", *kept, *computed], ["FROM given"]), [], "w.*"
    source = f"({values})"
    if slow:
        levels, source = _rare(query, slow, values, place), f"quick{place}"
        joins.append(f"LEFT JOIN rare{place} AS z ON z.line = w.line")
        whole = f"w.* REPLACE ({', '.join(f'coalesce(r{number}, z.s{number}) AS r{number}' for number in slow)})"
    values = select([whole, *linked], [f"FROM {source} AS w", *joins])
    return levels, select(["*", *cells], [f"FROM ({values})", *(["CROSS JOIN lists"] if query.lists else [])])


def _rare(query: Query, slow: Mapping[int, str], values: str, place: int) -> list[str]:
    """Levels that answer what the quick macros of a group did not, all such rows together.

    Even a single one among 2,048 has everything set up that it needs.
    """
    undecided = " OR ".join(f"r{number} IS NULL" for number in slow)
    odd = select(["line", *_used(query, slow.values())], [f"FROM quick{place} WHERE {undecided}"])
    rare = select(["line", *(f"{sql} AS s{number}" for number, sql in slow.items())], [f"FROM odd{place}"])
    return [_level(f"quick{place}", values), _level(f"odd{place}", odd), _level(f"rare{place}", rare)]


def _used(query: Query, texts: Iterable[str]) -> list[str]:
    """The names of the first level that stand in some of these texts."""
    words = {word for text in texts for word in re.findall(r"\bi\d+\b", text)}
    return [name for name in query.given.values() if name in words]


def _groups(unit: ObjectMap) -> list[list[int]]:
    """The fields in the order of the pack; the hash of a text right behind the text, which it is made of."""
    hashes = [number for number, rule in enumerate(unit.fields) if rule.sources == (WHOLE_HASH,)]
    others = [number for number in range(len(unit.fields)) if number not in hashes]
    groups = [others[at : at + FIELDS_AT_ONCE] for at in range(0, len(others), FIELDS_AT_ONCE)]
    for group in groups:
        if hashes and (text := continued(unit)) in group:
            behind = group.index(text) + 1
            group[behind:behind] = hashes
    return groups


def _is_quick(rule: FieldRule) -> bool:
    """Whether there is a macro that answers the usual forms of the value, and nothing else."""
    shape = transforms.load()[rule.transform]
    return _is_computed(rule) and shape.quick and shape.kind == "macro" and rule.sources != (WHOLE_HASH,)


def _given(query: Query, head: Sequence[str]) -> str:
    """The first level: the rows, numbered, with all that the others use of them and of what is joined to them."""
    head = ["row_number() OVER () AS line", *head]
    handed = [f"{sql} AS {name}" for sql, name in query.given.items()]
    return select([*head, *handed], [f"FROM {ident('src_' + query.unit.source)} AS s", *query.joins])


def _value_lists(query: Query) -> list[str]:
    """`lists`: one row with each value map that the unit uses."""
    if not query.lists:
        return []
    chosen = "FILTER (name = {} AND folded IS NOT NULL)"
    columns = [
        f"map_from_entries(list(struct_pack(k := folded, v := label)) {chosen.format(literal(name))}) AS {alias}"
        for name, alias in query.lists.items()
    ]
    return [f"lists AS MATERIALIZED (\n  {select(columns, ['FROM value_map'])}\n)"]


def compile_cell(unit: ObjectMap, rule: FieldRule, entities: Entities) -> str:
    """SQL for `_id, _seq, cell` of one field that is no lookup: what the statement says of it, alone.

    Raises:
        PackError: as `compile_statement`.
    """
    query = Query(replace(unit, fields=(rule,)), "", Policies(), entities, {})
    used = {name.rpartition(".")[0] for name in (*rule.sources, *rule.arguments)}
    _join_entities(query, [alias for alias in unit.join if alias in used])
    query.joins += _pseudo_joins(query)
    before, cells = _cells_over(query, (0,), 0)
    levels = [*_value_lists(query), _level("given", _given(query, ("s._id", "s._seq"))), *before]
    text = ",\n".join(levels)
    return f"WITH {text}\n{select(['_id', '_seq', 'x0 AS cell'], [f'FROM given JOIN ({cells}) USING (line)'])}"


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
    """The cell as its transform or its lookup to a User gives it."""
    if rule.lookup:
        return person(query, rule, number)
    if rule.const is not None:
        return f"{{'v': nullif({literal(rule.const)}, ''), 'note': NULL::VARCHAR, 'bad': false}}"
    return _transformed(query, rule, number)


def _cell(query: Query, rule: FieldRule, number: int) -> str:
    """The cell after value maps and lengths."""
    value = f"r{number}"
    if rule.map:
        known = query.lists.setdefault(rule.map, f"list{len(query.lists)}")
        label = f"{known}[fold({value}.v)]"
        unknown = f"{{'v': NULL::VARCHAR, 'note': {literal(transforms.load()[rule.transform].unmapped)}, 'bad': true}}"
        return (
            f"CASE WHEN {value}.v IS NULL THEN {value} WHEN {label} IS NULL THEN {unknown}"
            f" ELSE {{'v': {label}, 'note': {value}.note, 'bad': false}} END"
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


def _is_computed(rule: FieldRule) -> bool:
    """Whether a transform works on the values, before anything is joined to them."""
    if rule.lookup or rule.const is not None:
        return False
    return rule.sources == (WHOLE_HASH,) or not (
        rule.sources[0].startswith("_") or transforms.load()[rule.transform].kind == "distinct"
    )


def _transformed(query: Query, rule: FieldRule, number: int) -> str:
    shape = transforms.load()[rule.transform]
    columns = [query.column(name) for name in rule.sources]
    if shape.kind == "parts":  # a text that has parts is not handed on with each of them
        columns = [f"CASE WHEN q._id IS NULL THEN {column} END" for column in columns]
    sources = [query.handed(column) for column in columns]
    arguments = [query.value(name) for name in rule.arguments]
    if not _is_computed(rule):
        if rule.sources[0].startswith("_"):
            return f"{{'v': {sources[0]}, 'note': NULL::VARCHAR, 'bad': false}}"
        return _distinct(query, rule, number, sources, arguments)
    if rule.sources == (WHOLE_HASH,):
        whole = f"coalesce({sources[0]}, sha256((r{continued(query.unit)}).v))"
        return f"{{'v': {whole}, 'note': NULL::VARCHAR, 'bad': false}}"
    given = f"[{', '.join(sources)}]" if shape.takes == "list" else first_filled(sources)
    if shape.kind == "parts":
        quick = f"tq_{rule.transform}({', '.join([given, *arguments])})"
        part = query.handed("CASE WHEN q._id IS NOT NULL THEN {'v': q.v, 'note': q.note, 'bad': q.bad} END")
        return f"coalesce({part}, {quick})"
    return f"tf_{rule.transform}({', '.join([given, *arguments])})"


def _distinct(query: Query, rule: FieldRule, number: int, sources: list[str], arguments: list[str]) -> str:
    """Answers of a library, computed on distinct values and joined back; the first usable one of several sources wins."""
    table = ident("distinct_" + rule.transform)
    answers = []
    for position, source in enumerate(sources):
        asked = [f"@.x = {source}", *(f"@.a{i} = coalesce({argument}, '')" for i, argument in enumerate(arguments))]
        alias = query.link(f"d{number}_{position}", f"{table} AS @ ON {' AND '.join(asked)}")
        answers.append((alias, f"{{'v': {alias}.v, 'note': {alias}.note, 'bad': coalesce({alias}.bad, false)}}"))
    if len(answers) == 1:
        return answers[0][1]
    tests = " ".join(f"WHEN {alias}.v IS NOT NULL THEN {answer}" for alias, answer in answers)
    bads = " ".join(f"WHEN {alias}.bad THEN {answer}" for alias, answer in answers)
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
