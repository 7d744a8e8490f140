"""What the parts of one carry share: the plan, the selection and the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from chartlift.model.arrow import ArrowStream
from chartlift.model.plan import ConfirmedPlan, ObjectMap
from chartlift.model.ports import Tools, Torn, Where
from chartlift.model.selection import Selection
from chartlift.stages.memory import give_back
from chartlift.stages.parents import is_record_lookup, is_self_lookup

ROOM = 32_768  # rows that DuckDB makes room for, in every column, before it hands a table over; its own million takes 800 MB
KEY = "Source_System_ID__c"
RUN = "Migration_Run__c"
HASH = "Migration_Hash__c"
READS = 4  # attempts at an answer that does not add up


@dataclass
class Carry:
    """One run of carry over a selection."""

    tools: Tools
    plan: ConfirmedPlan
    selection: Selection
    run: str  # "" while only explaining
    kind: str  # sample | load | delta

    @property
    def go(self) -> bool:
        """Whether anything is written, or only explained."""
        return bool(self.run)

    @property
    def sql(self) -> Any:
        """The staging connection."""
        return self.tools.staging.sql

    def table(self, query: str, parameters: list[Any] | None = None) -> pa.Table:
        """A query's answer as one Arrow table."""
        return self.sql.execute(query, parameters or []).to_arrow_table(ROOM)

    def value(self, query: str, parameters: list[Any] | None = None) -> Any:
        """The single value of a query."""
        row = self.sql.execute(query, parameters or []).fetchone()
        return row[0] if row else None

    def keep(self, name: str, table: pa.Table) -> None:
        """Store an Arrow table under `name` for as long as the connection lives, replacing what was there.

        Such tables are never written to the staging file; what does not fit into memory is spilled, encrypted too.
        """
        self.sql.register("incoming", table)
        self.sql.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM incoming')
        self.sql.unregister("incoming")

    def read(
        self, name: str, object_name: str, fields: list[str], where: Where, *, deleted: bool = False, more: bool = False
    ) -> None:
        """Rows of the org under `name`, one page in memory at a time; `more` adds to what is there.

        Pages that do not add up are thrown away and asked for again.

        Raises:
            TransientError: they never add up.
        """
        for attempt in range(READS):
            before = (self.value(f'SELECT count(*) FROM "{name}"') or 0) if more else 0
            try:
                pages = self.tools.destination.pages(object_name, fields, where, deleted=deleted)
                self._read(name, pages, more)
            except Torn:
                if attempt == READS - 1:
                    raise
                if more:
                    self.sql.execute(f'DELETE FROM "{name}" WHERE rowid >= {before}')
                self.tools.clock.sleep(2.0**attempt)
            else:
                return

    def _read(self, name: str, pages: Iterator[ArrowStream], more: bool) -> None:
        for number, page in enumerate(pages):
            self.sql.register("incoming", page)
            if number or more:
                self.sql.execute(f'INSERT INTO "{name}" SELECT * FROM incoming')
            else:
                self.sql.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM incoming')
            self.sql.unregister("incoming")
            give_back()


def field_names(unit: ObjectMap) -> list[str]:
    """The mapped fields of a unit, in the order of its pack."""
    return [rule.target for rule in unit.fields]


def self_fields(unit: ObjectMap) -> list[str]:
    """Mapped lookups whose parents are rows of the same unit."""
    return [rule.target for rule in unit.fields if is_self_lookup(unit, rule)]


def parent_fields(unit: ObjectMap) -> list[str]:
    """Mapped lookups to records that we load."""
    return [rule.target for rule in unit.fields if is_record_lookup(rule)]


def key_prefix(plan: ConfirmedPlan, unit: ObjectMap) -> str:
    """What the keys of a unit's rows start with."""
    return f"{plan.tenant}-{unit.code}-"
