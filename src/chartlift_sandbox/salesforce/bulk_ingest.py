"""Routes of Bulk API 2.0 ingest. Source: Bulk API 2.0 guide v67 and what clients of real orgs send."""

from collections.abc import Iterator
from typing import Any, Protocol

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import bulk_csv, bulk_results
from chartlift_sandbox.salesforce.bulk_jobs import OPERATIONS, IngestJob, IngestJobs, invalid_state
from chartlift_sandbox.salesforce.bulk_worker import CALL_ROWS, IngestWorker
from chartlift_sandbox.salesforce.errors import CONTENT_TYPE, OrgError, not_found
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.records import require_json

BASE = "/services/data/v{version}/jobs/ingest"
MULTIPART_CHARS = 100_000
RESULTS = frozenset({"successfulresults", "failedresults", "unprocessedrecords"})
_WORDS = {
    "object", "operation", "externalIdFieldName", "contentType", "columnDelimiter", "lineEnding", "assignmentRuleId",
    "concurrencyMode",
}  # fmt: skip
_RUNNABLE = frozenset({"Open", "UploadComplete", "InProgress"})


class BulkSettings(Protocol):
    """The switches that this door reads (`doors.DoorSettings`)."""

    bulk_shuffle_results: bool
    bulk_echo_java_doubles: bool
    bulk_upload_bytes: int
    bulk_results_before_end: bool
    bulk_second_upload_code: str


class IngestDoor:
    """The endpoints over one store of jobs and one worker."""

    def __init__(self, org: Org, jobs: IngestJobs, worker: IngestWorker, settings: BulkSettings) -> None:
        self._org, self._jobs, self._worker, self._settings = org, jobs, worker, settings

    async def create(self, request: Request) -> Response:
        """POST: a job, or job and data at once as multipart."""
        actor, version = request.state.actor, request.state.version
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            spec, data = await _parts(request)
            job = self._jobs.open(self.check_spec(spec, actor), actor, version)
            await run_in_threadpool(self._jobs.store, job, data)
            self._close(job)
            return _json(job.opened())
        require_json(request)
        spec = self.check_spec(_object(await request.body()), actor)
        return _json(self._jobs.open(spec, actor, version).opened())

    def check_spec(self, spec: dict[str, Any], actor: Actor) -> dict[str, Any]:
        """The specification with object and external id spelt as the schema spells them.

        Raises:
            OrgError: 400 with the job-level code.
        """
        if unknown := sorted(set(spec) - _WORDS):
            raise OrgError("JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}"')
        if wrong := sorted(word for word, value in spec.items() if value is not None and not isinstance(value, str)):
            raise OrgError("JSON_PARSER_ERROR", f"Cannot deserialize the value of {wrong[0]}: a text was expected")
        for word, table in (("columnDelimiter", bulk_csv.DELIMITERS), ("lineEnding", bulk_csv.LINE_ENDINGS)):
            if spec.get(word) is not None and spec[word] not in table:
                raise OrgError("INVALIDJOB", f"InvalidJob : Invalid {word}: {spec[word]}")
        if (spec.get("contentType") or "CSV") != "CSV":
            raise OrgError("INVALIDJOB", f"InvalidJob : Invalid contentType: {spec['contentType']}")
        operation = spec.get("operation")
        if operation not in OPERATIONS:
            raise OrgError("INVALIDJOB", f"InvalidJob : Invalid operation: {operation}")
        if operation == "hardDelete" and "BulkApiHardDelete" not in actor.permissions:
            text = "FeatureNotEnabled : hardDelete operation requires special user profile permission"
            raise OrgError("FEATURENOTENABLED", text)
        found = self._org.schema.object(str(spec.get("object") or ""))
        if found is None:
            raise OrgError("INVALIDENTITY", f"InvalidEntity : Unable to find object: {spec.get('object')}")
        return spec | {"object": found.name, "externalIdFieldName": self._key(spec, found.name)}

    def _key(self, spec: dict[str, Any], object_name: str) -> str | None:
        name = spec.get("externalIdFieldName")
        if spec["operation"] != "upsert":
            return None
        if not name:
            raise OrgError("INVALIDJOB", "InvalidJob : External ID was blank for upsert operation")
        field = self._org.schema.field(object_name, str(name))
        if field is None or not (field.is_lookup_key or field.name == "Id"):
            text = f"InvalidJob : Field name provided, {name} is not an External ID or indexed field for {object_name}"
            raise OrgError("INVALIDJOB", text)
        return field.name

    async def upload(self, request: Request) -> Response:
        """PUT of the CSV: 201 without a body."""
        job = self._jobs.get(request.path_params["job"])
        kind = request.headers.get("content-type", "text/csv").split(";")[0].strip().lower()
        if kind not in {"text/csv", "application/octet-stream"}:
            raise OrgError("UNSUPPORTED_MEDIA_TYPE", f"Content-Type not supported: {kind}", status=415)
        body = await request.body()
        if len(body) > self._settings.bulk_upload_bytes:
            raise OrgError("CLIENTINPUTERROR", "ClientInputError : Upload exceeds 150 MB of encoded content")
        try:
            await run_in_threadpool(self._jobs.store, job, body)
        except OrgError as error:
            if job.state != "Open":
                raise
            raise OrgError(self._settings.bulk_second_upload_code, error.message) from error
        return Response(status_code=201)

    async def change(self, request: Request) -> Response:
        """PATCH of the state: UploadComplete or Aborted."""
        job = self._jobs.get(request.path_params["job"])
        require_json(request)
        state = _object(await request.body()).get("state")
        if state == "UploadComplete":
            self._close(job)
            # the worker may already be on it; the answer still says what the caller asked for
            return _json(job.brief() | {"state": "UploadComplete"})
        if state == "Aborted":
            if job.actor.user_id != request.state.actor.user_id and (
                "ManageDataIntegrations" not in request.state.actor.permissions
            ):
                raise OrgError("INVALIDUSER", "InvalidUser : Not authorized to abort the job of another user")
            self._jobs.move(job, _RUNNABLE, "Aborted", "Aborting already Completed Job not allowed")
            return _json(job.brief())
        raise OrgError("INVALIDJOB", f"InvalidJob : Invalid state: {state}")

    def _close(self, job: IngestJob) -> None:
        self._jobs.move(job, frozenset({"Open"}), "UploadComplete", "Closing already Completed Job not allowed")
        self._worker.submit(job)

    async def status(self, request: Request) -> Response:
        """GET of one job."""
        return _json(self._jobs.get(request.path_params["job"]).full())

    async def listing(self, request: Request) -> Response:
        """GET of all jobs, one page."""
        wanted = request.query_params.get("jobType")
        records = [] if wanted not in {None, "V2Ingest"} else [job.listed() for job in self._jobs.all()]
        return _json({"done": True, "nextRecordsUrl": None, "records": records})

    async def delete(self, request: Request) -> Response:
        """DELETE of a job that is not open and not running: 204."""
        await run_in_threadpool(self._jobs.drop, self._jobs.get(request.path_params["job"]))
        return Response(status_code=204)

    async def results(self, request: Request) -> Response:
        """GET of one of the three result sets, only once the job has ended."""
        job, which = self._jobs.get(request.path_params["job"]), request.path_params["which"].lower()
        if which not in RESULTS:
            raise not_found()
        if job.busy or job.shown_state not in {"JobComplete", "Failed", "Aborted"}:
            if self._settings.bulk_results_before_end and job.shown_state != "Open":
                return Response(self._untouched(job, which), media_type="text/csv; charset=UTF-8")
            raise invalid_state(f"Results are not available while the job is {job.shown_state}")
        if not job.result_file.exists():
            return Response(await run_in_threadpool(self._untouched, job, which), media_type="text/csv; charset=UTF-8")
        pieces = self._read(job, which)
        if job.rows <= CALL_ROWS:
            whole = await run_in_threadpool(b"".join, pieces)
            return Response(whole, media_type="text/csv; charset=UTF-8")
        return StreamingResponse(pieces, media_type="text/csv; charset=UTF-8")

    def _read(self, job: IngestJob, which: str) -> Iterator[bytes]:
        settings, shown = self._settings, self._org.schema.object(job.object)
        numbers = {"double", "currency", "percent"} if shown is not None and settings.bulk_echo_java_doubles else set()
        doubles = (
            frozenset(f.name.lower() for f in shown.fields.values() if f.type in numbers) if shown else frozenset()
        )
        return bulk_results.read(job, which, shuffle=settings.bulk_shuffle_results, doubles=doubles)

    @staticmethod
    def _untouched(job: IngestJob, which: str) -> bytes:
        """Result sets of a job whose data nobody looked at: all of it is unprocessed."""
        if which == "unprocessedrecords":
            return job.upload_file.read_bytes() if job.upload_file.exists() else b""
        second = "sf__Created" if which == "successfulresults" else "sf__Error"
        return f'"sf__Id"{job.delimiter}"{second}"{bulk_csv.LINE_ENDINGS[job.line_ending]}'.encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"Unexpected content: {error.msg}") from error
    if not isinstance(data, dict):
        raise OrgError("JSON_PARSER_ERROR", "A JSON object was expected")
    return data


async def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """Job and data of a one-shot creation."""
    async with request.form(max_part_size=MULTIPART_CHARS * 4) as form:
        found: dict[str, bytes] = {}
        for name, part in form.multi_items():
            found[name] = part.encode() if isinstance(part, str) else await part.read()
    if "job" not in found or "content" not in found:
        raise OrgError("INVALIDJOB", "InvalidJob : a multipart job needs the parts job and content")
    if len(found["content"].decode(errors="replace")) > MULTIPART_CHARS:
        raise OrgError("CLIENTINPUTERROR", f"ClientInputError : more than {MULTIPART_CHARS} characters in one request")
    return _object(found["job"]), found["content"]


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps(data), media_type=CONTENT_TYPE)


def routes(org: Org, jobs: IngestJobs, worker: IngestWorker, settings: BulkSettings) -> list[BaseRoute]:
    """Every ingest route."""
    door = IngestDoor(org, jobs, worker, settings)
    return [
        Route(BASE, door.create, methods=["POST"]),
        Route(BASE, door.listing, methods=["GET"]),
        Route(BASE + "/{job}", door.status, methods=["GET"]),
        Route(BASE + "/{job}", door.change, methods=["PATCH"]),
        Route(BASE + "/{job}", door.delete, methods=["DELETE"]),
        Route(BASE + "/{job}/batches", door.upload, methods=["PUT"]),
        Route(BASE + "/{job}/{which}", door.results, methods=["GET"]),
    ]
