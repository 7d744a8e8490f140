"""What the stages allow DuckDB to keep in memory."""

from __future__ import annotations

import duckdb
import pytest

from chartlift.stages import memory

WIDE = "CREATE OR REPLACE TABLE wide AS SELECT repeat('x', 30_000_000) AS text"


def test_a_statement_that_needs_more_gets_it_and_is_done_once() -> None:
    sql = duckdb.connect(config={"memory_limit": "16MB", "threads": 1, "temp_directory": ""})
    with pytest.raises(duckdb.OutOfMemoryException):
        sql.execute(WIDE)
    sql.execute("CREATE TABLE texts (text VARCHAR)")
    memory.execute(sql, "INSERT INTO texts SELECT repeat('x', 30_000_000)")
    assert sql.execute("SELECT count(*), max(strlen(text)) FROM texts").fetchone() == (1, 30_000_000)


def test_any_other_failure_is_not_tried_again() -> None:
    sql = duckdb.connect()
    limit = sql.execute("SELECT current_setting('memory_limit')").fetchone()
    with pytest.raises(duckdb.CatalogException):
        memory.execute(sql, "INSERT INTO nowhere SELECT 1")
    assert sql.execute("SELECT current_setting('memory_limit')").fetchone() == limit
