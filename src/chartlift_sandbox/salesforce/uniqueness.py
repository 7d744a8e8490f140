"""Values of which there may be only one: unique fields and natural keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import Failures, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import FALSE
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import alive_sql, key_sql, match_sql, quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

_OF_USERS = {
    "Username": (
        "DUPLICATE_USERNAME",
        (
            "Duplicate Username.<br>The username already exists in this or another Salesforce organization. Usernames must "
            "be unique across all Salesforce organizations. To resolve, use a different username (it doesn't need to match "
            "the user's email address)."
        ),
    ),
    "CommunityNickname": (
        "DUPLICATE_COMM_NICKNAME",
        "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.",
    ),
}
WITHIN_CALL = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"


def check_unique(
    org: Org, sobject: SObject, found: Field, value: pa.Array, own: pa.Array | None, failures: Failures, width: int
) -> None:
    """Fail rows whose value another live record has, or an earlier row of the call.

    `own` holds the ids of the rows' own records on update; `width` is the number of id characters that the message
    shows (15 by REST, 18 by Bulk).
    """
    keys = pc.utf8_lower(value) if found.sql_type == "VARCHAR" and not found.case_sensitive else value
    if failures.bad is not None:
        keys = pc.if_else(failures.bad, pa.scalar(None, keys.type), keys)
    if keys.null_count == len(keys):
        return
    taken = _taken(org, sobject, found, keys, own)
    if sobject.name == "User" and found.name in _OF_USERS:
        code, message = _OF_USERS[found.name]
        failures.add_rows(column_of(taken, "i"), code, message, found.name)
        failures.add(repeated(org, keys), code, message, found.name)
        return
    message = pc.binary_join_element_wise(
        f"duplicate value found: {found.name} duplicates value on record with id: ",
        pc.utf8_slice_codeunits(column_of(taken, "other"), 0, width),
        "",
    )
    failures.add_rows(column_of(taken, "i"), "DUPLICATE_VALUE", message)
    failures.add(repeated(org, keys), "DUPLICATE_VALUE", WITHIN_CALL)


def _taken(org: Org, sobject: SObject, found: Field, keys: pa.Array, own: pa.Array | None) -> pa.Table:
    """Numbers `i` of the rows whose key another record has, and the first such record as `other`."""
    same, values = match_sql(key_sql(found, "t."), "s.k", keys)
    if values:  # one key: beside a join the engine plans for longer than it looks
        mine = own[0].as_py() if own is not None else None
        asked = f'SELECT t."Id" AS id FROM {quote(sobject.name)} t WHERE {same} AND {alive(sobject)} ORDER BY 1'
        others = [row["id"] for row in org.rows(asked, values) if row["id"] != mine][:1]
        return pa.table({"i": pa.array([0] * len(others), pa.int64()), "other": pa.array(others, pa.string())})
    ids = own if own is not None else pa.nulls(len(keys), pa.string())
    return org.query_with(
        {"_keys": pa.table({"i": row_numbers(len(keys)), "k": keys, "own": ids})},
        f'SELECT s.i, min(t."Id") AS other FROM _keys s JOIN {quote(sobject.name)} t ON {same} '
        f'WHERE {alive(sobject)} AND t."Id" IS DISTINCT FROM s.own GROUP BY s.i ORDER BY s.i',
    )


def alive(sobject: SObject) -> str:
    """Condition for live rows of table alias t."""
    return alive_sql("IsDeleted" in sobject.fields)


def repeated(org: Org, keys: pa.Array) -> pa.Array:
    """Mask of rows whose key an earlier row of the same call has; nulls never repeat."""
    valid = len(keys) - keys.null_count
    if pc.count_distinct(keys, mode="only_valid").as_py() == valid:
        return pa.repeat(FALSE, len(keys))
    later = org.query_with(
        {"_keys": pa.table({"i": row_numbers(len(keys)), "k": keys})},
        "SELECT i FROM (SELECT i, row_number() OVER (PARTITION BY k ORDER BY i) AS place FROM _keys "
        "WHERE k IS NOT NULL) WHERE place > 1",
    )
    return pc.is_in(row_numbers(len(keys)), value_set=column_of(later, "i"))


def check_natural_key(
    org: Org, sobject: SObject, key: tuple[str, ...], staged: dict[str, pa.Array], failures: Failures
) -> None:
    """Fail inserts whose combination of values a live record already has."""
    parts = [staged[name] for name in key if name in staged]
    if len(parts) < len(key):
        return
    joined = pc.binary_join_element_wise(*parts, "\x1f")
    stored = " || chr(31) || ".join(f"t.{quote(name)}" for name in key)
    taken = org.query_with(
        {"_keys": pa.table({"i": row_numbers(len(joined)), "k": joined})},
        f"SELECT DISTINCT s.i FROM _keys s JOIN {quote(sobject.name)} t ON {stored} = s.k WHERE {alive(sobject)}",
    )
    failures.add_rows(column_of(taken, "i"), "DUPLICATE_VALUE", WITHIN_CALL)
    failures.add(repeated(org, joined), "DUPLICATE_VALUE", WITHIN_CALL)
