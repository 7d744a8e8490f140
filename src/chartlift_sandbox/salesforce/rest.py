"""REST routes for single records: describe, create, read, update, delete, upsert by key, and the change feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import blobs, feeds, layouts, singles
from chartlift_sandbox.salesforce.conditional import unchanged
from chartlift_sandbox.salesforce.describe import describe_global, describe_object, object_summary
from chartlift_sandbox.salesforce.errors import CONTENT_TYPE, OrgError
from chartlift_sandbox.salesforce.records import options_of, read_record
from chartlift_sandbox.salesforce.singles import Answer, Asked

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

Endpoint = Callable[[Request], Awaitable[Response]]
NO_CONTENT, NOT_MODIFIED = 204, 304
_BASE = "/services/data/v{version}/sobjects"
_TOOLING = "/services/data/v{version}/tooling/sobjects"


def routes(org: Org) -> list[BaseRoute]:
    """The routes below /sobjects."""
    record, key = _BASE + "/{object}/{id}", _BASE + "/{object}/{field}/{value:path}"
    return [
        *blobs.routes(org),
        Route(_BASE, _describe_global(org), methods=["GET"]),
        Route(_BASE + "/{object}", _endpoint(org, singles.basic_information), methods=["GET"]),
        Route(_BASE + "/{object}", _endpoint(org, singles.create), methods=["POST"]),
        Route(_BASE + "/{object}/describe", _describe(org), methods=["GET"]),
        *(
            Route(f"{_BASE}/{{object}}/{path}", _shown(org, of), methods=["GET"])
            for path, of in layouts.RESOURCES.items()
        ),
        Route(_TOOLING, _describe_global(org, tooling=True), methods=["GET"]),
        Route(_TOOLING + "/{object}/describe", _describe(org, tooling=True), methods=["GET"]),
        Route(_BASE + "/{object}/deleted", _endpoint(org, feeds.deleted), methods=["GET"]),
        Route(_BASE + "/{object}/updated", _endpoint(org, feeds.updated), methods=["GET"]),
        Route(record, _record(org, singles.read), methods=["GET"]),
        Route(record, _record(org, singles.update), methods=["PATCH"]),
        Route(record, _record(org, singles.delete), methods=["DELETE"]),
        Route(record, _endpoint(org, singles.create_by_id_key), methods=["POST"]),
        Route(key, _endpoint(org, singles.read_by_key), methods=["GET"]),
        Route(key, _endpoint(org, singles.upsert), methods=["PATCH", "POST"]),
        Route(key, _endpoint(org, singles.delete_by_key), methods=["DELETE"]),
    ]


async def _asked(request: Request) -> Asked:
    body: dict[str, Any] = {}
    if request.method in {"POST", "PATCH"}:
        body = await _body(request)
    return Asked(
        request.state.actor,
        request.state.version,
        dict(request.path_params),
        dict(request.query_params),
        body,
        options_of(request),
    )


async def _body(request: Request) -> dict[str, Any]:
    if blobs.is_multipart(request):
        return await blobs.read_parts(request)
    if len(await request.body()) > blobs.MOST_JSON_BYTES:
        raise OrgError(
            "REQUEST_ENTITY_TOO_LARGE", "The request body exceeds 50 MB; send the file as multipart", status=413
        )
    return await read_record(request)


def _endpoint(org: Org, action: Callable[[Org, Asked], Answer]) -> Endpoint:
    """An endpoint that runs the blocking action in a thread, under the org's lock."""

    def locked(asked: Asked) -> Answer:
        with org.lock:
            return action(org, asked)

    async def endpoint(request: Request) -> Response:
        answer = await run_in_threadpool(locked, await _asked(request))
        return render(answer)

    return endpoint


def _record(org: Org, action: Callable[[Org, Asked], Answer]) -> Endpoint:
    """The same for one record, which may ask whether it has changed meanwhile."""

    def locked(asked: Asked, request: Request) -> Answer:
        with org.lock:
            return unchanged(org, asked, request.method, request.headers) or action(org, asked)

    async def endpoint(request: Request) -> Response:
        return render(await run_in_threadpool(locked, await _asked(request), request))

    return endpoint


def _shown(org: Org, build: Callable[[Org, Asked], Any]) -> Endpoint:
    """An endpoint that answers what `build` makes of the schema."""
    return _endpoint(org, lambda org, asked: Answer(200, build(org, asked)))


def render(answer: Answer) -> Response:
    """An answer as an HTTP response."""
    if answer.status in {NO_CONTENT, NOT_MODIFIED}:
        return Response(status_code=answer.status, headers=answer.headers)
    return Response(orjson.dumps(answer.body), answer.status, answer.headers, CONTENT_TYPE)


def _describe_global(org: Org, *, tooling: bool = False) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await _conditional(
            org,
            request,
            lambda: describe_global(org, request.state.actor, request.state.version, tooling=tooling),
        )

    return endpoint


def _describe(org: Org, *, tooling: bool = False) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        name = request.path_params["object"]
        return await _conditional(
            org,
            request,
            lambda: describe_object(org, request.state.actor, name, request.state.version, tooling=tooling),
        )

    return endpoint


async def _conditional(org: Org, request: Request, build: Callable[[], dict[str, Any]]) -> Response:
    """Answer 304 when the schema has not changed since the caller's copy."""
    changed = org.schema_changed_at
    headers = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": f'"{org.schema.version}"'}
    since = request.headers.get("if-modified-since")
    if since is not None and _not_before(since, changed.timestamp()):
        return Response(status_code=304, headers=headers)

    def locked() -> bytes:
        with org.lock:
            return orjson.dumps(build())

    return Response(await run_in_threadpool(locked), 200, headers, CONTENT_TYPE)


def _not_before(header: str, moment: float) -> bool:
    try:
        return parsedate_to_datetime(header).timestamp() >= int(moment)
    except ValueError:
        return False


__all__ = ["object_summary", "render", "routes"]
