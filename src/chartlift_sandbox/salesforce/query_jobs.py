"""Query jobs of Bulk API 2.0: what they look like on the wire and where their results lie.

A job's result is fixed at the moment the job runs and lies on disk as an Arrow file; pages are cut from it.
"""

from __future__ import annotations

import base64
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.soql import virtual
from chartlift_sandbox.salesforce.soql.execute import bound, cells_sql
from chartlift_sandbox.salesforce.soql.plan import Plan

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

JOB_PREFIX = "750"
FIRST_NUMBER = 500_000_000
"""Query jobs count from here, ingest jobs from 1: one key prefix, no common id."""
KEPT = timedelta(days=7)
"""How long a job that has ended can be read."""
BATCH_ROWS = 2_048
TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
_QUOTE = '"'


@dataclass
class QueryJob:
    """One job. `rows` counts the result; `ready` is when its end becomes visible."""

    id: str
    operation: str
    query: str
    object: str
    delimiter: str
    line_ending: str
    version: str
    actor: Actor
    created: datetime
    file: Path
    headers: list[str]
    chunkable: bool
    ready: datetime
    state: str = "UploadComplete"
    outcome: str = "JobComplete"
    error: str | None = None
    rows: int = 0
    busy_ms: int = 0
    ends: list[int] = field(default_factory=list)

    def brief(self) -> dict[str, Any]:
        """The answer to creation and abort."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.actor.user_id,
            "createdDate": _stamp(self.created),
            "systemModstamp": _stamp(self.created),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }

    def full(self) -> dict[str, Any]:
        """The answer to a status request."""
        done = self.state == "JobComplete"
        shown = self.brief() | {
            "jobType": "V2Query",
            "numberRecordsProcessed": self.rows if done else 0,
            "retries": 0,
            "totalProcessingTime": self.busy_ms if done else 0,
            "isPkChunkingSupported": self.chunkable,
        }
        return shown | ({"errorMessage": self.error} if self.state == "Failed" else {})

    def csv(self, start: int, stop: int) -> Iterator[bytes]:
        """Header and rows `start` up to `stop` as CSV, all cells quoted, piece by piece."""
        delimiter, end = DELIMITERS[self.delimiter], LINE_ENDINGS[self.line_ending]
        head = delimiter.join(f'"{header}"' for header in self.headers)
        yield f"{head}{end}".encode()
        if start >= stop:
            return
        with pa.memory_map(str(self.file)) as source, pa.ipc.open_file(source) as reader:
            number = bisect_right(self.ends, start)
            while start < stop:
                before = self.ends[number - 1] if number else 0
                upto = min(stop, self.ends[number])
                yield _lines(reader.get_batch(number).slice(start - before, upto - start), delimiter, end)
                start, number = upto, number + 1


def _lines(batch: pa.RecordBatch, delimiter: str, end: str) -> bytes:
    doubled = [pc.replace_substring(column, _QUOTE, _QUOTE * 2) for column in batch.columns]
    joined = pc.binary_join_element_wise(*doubled, f'"{delimiter}"')
    lines = pc.binary_join_element_wise(_QUOTE, joined, f'"{end}', "")
    size = pc.sum(pc.binary_length(lines)).as_py()
    return lines.buffers()[2].slice(0, size).to_pybytes()


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def locator(offset: int) -> str:
    """The opaque text that names a place in a result."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def offset_of(text: str) -> int:
    """The place that a locator names.

    Raises:
        OrgError: INVALIDLOCATOR when the text is none of ours.
    """
    try:
        offset = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, UnicodeError):
        offset = -1
    if offset < 0:
        raise OrgError("INVALIDQUERYLOCATOR", f"InvalidQueryLocator : Invalid query locator: {text[:40]}")
    return offset


class QueryJobs:
    """All query jobs of one org.

    Args:
        folder: Directory for results; without one, a temporary one that goes with the process.
    """

    def __init__(self, org: Org, folder: Path | None = None) -> None:
        self._org = org
        self._jobs: dict[str, QueryJob] = {}
        self._number = FIRST_NUMBER
        self._own = tempfile.TemporaryDirectory(prefix="org-query-") if folder is None else None
        self._folder = folder or Path(self._own.name if self._own is not None else "")

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps, beside the files of the jobs."""
        return {"jobs": dict(self._jobs), "number": self._number}

    def put_back(self, kept: dict[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        self._jobs, self._number = kept["jobs"], kept["number"]

    def clear(self) -> None:
        """Forget every job (the sandbox is reset)."""
        jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.file.unlink(missing_ok=True)

    def create(self, spec: dict[str, str], plan: Plan, actor: Actor, version: str) -> QueryJob:
        """Run a checked statement and keep its result; the answer still says UploadComplete."""
        now = self._org.clock.now()
        with self._org.lock:
            self._number += 1
            number = ids.make(JOB_PREFIX, self._number)
            job = QueryJob(
                id=number, operation=spec["operation"], query=spec["query"], object=plan.entity,
                delimiter=spec["columnDelimiter"], line_ending=spec["lineEnding"], version=version, actor=actor,
                created=now, file=self._folder / f"{number}.arrow",
                headers=[output.header for output in plan.outputs], chunkable=not plan.order and plan.limit is None,
                ready=now,
            )  # fmt: skip
            self._jobs[job.id] = job
            self._run(job, plan)
        return job

    def _run(self, job: QueryJob, plan: Plan) -> None:
        began = time.monotonic()
        settings = self._org.settings
        sql = cells_sql(
            plan, java_doubles=settings.bulk_query_java_doubles, zulu=settings.bulk_query_z_datetimes
        )  # fmt: skip
        sizes = []
        with virtual.shown(self._org, plan.virtual):
            reader = self._org.db.execute(sql, bound(sql, plan)).to_arrow_reader(BATCH_ROWS)
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.OSFile(str(job.file), "wb") as sink, pa.ipc.new_file(sink, reader.schema, options=options) as out:
                for batch in reader:
                    if batch.num_rows:
                        out.write_batch(batch)
                        sizes.append(batch.num_rows)
        job.ends = list(accumulate(sizes))
        job.rows = job.ends[-1] if job.ends else 0
        job.busy_ms = max(int((time.monotonic() - began) * 1000), 1)

    def get(self, given: str) -> QueryJob:
        """A job by 15- or 18-character id, its state brought up to date.

        Raises:
            OrgError: NOT_FOUND.
        """
        job = self._jobs.get(ids.normalise(given) or "")
        if job is None:
            raise not_found()
        self._settle(job)
        if self._is_old(job):
            self._forget(job)
            raise not_found()
        return job

    def _is_old(self, job: QueryJob) -> bool:
        return job.state in TERMINAL and self._org.clock.now() - job.ready > KEPT

    def _forget(self, job: QueryJob) -> None:
        self._jobs.pop(job.id, None)
        job.file.unlink(missing_ok=True)

    def _settle(self, job: QueryJob) -> None:
        if job.state not in TERMINAL and self._org.clock.now() >= job.ready:
            job.state = job.outcome

    def unsettled(self, given: str) -> QueryJob:
        """A job as the caller last saw it: an abort may still come before its end."""
        job = self._jobs.get(ids.normalise(given) or "")
        if job is None:
            raise not_found()
        return job

    def all(self) -> list[QueryJob]:
        """Every job, newest first."""
        for job in self._jobs.values():
            self._settle(job)
        return [job for job in self._jobs.values() if not self._is_old(job)][::-1]

    def drop(self, job: QueryJob) -> None:
        """Forget a job that has ended, with its result."""
        if job.state not in TERMINAL:
            raise OrgError("API_ERROR", "Error encountered when deleting the job because the job is not terminated")
        self._forget(job)

    def abort(self, job: QueryJob) -> None:
        """Stop a job that has not ended."""
        if job.state in TERMINAL:
            raise OrgError("INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
        job.state = "Aborted"
        job.file.unlink(missing_ok=True)
