"""Rows of a CSV as the JSON that staging keeps: every cell as received, under its own head."""

from __future__ import annotations

import duckdb
import pyarrow as pa


def as_json(batch: pa.RecordBatch, heads: tuple[str, ...]) -> pa.Array:
    """One JSON object of text for each row; columns of the batch are called by `c` and their place."""
    members = ", ".join(f"'{head.replace(chr(39), chr(39) * 2)}', c{place}" for place, head in enumerate(heads))
    with duckdb.connect(":memory:", config={"threads": 1}) as sql:
        sql.register("received", pa.table(batch.columns, batch.schema.names) if batch.columns else batch)
        found = sql.execute(f"SELECT json_object({members})::VARCHAR AS raw FROM received").to_arrow_table()
    column = found.column("raw").combine_chunks()
    return column.cast(pa.string())
