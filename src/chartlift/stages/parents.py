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
    source = first_filled([query.value(name) for name in rule.sources])
    true_match = "" if rule.lookup in ("Owner", "Practitioner") else " AND @.how <> 'fallback'"
    alias = query.link(f"p{number}", f"people AS @ ON @.source_id = {source}{true_match}")
    return (
        f"CASE WHEN coalesce({source}, '') = '' THEN {nobody}"
        f" WHEN {alias}.user_id IS NULL THEN {{'v': NULL::VARCHAR, 'note': 'R-USER-EMAIL', 'bad': true}}"
        f" ELSE {{'v': {alias}.user_id, 'note': NULL::VARCHAR, 'bad': false}} END"
    )


def _parent_key(query: Query, rule: FieldRule, number: int) -> str:
    """SQL for the key of the parent, after the redirect of merged records."""
    code = rule.lookup.partition(":")[2]
    source = first_filled([query.value(name) for name in rule.sources])
    if not code:
        return f"{literal(query.tenant + '-')} || nullif({source}, '')"
    parent = query.units.get(code)
    if parent is None:
        raise PackError(f"{query.unit.name}.{rule.target}: parent {rule.lookup} is not mapped")
    entity = literal(parent.source)
    alias = query.link(f"g{number}", f"src_merged AS @ ON @.entity = {entity} AND @.id = {source}")
    return f"{literal(f'{query.tenant}-{code}-')} || coalesce({alias}.survivor, nullif({source}, ''))"


def parent_columns(query: Query, rule: FieldRule, number: int) -> dict[str, str]:
    """Name -> SQL of a lookup to a record: `key:FIELD`, and `strangerN`, whether the parent is another patient's."""
    columns = {ident("key:" + rule.target): _parent_key(query, rule, number)}
    if may_be_a_strangers(query.unit, rule, query.units, query.entities.owned):
        columns[f"stranger{number}"] = _strangers(query, rule, number)
    return columns


def may_be_a_strangers(unit: ObjectMap, rule: FieldRule, units: Mapping[str, ObjectMap], owned: frozenset[str]) -> bool:
    """Whether row and parent both belong to a patient, so that it has to be the same one."""
    parent = units.get(rule.lookup.partition(":")[2]) if is_record_lookup(rule) else None
    return parent is not None and {unit.source, parent.source} <= owned and not rule.sources[0].startswith("_")


def _strangers(query: Query, rule: FieldRule, number: int) -> str:
    """True if the parent is a record of another patient (one that there is)."""
    parent = query.units[rule.lookup.partition(":")[2]]
    source = first_filled([query.value(name) for name in rule.sources])
    row = query.link(f"o{number}", f"{ident('src_' + parent.source)} AS @ ON @._id = {source}")
    merged = query.link(f"f{number}", f"src_merged AS @ ON @.entity = 'patient' AND @.id = {row}._patient")
    theirs = query.link(f"w{number}", f"src_patient AS @ ON @._id = coalesce({merged}.survivor, {row}._patient)")
    return f"coalesce({theirs}._id <> {query.value('_owner')}, false)"
