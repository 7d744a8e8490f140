"""Lookups of a statement: Users by the clinicians' decisions, parents by their keys, and whose record a parent is."""

from __future__ import annotations

from collections.abc import Mapping

from chartlift.errors import PackError
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.stages.columns import Query, first_filled
from chartlift.stages.sqltext import ident, literal

PEOPLE = ("User", "Owner", "Practitioner")  # lookups to Users
NOTHING = "{'v': NULL::VARCHAR, 'note': NULL::VARCHAR, 'bad': false}"


def is_self_lookup(unit: ObjectMap, rule: FieldRule) -> bool:
    """A lookup whose parents are rows of the same unit."""
    return rule.lookup == f"{unit.object}:{unit.code}"


def is_record_lookup(rule: FieldRule) -> bool:
    """A lookup to a record that we load (not to a User)."""
    return bool(rule.lookup) and rule.lookup not in PEOPLE


def person(query: Query, rule: FieldRule, number: int) -> str:
    """A User by the clinician's decision. Owner and Practitioner may be the fallback User, any other lookup only a true match.

    An owner is the fallback User too where no clinician is named; without `from` it is the owner of Accounts.
    """
    default = query.policies.fallback_user_id if rule.lookup == "Owner" else None
    if rule.lookup == "Owner" and not rule.sources:
        default = query.policies.account_owner_id or default
    nobody = NOTHING if default is None else f"{{'v': {literal(default)}, 'note': NULL::VARCHAR, 'bad': false}}"
    if not rule.sources:
        return nobody
    source = first_filled([query.column(name) for name in rule.sources])
    alias = f"p{number}"
    true_match = "" if rule.lookup in ("Owner", "Practitioner") else f" AND {alias}.how <> 'fallback'"
    query.joins.append(f"LEFT JOIN people AS {alias} ON {alias}.source_id = {source}{true_match}")
    return (
        f"CASE WHEN coalesce({source}, '') = '' THEN {nobody}"
        f" WHEN {alias}.user_id IS NULL THEN {{'v': NULL::VARCHAR, 'note': 'R-USER-EMAIL', 'bad': true}}"
        f" ELSE {{'v': {alias}.user_id, 'note': NULL::VARCHAR, 'bad': false}} END"
    )


def _parent_key(query: Query, rule: FieldRule, number: int) -> str:
    """SQL for the key of the parent, after the redirect of merged records."""
    code = rule.lookup.partition(":")[2]
    source = first_filled([query.column(name) for name in rule.sources])
    if not code:
        return f"{literal(query.tenant + '-')} || nullif({source}, '')"
    parent = query.units.get(code)
    if parent is None:
        raise PackError(f"{query.unit.name}.{rule.target}: parent {rule.lookup} is not mapped")
    entity = literal(parent.source)
    query.joins.append(f"LEFT JOIN src_merged AS g{number} ON g{number}.entity = {entity} AND g{number}.id = {source}")
    return f"{literal(f'{query.tenant}-{code}-')} || coalesce(g{number}.survivor, nullif({source}, ''))"


def parent_keys(query: Query) -> list[str]:
    """SQL for `key:FIELD` of each lookup to a record, and for whether the parent is another patient's."""
    keys = []
    for number, rule in enumerate(query.unit.fields):
        if is_record_lookup(rule):
            keys.append(f"{_parent_key(query, rule, number)} AS {ident('key:' + rule.target)}")
            if may_be_a_strangers(query.unit, rule, query.units, query.entities.owned):
                keys.append(f"{_strangers(query, rule, number)} AS stranger{number}")
    return keys


def may_be_a_strangers(unit: ObjectMap, rule: FieldRule, units: Mapping[str, ObjectMap], owned: frozenset[str]) -> bool:
    """Whether row and parent both belong to a patient, so that it has to be the same one."""
    parent = units.get(rule.lookup.partition(":")[2]) if is_record_lookup(rule) else None
    return parent is not None and {unit.source, parent.source} <= owned and not rule.sources[0].startswith("_")


def _strangers(query: Query, rule: FieldRule, number: int) -> str:
    """True if the parent is a record of another patient (one that there is)."""
    parent = query.units[rule.lookup.partition(":")[2]]
    source = first_filled([query.column(name) for name in rule.sources])
    theirs = f"coalesce(f{number}.survivor, o{number}._patient)"
    query.joins += [
        f"LEFT JOIN {ident('src_' + parent.source)} AS o{number} ON o{number}._id = {source}",
        f"LEFT JOIN src_merged AS f{number} ON f{number}.entity = 'patient' AND f{number}.id = o{number}._patient",
        f"LEFT JOIN src_patient AS w{number} ON w{number}._id = {theirs}",
    ]
    return f"coalesce(w{number}._id <> {query.made('_owner')}, false)"
