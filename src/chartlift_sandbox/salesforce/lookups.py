"""Lookup fields: ids that must exist, parents named by external id, records named by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.columns import Column
from chartlift_sandbox.salesforce.failures import Failures, any_true
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import alive_sql, is_exact, key_sql, match_sql, quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

UNKNOWN_REFERENCE = "invalid cross reference id"
_SHAPE = "^([0-9A-Za-z]{15}|[0-9A-Za-z]{18})$"


def normalise_ids(text: pa.Array, *, trust_full: bool = False) -> tuple[pa.Array, pa.Array | None]:
    """18-character ids, and the mask of texts that are no id at all.

    With `trust_full` texts of 18 characters are not looked at: the caller asks the tables for them anyway.
    """
    if text.null_count == len(text):
        return text, None
    bounds = pc.min_max(pc.binary_length(text)).as_py()
    full = bounds["min"] == bounds["max"] == ids.FULL
    if full and (trust_full or not any_true(pc.invert(pc.match_substring_regex(text, _SHAPE)))):
        return text, None
    distinct = pc.unique(text).drop_null()
    known = pa.array([ids.normalise(value) for value in distinct.to_pylist()], pa.string())
    value = known.take(pc.index_in(text, value_set=distinct))
    return value, pc.and_(pc.is_valid(text), pc.is_null(value))


def check_references(org: Org, found: Field, text: pa.Array, failures: Failures) -> pa.Array:
    """Ids of a lookup column in 18 characters; rows that point nowhere are failed."""
    value, malformed = normalise_ids(text, trust_full=True)
    if any_true(malformed):
        _reject_malformed(found, malformed, text, failures)
    distinct = pc.unique(value).drop_null()
    if len(distinct) == 0:
        return value
    missing = missing_ids(org, found, distinct)
    if len(missing):
        bad = pc.is_in(value, value_set=missing)
        wrong_check = pa.array([v for v in missing.to_pylist() if ids.normalise(v) is None], pa.string())
        if len(wrong_check):
            _reject_malformed(found, pc.is_in(value, value_set=wrong_check), text, failures)
        failures.add(bad, "INVALID_CROSS_REFERENCE_KEY", UNKNOWN_REFERENCE)
    return value


def _reject_malformed(found: Field, mask: pa.Array, text: pa.Array, failures: Failures) -> None:
    message = pc.binary_join_element_wise(f"{found.label}: id value of incorrect type: ", text, "")
    failures.add(mask, "MALFORMED_ID", message, found.name)


def missing_ids(org: Org, found: Field, distinct: pa.Array) -> pa.Array:
    """Which of the ids name no live record of an object that the field may point to."""
    prefixes = pc.utf8_slice_codeunits(distinct, 0, 3)
    missing: list[pa.Array] = []
    for prefix in pc.unique(prefixes).to_pylist():
        group = distinct.filter(pc.equal(prefixes, prefix))
        target = org.schema.by_prefix(prefix)
        if target is None or target.name not in found.reference_to:
            missing.append(group)
            continue
        missing.append(_absent(org, target, group))
    return pa.concat_arrays(missing)


def _absent(org: Org, target: SObject, group: pa.Array) -> pa.Array:
    alive = f"AND {alive_sql('IsDeleted' in target.fields)}"
    same, values = match_sql('t."Id"', "w.v", group)
    if values:
        rows = org.rows(f"SELECT 1 FROM {quote(target.name)} t WHERE {same} {alive}", values)
        return group[:0] if rows else group
    sql = (
        f"SELECT v FROM _wanted w WHERE NOT EXISTS (SELECT 1 FROM {quote(target.name)} t "
        f"WHERE {same} {alive}) ORDER BY v"
    )
    return column_of(org.query_with({"_wanted": pa.table({"v": group})}, sql, values), "v")


def column_of(table: pa.Table, name: str) -> pa.Array:
    """One column as a single array."""
    return single(table.column(name))


def single(column: pa.ChunkedArray) -> pa.Array:
    """A chunked column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def find_by_key(org: Org, target: SObject, key: Field, text: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Live records by a key: per distinct text its value, the number of matches, the ids joined by ", ".

    Keys match in any case unless the field is case-sensitive. Numbers match by value.
    """
    distinct = pc.unique(text).drop_null()
    same, values = _same_key(key, distinct)
    alive = alive_sql("IsDeleted" in target.fields)
    source = f"FROM _wanted w LEFT JOIN {quote(target.name)} t ON {same} AND {alive} GROUP BY w.v"
    wanted = {"_wanted": pa.table({"v": distinct})}
    if values:  # one key: beside a join the engine plans for longer than it looks
        found = org.rows(f'SELECT t."Id" AS id FROM {quote(target.name)} t WHERE {same} AND {alive} ORDER BY 1', values)
        several = ", ".join(row["id"] for row in found) or None
        return distinct, pa.array([len(found)]), pa.array([several], pa.string())
    table = org.query_with(wanted, f'SELECT w.v, count(t."Id") AS n, min(t."Id") AS found {source}')
    if (pc.max(table.column("n")).as_py() or 0) > 1:
        listed = 'string_agg(t."Id", \', \' ORDER BY t."Id") AS found'
        table = org.query_with(wanted, f'SELECT w.v, count(t."Id") AS n, {listed} {source}')
    return column_of(table, "v"), column_of(table, "n"), column_of(table, "found")


def _same_key(key: Field, distinct: pa.Array) -> tuple[str, dict[str, Any]]:
    """The condition that a record's key is the wanted one, and its parameters."""
    column = key_sql(key, "t.")
    if key.sql_type != "VARCHAR":
        return f"{column} = try_cast(w.v AS {key.sql_type})", {}
    if is_exact(key):
        return match_sql(column, "w.v", distinct)
    same, values = match_sql(column, "lower(w.v)", distinct)
    return same.replace("$only", "lower($only)"), values


def resolve_parent_keys(org: Org, column: Column, text: pa.Array, failures: Failures) -> pa.Array:
    """Ids of the parents that a column names by external id; rows without exactly one parent are failed."""
    assert column.parent is not None
    assert column.key is not None
    values, counts, found = find_by_key(org, column.parent, column.key, text)
    place = pc.index_in(text, value_set=values)
    matches = counts.take(place)
    tail = f" not found for field {column.key.name} in entity {column.parent.name}"
    message = pc.binary_join_element_wise("Foreign key external ID: ", text, tail, "")
    failures.add(pc.equal(matches, 0), "INVALID_FIELD", message)
    several = pc.binary_join_element_wise(
        f"{column.field.label}: more than one record found for external id field: [", found.take(place), "]", ""
    )
    failures.add(pc.greater(matches, 1), "INVALID_FIELD", several, column.field.name)
    return pc.if_else(pc.equal(matches, 1), found.take(place), pa.scalar(None, pa.string()))
