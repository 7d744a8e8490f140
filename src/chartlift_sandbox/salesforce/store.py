"""Tables of the org in DuckDB: one per object, one column per stored field, indexes on ids and external keys.

Deleted rows stay, with IsDeleted true. Columns that begin with an underscore are the engine's own: when a row was
deleted, and the Id of the record whose delete took it along.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn

import duckdb
import pyarrow as pa

from chartlift_sandbox.salesforce.memory import LARGE, give_back
from chartlift_sandbox.salesforce.schema import Field, SObject

MOST_LOOSE = 500_000
"""Rows after which the tables are packed at once. A row takes a place in every column until then, most of them empty."""
LOOSE = 300_000
"""Rows after which they are packed when a job has ended. Measured: 3 s for a million rows, 560 MB become 50."""
_NOT_WORTH_IT = "alp,alprd,chimp,patas,zstd,fsst,dictionary,roaring,rle"
"""Ways of packing that are tried in vain: empty columns vanish and texts shrink without them."""
INTERNAL_COLUMNS = {"_deleted_at": "TIMESTAMP", "_deleted_with": "VARCHAR"}
_VIEWS = {
    "ContentNote": (
        'SELECT d."Id", d."IsDeleted", d."Title", d."FileExtension", d."FileType", d."ContentSize", '
        'd."LatestPublishedVersionId", v."ContentBodyId" AS "LatestContentId", v."VersionData" AS "Content", '
        'v."TextPreview", false AS "IsReadOnly", d."SharingPrivacy", d."OwnerId", d."CreatedById", d."CreatedDate", '
        'd."LastModifiedById", d."LastModifiedDate", d."SystemModstamp", d."LastViewedDate", '
        'd."ContentModifiedDate", d."_deleted_at", d."_deleted_with" FROM "ContentDocument" d LEFT JOIN '
        '"ContentVersion" v ON v."ContentDocumentId" = d."Id" AND v."IsLatest" WHERE d."FileType" = \'SNOTE\''
    ),
}


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
        db.execute(f"SET disabled_compression_methods = '{_NOT_WORTH_IT}'")
    db.execute("SET TimeZone = 'UTC'")
    return db


def column_definition(found: Field) -> str:
    """The column of a field; checkboxes are never null. Keys stay unpacked: each call of a bulk job looks through them."""
    default = " USING COMPRESSION uncompressed" if is_key(found) else ""
    if found.sql_type == "BOOLEAN":
        default = f" DEFAULT {'true' if found.default == 'true' else 'false'}"
    return f"{quote(found.name)} {found.sql_type}{default}"


def create_table(db: duckdb.DuckDBPyConnection, sobject: SObject) -> None:
    """Create the table of an object, empty, or the view of one that shows records of others."""
    if sobject.view:
        db.execute(f"CREATE VIEW {quote(sobject.name)} AS {_VIEWS[sobject.name]}")
        return
    columns = [column_definition(f) for f in sobject.stored_fields]
    columns += [f"{quote(name)} {kind}" for name, kind in INTERNAL_COLUMNS.items()]
    db.execute(f"CREATE TABLE {quote(sobject.name)} ({', '.join(columns)})")
    for found in sobject.stored_fields:
        index_column(db, sobject.name, found)


def index_column(db: duckdb.DuckDBPyConnection, object_name: str, found: Field) -> None:
    """Index a field by which single records are found; without it one call among a million rows takes 20 ms and more."""
    if not found.stored or not is_key(found):
        return
    name = quote(f"{object_name}.{found.name}.{'exact' if is_exact(found) else 'any case'}")
    db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quote(object_name)} ({key_sql(found)})")


def is_key(found: Field) -> bool:
    """Whether records are found by a field."""
    return found.type == "id" or found.external_id or found.unique


def is_exact(found: Field) -> bool:
    """Whether values of a key field are compared as they are, not without regard to case."""
    return found.sql_type != "VARCHAR" or found.case_sensitive or found.type in {"id", "reference"}


def key_sql(found: Field, prefix: str = "") -> str:
    """SQL of a key field as it is compared, which is how it is indexed."""
    column = f"{prefix}{quote(found.name)}"
    return column if is_exact(found) else f"lower({column})"


def alive_sql(flagged: bool, alias: str = "t") -> str:
    """Condition for live rows; `flagged` says whether the object has IsDeleted.

    The second half is never true. It keeps the condition out of the scan, for the engine takes an index only where the
    key is the scan's one filter.
    """
    shown = f'{alias}."IsDeleted" IS NOT TRUE' if flagged else f'{alias}."_deleted_at" IS NULL'
    return f'({shown} OR {alias}."Id" IS NULL)'


def match_sql(column: str, other: str, values: pa.Array) -> tuple[str, dict[str, Any]]:
    """The condition that a column equals `other`, and its parameters.

    A call that names one value compares with that alone: beside a join the engine does not take the index.
    """
    if len(values) != 1 or not values[0].is_valid:
        return f"{column} = {other}", {}
    return f"{column} = $only", {"only": values[0].as_py()}


def add_column(db: duckdb.DuckDBPyConnection, object_name: str, found: Field) -> None:
    """Add a field's column; rows that exist get NULL, or the checkbox's default."""
    if found.stored:
        db.execute(f"ALTER TABLE {quote(object_name)} ADD COLUMN {column_definition(found)}")
        index_column(db, object_name, found)


def drop_column(db: duckdb.DuckDBPyConnection, object_name: str, found: Field) -> None:
    """Remove a field's column with its values."""
    if not found.stored:
        return
    # no column of an indexed table can be dropped
    asked = "SELECT index_name, sql FROM duckdb_indexes() WHERE table_name = $table"
    indexes = db.execute(asked, {"table": object_name}).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {quote(name)}")
    db.execute(f"ALTER TABLE {quote(object_name)} DROP COLUMN {quote(found.name)}")
    for name, sql in indexes:
        if not name.startswith(f"{object_name}.{found.name}."):
            db.execute(sql)


class Packing:
    """Packs the tables whenever many rows have been written since it last did. Hold the org's lock."""

    def __init__(self) -> None:
        self._rows = 0

    def wrote(self, db: duckdb.DuckDBPyConnection, rows: int) -> None:
        """So many rows have been written; not within a transaction."""
        self._rows += rows
        self._pack(db, MOST_LOOSE)

    def rest(self, db: duckdb.DuckDBPyConnection) -> None:
        """A job has ended, there is time."""
        self._pack(db, LOOSE)

    def _pack(self, db: duckdb.DuckDBPyConnection, most: int) -> None:
        if self._rows > most:
            self._rows = 0
            give_back(LARGE)
            db.execute("CHECKPOINT")
            give_back(LARGE)


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
