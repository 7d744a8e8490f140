"""Runs a search: one statement per object that is returned, the records of all in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.object_traits import traits
from chartlift_sandbox.salesforce.soql.execute import run_query
from chartlift_sandbox.salesforce.soql.parse import parse_find
from chartlift_sandbox.salesforce.soql.result import QueryResult
from chartlift_sandbox.salesforce.soql.syntax import FieldRef, Find, FromItem, Function, Query, SelectItem
from chartlift_sandbox.salesforce.sosl import words
from chartlift_sandbox.salesforce.sosl.matching import condition
from chartlift_sandbox.salesforce.sosl.words import Sought

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

MAX_FOUND = 2_000
_ONLY_IF_NAMED = frozenset({"ContentVersion", "Document", "Product2"})
_SETUP_SEARCHED = frozenset({"User", "Group"})


@dataclass(frozen=True)
class Found:
    """What a search found, object by object."""

    results: tuple[QueryResult, ...]
    counts: tuple[int, ...]
    labels: bool = False

    def records(self, version: str) -> list[dict[str, Any]]:
        """The records of all objects as REST shows them."""
        pairs = zip(self.results, self.counts, strict=True)
        return [record for result, count in pairs for record in result.to_records(version, 0, count)]

    def metadata(self) -> dict[str, Any]:
        """Labels of the returned fields, under the keys of the service (one of which is misspelt there)."""
        entities = [
            {
                "entityName": result.plan.entity,
                "fieldMetadata": [{"name": one.header, "label": one.field.label} for one in result.plan.outputs],
            }
            for result in self.results
        ]
        return {"entityetadata": entities}


def search(org: Org, actor: Actor, text: str, *, strict: bool = True) -> Found:
    """Run a SOSL statement.

    Args:
        org: The org.
        actor: Who asks; what they may not see is not searched.
        text: SOSL.
        strict: Whether reserved characters must be escaped.

    Raises:
        OrgError: MALFORMED_SEARCH, INVALID_SEARCH, INVALID_TYPE, INVALID_FIELD …, in the words of the search service.
    """
    find = parse_find(text)
    sought = words.parse(find.words, text, find.at, strict=strict)
    with org.lock:
        queries = find.returning or _everything(org, actor)
        results = tuple(_one(org, actor, text, find, sought, query) for query in queries)
    limit = MAX_FOUND if find.limit is None else min(find.limit, MAX_FOUND)
    return Found(results, tuple(shares([result.total for result in results], limit)), find.labels)


def _everything(org: Org, actor: Actor) -> tuple[Query, ...]:
    """The ids of every searchable object, by name."""
    names = sorted(
        one.name
        for one in org.schema.objects.values()
        if (not one.setup or one.name in _SETUP_SEARCHED)
        and traits(one.name).get("searchable", True)
        and one.name not in _ONLY_IF_NAMED
        and one.queryable
        and org.readable(actor, one.name)
    )
    return tuple(Query((SelectItem(FieldRef("Id", 0)),), (FromItem(name, 0),)) for name in names)


def _one(org: Org, actor: Actor, text: str, find: Find, sought: Sought | None, query: Query) -> QueryResult:
    for item in query.select:
        call = item.what if isinstance(item, SelectItem) else None
        if isinstance(call, Function) and call.upper not in {"TOLABEL", "FORMAT", "CONVERTCURRENCY"}:
            raise OrgError("MALFORMED_SEARCH", f"Malformed search token: {call.name}")
    bounded = replace(query, limit=MAX_FOUND if query.limit is None else min(query.limit, MAX_FOUND))
    try:
        return run_query(org, actor, text, bounded, lambda scope: condition(scope, sought, find.group))
    except OrgError as error:
        if error.code != "MALFORMED_QUERY":
            raise
        raise OrgError("MALFORMED_SEARCH", error.message) from None


def shares(found: Sequence[int], limit: int) -> list[int]:
    """How many records of each object are answered: evenly, and what one leaves goes to the others."""
    given = [0] * len(found)
    while limit > 0:
        open_ones = [n for n, count in enumerate(found) if given[n] < count]
        if not open_ones:
            break
        each = max(limit // len(open_ones), 1)
        for n in open_ones:
            more = min(each, found[n] - given[n], limit)
            given[n] += more
            limit -= more
    return given
