"""Pages as they were read, until all of them are there: one compressed Arrow table for each entity of a page.

A page is small and written together with the cursor behind it; only a complete reading is spread out into rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from chartlift.model.source import EntityShape, Page
from chartlift.stages.sqltext import ident

STATE = """
CREATE TABLE IF NOT EXISTS land_page (
  listing VARCHAR, arrival BIGINT, entity VARCHAR, rows BIGINT, size BIGINT, body BLOB);
CREATE TABLE IF NOT EXISTS land_deleted (entity VARCHAR, id VARCHAR, survivor VARCHAR);
CREATE TABLE IF NOT EXISTS land_bare (entity VARCHAR, id VARCHAR, listing VARCHAR, arrival BIGINT);
"""
_AT_ONCE = 4 << 20  # bytes of rows that are spread out in one go
_CODEC = pa.Codec("zstd", compression_level=1)


def put(sql: Any, page: Page, arrival: int) -> int:
    """Put a page down; returns how many rows of its own listing it had."""
    rows = 0
    for entity, stream in page.tables.items():
        table = pa.table(stream)  # type: ignore[arg-type]  # pyarrow takes any Arrow stream
        rows += table.num_rows if entity == page.listing else 0
        if table.num_rows:
            body = _packed(table)
            sql.execute(
                "INSERT INTO land_page VALUES ($1, $2, $3, $4, $5, $6)",
                [page.listing, arrival, entity, table.num_rows, body.size, _CODEC.compress(body, asbytes=True)],
            )
    for gone in page.deleted:
        sql.execute("INSERT INTO land_deleted VALUES ($1, $2, $3)", list(gone))
    for bare in page.bare:
        sql.execute("INSERT INTO land_bare VALUES ($1, $2, $3, $4)", [*bare, page.listing, arrival])
    return rows


def _packed(table: pa.Table) -> pa.Buffer:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def arrived(sql: Any, entity: str) -> int:
    """Rows of an entity that were put down, repeats included."""
    return int(sql.execute("SELECT coalesce(sum(rows), 0) FROM land_page WHERE entity = $1", [entity]).fetchone()[0])


def spread(sql: Any, shape: EntityShape) -> None:
    """`land_<entity>` (temporary): all rows that were put down, with the listing and the number of their page."""
    name = ident("land_" + shape.name)
    columns = ", ".join(f"{ident(c)} VARCHAR" for c in (*shape.columns, "_raw", "_listing"))
    sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns}, _arrival BIGINT)")
    for table in _tables(sql, shape.name, "true", None):
        _insert(sql, name, table)


def keys(sql: Any, shape: EntityShape, name: str, *, listing: str, own: bool) -> None:
    """`name` (temporary): key and page of the rows that came in a listing, or in all the others.

    The key is the id, else something that tells rows without an id apart; `identified` says which.
    """
    sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} (key VARCHAR, identified BOOLEAN, arrival BIGINT)")
    for table in _tables(sql, shape.name, "listing = $2" if own else "listing <> $2", listing):
        narrow = table.select([shape.id, "_raw", "_arrival"]).rename_columns(["id", "raw", "arrival"])
        _insert(sql, name, narrow, "coalesce(id, md5(raw)) AS key, id IS NOT NULL AS identified, arrival")


def clear(sql: Any) -> None:
    """Everything has been spread out and used."""
    sql.execute("DROP TABLE land_page; DROP TABLE land_deleted; DROP TABLE land_bare")


def _tables(sql: Any, entity: str, where: str, listing: str | None) -> Iterator[pa.Table]:
    """The entity's pages in the order they came, several at once, with `_listing` and `_arrival`."""
    given = [entity] if listing is None else [entity, listing]
    pages = sql.execute(
        f"SELECT rowid, size FROM land_page WHERE entity = $1 AND {where} ORDER BY rowid", given
    ).fetchall()
    while pages:
        first, size, taken = pages[0][0], 0, 0
        while taken < len(pages) and (not taken or size + pages[taken][1] <= _AT_ONCE):
            size += pages[taken][1]
            taken += 1
        found = sql.execute(
            f"SELECT listing, arrival, size, body FROM land_page WHERE entity = $1 AND {where} "
            f"AND rowid BETWEEN {first} AND {pages[taken - 1][0]} ORDER BY rowid",
            given,
        ).fetchall()
        pages = pages[taken:]
        yield pa.concat_tables([_unpacked(*one) for one in found])


def _unpacked(listing: str, arrival: int, size: int, body: bytes) -> pa.Table:
    with pa.ipc.open_stream(_CODEC.decompress(body, size)) as reader:
        table = reader.read_all()
    place = pa.repeat(pa.scalar(listing), table.num_rows)
    number = pa.repeat(pa.scalar(arrival, pa.int64()), table.num_rows)
    return table.append_column("_listing", place).append_column("_arrival", number)


def _insert(sql: Any, name: str, landing_rows: pa.Table, columns: str = "*") -> None:
    """Add rows to a table. DuckDB finds them by the name of the argument: what is registered stays until the commit."""
    if landing_rows.num_rows:
        sql.execute(f"INSERT INTO {name} BY NAME SELECT {columns} FROM landing_rows")
