"""Pages as they were read, until all of them are there: one compressed Arrow table for each entity of a page.

A page is small and written together with the cursor behind it; only a complete reading is spread out into rows. Each is
cut into pieces of a few KB: DuckDB reads 2,048 rows at a time, and whole pages would be read by the gigabyte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from chartlift.model.source import EntityShape, Page
from chartlift.stages.sqltext import ident

STATE = """
CREATE TABLE IF NOT EXISTS land_deleted (entity VARCHAR, id VARCHAR, survivor VARCHAR);
CREATE TABLE IF NOT EXISTS land_bare (entity VARCHAR, id VARCHAR, listing VARCHAR, arrival BIGINT);
"""
_PIECE = 4000  # bytes; longer ones are kept apart from the rows
_AT_ONCE = 2 << 20  # bytes of rows that are spread out in one go
_CODEC = pa.Codec("zstd", compression_level=1)


def prepare(sql: Any, shape: EntityShape) -> None:
    """Make the table of an entity's pages if it is not there yet."""
    sql.execute(
        f"CREATE TABLE IF NOT EXISTS {_table(shape.name)} "
        "(listing VARCHAR, arrival BIGINT, rows BIGINT, size BIGINT, body BLOB USING COMPRESSION uncompressed)"
    )


def put(sql: Any, page: Page, arrival: int) -> int:
    """Put a page down; returns how many rows of its own listing it had."""
    rows = 0
    for entity, stream in page.tables.items():
        table = pa.table(stream)  # type: ignore[arg-type]  # pyarrow takes any Arrow stream
        rows += table.num_rows if entity == page.listing else 0
        if table.num_rows:
            _insert(sql, _table(entity), _pieces(table, page.listing, arrival))
    for gone in page.deleted:
        sql.execute("INSERT INTO land_deleted VALUES ($1, $2, $3)", list(gone))
    for bare in page.bare:
        sql.execute("INSERT INTO land_bare VALUES ($1, $2, $3, $4)", [*bare, page.listing, arrival])
    return rows


def _table(entity: str) -> str:
    return ident("page_" + entity)


def _pieces(table: pa.Table, listing: str, arrival: int) -> pa.Table:
    """A page as rows: the first one says how many rows and bytes the page has, the others 0."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    whole = out.getvalue()
    body = _CODEC.compress(whole, asbytes=True)
    pieces = [body[at : at + _PIECE] for at in range(0, len(body), _PIECE)]
    rest = [0] * (len(pieces) - 1)
    return pa.table(
        {
            "listing": pa.array([listing] * len(pieces), pa.string()),
            "arrival": pa.array([arrival] * len(pieces), pa.int64()),
            "rows": pa.array([table.num_rows, *rest], pa.int64()),
            "size": pa.array([whole.size, *rest], pa.int64()),
            "body": pa.array(pieces, pa.binary()),
        }
    )


def arrived(sql: Any, entity: str) -> int:
    """Rows of an entity that were put down, repeats included."""
    return int(sql.execute(f"SELECT coalesce(sum(rows), 0) FROM {_table(entity)}").fetchone()[0])


def spread(sql: Any, shape: EntityShape) -> None:
    """`land_<entity>` (temporary): all rows that were put down, with the listing and the number of their page."""
    name = ident("land_" + shape.name)
    columns = ", ".join(f"{ident(c)} VARCHAR" for c in (*shape.columns, "_raw", "_listing"))
    sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns}, _arrival BIGINT)")
    for table in _tables(sql, shape.name, "true"):
        _insert(sql, name, table)


def keys(sql: Any, shape: EntityShape, name: str, *, listing: str, own: bool) -> None:
    """`name` (temporary): key and page of the rows that came in a listing, or in all the others.

    The key is the id, else something that tells rows without an id apart; `identified` says which.
    """
    sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} (key VARCHAR, identified BOOLEAN, arrival BIGINT)")
    for table in _tables(sql, shape.name, f"listing {'=' if own else '<>'} $1", listing):
        narrow = table.select([shape.id, "_raw", "_arrival"]).rename_columns(["id", "raw", "arrival"])
        _insert(sql, name, narrow, "coalesce(id, md5(raw)) AS key, id IS NOT NULL AS identified, arrival")


def clear(sql: Any, shapes: Sequence[EntityShape]) -> None:
    """Everything has been spread out and used."""
    for shape in shapes:
        sql.execute(f"DROP TABLE {_table(shape.name)}")
    sql.execute("DROP TABLE land_deleted; DROP TABLE land_bare")
    sql.execute("DROP TABLE IF EXISTS land_earlier; DROP TABLE IF EXISTS land_own")


def _tables(sql: Any, entity: str, where: str, *given: str) -> Iterator[pa.Table]:
    """The entity's pages in the order they came, several at once, with `_listing` and `_arrival`."""
    found: list[pa.Table] = []
    size = 0
    for listing, arrival, whole, body in _bodies(sql, entity, where, given):
        if found and size + whole > _AT_ONCE:
            yield pa.concat_tables(found)
            found, size = [], 0
        found.append(_unpacked(listing, arrival, whole, body))
        size += whole
    if found:
        yield pa.concat_tables(found)


def _bodies(sql: Any, entity: str, where: str, given: Sequence[str]) -> Iterator[tuple[str, int, int, bytes]]:
    """Pages with their pieces put together; a connection of its own reads on while rows are written."""
    reader = sql.cursor()
    reader.execute(f"USE {ident(sql.execute('SELECT current_database()').fetchone()[0])}")
    reader.execute(f"SELECT listing, arrival, size, body FROM {_table(entity)} WHERE {where} ORDER BY rowid", [*given])
    head: tuple[str, int, int] | None = None
    pieces: list[bytes] = []
    while rows := reader.fetchmany(64):
        for listing, arrival, size, body in rows:
            if size and head:
                yield (*head, b"".join(pieces))
            if size:
                head, pieces = (listing, arrival, size), []
            pieces.append(body)
    if head:
        yield (*head, b"".join(pieces))
    reader.close()


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
