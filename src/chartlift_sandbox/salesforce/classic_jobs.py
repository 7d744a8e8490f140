"""Jobs and batches of Bulk API 1.0, which older clients still speak. Batches run one after the other."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chartlift_sandbox.salesforce import bulk_csv, ids, soql
from chartlift_sandbox.salesforce.call import DmlOptions
from chartlift_sandbox.salesforce.classic_wire import ClassicError, read_rows
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.soql.result import QueryResult
from chartlift_sandbox.salesforce.usage import Usage

QUERIES = frozenset({"query", "queryAll"})
OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"}) | QUERIES
BATCH_ROWS = 10_000
BATCH_BYTES = 10_000_000
_JOB_PREFIX, _BATCH_PREFIX, _RESULT_PREFIX = "750", "751", "752"
_DONE = frozenset({"Completed", "Failed", "Not Processed"})
_log = logging.getLogger(__name__)


@dataclass
class Batch:
    """One batch: `rows` are the engine's answers in the order of the upload, `result` that of a query."""

    id: str
    job: str
    body: bytes
    created: datetime
    modified: datetime
    state: str = "Queued"
    message: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    result: QueryResult | None = None

    def info(self) -> dict[str, Any]:
        """What the API calls batchInfo."""
        failed = sum(not row["success"] for row in self.rows)
        total = self.result.total if self.result is not None else len(self.rows)
        shown = {
            "id": self.id, "jobId": self.job, "state": self.state, "stateMessage": self.message,
            "createdDate": _stamp(self.created), "systemModstamp": _stamp(self.modified),
            "numberRecordsProcessed": total, "numberRecordsFailed": failed, "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0, "apexProcessingTime": 0,
        }  # fmt: skip
        return {key: value for key, value in shown.items() if value is not None}

    @property
    def result_id(self) -> str:
        """Name of the one result of a query batch."""
        return ids.to18(_RESULT_PREFIX + self.id[3:15])


@dataclass
class ClassicJob:
    """One job."""

    id: str
    operation: str
    object: str
    external_id: str | None
    content_type: str
    concurrency: str
    version: str
    actor: Actor
    created: datetime
    modified: datetime
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """What the API calls jobInfo, with its counters."""
        states = [batch.state for batch in self.batches.values()]
        counters = [batch.info() for batch in self.batches.values()]
        shown = {
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": self.actor.user_id,
            "createdDate": _stamp(self.created), "systemModstamp": _stamp(self.modified), "state": self.state,
            "externalIdFieldName": self.external_id, "concurrencyMode": self.concurrency,
            "contentType": self.content_type, "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"), "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"), "numberBatchesTotal": len(states),
            "numberRecordsProcessed": sum(one["numberRecordsProcessed"] for one in counters), "numberRetries": 0,
            "apiVersion": float(self.version),
            "numberRecordsFailed": sum(one["numberRecordsFailed"] for one in counters), "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0, "apexProcessingTime": 0,
        }  # fmt: skip
        return {key: value for key, value in shown.items() if value is not None}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


class ClassicJobs:
    """All jobs of Bulk API 1.0 of one org."""

    def __init__(self, org: Org, usage: Usage) -> None:
        self._org, self._usage = org, usage
        self._lock = threading.Lock()
        self.jobs: dict[str, ClassicJob] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._numbers = {_JOB_PREFIX: 62**3, _BATCH_PREFIX: 0}

    def open(self, words: dict[str, str], actor: Actor, version: str) -> ClassicJob:
        """Creates a job.

        Raises:
            ClassicError: unknown object or operation, an upsert without key, content that is not offered.
        """
        found, operation = self._org.schema.object(words.get("object", "")), words.get("operation", "")
        kind = words.get("contentType", "XML").upper()
        if found is None:
            raise ClassicError("InvalidEntity", f"Unable to find object: {words.get('object', '')}")
        if operation not in OPERATIONS:
            raise ClassicError("InvalidJob", f"Invalid operation: {operation}")
        if operation == "upsert" and not words.get("externalIdFieldName"):
            raise ClassicError("InvalidJob", "External ID was blank for upsert operation")
        if operation == "hardDelete" and "BulkApiHardDelete" not in actor.permissions:
            raise ClassicError("FeatureNotEnabled", "hardDelete operation requires special user profile permission")
        if kind not in {"CSV", "JSON"}:
            raise ClassicError("FeatureNotEnabled", f"contentType {kind} is not offered here")
        now = self._org.clock.now()
        job = ClassicJob(
            self._next(_JOB_PREFIX), operation, found.name, words.get("externalIdFieldName"), kind,
            words.get("concurrencyMode", "Parallel"), version, actor, now, now,
        )  # fmt: skip
        self.jobs[job.id] = job
        return job

    def _next(self, prefix: str) -> str:
        with self._lock:
            self._numbers[prefix] += 1
            return ids.make(prefix, self._numbers[prefix])

    def get(self, job_id: str) -> ClassicJob:
        """A job by id.

        Raises:
            ClassicError: there is none of that id.
        """
        found = self.jobs.get(ids.normalise(job_id) or "")
        if found is None:
            raise ClassicError("InvalidJob", f"Unable to find job: {job_id}")
        return found

    def batch(self, job_id: str, batch_id: str) -> tuple[ClassicJob, Batch]:
        """A batch with its job.

        Raises:
            ClassicError: there is none of that id.
        """
        job = self.get(job_id)
        found = job.batches.get(ids.normalise(batch_id) or "")
        if found is None:
            raise ClassicError("InvalidBatch", f"Unable to find batch: {batch_id}")
        return job, found

    def close(self, job: ClassicJob, state: str) -> None:
        """Closes or aborts a job.

        Raises:
            ClassicError: it has ended, or the state is none that can be asked for.
        """
        if state not in {"Closed", "Aborted"}:
            raise ClassicError("InvalidJob", f"Invalid job state: {state}")
        if job.state == "Aborted" or (job.state == "Closed" and state == "Aborted" and self._all_done(job)):
            raise ClassicError("InvalidJobState", f"The job is {job.state}")
        job.state, job.modified = state, self._org.clock.now()
        if state == "Aborted":
            for batch in job.batches.values():
                batch.state = "Not Processed" if batch.state == "Queued" else batch.state

    @staticmethod
    def _all_done(job: ClassicJob) -> bool:
        return all(batch.state in _DONE for batch in job.batches.values())

    def add(self, job: ClassicJob, body: bytes) -> Batch:
        """Queues a batch.

        Raises:
            ClassicError: the job is not open, the batch too large, or the allowance used up.
        """
        if job.state != "Open":
            raise ClassicError("InvalidJobState", f"The job is {job.state}")
        if len(body) > BATCH_BYTES:
            raise ClassicError("ClientInputError", f"Batch exceeds {BATCH_BYTES} bytes")
        if not self._usage.take("DailyBulkApiBatches"):
            raise ClassicError("ExceededQuota", "ApiBatchItems Limit exceeded.")
        now = self._org.clock.now()
        batch = Batch(self._next(_BATCH_PREFIX), job.id, body, now, now)
        with self._lock:
            job.batches[batch.id] = batch
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, "bulk-classic")
            self._pool.submit(self._run, job, batch)
        return batch

    def _run(self, job: ClassicJob, batch: Batch) -> None:
        if batch.state != "Queued":
            return
        batch.state = "InProgress"
        try:
            self._carry_out(job, batch)
            state = "Completed"
        except (bulk_csv.BulkDataError, OrgError) as error:
            column = error.fields[0] if isinstance(error, OrgError) and error.fields else None
            text = f"InvalidBatch : Field name not found : {column}" if column else str(error)
            batch.message, state = text, "Failed"
        except Exception:  # noqa: BLE001 - a batch that breaks must end as Failed, not end the thread
            _log.exception("batch %s", batch.id)
            batch.message, state = "InternalServerError : Unexpected error", "Failed"
        batch.modified = self._org.clock.now()
        batch.state = state

    def _carry_out(self, job: ClassicJob, batch: Batch) -> None:
        actor = self._org.actor_for(job.actor.user_id)
        if job.operation in QUERIES:
            text = batch.body.decode()
            batch.result = soql.run(self._org, actor, text, all_rows=job.operation == "queryAll")
            return
        table = read_rows(batch.body, job.content_type)
        if table.num_rows > BATCH_ROWS:
            raise bulk_csv.BulkDataError(f"ClientInputError : more than {BATCH_ROWS} records in one batch")
        answer = self._org.dml(
            job.operation,
            job.object,
            table,
            actor,
            external_id=job.external_id,
            job=job.id,
            options=DmlOptions(channel="bulk", serial=job.concurrency == "Serial"),
        )
        with self._org.lock:
            self._org.packing.wrote(self._org.db, table.num_rows)
        batch.rows = answer.to_pylist()

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps; the result of a query is made anew."""
        jobs = {
            key: replace(job, batches={name: replace(one, result=None) for name, one in job.batches.items()})
            for key, job in self.jobs.items()
        }
        return {"jobs": jobs, "numbers": dict(self._numbers)}

    def put_back(self, kept: dict[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        with self._lock:
            self.jobs, self._numbers = kept["jobs"], kept["numbers"]
            for job in self.jobs.values():
                for batch in job.batches.values():
                    if batch.state == "Completed" and job.operation in QUERIES:
                        self._carry_out(job, batch)

    def busy(self) -> bool:
        """Whether a batch waits or runs."""
        return any(one.state in {"Queued", "InProgress"} for job in self.jobs.values() for one in job.batches.values())

    def clear(self) -> None:
        """Forgets everything (the sandbox is reset)."""
        with self._lock:
            self.jobs = {}

    def stop(self) -> None:
        """Waits for the batch in hand and ends the thread."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
