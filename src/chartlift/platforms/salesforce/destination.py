"""Salesforce as a destination: `model.ports.Destination`, put together from this package's parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from chartlift.model.arrow import ArrowStream
from chartlift.model.ports import (
    Clock,
    Everywhere,
    OnStep,
    OrgIdentity,
    Torn,
    Where,
    WriteResult,
)
from chartlift.model.schema import DesiredSchema, ObjectDescribe
from chartlift.model.source import Probe
from chartlift.platforms.salesforce import limits
from chartlift.platforms.salesforce.bulk import Bulk
from chartlift.platforms.salesforce.bulk_query import PAGE_ROWS, BulkQuery
from chartlift.platforms.salesforce.collections import Collections
from chartlift.platforms.salesforce.credentials import Secrets
from chartlift.platforms.salesforce.deploys import Deploys
from chartlift.platforms.salesforce.describes import described
from chartlift.platforms.salesforce.metadata import Metadata
from chartlift.platforms.salesforce.preflight import Preflight
from chartlift.platforms.salesforce.reading import REST_ROWS, Reading
from chartlift.platforms.salesforce.render import text_table
from chartlift.platforms.salesforce.rest import Rest
from chartlift.platforms.salesforce.results import SCHEMA
from chartlift.platforms.salesforce.session import Session
from chartlift.platforms.salesforce.soap import Soap
from chartlift.platforms.salesforce.soql import name
from chartlift.transforms.canonical import canonical_id

USER_COLUMNS = ("Id", "Name", "Email", "Username", "IsActive", "UserType")
READS = 4  # attempts at an answer that does not add up
OPERATIONS = {"bulk": ("insert", "update", "delete"), "rows": ("insert", "update", "delete", "undelete")}


class Salesforce:
    """A Salesforce org. Beyond the port's words, a row's outcome may be `unknown`: then the org has to be asked."""

    name = "salesforce"

    def __init__(
        self,
        url: str,
        secrets: Secrets,
        *,
        clock: Clock,
        expected_org_id: str = "",
        allow_save: bool = True,
        gzip_upload: str = "auto",
        reserve: float = limits.RESERVE,
        rest_rows: int = REST_ROWS,
        page_rows: int = PAGE_ROWS,
        transport: Any = None,
    ) -> None:
        """Wire the parts; nothing is sent before the first call. `transport` replaces the network in tests."""
        self._clock = clock
        self._session = Session(url, secrets, clock=clock, expected_org_id=expected_org_id, transport=transport)
        self._rest = Rest(self._session)
        self._reserve = reserve
        self._described: dict[str, ObjectDescribe | None] = {}
        soap = Soap(self._rest)
        self._bulk = Bulk(self._rest, clock, gzip=gzip_upload)
        self._rows = Collections(self._rest, soap, allow_save=allow_save)
        query = BulkQuery(self._rest, clock, page_rows=page_rows)
        self._reading = Reading(self._rest, query, self.describe, rest_rows=rest_rows)
        self._metadata = Metadata(self._rest, soap, Deploys(self._rest, clock), self.describe)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def check(self) -> list[Probe]:
        """See ports.Destination."""
        return Preflight(self._rest, self.identity, self.limits).probes()

    def identity(self) -> OrgIdentity:
        """See ports.Destination."""
        who = self._session.who()
        row = self._rest.query("SELECT Id, Name, OrganizationType, IsSandbox FROM Organization")[0]
        return OrgIdentity(
            org_id=canonical_id(str(who["organization_id"])) or "",
            name=str(row.get("Name") or ""),
            edition=str(row.get("OrganizationType") or ""),
            sandbox=bool(row.get("IsSandbox")),
            user_id=canonical_id(str(who["user_id"])) or "",
            username=str(who.get("preferred_username") or ""),
            url=self._session.url,
        )

    def limits(self) -> Mapping[str, tuple[int, int]]:
        """See ports.Destination."""
        return limits.parse(self._rest.limits())

    def describe(self, object_name: str, *, fresh: bool = False) -> ObjectDescribe | None:
        """See ports.Destination."""
        known = name(object_name).lower()
        if fresh or known not in self._described:
            answer = self._rest.describe(object_name)
            self._described[known] = described(answer) if answer else None
        return self._described[known]

    def users(self) -> ArrowStream:
        """See ports.Destination."""
        return self.read("User", USER_COLUMNS, Everywhere())

    def read(self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False) -> ArrowStream:
        """See ports.Destination."""
        for attempt in range(READS):
            try:
                return pa.concat_tables(self.pages(object_name, fields, where, deleted=deleted))
            except Torn:
                if attempt == READS - 1:
                    raise
                self._clock.sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def pages(
        self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False
    ) -> Iterator[pa.Table]:
        """See ports.Destination."""
        return self._reading.pages(object_name, fields, where, deleted=deleted)

    def count(self, object_name: str, where: Where) -> int:
        """See ports.Destination."""
        return self._reading.count(object_name, where)

    def write(
        self,
        object_name: str,
        operation: str,
        rows: ArrowStream,
        *,
        key_column: str,
        wire: str,
        on_step: OnStep,
    ) -> WriteResult:
        """See ports.Destination.

        Raises:
            ValueError: the rows cannot go by this wire (a value equal to `#N/A` or an undelete by bulk, no Id, …).
            QuotaExhausted: the daily requests left are the reserve.
        """
        if operation not in OPERATIONS.get(wire, ()):
            raise ValueError(f"no {operation} by the {wire} wire")
        table = text_table(rows)
        if table.num_rows == 0:
            return WriteResult(pa.Table.from_batches([], schema=SCHEMA), 0)
        self._session.usage.demand(self._reserve)
        if wire == "bulk":
            return self._bulk.write(name(object_name), operation, table, key_column=key_column, on_step=on_step)
        there = self.describe(object_name)
        return self._rows.write(
            object_name,
            operation,
            table,
            key_column=key_column,
            fields=there.fields if there else {},
            on_step=on_step,
        )

    def settle(self, job_id: str, *, key_column: str, on_step: OnStep) -> WriteResult:
        """See ports.Destination."""
        return self._bulk.settle(job_id, key_column=key_column, on_step=on_step)

    def missing(self, desired: DesiredSchema) -> DesiredSchema:
        """See ports.Destination."""
        return self._metadata.missing(desired)

    def deploy(self, desired: DesiredSchema, on_step: OnStep) -> Sequence[str]:
        """See ports.Destination."""
        return self._metadata.deploy(desired, on_step)

    def schema_package(self, desired: DesiredSchema) -> bytes:
        """See ports.Destination."""
        return self._metadata.package(desired)
