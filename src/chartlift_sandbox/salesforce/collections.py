"""SObject collections: up to 200 records in one call, and the composite resources around them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import blobs, composite, ids, sharing
from chartlift_sandbox.salesforce.call import ROLLED_BACK
from chartlift_sandbox.salesforce.dml import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.json_types import check_types
from chartlift_sandbox.salesforce.records import (
    fetch,
    flatten,
    options_of,
    picked_fields,
    read_record,
    readable_object,
    save_result,
    to_table,
)
from chartlift_sandbox.salesforce.rest import render
from chartlift_sandbox.salesforce.singles import Answer, Asked
from chartlift_sandbox.salesforce.store import UndoneError, undo

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

_BASE = "/services/data/v{version}/composite"
MAX_RETRIEVE = 2_000
_FAULTS = {"id": None, "success": False, "created": False, "fields": ""}


def routes(org: Org) -> list[BaseRoute]:
    """The routes below /composite."""
    one, keyed = _BASE + "/sobjects", _BASE + "/sobjects/{object}/{field}"
    return [
        Route(_BASE, _endpoint(org, composite.composite), methods=["POST"]),
        Route(_BASE + "/batch", _endpoint(org, composite.batch), methods=["POST"]),
        Route(_BASE + "/graph", _endpoint(org, composite.graph), methods=["POST"]),
        Route(_BASE + "/tree/{object}", _endpoint(org, composite.tree), methods=["POST"]),
        Route(one, _endpoint(org, create), methods=["POST"]),
        Route(one, _endpoint(org, update), methods=["PATCH"]),
        Route(one, _endpoint(org, delete), methods=["DELETE"]),
        Route(one + "/{object}", _endpoint(org, retrieve), methods=["GET", "POST"]),
        Route(keyed, _endpoint(org, upsert), methods=["PATCH"]),
    ]


def _endpoint(org: Org, action: Callable[[Org, Asked], Answer]) -> Callable[[Request], Any]:
    def locked(asked: Asked) -> Answer:
        with org.lock:
            return action(org, asked)

    async def endpoint(request: Request) -> Response:
        body = await _body(request) if request.method in {"POST", "PATCH"} else {}
        asked = Asked(
            request.state.actor, request.state.version, dict(request.path_params), dict(request.query_params), body,
            options_of(request),
        )  # fmt: skip
        return render(await run_in_threadpool(locked, asked))

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    return await blobs.read_collection(request) if blobs.is_multipart(request) else await read_record(request)


def _records(org: Org, asked: Asked) -> tuple[list[dict[str, Any]], bool]:
    records = asked.body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise OrgError("INVALID_INPUT", "records must be a list of objects")
    _check_size(org, len(records))
    return records, bool(asked.body.get("allOrNone", False))


def _check_size(org: Org, count: int) -> None:
    limit = org.settings.max_collection
    if count > limit:
        raise OrgError(
            "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {limit} records in this call"
        )


def _type_of(record: dict[str, Any]) -> str:
    kind = (record.get("attributes") or {}).get("type")
    if not isinstance(kind, str):
        raise OrgError("INVALID_INPUT", "Include an attributes map with a type in each record")
    return kind


def create(org: Org, asked: Asked) -> Answer:
    """POST /composite/sobjects."""
    records, all_or_none = _records(org, asked)
    return Answer(200, [save_result(row) for row in by_type(org, "insert", records, asked, all_or_none=all_or_none)])


def update(org: Org, asked: Asked) -> Answer:
    """PATCH /composite/sobjects."""
    records, all_or_none = _records(org, asked)
    return Answer(200, [save_result(row) for row in by_type(org, "update", records, asked, all_or_none=all_or_none)])


def upsert(org: Org, asked: Asked) -> Answer:
    """PATCH /composite/sobjects/{object}/{field}."""
    records, all_or_none = _records(org, asked)
    sobject = readable_object(org, asked.actor, asked.path["object"])
    key = sobject.field(asked.path["field"])
    if key is None or not key.is_lookup_key:
        raise not_found()
    flat = [flatten(record) for record in records]
    for record in flat:
        check_types(org, sobject, record)
    table = to_table(flat)
    rows = org.dml(
        "upsert", sobject.name, table, asked.actor,
        external_id=key.name, all_or_none=all_or_none, options=asked.options,
    ).to_pylist()  # fmt: skip
    return Answer(200, [save_result(row, with_created=True) for row in rows])


def by_type(
    org: Org, op: str, records: list[dict[str, Any]], asked: Asked, *, all_or_none: bool
) -> list[dict[str, Any]]:
    """Run DML per object type, keeping the order of the input; with all_or_none every type rolls back together."""
    for record in records:
        if (sobject := org.schema.object(_type_of(record))) is not None:
            check_types(org, sobject, flatten(record))
    groups: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        groups.setdefault(_type_of(record), []).append(place)
    results: list[dict[str, Any]] = [dict(_FAULTS) for _ in records]
    mark, sent = org.writes.mark(), len(org.rules.mail)
    try:
        with org.transaction() if all_or_none else nullcontext():
            for kind, places in groups.items():
                table = to_table([flatten(records[place]) for place in places])
                rows = _run(org, op, kind, table, asked.actor, asked.options)
                for place, row in zip(places, rows, strict=True):
                    results[place] = row
            if all_or_none and not all(row["success"] for row in results):
                undo()
    except UndoneError:
        org.writes.roll_back(mark, ":".join(ROLLED_BACK))
        del org.rules.mail[sent:]
        return [_undone(row, op) for row in results]
    return results


def _undone(row: dict[str, Any], op: str) -> dict[str, Any]:
    if not row["success"]:
        return row
    kept = None if op == "insert" else row["id"]
    return {**row, "id": kept, "success": False, "code": ROLLED_BACK[0], "message": ROLLED_BACK[1], "fields": ""}


def _run(org: Org, op: str, kind: str, table: pa.Table, actor: Actor, options: DmlOptions) -> list[dict[str, Any]]:
    """One type's rows; a request error such as an unknown field becomes the error of each of them."""
    try:
        return org.dml(op, kind, table, actor, options=options).to_pylist()
    except OrgError as error:
        fault = {
            **_FAULTS,
            "code": error.code,
            "message": error.message,
            "fields": ",".join(error.fields) if error.row else "",
        }
        return [{**fault, "row": place} for place in range(table.num_rows)]


def delete(org: Org, asked: Asked) -> Answer:
    """DELETE /composite/sobjects?ids=a,b&allOrNone=false."""
    named = [text.strip() for text in asked.query.get("ids", "").split(",") if text.strip()]
    if not named:
        raise OrgError("MISSING_ARGUMENT", "ids is required")
    _check_size(org, len(named))
    records: list[dict[str, Any]] = []
    for text in named:
        target = org.schema.by_prefix(text[:3])
        records.append({"attributes": {"type": target.name if target else ""}, "Id": text})
    all_or_none = asked.query.get("allOrNone", "").lower() == "true"
    known = [record for record in records if record["attributes"]["type"]]
    if all_or_none and len(known) < len(records):  # an id of no object spoils the others
        undone = {"success": False, "code": ROLLED_BACK[0], "message": ROLLED_BACK[1]}
        rows = iter([{**_FAULTS, **undone, "id": record["Id"]} for record in known])
    else:
        rows = iter(by_type(org, "delete", known, asked, all_or_none=all_or_none))
    return Answer(200, [save_result(next(rows) if r["attributes"]["type"] else _unknown(r["Id"])) for r in records])


def _unknown(text: str) -> dict[str, Any]:
    code = "MALFORMED_ID" if ids.normalise(text) is None else "INVALID_CROSS_REFERENCE_KEY"
    message = "malformed id " + text if code == "MALFORMED_ID" else "invalid cross reference id"
    return {**_FAULTS, "id": text, "code": code, "message": message}


def retrieve(org: Org, asked: Asked) -> Answer:
    """GET or POST /composite/sobjects/{object}: records in the order asked for, null for misses."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    wanted = asked.body.get("ids") or [text for text in asked.query.get("ids", "").split(",") if text]
    names = asked.body.get("fields") or [text for text in asked.query.get("fields", "").split(",") if text]
    if not wanted or not names:
        raise OrgError("MISSING_ARGUMENT", "ids and fields are required")
    if len(wanted) > MAX_RETRIEVE:
        raise OrgError("EXCEEDED_ID_LIMIT", f"at most {MAX_RETRIEVE} ids in one call")
    fields = picked_fields(org, asked.actor, sobject, names)
    full = [ids.normalise(str(text)) for text in wanted]
    shown = sharing.seen(org, asked.actor, sobject, [record_id for record_id in full if record_id])
    found = fetch(org, sobject, shown, fields, asked.version)
    return Answer(200, [found.get(record_id or "") for record_id in full])
