"""Routes of Bulk API 1.0 under /services/async, with its own session header and its own errors."""

from collections.abc import Awaitable, Callable

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import bulk_csv
from chartlift_sandbox.salesforce.classic_jobs import QUERIES, Batch, ClassicJob, ClassicJobs
from chartlift_sandbox.salesforce.classic_wire import ClassicError, message, read_control, refused, result_response
from chartlift_sandbox.salesforce.login import Sessions, bearer_token
from chartlift_sandbox.salesforce.org import Actor
from chartlift_sandbox.salesforce.usage import Usage

BASE = "/services/async/{version}/job"
_Endpoint = Callable[[Request, Actor], Awaitable[Response]]


class ClassicDoor:
    """The endpoints over the jobs."""

    def __init__(self, jobs: ClassicJobs, sessions: Sessions, usage: Usage) -> None:
        self._jobs, self._sessions, self._usage = jobs, sessions, usage

    def guarded(self, work: _Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that checks the session first and answers refusals in the words of 1.0."""

        async def endpoint(request: Request) -> Response:
            try:
                return await work(request, await run_in_threadpool(self._actor, request))
            except ClassicError as error:
                return refused(request, error)

        return endpoint

    def _actor(self, request: Request) -> Actor:
        token = bearer_token(request)
        actor = self._sessions.actor(token) if token is not None else None
        if token is None or actor is None:
            raise ClassicError("InvalidSessionId", "Unable to find session")
        self._sessions.slide(token)
        if not self._usage.take("DailyApiRequests"):
            raise ClassicError("ExceededQuota", "TotalRequests Limit exceeded.", 403)
        return actor

    def _job(self, request: Request) -> ClassicJob:
        return self._jobs.get(request.path_params["job"])

    def _batch(self, request: Request) -> tuple[ClassicJob, Batch]:
        return self._jobs.batch(request.path_params["job"], request.path_params["batch"])

    async def create(self, request: Request, actor: Actor) -> Response:
        """POST of a job."""
        words = read_control(request, await request.body())
        version = request.path_params["version"].removeprefix("v")
        return message(request, "jobInfo", self._jobs.open(words, actor, version).info(), 201)

    async def change(self, request: Request, _: Actor) -> Response:
        """POST of a job's state."""
        job = self._job(request)
        self._jobs.close(job, read_control(request, await request.body()).get("state", ""))
        return message(request, "jobInfo", job.info())

    async def status(self, request: Request, _: Actor) -> Response:
        """GET of a job."""
        return message(request, "jobInfo", self._job(request).info())

    async def add(self, request: Request, _: Actor) -> Response:
        """POST of a batch."""
        batch = self._jobs.add(self._job(request), await request.body())
        return message(request, "batchInfo", batch.info(), 201)

    async def batches(self, request: Request, _: Actor) -> Response:
        """GET of all batches of a job."""
        infos = [batch.info() for batch in self._job(request).batches.values()]
        if "json" in request.headers.get("content-type", ""):
            return message(request, "batchInfo", infos)
        return message(request, "batchInfoList", [{"batchInfo": one} for one in infos])

    async def batch(self, request: Request, _: Actor) -> Response:
        """GET of one batch."""
        return message(request, "batchInfo", self._batch(request)[1].info())

    async def upload(self, request: Request, _: Actor) -> Response:
        """GET of what a batch was given."""
        job, batch = self._batch(request)
        kind = "application/json" if job.content_type == "JSON" else "text/csv; charset=UTF-8"
        return Response(batch.body, media_type=kind)

    async def results(self, request: Request, _: Actor) -> Response:
        """GET of a batch's results; for a query, the names of its results."""
        job, batch = self._batch(request)
        if batch.state in {"Queued", "InProgress"}:
            raise ClassicError("InvalidBatch", "Batch not completed")
        if batch.state != "Completed":
            raise ClassicError("InvalidBatch", batch.message or "Records not processed")
        if job.operation in QUERIES:
            return message(request, "result-list", [{"result": batch.result_id}])
        return await run_in_threadpool(result_response, batch.rows, job.content_type)

    async def result(self, request: Request, _: Actor) -> Response:
        """GET of the rows of a query batch."""
        job, batch = self._batch(request)
        found = batch.result
        if found is None or request.path_params["result"][:15] != batch.result_id[:15]:
            raise ClassicError("InvalidBatch", "Result not found")
        if job.content_type == "JSON":
            records = await run_in_threadpool(found.to_records, job.version)
            return Response(orjson.dumps(records), media_type="application/json")
        table = await run_in_threadpool(found.arrow)
        text = bulk_csv.head(table.column_names, quoted=table.num_columns, delimiter=",", line_ending="LF")
        text += bulk_csv.rows(table, delimiter=",", line_ending="LF")
        return Response(text, media_type="text/csv; charset=UTF-8")


def routes(jobs: ClassicJobs, sessions: Sessions, usage: Usage) -> list[BaseRoute]:
    """Every route of Bulk API 1.0."""
    door = ClassicDoor(jobs, sessions, usage)
    one, batch = BASE + "/{job}", BASE + "/{job}/batch/{batch}"
    return [
        Route(BASE, door.guarded(door.create), methods=["POST"]),
        Route(one, door.guarded(door.change), methods=["POST"]),
        Route(one, door.guarded(door.status), methods=["GET"]),
        Route(one + "/batch", door.guarded(door.add), methods=["POST"]),
        Route(one + "/batch", door.guarded(door.batches), methods=["GET"]),
        Route(batch, door.guarded(door.batch), methods=["GET"]),
        Route(batch + "/request", door.guarded(door.upload), methods=["GET"]),
        Route(batch + "/result", door.guarded(door.results), methods=["GET"]),
        Route(batch + "/result/{result}", door.guarded(door.result), methods=["GET"]),
    ]
