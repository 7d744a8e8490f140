"""Packing the tables changes nothing that can be seen."""

from __future__ import annotations

import pytest
from engine_bench import Bench

from chartlift_sandbox.salesforce import store


def test_packed_rows_are_as_they_were_and_go_on_changing(fresh: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_LOOSE", 2_000)
    rows = [{"Source_System_ID__c": f"p-{n}", "Count__c": str(n % 7) if n % 3 else None} for n in range(3_000)]
    ids = [row["id"] for row in fresh.dml("insert", "Visit__c", rows)]
    fresh.dml("delete", "Visit__c", [{"Id": record} for record in ids[:500]])
    everything = 'SELECT * FROM "Visit__c" ORDER BY "Id"'
    before, sizes = fresh.org.rows(everything), _loose(fresh)
    fresh.org.packing.wrote(fresh.org.db, 1_999)
    assert _loose(fresh) == sizes
    fresh.org.packing.wrote(fresh.org.db, 2)
    assert _loose(fresh) < sizes
    assert fresh.org.rows(everything) == before
    assert fresh.dml("update", "Visit__c", [{"Id": ids[-1], "Count__c": "99"}])[0]["success"]
    assert fresh.one("Visit__c", ids[-1])["Count__c"] == 99
    assert fresh.error("insert", "Visit__c", Source_System_ID__c="P-2999")[0] == "DUPLICATE_VALUE"
    assert fresh.dml("undelete", "Visit__c", [{"Id": ids[0]}])[0]["success"]


def _loose(bench: Bench) -> int:
    """Bytes of the tables."""
    asked = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
    return bench.org.db.execute(asked).fetchone()[0]
