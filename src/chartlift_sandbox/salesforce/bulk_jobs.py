"""Ingest jobs of Bulk API 2.0: their states, what they look like on the wire, and where their data lies.

States: Open -> UploadComplete -> InProgress -> JobComplete | Failed, or Aborted. Source: Bulk API 2.0 guide.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import bulk_csv, ids
from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.org import Actor

OPERATIONS = {"insert", "update", "upsert", "delete", "hardDelete"}
TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
DELETABLE = TERMINAL | {"UploadComplete"}
JOB_PREFIX = "750"
KEPT = timedelta(days=7)
"""How long a job that has ended can be read."""


@dataclass
class IngestJob:
    """One job. `size` and `rows` are those of the upload, `processed` includes `failed`; `busy` while it is carried out."""

    id: str
    object: str
    operation: str
    external_id: str | None
    delimiter: str
    line_ending: str
    version: str
    actor: Actor
    created: datetime
    modified: datetime
    folder: Path
    assignment_rule: str | None = None
    state: str = "Open"
    uploaded: bool = False
    size: int = 0
    rows: int = 0
    processed: int = 0
    failed: int = 0
    retries: int = 0
    error: str | None = None
    busy_ms: int = 0
    hold_polls: int = 0
    hold_until: datetime | None = None
    reversed: bool = False
    busy: bool = False
    purge: bool = False
    touched: float = field(default_factory=time.monotonic)

    @property
    def upload_file(self) -> Path:
        """Where the CSV lies between upload and processing."""
        return self.folder / f"{self.id}.csv"

    @property
    def result_file(self) -> Path:
        """Where the outcome of every row lies once the job is terminal."""
        return self.folder / f"{self.id}.arrow"

    @property
    def shown_state(self) -> str:
        """The state callers see; a planned stall hides the end for some polls, or until an instant."""
        return "InProgress" if self.held else self.state

    @property
    def held(self) -> bool:
        """Whether a planned stall hides that the job has ended."""
        return self.state in TERMINAL and (self.hold_polls > 0 or self.hold_until is not None)

    def release(self, now: datetime) -> None:
        """Ends a stall whose time is over."""
        if self.hold_until is not None and now >= self.hold_until:
            self.hold_until = None

    def brief(self) -> dict[str, Any]:
        """The short form that closing and aborting answer."""
        shown = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.actor.user_id,
            "createdDate": _stamp(self.created),
            "systemModstamp": _stamp(self.modified),
            "state": self.shown_state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
        }
        if self.external_id:
            shown["externalIdFieldName"] = self.external_id
        if self.assignment_rule:
            shown["assignmentRuleId"] = self.assignment_rule
        return shown

    def opened(self) -> dict[str, Any]:
        """The answer to creation."""
        return self.brief() | {
            "contentUrl": f"services/data/v{self.version}/jobs/ingest/{self.id}/batches",
            "lineEnding": self.line_ending,
            "columnDelimiter": next(k for k, v in bulk_csv.DELIMITERS.items() if v == self.delimiter),
        }

    def listed(self) -> dict[str, Any]:
        """An element of the job list."""
        return self.opened() | {"jobType": "V2Ingest"}

    def full(self) -> dict[str, Any]:
        """The answer to a status request; counts one poll of a planned stall."""
        busy = max(self.busy_ms, 1) if self.processed else 0
        shown = self.listed() | {
            "numberRecordsProcessed": self.processed,
            "numberRecordsFailed": self.failed,
            "retries": self.retries,
            "totalProcessingTime": busy,
            "apiActiveProcessingTime": busy,
            "apexProcessingTime": 0,
        }
        if self.state == "Failed" and self.shown_state == "Failed":
            shown["errorMessage"] = self.error
        if self.state in TERMINAL and self.hold_polls > 0:
            self.hold_polls -= 1
        return shown


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def invalid_state(message: str) -> OrgError:
    """400: the job is not in a state that allows this."""
    return OrgError("INVALIDJOBSTATE", message)


class IngestJobs:
    """All ingest jobs of one org.

    Args:
        folder: Directory for uploads and results; it must exist.
    """

    def __init__(self, clock: Clock, folder: Path) -> None:
        self._clock, self._folder = clock, folder
        self._lock = threading.Lock()
        self._jobs: dict[str, IngestJob] = {}
        self._number = 0

    def open(self, spec: dict[str, Any], actor: Actor, version: str) -> IngestJob:
        """Creates a job from a checked specification (see `bulk_ingest.check_spec`)."""
        with self._lock:
            self._number += 1
            now = self._clock.now()
            job = IngestJob(
                id=ids.make(JOB_PREFIX, self._number),
                object=spec["object"],
                operation=spec["operation"],
                external_id=spec.get("externalIdFieldName"),
                delimiter=bulk_csv.DELIMITERS[spec.get("columnDelimiter") or "COMMA"],
                line_ending=spec.get("lineEnding") or "LF",
                assignment_rule=spec.get("assignmentRuleId"),
                version=version,
                actor=actor,
                created=now,
                modified=now,
                folder=self._folder,
            )
            self._jobs[job.id] = job
        return job

    def get(self, job_id: str) -> IngestJob:
        """The job of that 15- or 18-character id.

        Raises:
            OrgError: 404, unknown, deleted or ended more than seven days ago.
        """
        found = self.find(job_id)
        if found is not None:
            found.release(self._clock.now())
        if found is not None and found.state in TERMINAL and self._clock.now() - found.modified > KEPT:
            self.drop(found)
            found = None
        if found is None:
            raise not_found()
        return found

    def find(self, job_id: str) -> IngestJob | None:
        """The job of that 15- or 18-character id, however old; None if there is none."""
        return self._jobs.get(ids.normalise(job_id) or "")

    def all(self) -> list[IngestJob]:
        """Jobs in order of creation."""
        for job in list(self._jobs.values()):
            job.release(self._clock.now())
        return list(self._jobs.values())

    def store(self, job: IngestJob, body: bytes) -> None:
        """Keeps the one upload of an open job.

        Raises:
            OrgError: 400, the job is closed or holds data already.
        """
        with self._lock:
            if job.state != "Open":
                raise invalid_state(f"Job is not open for upload: {job.id} is {job.state}")
            if job.uploaded:
                raise invalid_state(
                    f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current "
                    "Job then create a new Job and make sure you only do 'PUT' once on a given Job."
                )
            job.uploaded = True
        job.size = job.upload_file.write_bytes(body)
        self._touch(job)

    def move(self, job: IngestJob, allowed: frozenset[str], state: str, refusal: str) -> None:
        """Changes the state if the present one allows it.

        Raises:
            OrgError: 400 INVALIDJOBSTATE with the text `refusal`.
        """
        with self._lock:
            if job.shown_state not in allowed:
                raise invalid_state(refusal)
            job.state, job.hold_polls, job.hold_until = state, *_kept_hold(job, state)
        self._touch(job)

    def advance(self, job: IngestJob, allowed: frozenset[str], state: str) -> bool:
        """As `move`, for the worker: False instead of an error."""
        try:
            self.move(job, allowed, state, "")
        except OrgError:
            return False
        return True

    def _touch(self, job: IngestJob) -> None:
        job.modified = self._clock.now()

    def drop(self, job: IngestJob) -> None:
        """Deletes a job with its data.

        Raises:
            OrgError: 400 API_ERROR, the job is open or running.
        """
        with self._lock:
            if job.shown_state not in DELETABLE:
                raise OrgError("API_ERROR", "Error encountered when deleting the job because the job is not terminated")
            self._jobs.pop(job.id, None)
        job.upload_file.unlink(missing_ok=True)
        job.result_file.unlink(missing_ok=True)

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps, beside the files of the jobs."""
        return {"jobs": dict(self._jobs), "number": self._number}

    def put_back(self, kept: dict[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        with self._lock:
            self._jobs, self._number = kept["jobs"], kept["number"]
            for job in self._jobs.values():
                job.folder = self._folder

    def clear(self) -> None:
        """Forgets every job (the sandbox is reset)."""
        with self._lock:
            jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            if job.state not in TERMINAL:
                job.state = "Aborted"
            job.upload_file.unlink(missing_ok=True)
            job.result_file.unlink(missing_ok=True)


def _kept_hold(job: IngestJob, state: str) -> tuple[int, datetime | None]:
    """A planned stall outlives everything but an abort."""
    return (0, None) if state == "Aborted" and job.held else (job.hold_polls, job.hold_until)
