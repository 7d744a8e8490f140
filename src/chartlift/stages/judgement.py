"""What becomes of a row: SQL for the columns a group of fields adds to the answer, and for the answer over all of them."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.model.plan import FieldRule
from chartlift.stages.columns import Query
from chartlift.stages.parents import is_record_lookup, is_self_lookup, may_be_a_strangers
from chartlift.stages.sqltext import ident, literal, select

HELD = ("Owner", "Practitioner")  # no record lands without a valid owner
_TOLD = {"withheld": True, "notes": False}  # list of findings -> whether its values are bad


def judged(query: Query, group: Sequence[int], place: int) -> dict[str, str]:
    """Columns of a group: the fields, `held` (the first reason to hold the row), `withheld`, `notes` and `hash`.

    It reads the cells `x0, x1, …` of the group's fields, and keys and strangers of its lookups. Returns name -> SQL.
    """
    unit = query.unit
    made, holds, hashed = {}, [], []
    for number in group:
        rule = unit.fields[number]
        cell, key = f"x{number}", ident("key:" + rule.target)
        holds += _holds(query, rule, number)
        if is_record_lookup(rule):
            made[key] = key
            hashed += [] if is_self_lookup(unit, rule) else [f"coalesce({key}, chr(2))"]
        else:
            made[ident(rule.target)] = f"{cell}.v"
            hashed.append(f"CASE WHEN {cell}.bad THEN chr(1) ELSE coalesce({cell}.v, chr(2)) END")
        if any(line.unless == rule.target for line in unit.when):
            made[f"no{number}"] = f"{cell}.v IS NULL AND NOT {cell}.bad"
    made[f"held{place}"] = f"CASE {' '.join(holds)} END" if holds else "NULL::VARCHAR"
    for name, bad in _TOLD.items():
        made[f"{name}{place}"] = _listed(query, group, bad=bad)
    made[f"hash{place}"] = f"md5(concat_ws(chr(31), {', '.join(hashed)}))" if hashed else "''"
    return made


def _holds(query: Query, rule: FieldRule, number: int) -> list[str]:
    """WHEN branches of one field."""
    cell, name, holds = f"x{number}", literal("@" + rule.target), []
    if not is_record_lookup(rule) and (held := _held(rule, cell)):
        holds.append(f"WHEN {held} THEN 'hold:' || {cell}.note || {name}")
    if rule.required:
        empty = ident("key:" + rule.target) if is_record_lookup(rule) else f"{cell}.v"
        code = literal("hold:R-PICK" if rule.map else "hold:R-REQ")  # no word at all is no listed word either
        holds.append(f"WHEN {empty} IS NULL THEN {code} || {name}")
    if may_be_a_strangers(query.unit, rule, query.units, query.entities.owned):
        holds.append(f"WHEN stranger{number} THEN 'hold:R-REF' || {name}")
    return holds


def _held(rule: FieldRule, cell: str) -> str:
    """SQL for whether an unusable value holds its row; '' if it never does."""
    if rule.required or rule.on_bad == "hold" or rule.lookup in HELD:
        return f"{cell}.bad"
    return f"{cell}.bad AND NOT ends_with({cell}.note, '-DECIMALS')" if rule.on_bad == "hold_unreadable" else ""


def _listed(query: Query, group: Sequence[int], *, bad: bool) -> str:
    """`FIELD:code` of the fields that are withheld, or of those that go with a note, as one text; most rows have neither."""
    rules = [(number, query.unit.fields[number]) for number in group]
    told = [(n, r) for n, r in rules if not is_record_lookup(r) and r.const is None]
    parts = ", ".join(
        f"CASE WHEN {'' if bad else 'NOT '}x{n}.bad AND x{n}.note IS NOT NULL THEN {literal(r.target + ':')} || x{n}.note END"
        for n, r in told
    )
    if not parts:
        return "NULL::VARCHAR"
    noted = f"coalesce({', '.join(f'x{n}.note' for n, _ in told)})"
    return f"CASE WHEN {noted} IS NOT NULL THEN nullif(concat_ws(chr(31), {parts}), '') END"


def answer(query: Query, groups: int) -> str:
    """The answer over the levels of all groups: the row's own gates decide first, then its fields in their order."""
    unit, places = query.unit, range(groups)
    targets = {rule.target: number for number, rule in enumerate(unit.fields)}
    gates = [
        f"CASE WHEN no{targets[line.unless]} THEN {literal(f'{line.fate}:{line.reason}')} END"
        for line in unit.when
        if line.unless
    ]
    verdict = f"coalesce({', '.join(['gate', *gates, *(f'held{place}' for place in places)])})"
    lists = [
        f"coalesce(string_split(nullif(concat_ws(chr(31), {', '.join(f'{name}{place}' for place in places)}), ''), chr(31)), [])"
        f" AS {name}"
        for name in _TOLD
    ]
    hashes = [f"hash{place}" for place in places]
    head = [
        "seq, source_id, key, patient",
        "coalesce(split_part(verdict, ':', 1), 'ok') AS fate",
        "substr(verdict, strpos(verdict, ':') + 1) AS reason",
        *lists,
        f"{hashes[0] if len(hashes) == 1 else f'md5(concat({chr(44).join(hashes)}))'} AS h0",
    ]
    joins = " ".join(f"JOIN fields{place} USING (line)" for place in places)
    fields = [ident(("key:" if is_record_lookup(rule) else "") + rule.target) for rule in unit.fields]
    return select([*head, *fields], [f"FROM (SELECT *, {verdict} AS verdict FROM given {joins})"])
