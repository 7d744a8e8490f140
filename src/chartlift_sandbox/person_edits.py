"""Changes that a person makes in the org, in the name of any of its users."""

from typing import Any

import pyarrow as pa

from chartlift_sandbox.salesforce.call import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.values import SET_NULL

_OPERATIONS = frozenset({"insert", "update", "delete", "undelete", "hardDelete"})


def edit_org(org: Org, body: dict[str, Any]) -> str:
    """One record changed by one person; answers its id.

    Args:
        org: The org.
        body: `op` (insert, update, delete, undelete, merge), `object`, `id`, `fields` (merge: `loser` is the other id)
            and `user` (Id, username or e-mail; the administrator if it is left out).

    Raises:
        OrgError: unknown user or operation, or whatever the org answers for the record.
    """
    given = body.get("fields") or {}
    if not isinstance(given, dict):
        raise OrgError("JSON_PARSER_ERROR", "fields must be an object")
    fields = dict(given)
    op, name, record_id = str(body.get("op")), str(body.get("object")), body.get("id")
    with org.lock:
        actor = person(org, body.get("user"))
        if op == "merge":
            loser = str(fields.pop("loser", ""))
            org.merge(name, str(record_id), [loser], actor, {k: cell(v) for k, v in fields.items()})
            return str(record_id)
        if op not in _OPERATIONS:
            raise OrgError("INVALID_OPERATION", f"no operation {op!r}")
        row = {} if op in {"delete", "undelete", "hardDelete"} else {k: cell(v) for k, v in fields.items()}
        if op != "insert":
            row["Id"] = str(record_id)
        table = pa.table({key: pa.array([value], pa.string()) for key, value in row.items()})
        options = DmlOptions(allow_duplicates=True, channel="person")
        answer = org.dml(op, name, table, actor, options=options).to_pylist()[0]
    if not answer["success"]:
        names = tuple(one for one in (answer["fields"] or "").split(",") if one)
        raise OrgError(answer["code"], answer["message"], names)
    return str(answer["id"])


def cell(value: Any) -> str:
    """A JSON value as the engine takes it."""
    if value is None or value == "":
        return SET_NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def person(org: Org, who: Any) -> Actor:
    """The actor of a user given by Id, username or e-mail.

    Raises:
        OrgError: nobody by that name.
    """
    found = org.people.admin if not who else org.find_user(str(who))
    if found is None:
        raise OrgError("NOT_FOUND", f"no user {who}", status=404)
    return org.actor_for(found)
