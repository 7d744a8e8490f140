"""Reading by the Bulk API 2.0: a query job's pages as Arrow tables of text, never more than one of them in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from chartlift.model.ports import Clock, JobGone, Step, Torn
from chartlift.platforms.salesforce import results
from chartlift.platforms.salesforce.answers import Answer
from chartlift.platforms.salesforce.errors import NoAnswer
from chartlift.platforms.salesforce.jobs import Jobs, JobState
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.results import Garbled
from chartlift.platforms.salesforce.session import Repeat

PAGE_ROWS = 10_000  # a page is in memory as text and as table: some 20 MB of wide rows
FETCHES = 4


class BulkQuery:
    """Query jobs of one org."""

    def __init__(self, rest: Rest, clock: Clock, *, page_rows: int = PAGE_ROWS) -> None:
        """Take the REST API, the clock polling waits on and how many rows a page shall have."""
        self._jobs = Jobs(rest, clock, "query")
        self._session = rest.session
        self._clock = clock
        self._page_rows = page_rows

    def pages(self, statement: str, columns: list[str], *, deleted: bool = False) -> Iterator[pa.Table]:
        """The rows of a statement that selects `columns`, as text, NULL where the org has nothing; at least one page.

        Raises:
            NoAnswer: the job failed.
            Torn: the pages do not add up; those that came are not to be used.
        """
        document = {
            "operation": "queryAll" if deleted else "query",
            "query": statement,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        problem = ""
        for attempt in range(FETCHES):
            ended = self._ended(document)
            if ended.state == "JobComplete":
                yield from self._pages(ended, columns)
                return
            problem = f"the job ended as {ended.state} ({ended.reason})"
            self._clock.sleep(2.0**attempt)
        raise NoAnswer("a bulk query", problem, unsent=False)

    def _ended(self, document: dict[str, str]) -> JobState:
        job = self._jobs.create(document, repeat=Repeat.ALWAYS)
        try:
            return self._jobs.wait(job.id, _quietly)
        except JobGone:
            raise NoAnswer("a bulk query", "the org does not know its job", unsent=False) from None

    def _pages(self, ended: JobState, columns: list[str]) -> Iterator[pa.Table]:
        path = self._jobs.path(ended.id, "results")
        count = 0
        try:
            for answer in results.pages(self._session, path, {"maxRecords": str(self._page_rows)}):
                table = _page(answer, columns)
                count += table.num_rows
                if table.num_rows:
                    yield table
        except Garbled as garbled:
            raise Torn(f"a bulk query: {garbled}") from None
        if count != ended.processed:
            raise Torn(f"a bulk query: {count} rows came of {ended.processed}")
        if not count:
            yield pa.table([pa.array([], pa.string()) for _ in columns], names=columns)


def _page(answer: Answer, columns: list[str]) -> pa.Table:
    table = results.parse(answer, nulls=True)
    told = answer.headers.get("sforce-numberofrecords", "")
    if told.isdecimal() and int(told) != table.num_rows:
        raise Garbled(f"a page has {table.num_rows} rows instead of {told}")
    if table.num_rows and table.num_columns != len(columns):
        raise Garbled(f"a page has {table.num_columns} columns instead of {len(columns)}")
    return table.rename_columns(columns) if table.num_rows else table


def _quietly(step: Step) -> None:
    """Reading changes nothing, so nothing of it is journalled."""
