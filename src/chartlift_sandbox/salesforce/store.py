"""Tables of the org in DuckDB: one per object, one column per stored field, no indexes.

Deleted rows stay, with IsDeleted true. Columns that begin with an underscore are the engine's own: when a row was
deleted, and the Id of the record whose delete took it along.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import duckdb

from chartlift_sandbox.salesforce.schema import Field, SObject

INTERNAL_COLUMNS = {"_deleted_at": "TIMESTAMP", "_deleted_with": "VARCHAR"}


def quote(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal; for names and codes of the schema, never for values from a request."""
    return "'" + text.replace("'", "''") + "'"


def connect(path: str) -> duckdb.DuckDBPyConnection:
    """Open the org's database; `:memory:` for one that ends with the process."""
    db = duckdb.connect(path)
    db.execute("SET preserve_insertion_order = true")
    # Measured: a second thread doubles the CPU time of an insert and gains nothing; the loader needs that core.
    db.execute("SET threads = 1")
    if path == ":memory:":
        # Measured: the automatic checkpoint rewrites a table in memory again and again and costs four times the insert.
        db.execute("SET checkpoint_threshold = '1TB'")
    db.execute("SET TimeZone = 'UTC'")
    return db


def column_definition(found: Field) -> str:
    """The column of a field; checkboxes are never null."""
    default = ""
    if found.sql_type == "BOOLEAN":
        default = f" DEFAULT {'true' if found.default == 'true' else 'false'}"
    return f"{quote(found.name)} {found.sql_type}{default}"


def create_table(db: duckdb.DuckDBPyConnection, sobject: SObject) -> None:
    """Create the table of an object, empty."""
    columns = [column_definition(f) for f in sobject.stored_fields]
    columns += [f"{quote(name)} {kind}" for name, kind in INTERNAL_COLUMNS.items()]
    db.execute(f"CREATE TABLE {quote(sobject.name)} ({', '.join(columns)})")


def add_column(db: duckdb.DuckDBPyConnection, object_name: str, found: Field) -> None:
    """Add a field's column; rows that exist get NULL, or the checkbox's default."""
    if found.stored:
        db.execute(f"ALTER TABLE {quote(object_name)} ADD COLUMN {column_definition(found)}")


def drop_column(db: duckdb.DuckDBPyConnection, object_name: str, found: Field) -> None:
    """Remove a field's column with its values."""
    if found.stored:
        db.execute(f"ALTER TABLE {quote(object_name)} DROP COLUMN {quote(found.name)}")


class UndoneError(Exception):
    """Leaves a transaction that must not commit."""


def undo() -> NoReturn:
    """Leave the transaction around the caller without committing it."""
    raise UndoneError


class Transactions:
    """One transaction at a time on the one connection; inner blocks join the outer one."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._depth = 0

    @contextmanager
    def __call__(self, db: duckdb.DuckDBPyConnection) -> Generator[None]:
        """Run the block in a transaction; an exception rolls everything back and goes on."""
        with self._lock:
            if self._depth == 0:
                db.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                db.execute("COMMIT")
