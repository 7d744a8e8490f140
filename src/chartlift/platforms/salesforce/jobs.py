"""Single calls about an ingest job of the Bulk API 2.0, each safe against a lost answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from chartlift.errors import Unreachable
from chartlift.model.ports import Clock, JobGone, OnStep, Step
from chartlift.platforms.salesforce.errors import NoAnswer, Refused, safe_code
from chartlift.platforms.salesforce.render import Payload
from chartlift.platforms.salesforce.rest import JSON_BODY, Rest
from chartlift.platforms.salesforce.session import Repeat

OPEN, CLOSED = "Open", "UploadComplete"
TERMINAL = frozenset({"JobComplete", "Failed", "Aborted"})
ASKS = 5
"""How often an unclear call is cleared up by looking at the job."""

FIRST_WAIT, LONGEST_WAIT, WAIT_GROWTH = 0.5, 20.0, 1.6  # seconds between polls
PATIENCE = timedelta(hours=6)
"""How long one process waits for a job. The job is never given up: the next start waits on."""


@dataclass(frozen=True, slots=True)
class JobState:
    """What the org says about a job. `reason` is the code in front of its error message, `message` stays in memory."""

    id: str
    state: str
    operation: str
    object: str
    processed: int
    failed: int
    reason: str = ""
    message: str = ""


def state_of(item: dict[str, Any]) -> JobState:
    """A job from its JSON."""
    message = item.get("errorMessage") or ""
    return JobState(
        id=str(item.get("id", "")),
        state=str(item.get("state", "")),
        operation=str(item.get("operation", "")),
        object=str(item.get("object", "")),
        processed=int(item.get("numberRecordsProcessed") or 0),
        failed=int(item.get("numberRecordsFailed") or 0),
        reason=safe_code(message.split(":", 1)[0].strip()) if message else "",
        message=message,
    )


class Jobs:
    """Calls on `/jobs/{kind}` (ingest or query)."""

    def __init__(self, rest: Rest, clock: Clock, kind: str = "ingest") -> None:
        """Take the REST API and the clock that polling waits on."""
        self._rest = rest
        self._clock = clock
        self._kind = kind

    def path(self, job_id: str = "", part: str = "") -> str:
        """Absolute path of the jobs, of one job or of a part of it."""
        return "/".join(piece for piece in (f"{self._rest.root}/jobs/{self._kind}", job_id, part) if piece)

    def create(self, document: dict[str, str], *, repeat: Repeat = Repeat.UNSENT) -> JobState:
        """Make a job.

        A job without data never does anything and dies after a day. So when the answer got lost, another one is made.
        """
        for ask in range(ASKS):
            try:
                return self._call("POST", self.path(), document, repeat)
            except NoAnswer as error:
                if error.unsent or ask == ASKS - 1:
                    raise
                self._clock.sleep(FIRST_WAIT * 2**ask)
        raise AssertionError("the last ask returns or raises")

    def get(self, job_id: str) -> JobState:
        """How a job is.

        Raises:
            JobGone: the org does not know it.
        """
        try:
            return self._call("GET", self.path(job_id), None, Repeat.ALWAYS)
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise JobGone(job_id) from None
            raise

    def upload(self, job_id: str, payload: Payload) -> None:
        """Put the data into an open job. Only a 201 says that it is there."""
        headers = {"Content-Type": "text/csv; charset=UTF-8"}
        if payload.gzip:
            headers["Content-Encoding"] = "gzip"
        self._rest.session.call(
            "PUT",
            self.path(job_id, "batches"),
            repeat=Repeat.UNSENT,
            content=payload.body,
            headers=headers,
            ok=(200, 201),
        )

    def close(self, job_id: str) -> JobState:
        """Let the org begin. A lost answer is cleared up by looking at the job before it is said again."""
        return self._change(job_id, CLOSED)

    def abort(self, job_id: str) -> JobState:
        """Give up a job; returns how it is afterwards (it may have ended by itself in the meantime)."""
        return self._change(job_id, "Aborted")

    def _change(self, job_id: str, wanted: str) -> JobState:
        for ask in range(ASKS):
            try:
                return self._call("PATCH", self.path(job_id), {"state": wanted}, Repeat.UNSENT)
            except NoAnswer:
                if ask == ASKS - 1:
                    raise
                self._clock.sleep(FIRST_WAIT * 2**ask)
            except Refused:
                # said twice, or too late: what counts is how the job is
                now = self.get(job_id)
                if now.state == OPEN:
                    raise
                return now
            now = self.get(job_id)
            if now.state != OPEN and not (wanted == "Aborted" and now.state not in TERMINAL):
                return now
        raise AssertionError("the last ask returns or raises")

    def wait(self, job_id: str, on_step: OnStep, limit: timedelta = PATIENCE) -> JobState:
        """Look at a job, less and less often, until it has ended.

        Raises:
            JobGone: the org does not know it any more.
            Unreachable: it has not ended within the limit; it goes on all the same.
        """
        until = self._clock.now() + limit
        pause = FIRST_WAIT
        while True:
            self._clock.sleep(pause)
            found = self.get(job_id)
            on_step(Step("polled", job_id, {"state": found.state, "processed": found.processed}))
            if found.state in TERMINAL:
                return found
            if self._clock.now() > until:
                raise Unreachable(
                    f"job {job_id} is still {found.state} after {limit}", hint="Run the same command again to wait on."
                )
            pause = min(pause * WAIT_GROWTH, LONGEST_WAIT)

    def _call(self, method: str, path: str, document: dict[str, str] | None, repeat: Repeat) -> JobState:
        body = json.dumps(document).encode() if document is not None else b""
        headers = JSON_BODY if body else None
        found = self._rest.session.call(method, path, repeat=repeat, content=body, headers=headers).document
        if not isinstance(found, dict) or not found.get("id"):
            raise NoAnswer(f"{method} {path}", "it is not about a job", unsent=False)
        return state_of(found)
