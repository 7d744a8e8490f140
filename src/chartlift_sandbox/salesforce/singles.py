"""What the single-record routes do, without HTTP: composite requests run the same functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce import ids, sharing
from chartlift_sandbox.salesforce.describe import object_summary
from chartlift_sandbox.salesforce.dml import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.json_types import check_types
from chartlift_sandbox.salesforce.lookups import find_by_key
from chartlift_sandbox.salesforce.records import (
    cell,
    existing_id,
    fetch,
    flatten,
    picked_fields,
    readable_object,
    row_error,
    to_table,
)
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

BODY_FROM_VERSION = 46
RECENT = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who, which API version, path and query parameters, body, and the DML headers."""

    actor: Actor
    version: str
    path: dict[str, Any]
    query: dict[str, str]
    body: dict[str, Any]
    options: DmlOptions


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and headers of an answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def _one_row(org: Org, op: str, sobject: SObject, record: dict[str, str], asked: Asked) -> dict[str, Any]:
    """Run DML on one record and answer its result row. Raises OrgError when the row fails."""
    check_types(org, sobject, record)
    result = org.dml(op, sobject.name, to_table([record]), asked.actor, options=asked.options)
    row = result.to_pylist()[0]
    if not row["success"]:
        raise row_error(org, row, asked.version)
    return row


def basic_information(org: Org, asked: Asked) -> Answer:
    """GET /sobjects/X: the object's summary and its latest records."""
    summary = object_summary(org, asked.actor, asked.path["object"], asked.version)
    sobject = org.schema.object(summary["name"])
    if sobject is None:
        return Answer(200, {"objectDescribe": summary, "recentItems": []})
    name = sobject.name_field
    fields = [f for f in (sobject.fields["Id"], name) if f is not None]
    alive = 'WHERE NOT "IsDeleted"' if "IsDeleted" in sobject.fields else ""
    rows = org.rows(f'SELECT "Id" FROM {quote(sobject.name)} {alive} ORDER BY "Id" DESC LIMIT {RECENT}')
    recent = sharing.seen(org, asked.actor, sobject, [row["Id"] for row in rows])
    found = fetch(org, sobject, recent, fields, asked.version)
    return Answer(200, {"objectDescribe": summary, "recentItems": [found[record_id] for record_id in recent]})


def create(org: Org, asked: Asked) -> Answer:
    """POST /sobjects/X."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    row = _one_row(org, "insert", sobject, flatten(asked.body), asked)
    location = f"/services/data/v{asked.version}/sobjects/{sobject.name}/{row['id']}"
    return Answer(201, {"id": row["id"], "success": True, "errors": []}, {"Location": location})


def create_by_id_key(org: Org, asked: Asked) -> Answer:
    """POST /sobjects/X/Id: an upsert on Id without an Id, which is an insert."""
    if asked.path["id"].lower() != "id":
        raise OrgError("METHOD_NOT_ALLOWED", "HTTP Method 'POST' not allowed. Allowed are GET,PATCH,DELETE", status=405)
    answer = create(org, asked)
    return Answer(answer.status, {**answer.body, "created": True}, answer.headers)


def read(org: Org, asked: Asked) -> Answer:
    """GET /sobjects/X/{id}[?fields=A,B]."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    record_id = existing_id(org, sobject, asked.path["id"])
    if not sharing.seen(org, asked.actor, sobject, [record_id]):
        raise not_found()
    return Answer(200, _shown(org, sobject, [record_id], asked)[record_id])


def _shown(org: Org, sobject: SObject, record_ids: list[str], asked: Asked) -> dict[str, dict[str, Any]]:
    names = asked.query.get("fields")
    fields = picked_fields(org, asked.actor, sobject, names.split(",") if names else None)
    if names and not any(f.name == "Id" for f in fields):
        fields = [*fields, sobject.fields["Id"]]
    return fetch(org, sobject, record_ids, fields, asked.version)


def update(org: Org, asked: Asked) -> Answer:
    """PATCH /sobjects/X/{id}."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    _refuse_key(asked.body, "Id")
    record_id = existing_id(org, sobject, asked.path["id"])
    _one_row(org, "update", sobject, {**flatten(asked.body), "Id": record_id}, asked)
    return Answer(204)


def _refuse_key(body: dict[str, Any], name: str) -> None:
    if any(key.lower() == name.lower() for key in body):
        message = f"The {name} field should not be specified in the sobject data."
        raise OrgError("INVALID_FIELD", message, (name,))


def delete(org: Org, asked: Asked) -> Answer:
    """DELETE /sobjects/X/{id}."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    record_id = existing_id(org, sobject, asked.path["id"])
    _one_row(org, "delete", sobject, {"Id": record_id}, asked)
    return Answer(204)


def _key(org: Org, asked: Asked) -> tuple[SObject, Field]:
    sobject = readable_object(org, asked.actor, asked.path["object"])
    key = sobject.field(asked.path["field"])
    if key is None or not key.is_lookup_key or key.name not in org.visible_fields(asked.actor, sobject.name):
        raise not_found()
    return sobject, key


def _matches(org: Org, sobject: SObject, key: Field, value: str) -> list[str]:
    """Ids of the live records with that key."""
    if key.name == "Id":
        record_id = ids.normalise(value)
        return [existing_id(org, sobject, record_id)] if record_id else []
    _, counts, found = find_by_key(org, sobject, key, pa.array([value], pa.string()))
    return found[0].as_py().split(", ") if counts[0].as_py() else []


def _several(sobject: SObject, found: list[str], asked: Asked) -> Answer:
    base = f"/services/data/v{asked.version}/sobjects/{sobject.name}"
    return Answer(300, [f"{base}/{record_id}" for record_id in found])


def read_by_key(org: Org, asked: Asked) -> Answer:
    """GET /sobjects/X/{field}/{value}: 300 with URLs when several records have the key."""
    sobject, key = _key(org, asked)
    found = sharing.seen(org, asked.actor, sobject, _matches(org, sobject, key, asked.path["value"]))
    if not found:
        raise not_found()
    if len(found) > 1:
        return _several(sobject, found, asked)
    return Answer(200, _shown(org, sobject, found, asked)[found[0]])


def upsert(org: Org, asked: Asked) -> Answer:
    """PATCH /sobjects/X/{field}/{value}: 201 created, 200 (204 before version 46) updated, 300 ambiguous."""
    sobject, key = _key(org, asked)
    _refuse_key(asked.body, key.name)
    value = asked.path["value"]
    found = _matches(org, sobject, key, value)
    if len(found) > 1:
        return _several(sobject, found, asked)
    record = flatten(asked.body)
    if found:
        _one_row(org, "update", sobject, {**record, "Id": found[0]}, asked)
        if float(asked.version) < BODY_FROM_VERSION:
            return Answer(204)
        return Answer(200, {"id": found[0], "success": True, "errors": [], "created": False})
    if asked.query.get("updateOnly", "").lower() == "true" or key.name == "Id":
        raise not_found()
    row = _one_row(org, "insert", sobject, {**record, key.name: cell(value)}, asked)
    location = f"/services/data/v{asked.version}/sobjects/{sobject.name}/{row['id']}"
    return Answer(201, {"id": row["id"], "success": True, "errors": [], "created": True}, {"Location": location})


def delete_by_key(org: Org, asked: Asked) -> Answer:
    """DELETE /sobjects/X/{field}/{value}."""
    sobject, key = _key(org, asked)
    found = _matches(org, sobject, key, asked.path["value"])
    if not found:
        raise not_found()
    if len(found) > 1:
        return _several(sobject, found, asked)
    _one_row(org, "delete", sobject, {"Id": found[0]}, asked)
    return Answer(204)
