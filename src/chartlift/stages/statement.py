"""ObjectMap -> SQL text: the confirmed translation of one kind of row.

The text is a query over staging. It gives one row per source row: `seq, source_id, key, patient, fate (ok|skip|hold), reason,
withheld[], notes[], h0`, then one text column per field; for a lookup to a record `key:FIELD` with the parent's key instead.
A field that is withheld is NULL in its column and listed in `withheld` as `FIELD:code`.
`h0` is the md5 of everything but lookups into the own unit (their parents land while the unit is being loaded).

It depends on the source and the plan alone, so its answer is stored (`translation.py`); whether parents are there is joined later.
Tables it reads: `src_*`, `src_merged`, `src_deleted` (extraction), `people`, `value_map`, `distinct_*` (`carry/prepare.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chartlift.errors import PackError
from chartlift.model.plan import FieldRule, ObjectMap, Policies
from chartlift.stages.sqltext import ident, literal

NOTHING = "{'v': NULL::VARCHAR, 'note': NULL::VARCHAR, 'bad': false}"
PEOPLE = ("User", "Owner", "Practitioner")  # lookups to Users
HELD = ("Owner", "Practitioner")  # no record lands without a valid owner
TEXT_LENGTHS = {"TextArea": 255, "Phone": 40, "Email": 80, "Url": 255, "Picklist": 255}


@dataclass(frozen=True, slots=True)
class TransformShape:
    """What the compiler needs to know of a transform."""

    kind: str  # macro | distinct
    takes: str  # one | list


@dataclass
class _Query:
    """The parts of the statement while it is being put together."""

    unit: ObjectMap
    tenant: str
    policies: Policies
    columns: Mapping[str, frozenset[str]]
    shapes: Mapping[str, TransformShape]
    units: Mapping[str, ObjectMap]  # by code
    joins: list[str] = field(default_factory=list)  # of the first level, over the entity
    map_joins: list[str] = field(default_factory=list)  # of the second level, over the transformed values

    def column(self, name: str) -> str:
        """SQL for a column of the entity or of a joined one, checked against what the source delivers."""
        alias, _, rest = name.rpartition(".")
        entity = alias or self.unit.source
        if alias and alias not in self.unit.join:
            raise PackError(f"{self.unit.name}: join {alias} is not declared (column {name})")
        if rest not in self.columns.get(entity, frozenset()) and not rest.startswith("_"):
            raise PackError(f"{self.unit.name}: the source has no column {rest} in {entity}")
        return f"{ident('j_' + alias) if alias else 's'}.{ident(rest)}"


def is_self_lookup(unit: ObjectMap, rule: FieldRule) -> bool:
    """A lookup whose parents are rows of the same unit."""
    return rule.lookup == f"{unit.object}:{unit.code}"


def is_record_lookup(rule: FieldRule) -> bool:
    """A lookup to a record that we load (not to a User)."""
    return bool(rule.lookup) and rule.lookup not in PEOPLE


def compile_statement(
    unit: ObjectMap,
    *,
    tenant: str,
    policies: Policies,
    columns: Mapping[str, frozenset[str]],
    shapes: Mapping[str, TransformShape],
    units: Mapping[str, ObjectMap],
) -> str:
    """Compile one unit.

    Raises:
        PackError: a column, join, transform or parent that does not exist.
    """
    query = _Query(unit, tenant, policies, columns, shapes, units)
    for alias, source in unit.join.items():
        on = query.column(source)
        query.joins.append(
            f"LEFT JOIN {ident('src_' + alias)} AS {ident('j_' + alias)} ON {ident('j_' + alias)}._id = {on}"
        )
    raw = [f"{_raw(query, rule, number)} AS r{number}" for number, rule in enumerate(unit.fields)]
    first = ",\n         ".join([*_row_head(query), *raw, *_parent_keys(query)])
    second = ",\n         ".join(["raw.*", *(f"{_cell(query, r, n)} AS x{n}" for n, r in enumerate(unit.fields))])
    joins = "\n    ".join([f"FROM {ident('src_' + unit.source)} AS s", *query.joins])
    map_joins = "\n    ".join(["FROM raw", *query.map_joins])
    return (
        f"WITH raw AS (\n  SELECT {first}\n    {joins}\n),\n"
        f"cells AS (\n  SELECT {second}\n    {map_joins}\n),\n"
        f"judged AS (SELECT *, {_verdict(unit)} AS verdict FROM cells)\nSELECT {_output(unit)}\nFROM judged"
    )


def _row_head(query: _Query) -> list[str]:
    """Who the row is, and whether it may go at all: conflicts, merges and deletions come before the pack's own gates."""
    unit = query.unit
    entity = literal(unit.source)
    query.joins.append(f"LEFT JOIN src_merged AS g ON g.entity = {entity} AND g.id = s._id")
    query.joins.append(f"LEFT JOIN src_deleted AS t ON t.entity = {entity} AND t.id = s._id")
    gates = [
        "WHEN s._conflict THEN 'hold:R-KEY'",
        "WHEN g.problem IS NOT NULL THEN 'hold:merged_' || g.problem",
        "WHEN g.survivor IS NOT NULL THEN 'skip:merged'",
        "WHEN t.id IS NOT NULL THEN 'skip:source_deleted'",
    ]
    gates += [f"WHEN {_is_set(query.column(w.column))} THEN {literal(f'{w.fate}:{w.reason}')}" for w in unit.when]
    return [
        "s._seq AS seq",
        "s._id AS source_id",
        f"{literal(f'{query.tenant}-{unit.code}-')} || s._id AS key",
        "s._patient AS patient",
        f"CASE {' '.join(gates)} END AS gate",
    ]


def _is_set(column: str) -> str:
    """True for a filled column; for a boolean one only if it says true."""
    return f"coalesce({column}, '') NOT IN ('', 'false', '0')"


def _raw(query: _Query, rule: FieldRule, number: int) -> str:
    """First level: the value as its transform or lookup gives it."""
    if is_record_lookup(rule):
        return NOTHING
    if rule.lookup:
        return _person(query, rule, number)
    if rule.const is not None:
        return f"{{'v': {literal(rule.const)}, 'note': NULL::VARCHAR, 'bad': false}}"
    return _transformed(query, rule, number)


def _cell(query: _Query, rule: FieldRule, number: int) -> str:
    """Second level: value maps and lengths over the first."""
    value = f"r{number}"
    if rule.map:
        query.map_joins.append(
            f"LEFT JOIN value_map AS m{number}"
            f" ON m{number}.name = {literal(rule.map)} AND m{number}.folded = fold({value}.v)"
        )
        return (
            f"CASE WHEN {value}.v IS NULL THEN {value}"
            f" WHEN m{number}.label IS NULL THEN {{'v': NULL::VARCHAR, 'note': 'R-PICK', 'bad': true}}"
            f" ELSE {{'v': m{number}.label, 'note': {value}.note, 'bad': false}} END"
        )
    limit = None if rule.lookup else text_limit(rule.type)
    if limit is None:
        return value
    return (
        f"CASE WHEN {value}.v IS NULL OR fits({value}.v, {limit}) THEN {value}"
        " ELSE {'v': NULL::VARCHAR, 'note': 'R-LEN', 'bad': true} END"
    )


def _transformed(query: _Query, rule: FieldRule, number: int) -> str:
    shape = query.shapes.get(rule.transform)
    if shape is None:
        raise PackError(f"{query.unit.name}.{rule.target}: there is no transform {rule.transform}")
    sources = [query.column(name) for name in rule.sources]
    arguments = [query.column(name) for name in rule.arguments]
    if shape.kind == "distinct":
        return _distinct(query, rule, number, sources, arguments)
    given = f"[{', '.join(sources)}]" if shape.takes == "list" else _first(sources)
    return f"tf_{rule.transform}({', '.join([given, *arguments])})"


def _first(sources: list[str]) -> str:
    """The first column that is not blank."""
    if len(sources) == 1:
        return sources[0]
    filled = [f"nullif(trim({source}), '')" for source in sources]
    return f"coalesce({', '.join(filled)})"


def _distinct(query: _Query, rule: FieldRule, number: int, sources: list[str], arguments: list[str]) -> str:
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


def text_limit(type_words: str) -> int | None:
    """How many UTF-16 units a field takes; None if its type has no such limit."""
    found = re.match(r"(?:Text|LongTextArea)\((\d+)\)", type_words)
    if found:
        return int(found.group(1))
    return TEXT_LENGTHS.get(type_words.partition(" ")[0])


def _person(query: _Query, rule: FieldRule, number: int) -> str:
    """A User by the clinician's decision. Owner and Practitioner may be the fallback User, any other lookup only a true match.

    An owner is the fallback User too where no clinician is named; without `from` it is the owner of Accounts.
    """
    default = query.policies.fallback_user_id if rule.lookup == "Owner" else None
    if rule.lookup == "Owner" and not rule.sources:
        default = query.policies.account_owner_id or default
    nobody = NOTHING if default is None else f"{{'v': {literal(default)}, 'note': NULL::VARCHAR, 'bad': false}}"
    if not rule.sources:
        return nobody
    source = _first([query.column(name) for name in rule.sources])
    alias = f"p{number}"
    true_match = "" if rule.lookup in ("Owner", "Practitioner") else f" AND {alias}.how <> 'fallback'"
    query.joins.append(f"LEFT JOIN people AS {alias} ON {alias}.source_id = {source}{true_match}")
    return (
        f"CASE WHEN coalesce({source}, '') = '' THEN {nobody}"
        f" WHEN {alias}.user_id IS NULL THEN {{'v': NULL::VARCHAR, 'note': 'R-USER-EMAIL', 'bad': true}}"
        f" ELSE {{'v': {alias}.user_id, 'note': NULL::VARCHAR, 'bad': false}} END"
    )


def _parent_key(query: _Query, rule: FieldRule, number: int) -> str:
    """SQL for the key of the parent, after the redirect of merged records."""
    code = rule.lookup.partition(":")[2]
    source = _first([query.column(name) for name in rule.sources])
    if not code:
        return f"{literal(query.tenant + '-')} || nullif({source}, '')"
    parent = query.units.get(code)
    if parent is None:
        raise PackError(f"{query.unit.name}.{rule.target}: parent {rule.lookup} is not mapped")
    entity = literal(parent.source)
    query.joins.append(f"LEFT JOIN src_merged AS g{number} ON g{number}.entity = {entity} AND g{number}.id = {source}")
    return f"{literal(f'{query.tenant}-{code}-')} || coalesce(g{number}.survivor, nullif({source}, ''))"


def _parent_keys(query: _Query) -> list[str]:
    return [
        f"{_parent_key(query, rule, number)} AS {ident('key:' + rule.target)}"
        for number, rule in enumerate(query.unit.fields)
        if is_record_lookup(rule)
    ]


def _verdict(unit: ObjectMap) -> str:
    """`skip:reason`, `hold:reason` or NULL: the row's own gates first, then its fields in the order of the pack."""
    holds = []
    for number, rule in enumerate(unit.fields):
        name, cell = literal("@" + rule.target), f"x{number}"
        if (rule.required or rule.on_bad == "hold" or rule.lookup in HELD) and not is_record_lookup(rule):
            holds.append(f"WHEN {cell}.bad THEN 'hold:' || {cell}.note || {name}")
        if rule.required:
            empty = ident("key:" + rule.target) if is_record_lookup(rule) else f"{cell}.v"
            holds.append(f"WHEN {empty} IS NULL THEN 'hold:R-REQ' || {name}")
    return f"coalesce(gate, CASE {' '.join(holds)} END)" if holds else "gate"


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
    """`FIELD:code` of the fields that are withheld, or of those that go with a note."""
    parts = ", ".join(
        f"CASE WHEN {'' if bad else 'NOT '}x{n}.bad AND x{n}.note IS NOT NULL THEN {literal(r.target + ':')} || x{n}.note END"
        for n, r in enumerate(unit.fields)
        if not is_record_lookup(r)
    )
    return f"list_filter([{parts}]::VARCHAR[], lambda code: code IS NOT NULL)"
