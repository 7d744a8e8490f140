"""What the parts of one carry share: the plan, the selection and the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from chartlift.model.plan import ConfirmedPlan, ObjectMap
from chartlift.model.ports import Tools
from chartlift.model.selection import Selection
from chartlift.stages.statement import is_record_lookup, is_self_lookup

KEY = "Source_System_ID__c"
RUN = "Migration_Run__c"
HASH = "Migration_Hash__c"


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
        return self.sql.execute(query, parameters or []).to_arrow_table()

    def value(self, query: str, parameters: list[Any] | None = None) -> Any:
        """The single value of a query."""
        row = self.sql.execute(query, parameters or []).fetchone()
        return row[0] if row else None

    def keep(self, name: str, table: pa.Table) -> None:
        """Store an Arrow table in staging under `name`, replacing what was there."""
        self.sql.register("incoming", table)
        self.sql.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM incoming')
        self.sql.unregister("incoming")


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
