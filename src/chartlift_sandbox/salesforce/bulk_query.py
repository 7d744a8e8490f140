"""Routes of Bulk API 2.0 query jobs. Source: Bulk API 2.0 guide v67."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS
from chartlift_sandbox.salesforce.errors import CONTENT_TYPE, OrgError
from chartlift_sandbox.salesforce.query_jobs import QueryJob, QueryJobs, locator, offset_of
from chartlift_sandbox.salesforce.records import require_json
from chartlift_sandbox.salesforce.soql.plan import Plan
from chartlift_sandbox.salesforce.soql.syntax import Function, Query, SelectItem, Subquery, TypeOf
from chartlift_sandbox.salesforce.usage import Usage

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

BASE = "/services/data/v{version}/jobs/query"
PAGE_ROWS = 250_000
"""Rows per page when the caller does not say; the platform chooses by size."""
RESULT_PAGES = 5
_CSV = "text/csv; charset=UTF-8"
_WORDS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding", "object", "concurrencyMode"})
_RENAMING = frozenset({"FIELDS", "TOLABEL", "FORMAT", "CONVERTCURRENCY"})
_COMPOUND = frozenset({"address", "location"})


class BulkQueryDoor:
    """The endpoints over one store of jobs."""

    def __init__(self, org: Org, jobs: QueryJobs, usage: Usage | None = None) -> None:
        self._org, self._jobs, self._usage = org, jobs, usage

    async def create(self, request: Request) -> Response:
        """POST: check the statement, run it, answer a job in state UploadComplete."""
        require_json(request)
        spec = _spec(await request.body())
        actor, version = request.state.actor, request.state.version
        return _json((await run_in_threadpool(self._create, spec, actor, version)).brief())

    def _create(self, spec: dict[str, str], actor: Actor, version: str) -> QueryJob:
        if self._usage is not None and not self._usage.take("DailyBulkV2QueryJobs"):
            raise OrgError("EXCEEDEDQUOTA", "ExceededQuota : Daily limit of query jobs exceeded")
        refuse_constructs(soql.parse(spec["query"]))
        with self._org.lock:
            plan = soql.prepare(self._org, actor, spec["query"], all_rows=spec["operation"] == "queryAll")
            _refuse_columns(plan)
            return self._jobs.create(spec, plan, actor, version)

    async def listing(self, request: Request) -> Response:
        """GET of all jobs, one page."""
        wanted = request.query_params.get("jobType")
        records = [] if wanted not in {None, "V2Query"} else [job.full() for job in self._jobs.all()]
        return _json({"done": True, "nextRecordsUrl": None, "records": records})

    async def status(self, request: Request) -> Response:
        """GET of one job."""
        return _json(self._jobs.get(request.path_params["job"]).full())

    async def change(self, request: Request) -> Response:
        """PATCH of the state; only Aborted can be asked for."""
        job = self._jobs.unsettled(request.path_params["job"])
        state = _object(await request.body()).get("state")
        if state != "Aborted":
            raise OrgError("INVALIDJOB", f"InvalidJob : Invalid state: {state}")
        self._jobs.abort(job)
        return _json(job.brief())

    async def delete(self, request: Request) -> Response:
        """DELETE of a job that has ended: 204."""
        self._jobs.drop(self._jobs.unsettled(request.path_params["job"]))
        return Response(status_code=204)

    async def results(self, request: Request) -> Response:
        """GET of one page as CSV; headers tell how many rows it has and where the next begins."""
        job = self._complete(request)
        start = self._start(request, job)
        stop = min(start + _page_rows(request), job.rows)
        following = locator(stop) if stop < job.rows else "null"
        headers = {"Sforce-NumberOfRecords": str(stop - start), "Sforce-Locator": following}
        return StreamingResponse(job.csv(start, stop), headers=headers, media_type=_CSV)

    async def pages(self, request: Request) -> Response:
        """GET of up to five page addresses that may be fetched side by side."""
        job = self._complete(request)
        rows = _page_rows(request)
        start = self._start(request, job)
        root = f"/services/data/v{job.version}/jobs/query/{job.id}"
        asked = f"maxRecords={rows}&" if request.query_params.get("maxRecords") else ""
        starts = list(range(start, max(job.rows, start + 1), rows))
        pages = [{"resultUrl": f"{root}/results?{asked}locator={locator(at)}"} for at in starts[:RESULT_PAGES]]
        answer: dict[str, Any] = {"resultPages": pages, "done": len(starts) <= RESULT_PAGES, "nextRecordsUrl": None}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{root}/resultPages?{asked}locator={locator(starts[RESULT_PAGES])}"
        return _json(answer)

    def _complete(self, request: Request) -> QueryJob:
        job = self._jobs.get(request.path_params["job"])
        if float(request.state.version) != float(job.version):
            message = f"The job was created with API version {job.version}; use the same version for its results"
            raise OrgError("API_ERROR", message, status=409)
        if job.state != "JobComplete":
            raise OrgError("INVALIDJOBSTATE", f"Results are not available while the job is {job.state}")
        return job

    @staticmethod
    def _start(request: Request, job: QueryJob) -> int:
        given = request.query_params.get("locator")
        start = offset_of(given) if given and given != "null" else 0
        if start > job.rows:
            raise OrgError("INVALIDQUERYLOCATOR", "InvalidQueryLocator : The locator lies beyond the result")
        return start


def refuse_constructs(query: Query) -> None:
    """Refuse what a query job cannot run.

    Raises:
        OrgError: API_ERROR naming the construct.
    """
    calls = [item.what for item in query.select if isinstance(item, SelectItem) and isinstance(item.what, Function)]
    wrong = None
    if query.group_by:
        wrong = "GROUP BY"
    elif query.offset is not None:
        wrong = "OFFSET"
    elif any(isinstance(item, TypeOf) for item in query.select):
        wrong = "TYPEOF"
    elif any(isinstance(item, Subquery) for item in query.select):
        wrong = "Aggregate Relationships"
    elif any(call.upper == "FIELDS" and call.written.upper() != "FIELDS(STANDARD)" for call in calls):
        wrong = "FIELDS(ALL) and FIELDS(CUSTOM)"
    elif any(call.upper not in _RENAMING for call in calls):
        wrong = "Aggregate functions"
    if wrong:
        raise OrgError("API_ERROR", f"{wrong} not supported in Bulk V2 Query")


def _refuse_columns(plan: Plan) -> None:
    for output in plan.outputs:
        if output.field.type in _COMPOUND:
            message = f"Selecting compound data not supported in Bulk Query: {output.header}"
            raise OrgError("API_ERROR", message)
        if output.field.type == "base64":
            raise OrgError("API_ERROR", f"Binary fields not supported in Bulk Query: {output.header}")


def _spec(body: bytes) -> dict[str, str]:
    spec = _object(body)
    if unknown := sorted(set(spec) - _WORDS):
        raise OrgError("JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}"')
    if wrong := sorted(word for word, value in spec.items() if value is not None and not isinstance(value, str)):
        raise OrgError("JSON_PARSER_ERROR", f"Cannot deserialize the value of {wrong[0]}: a text was expected")
    full = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
    full |= {key: str(value) for key, value in spec.items() if value is not None}
    if full.get("operation") not in {"query", "queryAll"}:
        raise OrgError("INVALIDJOB", f"InvalidJob : Invalid operation: {full.get('operation')}")
    if not full.get("query", "").strip():
        raise OrgError("INVALIDJOB", "InvalidJob : Missing required query")
    if full["contentType"] != "CSV":
        raise OrgError("INVALIDJOB", f"InvalidJob : Invalid contentType: {full['contentType']}")
    for word, table in (("columnDelimiter", DELIMITERS), ("lineEnding", LINE_ENDINGS)):
        if full[word] not in table:
            raise OrgError("INVALIDJOB", f"InvalidJob : Invalid {word}: {full[word]}")
    return full


def _page_rows(request: Request) -> int:
    given = request.query_params.get("maxRecords")
    if not given:
        return PAGE_ROWS
    if not given.isdigit() or int(given) == 0:
        raise OrgError("INVALIDJOB", f"InvalidJob : Invalid maxRecords: {given}")
    return int(given)


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"Unexpected content: {error.msg}") from error
    if not isinstance(data, dict):
        raise OrgError("JSON_PARSER_ERROR", "A JSON object was expected")
    return data


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps(data), media_type=CONTENT_TYPE)


def routes(org: Org, usage: Usage | None = None, jobs: QueryJobs | None = None) -> list[BaseRoute]:
    """Every route of query jobs; with `usage` they count against the daily allowance of jobs."""
    door = BulkQueryDoor(org, jobs or QueryJobs(org), usage)
    return [
        Route(BASE, door.create, methods=["POST"]),
        Route(BASE, door.listing, methods=["GET"]),
        Route(BASE + "/{job}", door.status, methods=["GET"]),
        Route(BASE + "/{job}", door.change, methods=["PATCH"]),
        Route(BASE + "/{job}", door.delete, methods=["DELETE"]),
        Route(BASE + "/{job}/results", door.results, methods=["GET"]),
        Route(BASE + "/{job}/resultPages", door.pages, methods=["GET"]),
    ]
