"""Results of an ingest job: what became of every row, written piece by piece while the job runs, read as CSV.

The file is Arrow, one record batch for each piece. Columns that begin with a NUL are the outcome, the others are echoed.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.compute as pc

from chartlift_sandbox.salesforce import bulk_csv

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.bulk_jobs import IngestJob

OUTCOME = pa.schema(
    [(name, pa.bool_() if name in {"success", "created"} else pa.string()) for name in
     ("id", "success", "created", "code", "message", "fields")]
)  # fmt: skip
"""What the engine says of a row."""
_HEADS = {
    "successfulresults": ["sf__Id", "sf__Created"],
    "failedresults": ["sf__Id", "sf__Error"],
    "unprocessedrecords": [],
}


class ResultWriter:
    """Writes the results of a job."""

    def __init__(self, job: IngestJob, echo: pa.Table) -> None:
        schema = _beside(echo.slice(0, 0), OUTCOME.empty_table()).schema
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._sink = pa.OSFile(str(job.result_file), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema, options=options)

    def add(self, echo: pa.Table, outcome: pa.Table) -> None:
        """Write uploaded rows with the engine's answer for the first of them; the others were not processed."""
        if echo.num_rows:
            self._writer.write_table(_beside(echo, outcome).combine_chunks())

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._writer.close()
        self._sink.close()


def _beside(echo: pa.Table, outcome: pa.Table) -> pa.Table:
    """Outcome columns (`sf__Id`, `sf__Created`, `sf__Error`, `done`, `ok`) and the uploaded ones."""
    missing = echo.num_rows - outcome.num_rows
    fields = pc.fill_null(outcome["fields"], "")
    tail = pc.if_else(pc.equal(fields, ""), "--", pc.binary_join_element_wise(fields, "--", " "))
    parts = (pc.fill_null(outcome["code"], ""), pc.fill_null(outcome["message"], ""), tail)
    columns: dict[str, pa.ChunkedArray] = {
        "sf__Id": pc.fill_null(outcome["id"], ""),
        "sf__Created": pc.if_else(pc.fill_null(outcome["created"], False), "true", "false"),
        "sf__Error": pc.binary_join_element_wise(*parts, ":"),
        "ok": outcome["success"],
    }
    padded = [pa.chunked_array([*c.chunks, pa.nulls(missing, c.type)], c.type) for c in columns.values()]
    done = pa.array([True] * outcome.num_rows + [False] * missing, pa.bool_())
    names = [*(f"\x00{name}" for name in columns), "\x00done", *echo.column_names]
    return pa.table([*padded, done, *echo.columns], names=names)


def read(job: IngestJob, which: str, *, shuffle: bool, doubles: frozenset[str]) -> Iterator[bytes]:
    """One of the three result sets as CSV, piece by piece; the header comes first.

    Args:
        job: A job in a terminal state.
        which: `successfulresults`, `failedresults` or `unprocessedrecords`.
        shuffle: Give rows in another order than they were uploaded.
        doubles: Lower-case names of fields whose numbers a real org re-formats in the successful results.
    """
    seed = int.from_bytes(job.id[3:11].encode()) >> 1
    with pa.OSFile(str(job.result_file), "rb") as source:
        pieces = pa.ipc.open_file(source)
        echoed = [name for name in pieces.schema.names if not name.startswith("\x00")]
        heads = _HEADS[which]
        yield bulk_csv.head([*heads, *echoed], quoted=len(heads), delimiter=job.delimiter, line_ending=job.line_ending)
        for place in _order(pieces.num_record_batches, shuffle=shuffle, backwards=job.reversed, seed=seed):
            table = _wanted(pa.Table.from_batches([pieces.get_batch(place)]), which)
            table = table.select([*(f"\x00{name}" for name in heads), *echoed]).rename_columns([*heads, *echoed])
            if shuffle or job.reversed:
                rows = _order(table.num_rows, shuffle=shuffle, backwards=job.reversed, seed=seed)
                table = table.take(pa.array(rows, pa.int64()))
            if which == "successfulresults" and table.num_rows:
                table = _as_doubles(table, echoed, doubles)
            yield bulk_csv.rows(table, delimiter=job.delimiter, line_ending=job.line_ending)


def _wanted(table: pa.Table, which: str) -> pa.Table:
    done, ok = table["\x00done"], pc.fill_null(table["\x00ok"], False)
    good = {"successfulresults": ok, "failedresults": pc.invert(ok)}.get(which)
    return table.filter(pc.invert(done) if good is None else pc.and_(done, good))


def _order(count: int, *, shuffle: bool, backwards: bool, seed: int) -> list[int]:
    """Places in the order in which they are shown."""
    if backwards or not shuffle:
        return list(range(count))[:: -1 if backwards else 1]
    return bulk_csv.shuffled(count, seed).to_pylist()


def _as_doubles(table: pa.Table, echoed: list[str], doubles: frozenset[str]) -> pa.Table:
    for name in (one for one in echoed if one.lower() in doubles):
        column = bulk_csv.echo_doubles(table[name])
        table = table.set_column(table.column_names.index(name), name, column)
    return table
