"""The journal's tables, column by column: what the blobs of a batch must hold, and what has landed over all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.errors import StopError
from chartlift.store import blobs

if TYPE_CHECKING:
    from chartlift.model.arrow import ArrowStream

KEYS = pa.schema([(name, pa.string()) for name in ("key", "hash", "id")])
OUTCOMES = pa.schema(
    [
        ("key", pa.string()),
        ("id", pa.string()),
        ("outcome", pa.string()),
        ("created", pa.bool_()),
        ("code", pa.string()),
        ("fields", pa.string()),
    ]
)
LANDED = pa.schema(
    [
        ("key", pa.string()),
        ("id", pa.string()),
        ("hash", pa.string()),
        ("run", pa.string()),
        ("batch", pa.int64()),
        ("object", pa.string()),
    ]
)
WORDS = ("ok", "failed", "unprocessed")
_WORDS = {word: pa.scalar(word) for word in WORDS}  # made once: each conversion looks for numpy on the disk
STAYS = ("insert", "update", "same", "undelete")  # after these a key is in the org and ours or linked by us
ENDS = ("delete", "restore")  # after these it is not, or no longer linked
CHANGES = (*STAYS, *ENDS)
MAKES_OR_ENDS = ("insert", "undelete", "delete")


@dataclass(frozen=True, slots=True)
class Part:
    """One settled batch; `outcomes` lie in the order of `keys`."""

    batch: int
    run: str
    object: str
    operation: str
    keys: pa.Table
    outcomes: pa.Table


def keys_of_a_batch(stream: ArrowStream) -> pa.Table:
    """Key, hash and id (NULL for rows that have none yet), each key once.

    Raises:
        StopError: a key is NULL or there twice.
    """
    given = blobs.table(stream)
    rows = pa.Table.from_arrays([_column(given, name, KEYS.field(name).type) for name in KEYS.names], schema=KEYS)
    key = rows.column("key")
    if key.null_count or pc.count_distinct(key).as_py() != rows.num_rows:
        raise StopError("a batch lists a row without a key, or one key twice")
    return rows


def outcomes_of_a_batch(said: pa.Table, keys: pa.Table, what: str) -> pa.Table:
    """The outcomes in the order of the batch's keys; a key given as the record's id is translated.

    Raises:
        StopError: rows are missing, unknown or there twice, or an outcome is none of ok, failed, unprocessed.
    """
    place = pc.index_in(said.column("key"), value_set=keys.column("key"))
    if place.null_count:
        by_id = pc.index_in(said.column("key"), value_set=keys.column("id"), skip_nulls=True)
        place = pc.coalesce(place, by_id)
    if place.null_count or said.num_rows != keys.num_rows or pc.count_distinct(place).as_py() != keys.num_rows:
        raise StopError(f"{what}: {said.num_rows} outcomes do not fit its {keys.num_rows} rows one to one")
    order = pc.sort_indices(place)
    columns = [_column(said, name, OUTCOMES.field(name).type).take(order) for name in OUTCOMES.names]
    columns[0] = keys.column("key")
    rows = pa.Table.from_arrays(columns, schema=OUTCOMES)
    if sum(counts(rows).values()) != rows.num_rows:
        raise StopError(f"{what}: an outcome is none of {', '.join(WORDS)}")
    return rows


def counts(outcomes: pa.Table) -> dict[str, int]:
    """Rows per outcome word."""
    column = outcomes.column("outcome")
    return {word: pc.sum(pc.equal(column, value)).as_py() or 0 for word, value in _WORDS.items()}


def fate_counts(fates: pa.Table) -> dict[str, int]:
    """Rows per fate word of a unit's fates."""
    if "fate" not in fates.column_names or not fates.num_rows:
        return {}
    found = fates.group_by("fate").aggregate([([], "count_all")]).to_pydict()
    return dict(sorted(zip(map(str, found["fate"]), found["count_all"], strict=True)))


def changes(part: Part) -> pa.Table:
    """What one batch changed: key, id, hash, batch, stays (False: the key is no longer landed after it)."""
    rows = pa.table({"key": part.keys.column("key"), "id": _ids(part), "hash": part.keys.column("hash")})
    rows = rows.filter(pc.equal(part.outcomes.column("outcome"), _WORDS["ok"]))
    rows = rows.append_column("batch", _constant(part.batch, rows.num_rows))
    return rows.append_column("stays", _constant(part.operation in STAYS, rows.num_rows))


def landed(parts: Iterable[Part]) -> pa.Table:
    """The newest state of each key, without the keys it ended for."""
    tables, names = [], []
    for part in parts:
        tables.append(changes(part))
        names.append((part.batch, part.run, part.object))
    if not tables:
        return LANDED.empty_table()
    batches, runs, objects = (pa.array(column) for column in zip(*names, strict=True))
    whole = pa.concat_tables(tables)
    place = pc.index_in(whole.column("batch"), value_set=batches)
    last = _last(whole.append_column("object", objects.dictionary_encode().indices.take(place)), ("object", "key"))
    last = last.filter(last.column("stays"))
    place = pc.index_in(last.column("batch"), value_set=batches)
    columns = [*last.select(["key", "id", "hash"]).columns, runs.take(place), last.column("batch"), objects.take(place)]
    return pa.Table.from_arrays(columns, schema=LANDED)


def made(parts: Iterable[Part]) -> pa.ChunkedArray:
    """Keys whose newest making or ending was a making."""
    tables = []
    for part in parts:
        rows = part.keys.select(["key"]).filter(pc.equal(part.outcomes.column("outcome"), _WORDS["ok"]))
        rows = rows.append_column("object", _constant(part.object, rows.num_rows))
        tables.append(rows.append_column("stays", _constant(part.operation != "delete", rows.num_rows)))
    if not tables:
        return pa.chunked_array([], pa.string())
    last = _last(pa.concat_tables(tables), ("object", "key"))
    return last.filter(last.column("stays")).column("key")


def newest(images: Iterable[pa.Table]) -> pa.Table | None:
    """Images given newest batch first -> each key's newest; a field that an older image lacks is NULL there."""
    tables = list(images)
    if not tables:
        return None
    tables.reverse()
    whole = pa.concat_tables(tables, promote_options="default")
    return _last(whole, ("key",))


def _last(rows: pa.Table, by: tuple[str, ...]) -> pa.Table:
    """The last row of each key, in the order in which they stand."""
    place = pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows)), 1)
    groups = rows.select(by).append_column("place", place).group_by(by, use_threads=False).aggregate([("place", "max")])
    if groups.num_rows == rows.num_rows:
        return rows
    places = groups.column("place_max").combine_chunks()
    return rows.take(places.take(pc.array_sort_indices(places)))


def _ids(part: Part) -> pa.ChunkedArray:
    """The id the org answered, else the one that was sent."""
    return pc.coalesce(part.outcomes.column("id"), part.keys.column("id"))


def _constant(value: str | int, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), rows)


def _column(given: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    if name not in given.column_names:
        return pa.chunked_array([pa.nulls(given.num_rows, kind)])
    return given.column(name).cast(kind)
