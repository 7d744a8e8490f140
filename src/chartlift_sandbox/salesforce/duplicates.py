"""Duplicate rules: records that match others in every field of a rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.rulebook import DuplicateRule, MatchField, duplicate_rules
from chartlift_sandbox.salesforce.saving import spared
from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.store import alive_sql, quote
from chartlift_sandbox.salesforce.writes import OLD

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Org

MAX_SHOWN = 10
_FUZZY_SHARE = 0.92


def fields_of(org: Org, object_name: str) -> set[str]:
    """Fields that active rules of an object compare."""
    rules = [
        rule
        for rule in duplicate_rules(org.rules, standard=org.settings.duplicate_rule_contact)
        if rule.active and rule.object_name == object_name
    ]
    return {one.name for rule in rules for one in rule.fields}


def check(call: Call, staged: dict[str, pa.Array], found: pa.Table | None = None, own: pa.Array | None = None) -> None:
    """Fail rows that an active rule stops; `found` and `own` are the old records and their ids on update."""
    for rule in duplicate_rules(call.org.rules, standard=call.org.settings.duplicate_rule_contact):
        action = rule.on_insert if found is None else rule.on_update
        if not rule.active or rule.object_name != call.sobject.name or action not in {"block", "alert"}:
            continue
        if action == "alert" and call.options.allow_duplicates:
            continue
        if found is not None and not any(one.name in staged for one in rule.fields):
            continue
        if not spared(call, rule.bypass):
            _check_rule(call, rule, _values(call, rule, staged, found), own, allow_save=action == "alert")


def _values(
    call: Call, rule: DuplicateRule, staged: dict[str, pa.Array], found: pa.Table | None
) -> dict[str, pa.Array]:
    values = {}
    for one in rule.fields:
        value = staged.get(one.name)
        if value is None and found is not None and OLD + one.name in found.column_names:
            value = column_of(found, OLD + one.name)
        values[one.name] = pa.nulls(call.count, pa.string()) if value is None else value.cast(pa.string())
    return values


def _check_rule(
    call: Call, rule: DuplicateRule, values: dict[str, pa.Array], own: pa.Array | None, *, allow_save: bool
) -> None:
    needed = [values[one.name] for one in rule.fields if not one.blank_matches]
    if any(value.null_count == len(value) for value in needed):
        return
    ids = own if own is not None else pa.nulls(call.count, pa.string())
    rows = pa.table({"_i": row_numbers(call.count), "_own": ids, **values})
    on = " AND ".join(_condition(call.sobject, one) for one in rule.fields)
    alive = alive_sql("IsDeleted" in call.sobject.fields)
    taken = call.org.query_with(
        {"_keys": rows},
        f'SELECT s._i AS i, list(t."Id" ORDER BY t."Id")[:{MAX_SHOWN}] AS others FROM _keys s '
        f'JOIN {quote(call.sobject.name)} t ON {on} WHERE {alive} AND t."Id" IS DISTINCT FROM s._own '
        "GROUP BY 1 ORDER BY 1",
    )
    if taken.num_rows:
        details = [json.dumps(_result(rule, others, allow_save)) for others in taken.column("others").to_pylist()]
        place = pc.index_in(row_numbers(call.count), value_set=column_of(taken, "i"))
        call.failures.explain(pa.array(details, pa.string()).take(place))
        call.failures.add_rows(column_of(taken, "i"), "DUPLICATES_DETECTED", rule.message)


def _condition(sobject: SObject, one: MatchField) -> str:
    left, right = f"t.{quote(one.name)}", f"s.{quote(one.name)}"
    if sobject.fields[one.name].sql_type != "VARCHAR":
        left = f"CAST({left} AS VARCHAR)"
    if one.fuzzy:
        plain = [f"regexp_replace(lower({side}), '[^\\p{{L}}\\p{{N}}]', '', 'g')" for side in (left, right)]
        return f"jaro_winkler_similarity({plain[0]}, {plain[1]}) >= {_FUZZY_SHARE}"
    if sobject.fields[one.name].type != "email":  # e-mails lie in lower case anyway, and an index may serve them
        left, right = f"lower({left})", f"lower({right})"
    return f"{left} IS NOT DISTINCT FROM {right}" if one.blank_matches else f"{left} = {right}"


def _result(rule: DuplicateRule, others: list[str], allow_save: bool) -> dict[str, Any]:
    """What REST shows as duplicateResult."""
    fuzzy = any(one.fuzzy for one in rule.fields)
    records = [
        {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
         "record": {"attributes": {"type": rule.object_name}, "Id": record_id}}
        for record_id in others
    ]  # fmt: skip
    match = {
        "entityType": rule.object_name, "errors": [], "matchEngine": "FuzzyMatchEngine" if fuzzy else "ExactMatchEngine",
        "matchRecords": records, "rule": rule.matching_rule or rule.name, "size": len(records), "success": True,
    }  # fmt: skip
    return {
        "allowSave": allow_save, "duplicateRule": rule.name, "duplicateRuleEntityType": rule.object_name,
        "errorMessage": rule.message, "matchResults": [match],
    }  # fmt: skip
