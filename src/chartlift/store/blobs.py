"""Tables as bytes: zstd-compressed Arrow streams, each with its SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.ipc

from chartlift.errors import JournalDamaged

if TYPE_CHECKING:
    from chartlift.model.arrow import ArrowStream

_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))


@dataclass(frozen=True, slots=True)
class Blob:
    """An encoded table; `body` may hold patient values and never shows in a repr."""

    body: bytes = field(repr=False)
    sha256: bytes
    rows: int


def table(stream: ArrowStream) -> pa.Table:
    """Any Arrow stream as a Table whose text columns are plain `string`."""
    whole = stream if isinstance(stream, pa.Table) else pa.RecordBatchReader.from_stream(stream).read_all()
    wanted = pa.schema([pa.field(column.name, _plain(column.type), nullable=True) for column in whole.schema])
    return whole if whole.schema.equals(wanted) else whole.cast(wanted)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_binary_view(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    return kind


def encode(rows: pa.Table) -> Blob:
    """Encode a table; the same table always gives the same bytes."""
    sink = pa.BufferOutputStream()
    plain = rows.replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(sink, plain.schema, options=_OPTIONS) as writer:
        writer.write_table(plain)
    body = sink.getvalue().to_pybytes()
    return Blob(body, hashlib.sha256(body).digest(), rows.num_rows)


def decode(blob: Blob, what: str) -> pa.Table:
    """Decode, after the hash has been compared; `what` names the blob in the message.

    Raises:
        JournalDamaged: the bytes are not those that were written.
    """
    if hashlib.sha256(blob.body).digest() != blob.sha256:
        raise JournalDamaged(f"{what}: the content does not match its hash", hint="restore the workspace from a backup")
    try:
        rows = pa.ipc.open_stream(pa.py_buffer(blob.body)).read_all()
    except pa.ArrowException:
        raise JournalDamaged(
            f"{what}: the content cannot be read", hint="restore the workspace from a backup"
        ) from None
    if rows.num_rows != blob.rows:
        raise JournalDamaged(f"{what}: {rows.num_rows} rows instead of {blob.rows}", hint="restore from a backup")
    return rows
