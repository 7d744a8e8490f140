"""Reading rows: small answers by REST query, large ones by a bulk query job, page by page; canonical text either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from chartlift.model.ports import ByValues, Where
from chartlift.model.schema import ObjectDescribe
from chartlift.platforms.salesforce.bulk_query import BulkQuery
from chartlift.platforms.salesforce.canon import Canon, kinds_of, raw_table
from chartlift.platforms.salesforce.errors import NoAnswer
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.soql import name, statements

REST_ROWS = 2_000
"""Up to this many rows a query goes by REST; beyond, a job is cheaper in requests and in time."""

REST_VALUES = 1_500
"""Up to this many values in a list go by REST (some 400 fit into one URI); beyond, by jobs (3,000 in each)."""

Describe = Callable[[str], ObjectDescribe | None]


class Reading:
    """Queries of one org."""

    def __init__(self, rest: Rest, bulk: BulkQuery, describe: Describe, *, rest_rows: int = REST_ROWS) -> None:
        """Take both query APIs and how objects are described (for the types of fields)."""
        self._rest = rest
        self._bulk = bulk
        self._describe = describe
        self._rest_rows = rest_rows
        self._canon = Canon()

    def pages(
        self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False
    ) -> Iterator[pa.Table]:
        """Rows with `fields` as canonical text, in no particular order; `deleted` includes the recycle bin.

        Raises:
            Torn: what came so far does not add up and is not to be used.
        """
        kinds = self._kinds(object_name, fields)
        selected = ", ".join(name(field) for field in fields)
        many = isinstance(where, ByValues) and len(where.values) > REST_VALUES
        yield raw_table((), fields)
        for text in statements(selected, object_name, where, in_uri=not many):
            by = self._by_job if many else self._by_either
            yield from by(text, fields, kinds, deleted=deleted)

    def count(self, object_name: str, where: Where) -> int:
        """Number of live rows."""
        return sum(self._rest.count(text) for text in statements("COUNT()", object_name, where, in_uri=True))

    def _kinds(self, object_name: str, fields: Sequence[str]) -> list[str]:
        found = self._describe(object_name)
        described: Any = found.fields if found else {}
        return kinds_of(fields, described)

    def _by_job(
        self, statement: str, fields: Sequence[str], kinds: Sequence[str], *, deleted: bool
    ) -> Iterator[pa.Table]:
        for page in self._bulk.pages(statement, list(fields), deleted=deleted):
            yield self._canon.table(page, fields, kinds)

    def _by_either(
        self, statement: str, fields: Sequence[str], kinds: Sequence[str], *, deleted: bool
    ) -> Iterator[pa.Table]:
        """By REST, unless its first page says that there are too many rows."""
        records: list[dict[str, Any]] = []
        total = 0
        for page in self._rest.pages(statement, deleted=deleted):
            total = page.get("totalSize", 0)
            if total > self._rest_rows and not page.get("done", True):
                yield from self._by_job(statement, fields, kinds, deleted=deleted)
                return
            records += page["records"]
        if total != len(records):
            raise NoAnswer("GET /query", f"{len(records)} rows came of {total}", unsent=False)
        yield self._canon.table(raw_table(records, fields), fields, kinds)
