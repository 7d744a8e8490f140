"""The background thread that carries closed ingest jobs out, in internal batches of 10,000 records."""

import logging
import math
import queue
import threading
import time
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from chartlift_sandbox.faults import JOB_KINDS, ROW_KINDS, Fault, FaultPlan
from chartlift_sandbox.salesforce import bulk_csv, dml
from chartlift_sandbox.salesforce.bulk_jobs import IngestJob, IngestJobs
from chartlift_sandbox.salesforce.bulk_results import OUTCOME, ResultWriter
from chartlift_sandbox.salesforce.call import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.injected import Rows
from chartlift_sandbox.salesforce.memory import give_back
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.usage import Usage

BATCH_ROWS = 10_000
"""Records of one internal batch, which is what the daily allowance counts."""
CALL_ROWS = 50_000
"""Records handed to the engine at once: every call looks through the whole table for its keys."""
_RUNNING = frozenset({"InProgress"})
_log = logging.getLogger(__name__)


class IngestWorker:
    """Runs one job at a time; jobs wait in the order they were closed."""

    def __init__(self, org: Org, jobs: IngestJobs, usage: Usage, faults: FaultPlan) -> None:
        self._org, self._jobs, self._usage, self._faults = org, jobs, usage, faults
        self._queue: queue.SimpleQueue[IngestJob | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def submit(self, job: IngestJob) -> None:
        """Queues a job that is UploadComplete."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="bulk-ingest", daemon=True)
                self._thread.start()
        self._queue.put(job)

    def stop(self) -> None:
        """Ends the thread after the internal batch in hand."""
        self._stopping.set()
        with self._lock:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join(timeout=30)
                self._thread = None

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            if not self._jobs.advance(job, frozenset({"UploadComplete"}), "InProgress"):
                continue
            start, job.busy = time.monotonic(), True
            try:
                state = self._carry_out(job)
            except Exception:  # noqa: BLE001 - a job that breaks must end as Failed, not end the thread
                _log.exception("ingest job %s", job.id)
                job.error, state = "InternalServerError : Unexpected error", "Failed"
            job.busy_ms = math.ceil((time.monotonic() - start) * 1000)
            job.busy = False
            self._jobs.advance(job, _RUNNING, state)
            if job.purge:
                self._jobs.drop(job)
            with self._org.lock:
                self._org.packing.rest(self._org.db)
            give_back(job.size)

    def _carry_out(self, job: IngestJob) -> str:
        """Processes the job's data and answers the state it ends in."""
        body = job.upload_file.read_bytes() if job.uploaded else b""
        try:
            echo = bulk_csv.parse(body, job.delimiter, job.line_ending, skip_bom=self._org.settings.bulk_skips_bom)
        except bulk_csv.BulkDataError as error:
            job.error = str(error)
            return "Failed"
        del body
        job.rows = echo.num_rows
        with ResultWriter(job, echo) as results:
            state = self._process(job, echo, results)
            results.add(echo.slice(job.processed), OUTCOME.empty_table())
        job.upload_file.unlink(missing_ok=True)
        return "JobComplete" if state == "InProgress" else state

    def _process(self, job: IngestJob, echo: pa.Table, results: ResultWriter) -> str:
        """Hands the rows to the engine, some at a time; answers the state after the last of them."""
        state, faults = "JobComplete", self._taken(job)
        for start in range(0, echo.num_rows or 1, CALL_ROWS):
            if job.state != "InProgress" or self._stopping.is_set():
                return "Aborted"
            state, outcome = self._batch(job, echo.slice(start, CALL_ROWS), faults)
            results.add(echo.slice(start, outcome.num_rows), _hide_created(outcome, faults))
            job.processed += outcome.num_rows
            job.failed += outcome.num_rows - (pc.sum(outcome["success"]).as_py() or 0)
            if state != "InProgress":
                break
        return state

    def _batch(self, job: IngestJob, echo: pa.Table, faults: list[Fault]) -> tuple[str, pa.Table]:
        """Some internal batches: the state after them (InProgress = go on) and the outcome of its rows, in order."""
        stop = next((one for one in faults if one.kind in {"fail_job", "abort_job"}), None)
        last = 0 if stop is None else _last_row(stop, job.rows)
        ends = [last for one in faults if one is stop] + [one.landed for one in faults if one.landed is not None]
        if ends:
            echo = echo.slice(0, max(min(ends) - job.processed, 0))
        batches = max(math.ceil(echo.num_rows / BATCH_ROWS), 1)
        granted = next((n for n in range(batches) if not self._usage.take("DailyBulkApiBatches")), batches)
        if granted < batches:
            job.error = "ExceededQuota : Daily bulk API batch limit exceeded"
            echo = echo.slice(0, granted * BATCH_ROWS)
        if not granted:
            return "Failed", OUTCOME.empty_table()
        try:
            outcome = self._dml(job, echo, [one for one in faults if one.kind in ROW_KINDS])
        except OrgError as error:
            column = error.fields[0] if error.code == "INVALID_FIELD" and error.fields else None
            job.error = f"InvalidBatch : Field name not found : {column}" if column else f"InvalidBatch : {error}"
            return "Failed", OUTCOME.empty_table()
        if stop is not None and job.processed + outcome.num_rows >= last:
            job.error = stop.body or "InternalServerError : planned fault"
            return ("Failed" if stop.kind == "fail_job" else "Aborted"), outcome
        if ends and job.processed + outcome.num_rows >= min(ends):
            return "JobComplete", outcome
        return ("InProgress" if granted == batches else "Failed"), outcome

    def _taken(self, job: IngestJob) -> list[Fault]:
        """The faults that are due for a job; what they do to the job as a whole is noted in it."""
        where = f"/services/data/v{job.version}/jobs/ingest/{job.id}"
        faults = self._faults.take(JOB_KINDS, "org", None, where, job.object, job.operation)
        for fault in faults:
            if fault.kind == "stall":
                job.hold_polls = fault.rows
                if fault.clock_s:
                    job.hold_until = self._org.clock.now() + timedelta(seconds=fault.clock_s)
            job.purge |= fault.kind == "purge_job"
            job.reversed |= fault.kind == "order"
        return faults

    def _dml(self, job: IngestJob, echo: pa.Table, faults: list[Fault]) -> pa.Table:
        """Hands rows to the engine, through the faults of rows if there are any."""
        actor = self._org.actor_for(job.actor.user_id)  # what the user may do now, not when the job was opened
        options = DmlOptions(channel="bulk")
        table = bulk_csv.to_engine(echo)
        if faults:
            rows = Rows(
                self._org, self._faults, job.operation, job.object, table, actor, job.external_id, job.id,
                options=options, offset=job.processed, total=job.rows,
            )  # fmt: skip
            with self._org.lock:
                answer = rows.run(faults)
        else:
            with self._org.lock:  # past the injector of the other channels: a job's faults were taken when it began
                answer = dml.run(
                    self._org, job.operation, job.object, table, actor,
                    external_id=job.external_id, job=job.id, options=options,
                )  # fmt: skip
                self._org.packing.wrote(self._org.db, table.num_rows)
        return answer.select(OUTCOME.names).cast(OUTCOME)


def _last_row(stop: Fault, rows: int) -> int:
    """Records of a job that are processed before a fault ends it."""
    return stop.rows if stop.rows or stop.fraction is None else int(rows * stop.fraction)


def _hide_created(outcome: pa.Table, faults: list[Fault]) -> pa.Table:
    """New rows that the results call old ones."""
    for fault in faults:
        if fault.kind == "created_false":
            share = 1.0 if fault.share is None else fault.share
            hit = pc.less(row_numbers(outcome.num_rows), int(outcome.num_rows * share))
            created = pc.and_(outcome["created"].combine_chunks(), pc.invert(hit))
            outcome = outcome.set_column(outcome.column_names.index("created"), "created", created)
    return outcome
