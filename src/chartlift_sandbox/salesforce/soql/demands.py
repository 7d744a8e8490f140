"""Objects that a query may not read as it likes: links of files are asked for by their ends."""

from __future__ import annotations

from collections.abc import Iterator

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.statement import Statement
from chartlift_sandbox.salesforce.soql.syntax import Compare, Condition, FieldRef, Junction, Membership, Negation, Query

LINKS = "ContentDocumentLink"
_NEVER_INNER = frozenset({"Attachment", "Event", "Note", "Task"})
_ENTITY = "linkedentityid"
_ENDS = frozenset({"id", "contentdocumentid", _ENTITY})


def check_filter(statement: Statement, query: Query) -> None:
    """Raises OrgError MALFORMED_QUERY for links without a filter on one of their ends, or with others that it forbids."""
    if not statement.org.settings.content_links_need_filter:
        return
    if not _names_an_end(query.where):
        message = (
            f"Implementation restriction: {LINKS} requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
        )
        raise OrgError("MALFORMED_QUERY", message)
    fields = list(_fields(query.where))
    if any(name not in _ENDS for name, _ in fields) and (_ENTITY, "=") not in fields:
        message = (
            "Implementation restriction: filtering on non-id fields is only permitted when filtering by "
            f"{LINKS}.LinkedEntityId using the equals operator."
        )
        raise OrgError("MALFORMED_QUERY", message)


def check_semi_join(statement: Statement, query: Query, name: str) -> None:
    """Raises OrgError MALFORMED_QUERY for objects that cannot stand inside IN (SELECT …)."""
    if name in _NEVER_INNER or (name == LINKS and statement.org.settings.content_links_need_filter):
        message = f"Entity '{name}' is not supported for semi join inner selects"
        raise refusal.malformed(statement.text, query.source.at, message)


def _names_an_end(condition: Condition | None) -> bool:
    """Whether the condition cannot be true without an end that is one of the given records."""
    if isinstance(condition, Junction):
        found = [_names_an_end(part) for part in condition.parts]
        return any(found) if condition.operator == "AND" else all(found)
    if isinstance(condition, Compare):
        return condition.operator == "=" and _is_end(condition.left)
    if isinstance(condition, Membership):
        return condition.operator == "IN" and _is_end(condition.left)
    return False


def _fields(condition: Condition | None) -> Iterator[tuple[str, str]]:
    """Every field of a condition in lower case, with its operator."""
    if isinstance(condition, Junction):
        for part in condition.parts:
            yield from _fields(part)
    elif isinstance(condition, Negation):
        yield from _fields(condition.part)
    elif condition is not None:
        yield condition.left.written.rpartition(".")[2].lower(), condition.operator


def _is_end(left: object) -> bool:
    return isinstance(left, FieldRef) and left.parts[-1].lower() in _ENDS and len(left.parts) <= 2  # noqa: PLR2004
