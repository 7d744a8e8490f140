"""Which REST function a subrequest of a composite call means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce import singles, soql
from chartlift_sandbox.salesforce.describe import describe_global, describe_object
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.singles import Answer, Asked

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

Action = Callable[["Org", Asked], Answer]
_RECORD: dict[str, Action] = {"GET": singles.read, "PATCH": singles.update, "DELETE": singles.delete}
_KEYED: dict[str, Action] = {
    "GET": singles.read_by_key,
    "PATCH": singles.upsert,
    "POST": singles.upsert,
    "DELETE": singles.delete_by_key,
}
_OBJECT: dict[str, Action] = {"GET": singles.basic_information, "POST": singles.create}


def dispatch(org: Org, asked: Asked, method: str, path: list[str], headers: dict[str, str]) -> Answer:
    """Run the subrequest. Raises OrgError for a URL that cannot be used inside a composite call."""
    if not path:
        raise not_found()
    head, rest = path[0].lower(), path[1:]
    if head == "sobjects":
        return _sobjects(org, asked, method, rest, headers)
    if head in {"query", "queryall"} and method == "GET":
        return _query(org, asked, all_rows=head == "queryall")
    if head == "composite" and rest[:1] == ["sobjects"]:
        return _collections(org, asked, method, rest[1:])
    raise OrgError("INVALID_INPUT", f"{method} {'/'.join(path)} cannot be used in a composite request")


def _sobjects(org: Org, asked: Asked, method: str, rest: list[str], headers: dict[str, str]) -> Answer:
    if not rest:
        return Answer(200, describe_global(org, asked.actor, asked.version))
    if [step.lower() for step in rest[1:]] == ["describe"]:
        return _described(org, asked, rest[0], headers)
    match rest:
        case [name]:
            table, path = _OBJECT, {"object": name}
        case [name, record]:
            table, path = _RECORD, {"object": name, "id": record}
        case [name, key, *value]:
            table, path = _KEYED, {"object": name, "field": key, "value": "/".join(value)}
    action = table.get(method)
    if action is None:
        raise OrgError("METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed", status=405)
    return action(org, replace(asked, path=path))


def _query(org: Org, asked: Asked, *, all_rows: bool) -> Answer:
    """A query inside a composite call; it answers one page with everything it found."""
    result = soql.run(org, asked.actor, asked.query.get("q", ""), all_rows)
    records = result.to_records(asked.version)
    return Answer(200, {"totalSize": result.total, "done": True, "records": records})


def _described(org: Org, asked: Asked, name: str, headers: dict[str, str]) -> Answer:
    """Describe, or 304 when the schema has not changed since the caller's copy."""
    changed = org.schema_changed_at
    shown = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": f'"{org.schema.version}"'}
    since = headers.get("if-modified-since")
    if since:
        try:
            fresh = parsedate_to_datetime(since).timestamp() >= int(changed.timestamp())
        except ValueError:
            fresh = False
        if fresh:
            return Answer(304, None, shown)
    return Answer(200, describe_object(org, asked.actor, name, asked.version), shown)


def _collections(org: Org, asked: Asked, method: str, rest: list[str]) -> Answer:
    from chartlift_sandbox.salesforce import collections

    plain: dict[str, Action] = {
        "POST": collections.create,
        "PATCH": collections.update,
        "DELETE": collections.delete,
    }
    match rest:
        case [] if method in plain:
            return plain[method](org, asked)
        case [name] if method in {"GET", "POST"}:
            return collections.retrieve(org, replace(asked, path={"object": name}))
        case [name, key] if method == "PATCH":
            return collections.upsert(org, replace(asked, path={"object": name, "field": key}))
        case _:
            raise not_found()


def child_link(org: Org, parent: str, relationship: str) -> str:
    """The lookup field behind a parent's child relationship (`Contacts`). Raises OrgError INVALID_FIELD."""
    for _, lookup in org.schema.children(parent):
        name = lookup.child_relationship_name or ""
        if relationship.lower() in {name.lower(), f"{name.lower()}__r"} and name:
            return lookup.name
    raise OrgError("INVALID_FIELD", f"No such relationship '{relationship}' on {parent}", (relationship,))
