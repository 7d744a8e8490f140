"""Reading by the Bulk API 2.0: a query job's pages as one Arrow table of text, complete or not at all."""

from __future__ import annotations

import pyarrow as pa

from chartlift.model.ports import Clock, JobGone, Step
from chartlift.platforms.salesforce import results
from chartlift.platforms.salesforce.errors import NoAnswer
from chartlift.platforms.salesforce.jobs import Jobs, JobState
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.results import Garbled
from chartlift.platforms.salesforce.session import Repeat

PAGE_ROWS = 50_000
FETCHES = 4


class BulkQuery:
    """Query jobs of one org."""

    def __init__(self, rest: Rest, clock: Clock, *, page_rows: int = PAGE_ROWS) -> None:
        """Take the REST API, the clock polling waits on and how many rows a page shall have."""
        self._jobs = Jobs(rest, clock, "query")
        self._session = rest.session
        self._clock = clock
        self._page_rows = page_rows

    def rows(self, statement: str, columns: list[str], *, deleted: bool = False) -> pa.Table:
        """The rows of a statement that selects `columns`, as text, NULL where the org has nothing.

        Raises:
            NoAnswer: the job failed, or its rows never add up.
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
                try:
                    return self._pages(ended, columns)
                except Garbled as garbled:
                    problem = str(garbled)
            else:
                problem = f"the job ended as {ended.state} ({ended.reason})"
            self._clock.sleep(2.0**attempt)
        raise NoAnswer("a bulk query", problem, unsent=False)

    def _ended(self, document: dict[str, str]) -> JobState:
        job = self._jobs.create(document, repeat=Repeat.ALWAYS)
        try:
            return self._jobs.wait(job.id, _quietly)
        except JobGone:
            raise NoAnswer("a bulk query", "the org does not know its job", unsent=False) from None

    def _pages(self, ended: JobState, columns: list[str]) -> pa.Table:
        path = self._jobs.path(ended.id, "results")
        tables = []
        for answer in results.pages(self._session, path, {"maxRecords": str(self._page_rows)}):
            table = results.parse(answer, nulls=True)
            told = answer.headers.get("sforce-numberofrecords", "")
            if told.isdecimal() and int(told) != table.num_rows:
                raise Garbled(f"a page has {table.num_rows} rows instead of {told}")
            if table.num_rows:
                if table.num_columns != len(columns):
                    raise Garbled(f"a page has {table.num_columns} columns instead of {len(columns)}")
                tables.append(table.rename_columns(columns))
        if not tables:
            tables = [pa.table([pa.array([], pa.string()) for _ in columns], names=columns)]
        found = pa.concat_tables(tables)
        if found.num_rows != ended.processed:
            raise Garbled(f"{found.num_rows} rows came of {ended.processed}")
        return found


def _quietly(step: Step) -> None:
    """Reading changes nothing, so nothing of it is journalled."""
