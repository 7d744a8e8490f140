"""How the org asks its database: one statement at a time, under its lock."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pyarrow as pa

from chartlift_sandbox.salesforce import one_row

_WITHOUT_ROWS = ("INSERT ", "UPDATE ", "DELETE ")


class Statements:
    """Runs statements on `db`, holding `lock`; parameters are given by name or by place."""

    db: duckdb.DuckDBPyConnection
    lock: threading.RLock

    def query(self, sql: str, params: Any = None) -> pa.Table:
        """Run one statement and answer its rows as Arrow."""
        with self.lock:
            return self.db.execute(sql, params).to_arrow_table()

    def rows(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """Run one statement and answer its rows as dictionaries; for few rows quicker than by Arrow."""
        with self.lock:
            found = self.db.execute(sql, params)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def run(self, sql: str, params: Any = None) -> None:
        """Run one statement for what it does."""
        with self.lock:
            self.db.execute(sql, params)

    def query_with(self, tables: dict[str, pa.Table], sql: str, params: Any = None) -> pa.Table:
        """Run one statement that also sees the given Arrow tables under their names."""
        if single := one_row.inlined(tables, sql, params):
            if sql.startswith(_WITHOUT_ROWS):
                self.run(*single)
                return pa.table({})
            return self.query(*single)
        with self.lock:
            for name, table in tables.items():
                self.db.register(name, table)
            try:
                return self.db.execute(sql, params).to_arrow_table()
            finally:
                for name in tables:
                    self.db.unregister(name)
