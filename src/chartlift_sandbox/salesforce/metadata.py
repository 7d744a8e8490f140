"""REST deployment: create, poll, cancel. Sources: Metadata API guide, jsforce, WSDL v63."""

from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.metadata_jobs import DeployJob, MetadataJobs
from chartlift_sandbox.salesforce.metadata_zip import MAX_ZIP_BYTES
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.wire import json_response

BASE = "/services/data/v{version}/metadata/deployRequest"
DEPLOYERS = frozenset({"ModifyMetadata", "ModifyAllData"})


def check_deployer(actor: Actor) -> None:
    """Only those who may change metadata deploy and retrieve.

    Raises:
        OrgError: 403.
    """
    if not DEPLOYERS & actor.permissions:
        text = "insufficient access rights: Modify Metadata Through Metadata API Functions is needed"
        raise OrgError("INSUFFICIENT_ACCESS", text, status=403)


class DeployDoor:
    """The REST endpoints over the deployment jobs."""

    def __init__(self, org: Org, jobs: MetadataJobs) -> None:
        self._org, self._jobs = org, jobs

    async def create(self, request: Request) -> Response:
        """POST multipart: options as JSON and the zip, in any order and under any part name; 201.

        A JSON body with `validatedDeployRequestId` deploys what a validation passed.
        """
        check_deployer(request.state.actor)
        kind = request.headers.get("content-type", "").lower()
        if kind.startswith("application/json"):
            return await self.quick(request)
        if not kind.startswith("multipart/"):
            raise OrgError("UNSUPPORTED_MEDIA_TYPE", "multipart/form-data was expected", status=415)
        options, data = await _read_parts(request)
        return await self._queued(self._jobs.deploy(data, options, request.state.actor))

    async def quick(self, request: Request) -> Response:
        """POST of `{"validatedDeployRequestId": id}`; 201."""
        check_deployer(request.state.actor)
        body = await _json(request)
        wanted = body.get("validatedDeployRequestId") if isinstance(body, dict) else None
        if not isinstance(wanted, str):
            raise OrgError("INVALID_ID_FIELD", "validatedDeployRequestId was expected")
        return await self._queued(self._jobs.deploy_validated(wanted, request.state.actor))

    async def _queued(self, job: DeployJob) -> Response:
        answer = {"id": job.id, "validatedDeployRequestId": job.validation, "deployOptions": job.options}
        pending = DeployJob(job.id, job.options, job.actor, job.created, job.created)
        answer["deployResult"] = await run_in_threadpool(self._result, pending, details=False)
        return json_response(answer, 201)

    async def status(self, request: Request) -> Response:
        """GET; `includeDetails=true` adds the components."""
        job = self._jobs.get(request.path_params["job"])
        details = request.query_params.get("includeDetails", "false").lower() == "true"
        result = await run_in_threadpool(self._result, job, details=details)
        return json_response(
            {"id": job.id, "validatedDeployRequestId": job.validation, "deployResult": result, "deployOptions": None}
        )

    async def cancel(self, request: Request) -> Response:
        """PATCH with the status Canceling; 202."""
        job = self._jobs.get(request.path_params["job"])
        body = await _json(request)
        given = body.get("deployResult") if isinstance(body, dict) else None
        wanted = given.get("status") if isinstance(given, dict) else None
        if wanted != "Canceling":
            raise OrgError("INVALID_ID_FIELD", f"A deployment cannot be set to {wanted}")
        check_deployer(request.state.actor)
        user = request.state.actor.user_id, user_name(self._org, request.state.actor.user_id)
        await run_in_threadpool(self._jobs.cancel, job, user)
        result = await run_in_threadpool(self._result, job, details=False)
        answer = {"id": job.id, "validatedDeployRequestId": job.validation, "deployResult": result}
        return json_response(answer | {"deployOptions": None}, 202)

    def _result(self, job: DeployJob, *, details: bool) -> dict[str, Any]:
        return job.result(details=details, user_name=user_name(self._org, job.actor.user_id))


def user_name(org: Org, user_id: str) -> str:
    """Full name of a user."""
    with org.lock:
        row = org.db.execute('SELECT "Name" FROM "User" WHERE "Id" = ?', [user_id]).fetchone()
    return str(row[0]) if row else ""


async def _json(request: Request) -> Any:
    try:
        return orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"Unexpected content: {error.msg}") from error


async def _read_parts(request: Request) -> tuple[dict[str, Any], bytes]:
    options: dict[str, Any] | None = None
    data: bytes | None = None
    async with request.form(max_part_size=MAX_ZIP_BYTES + 1) as form:
        for _, part in form.multi_items():
            if isinstance(part, UploadFile):
                raw, kind = await part.read(MAX_ZIP_BYTES + 1), part.content_type or ""
            else:
                raw, kind = part.encode(), "application/json"
            if kind.startswith("application/json") or raw.lstrip()[:1] == b"{":
                options = _options(raw)
            else:
                data = raw
    if options is None or data is None:
        raise OrgError("INVALID_MULTIPART_REQUEST", "deployOptions and a zip file were expected")
    return options, data


def _options(raw: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"Unexpected content: {error.msg}") from error
    options = parsed.get("deployOptions") if isinstance(parsed, dict) else None
    if not isinstance(options, dict):
        raise OrgError("INVALID_MULTIPART_REQUEST", "deployOptions were expected")
    return options


def routes(org: Org, jobs: MetadataJobs) -> list[BaseRoute]:
    """REST deployment routes."""
    door = DeployDoor(org, jobs)
    return [
        Route(BASE, door.create, methods=["POST"]),
        Route(BASE + "/validatedDeployRequestId", door.quick, methods=["POST"]),
        Route(BASE + "/{job}", door.status, methods=["GET"]),
        Route(BASE + "/{job}", door.cancel, methods=["PATCH"]),
    ]
