"""The records of one object as a Parquet file, deleted ones included."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.store import literal, quote


def dump(org: Org, object_name: str, path: str) -> int:
    """Writes every stored field of every record, one row group after the other; answers the number of records.

    Raises:
        OrgError: 404, there is no such object.
        OSError: the file cannot be written.
    """
    sobject = org.schema.object(object_name)
    if sobject is None:
        raise OrgError("NOT_FOUND", f"no object {object_name}", status=404)
    columns = ", ".join(quote(found.name) for found in sobject.stored_fields)
    sql = f"COPY (SELECT {columns} FROM {quote(sobject.name)}) TO {literal(path)} (FORMAT parquet)"
    with org.lock:
        try:
            row = org.db.execute(sql).fetchone()
        except (duckdb.IOException, duckdb.PermissionException) as error:
            raise OSError(f"{path} cannot be written") from error
    return int(row[0]) if row else 0


def dump_to_temporary(org: Org, object_name: str) -> Path:
    """The same in a file that the caller deletes."""
    with tempfile.NamedTemporaryFile(prefix="org-dump-", suffix=".parquet", delete=False) as file:
        path = Path(file.name)
    try:
        dump(org, object_name, str(path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
