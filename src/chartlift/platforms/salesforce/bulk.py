"""Writing by the Bulk API 2.0: one batch = one job, its fate known row by row or said to be unknown.

create → upload → close → poll → results. Each step is reported before the next one starts, so that a process that dies
in between can be continued by `settle`. Nothing is processed before a job is closed: whatever goes wrong earlier ends
with an aborted job and a fresh one.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pyarrow as pa
import pyarrow.compute

from chartlift.errors import QuotaExhausted, StopError
from chartlift.model.ports import (
    Clock,
    JobGone,
    JobUnsent,
    OnStep,
    Step,
    WriteResult,
)
from chartlift.platforms.salesforce import results
from chartlift.platforms.salesforce.errors import NoAnswer, Refused, Remedy, remedy
from chartlift.platforms.salesforce.jobs import OPEN, Jobs, JobState
from chartlift.platforms.salesforce.render import Payload, bulk_columns, render
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.results import Garbled, Sets

pc: Any = pyarrow.compute  # its functions are made at run time, so tools see none of them

UPLOADS = 4
"""How many jobs are begun for one batch before giving up (all but the last one aborted while still open)."""

FETCHES = 4
"""How often results that do not add up are fetched."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written: the columns as they go into CSV, and the keys the caller knows the rows by."""

    object: str
    operation: str
    table: pa.Table
    echo: str  # the column of `table` that results are joined by
    sent: pa.ChunkedArray  # its values
    keys: pa.ChunkedArray  # the caller's keys, row by row

    def keyed(self, found: pa.Table) -> pa.Table:
        """Result rows under the caller's keys."""
        if self.sent is self.keys:
            return found
        place = pc.index_in(found.column("key"), value_set=self.sent.combine_chunks())
        return found.set_column(0, "key", self.keys.take(place))


def batch_of(object_name: str, operation: str, table: pa.Table, key_column: str) -> Batch:
    """Choose the column that results are joined by: the key for inserts, Id for everything that has one.

    Raises:
        ValueError: that column is missing, or its values are not there or not distinct.
    """
    spelled = {name.lower(): name for name in table.column_names}
    echo = spelled.get(key_column.lower() if operation == "insert" else "id")
    key = spelled.get(key_column.lower(), echo)
    if echo is None or key is None:
        raise ValueError(f"an {operation} needs the column {key_column if operation == 'insert' else 'Id'}")
    sent, keys = table.column(echo), table.column(key)
    if sent.null_count or pc.count_distinct(sent).as_py() != len(sent):
        raise ValueError(f"column {echo} has empty or repeated values")
    wire = table.select([echo]) if operation == "delete" else bulk_columns(table, keep=(echo,))
    return Batch(object_name, operation, wire, echo, sent, sent if key == echo else keys)


class Bulk:
    """Ingest jobs of one org. `gzip` says whether uploads are compressed: yes | no | auto (until the org refuses)."""

    def __init__(self, rest: Rest, clock: Clock, *, gzip: str = "auto") -> None:
        """Take the REST API and the clock that waiting goes through."""
        self.jobs = Jobs(rest, clock)
        self._session = rest.session
        self._clock = clock
        self._gzip = gzip != "no"
        self._doubtful = gzip == "auto"  # until a compressed upload was processed

    def write(
        self, object_name: str, operation: str, table: pa.Table, *, key_column: str, on_step: OnStep
    ) -> WriteResult:
        """Write one batch; see ports.Destination. Rows whose fate cannot be learned get the outcome `unknown`.

        Raises:
            StopError: the org does not know a column.
        """
        batch = batch_of(object_name, operation, table, key_column)
        job = self._begun(batch, on_step)
        on_step(Step("closing", job.id))
        self.jobs.close(job.id)
        on_step(Step("closed", job.id))
        try:
            ended = self.jobs.wait(job.id, on_step)
            if self._unreadable(ended):
                return self.write(object_name, operation, table, key_column=key_column, on_step=on_step)
            rows, note = self._rows(ended, batch)
        except JobGone:
            ended, rows = job, results.unprocessed(batch.sent, "unknown")
            note = "the org does not know the job any more"
        return _reported(batch.keyed(rows), len(batch.sent), ended, note, on_step)

    def settle(self, job_id: str, *, key_column: str, on_step: OnStep) -> WriteResult:
        """Continue a job of an earlier process; see ports.Destination.

        What was sent is not known here: `sent` counts the rows in the results, the caller compares them with its own.

        Raises:
            JobGone: the org does not know it, or its results never add up: ask the org about the rows.
            JobUnsent: it was open, or it was aborted before any row was processed.
        """
        found = self.jobs.get(job_id)
        if found.state == OPEN:
            found = self.jobs.abort(job_id)
            on_step(Step("aborted", job_id, {"state": found.state}))
            if found.state == "Aborted":
                raise JobUnsent(job_id)
        ended = self.jobs.wait(job_id, on_step)
        rows = self._settled_rows(ended, key_column)
        if (
            ended.state == "Aborted"
            and ended.processed == 0
            and not pc.any(pc.is_in(rows["outcome"], _TOUCHED)).as_py()
        ):
            raise JobUnsent(job_id)
        return _reported(rows, rows.num_rows, ended, "", on_step)

    # ------------------------------------------------------------ until the data is there

    def _begun(self, batch: Batch, on_step: OnStep) -> JobState:
        """An open job that holds the data."""
        payload = render(batch.table, gzip=self._gzip)
        for attempt in range(UPLOADS):
            job = self._created(batch, on_step)
            try:
                stored = self._stored(job, batch, payload)
            except NoAnswer:
                # perhaps it is there, perhaps a part of it: an open job is thrown away whole
                found = self.jobs.abort(job.id)
                on_step(Step("aborted", job.id, {"state": found.state}))
                if attempt == UPLOADS - 1:
                    raise
                self._clock.sleep(2.0**attempt)
                continue
            on_step(Step("uploaded", job.id, {"rows": batch.table.num_rows, "bytes": stored.plain_size}))
            return job
        raise AssertionError("the last attempt returns or raises")

    def _created(self, batch: Batch, on_step: OnStep) -> JobState:
        on_step(Step("creating", detail={"object": batch.object, "operation": batch.operation}))
        document = {
            "object": batch.object,
            "operation": batch.operation,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            job = self.jobs.create(document)
        except Refused as error:
            if remedy(error.code) is Remedy.QUOTA:
                raise QuotaExhausted(error.message, hint="Run the same command again when the limit allows.") from None
            raise
        on_step(Step("created", job.id))
        return job

    def _stored(self, job: JobState, batch: Batch, payload: Payload) -> Payload:
        """Upload; an org that refuses compressed bodies gets a plain one, now and from here on."""
        try:
            self.jobs.upload(job.id, payload)
        except Refused as error:
            if not (payload.gzip and self._doubtful and error.status in (400, 415)):
                raise
            self._gzip, self._doubtful = False, False
            plain = render(batch.table, gzip=False)
            try:
                self.jobs.upload(job.id, plain)
            except Refused as again:
                # the refused body may count as the job's only upload: a fresh job is needed
                raise NoAnswer("PUT", again.code, unsent=False) from None
            return plain
        return payload

    def _unreadable(self, ended: JobState) -> bool:
        """Whether nothing was processed because the org could not read what we compressed; then it is sent plain."""
        if ended.processed:
            self._doubtful = False
        nothing = ended.state == "Failed" and not ended.processed and ended.reason == "InvalidBatch"
        if nothing and "Field name not found" in ended.message:
            column = ended.message.rsplit(":", 1)[-1].strip()
            named = f" ({column})" if column.isidentifier() else ""
            raise StopError(
                f"{ended.object} has no such field, or the integration user cannot see it{named}; no row was processed",
                hint="Run `chartlift schema`, then the same command again.",
            )
        if nothing and self._gzip and self._doubtful:
            self._gzip, self._doubtful = False, False
            return True
        return False

    # ------------------------------------------------------------ results

    def _rows(self, ended: JobState, batch: Batch) -> tuple[pa.Table, str]:
        """The fate of every row that was sent, and what does not add up (empty if all does)."""
        smooth = ended.state == "JobComplete" and not ended.failed and ended.processed == len(batch.sent)
        found: pa.Table | None = None
        problem = ""
        for attempt in range(FETCHES):
            try:
                sets = self._sets(ended.id, batch.echo, only_good=smooth and attempt == 0)
            except Garbled as garbled:
                problem = str(garbled)
            else:
                found, problem = sets.rows, results.against(sets.rows, batch.sent)
                if not problem:
                    return found, _totals(ended, sets)
            self._clock.sleep(2.0**attempt)
        if found is None:
            return results.unprocessed(batch.sent, "unknown"), problem
        return results.only_known(found, batch.sent), problem

    def _settled_rows(self, ended: JobState, key_column: str) -> pa.Table:
        problem = ""
        for attempt in range(FETCHES):
            try:
                sets = self._sets(ended.id, key_column, only_good=False)
            except Garbled as garbled:
                problem = str(garbled)
            else:
                problem = results.doubled(sets.rows) or _fewer(ended, sets)
                if not problem:
                    return sets.rows
            self._clock.sleep(2.0**attempt)
        raise JobGone(f"{ended.id}: {problem}")

    def _sets(self, job_id: str, echo: str, *, only_good: bool) -> Sets:
        """The result sets; `only_good` leaves out the two that the job's totals say are empty."""
        good = results.successful(self._part(job_id, "successfulResults", echo, ("sf__Id", "sf__Created")))
        if only_good:
            return Sets(good, good.num_rows, 0, 0)
        bad = results.failed(self._part(job_id, "failedResults", echo, ("sf__Id", "sf__Error")))
        left = results.unprocessed(self._part(job_id, "unprocessedrecords", echo, ()).column("key"))
        rows = pa.concat_tables([good, bad, left])
        return Sets(rows, good.num_rows, bad.num_rows, left.num_rows)

    def _part(self, job_id: str, part: str, echo: str, others: tuple[str, ...]) -> pa.Table:
        tables = []
        try:
            for answer in results.pages(self._session, self.jobs.path(job_id, part), {}):
                header = [name.lower() for name in results.header_of(answer.body)]
                bare_id = echo.lower() == "id" and others and "id" not in header
                key = "sf__Id" if bare_id else echo
                table = results.parse(answer, list(dict.fromkeys([key, *others])))
                tables.append(table.select([key, *others]).rename_columns(["key", *others]))
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise JobGone(job_id) from None
            raise
        return pa.concat_tables(tables)


_TOUCHED = pa.array(["ok", "failed"])


def _totals(ended: JobState, sets: Sets) -> str:
    processed = sets.successful + sets.failed
    if (processed, sets.failed) == (ended.processed, ended.failed):
        return ""
    return (
        f"the job counts {ended.processed} rows ({ended.failed} failed), its results have {processed} ({sets.failed})"
    )


def _fewer(ended: JobState, sets: Sets) -> str:
    # the org's counters may lag behind its results (a failed internal batch is not counted), never the other way
    short = sets.successful + sets.failed < ended.processed or sets.failed < ended.failed
    return _totals(ended, sets) if short else ""


def _reported(rows: pa.Table, sent: int, ended: JobState, note: str, on_step: OnStep) -> WriteResult:
    counted = {str(item["values"]): item["counts"] for item in pc.value_counts(rows["outcome"]).to_pylist()}
    detail = {"state": ended.state, "reason": ended.reason, "note": note, **counted}
    on_step(Step("done", ended.id, detail))
    return WriteResult(rows, sent, ended.id, not counted.keys() & {"unprocessed", "unknown"})
