"""Single calls find their records by index: beside a million rows, a look through the table takes longer than the call may."""

from __future__ import annotations

from typing import Any

import pytest
from engine_bench import Bench, WebBench

BY_INDEX, BY_LOOKING = "Index Scan", "Sequential Scan"


class Watched:
    """The org's database, which keeps how each statement over the table would be carried out."""

    def __init__(self, db: Any, table: str) -> None:
        self._db, self._table = db, table
        self.plans: list[str] = []

    def execute(self, sql: str, params: Any = None) -> Any:
        """Runs a statement, and notes its plan before."""
        asked, given = sql, params
        if sql.startswith("UPDATE"):  # a plan says which scan it is only when it has run, and this must not run twice
            asked = f'SELECT t."Id" FROM "{self._table}" AS t WHERE {sql.partition(" WHERE ")[2]}'
            given = {name: value for name, value in params.items() if f"${name}" in asked}
        if f'"{self._table}"' in asked and asked.startswith("SELECT"):
            self.plans.append(self._db.execute(f"EXPLAIN ANALYZE {asked}", given).fetchall()[0][1])
        return self._db.execute(sql, params)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the database's own."""
        return getattr(self._db, name)


@pytest.mark.parametrize("what", ["read", "read by key", "update", "upsert", "upsert of a new one"])
def test_a_single_call_finds_its_record_by_index(bench: Bench, web: WebBench, what: str) -> None:
    record = bench.insert("Visit__c", Source_System_ID__c=f"index {what}")
    base = "/sobjects/Visit__c"
    calls = {
        "read": ("GET", f"{base}/{record}", None),
        "read by key": ("GET", f"{base}/Source_System_ID__c/index%20{what}", None),
        "update": ("PATCH", f"{base}/{record}", {"Count__c": 3}),
        "upsert": ("PATCH", f"{base}/Source_System_ID__c/index%20{what}", {"Count__c": 4}),
        "upsert of a new one": ("PATCH", f"{base}/Source_System_ID__c/index%20new", {"Count__c": 5}),
    }
    watched = bench.org.db = Watched(bench.org.db, "Visit__c")
    try:
        answer = web(*calls[what])
    finally:
        bench.org.db = watched._db
    assert answer.status_code < 300, answer.text
    assert watched.plans
    assert [plan for plan in watched.plans if BY_LOOKING in plan or BY_INDEX not in plan] == []
