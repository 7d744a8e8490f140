"""The audit trail: a keyed hash chain of outcomes and privileged acts, in a SQLCipher file under the audit key.

Each entry carries HMAC-SHA256 over its own content and the MAC of the entry before, and numbers go up by one. The
head is also kept in `audit.head`, so an end that was cut off is found. Record keys are stored as HMACs only. It
survives `purge`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.errors import ChartliftError, JournalDamaged
from chartlift.store import blobs
from chartlift.store.database import RESTORE, Database, statements
from chartlift.store.mark import Mark

if TYPE_CHECKING:
    from chartlift.model.arrow import ArrowStream
    from chartlift.store.keys import Keys

FILE, HEAD = "audit.db", "audit.head"
APPLICATION, VERSION = 0x434C4131, 1
_BLOCK = 64  # of SHA-256, in bytes
_FIELDS = ("seq", "at", "act", "who", "run", "fingerprint", "batch", "object", "rows", "detail", "sha256", "previous")
_START = bytes(32)


def _now() -> datetime:
    return datetime.now(UTC)


class Trail:
    """Implements model.ports.Audit."""

    def __init__(self, database: Database, head: Mark, keys: Keys, now: Callable[[], datetime]) -> None:
        self._db, self._head, self._now = database, head, now
        self._chain, self._records = keys.for_chain(), keys.for_record_keys()

    @classmethod
    def open(cls, home: Path, keys: Keys, *, now: Callable[[], datetime] = _now) -> Self:
        """Open the trail of a workspace, or make it if the workspace never had one.

        Raises:
            JournalDamaged: the file is damaged, missing, or not of this workspace.
        """
        head = Mark(home / HEAD, keys.for_chain(), durable=True)
        if head.exists() and not (home / FILE).exists():
            raise JournalDamaged(f"{FILE} is missing", hint=RESTORE)
        named = dict(statements("audit.sql"))
        schema = named.pop("schema")
        database = Database(home / FILE, keys.for_audit(), application=APPLICATION, version=VERSION, schema=schema)
        database.name_statements(named)
        return cls(database, head, keys, now)

    def act(
        self, act: str, *, who: str, run: str = "", fingerprint: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Append a privileged act or a step."""
        self._append(act, who, run, fingerprint, detail or {})

    def outcomes(
        self, *, run: str, batch: int, object_name: str, fingerprint: str, who: str, rows: ArrowStream
    ) -> None:
        """Append what became of the rows of a batch: key (stored keyed), outcome, reason. Told twice, kept once."""
        if self._db.rows("batch_there", batch):
            return
        told = blobs.table(rows)
        words = [told.column(name).cast(pa.string()) for name in ("outcome", "code", "fields")]
        records = self.pseudonyms(told.column("key").to_pylist())
        table = pa.table(
            {"record": pa.array(records, pa.binary(32)), "outcome": words[0], "reason": _reason(words[1], words[2])}
        )
        found = pc.value_counts(words[0].combine_chunks()).to_pylist()
        counts = {str(item["values"]): item["counts"] for item in found}
        detail = {"outcomes": dict(sorted(counts.items()))}
        self._append("outcomes", who, run, fingerprint, detail, batch=batch, object_name=object_name, rows=table)

    def pseudonyms(self, keys: Sequence[str]) -> list[bytes]:
        """HMAC-SHA256 of each record key under the audit key; its two halves are prepared once: three times as fast."""
        padded = self._records + bytes(_BLOCK - len(self._records))
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

        def keyed(key: str) -> bytes:
            first, second = inner.copy(), outer.copy()
            first.update(key.encode())
            second.update(first.digest())
            return second.digest()

        return [keyed(key) for key in keys]

    def _append(
        self,
        act: str,
        who: str,
        run: str,
        fingerprint: str,
        detail: Mapping[str, Any],
        *,
        batch: int | None = None,
        object_name: str = "",
        rows: pa.Table | None = None,
    ) -> None:
        blob = None if rows is None else blobs.encode(rows)
        text = json.dumps(dict(detail), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        at = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._db.transaction():
            seq, previous = self._last()
            entry = (seq + 1, at, act, who, run, fingerprint, batch, object_name, blob.rows if blob else 0, text)
            sealed = (*entry, blob.sha256 if blob else None, previous)
            mac = self._mac(sealed)
            self._db.do("append", *sealed, mac, blob.body if blob else None)
        self._head.set(seq + 1, mac)

    def _last(self) -> tuple[int, bytes]:
        found = self._db.rows("head")
        return found[0] if found else (0, _START)

    def _mac(self, sealed: Sequence[Any]) -> bytes:
        """Over a spelling in which no two entries look the same."""
        plain = [value.hex() if isinstance(value, bytes) else value for value in sealed]
        text = json.dumps(plain, ensure_ascii=True, separators=(",", ":"))
        return hmac.digest(self._chain, text.encode(), "sha256")

    def verify(self) -> tuple[bool, str]:
        """Walk the chain: (True, head) or (False, where it breaks). The anchor comes first: a writer may be at work."""
        try:
            anchor = self._head.read() if self._head.exists() else None
            wrong, macs = self._walk()
            damaged = 0 if wrong else self._db.damaged_pages()
        except ChartliftError as error:
            return False, error.message
        if wrong or damaged:
            return False, wrong or f"{damaged} pages of {FILE} are damaged"
        if anchor is None:
            return (False, f"{HEAD} is missing") if len(macs) > 1 else (True, f"0:{_START.hex()}")
        count, digest = anchor
        if count >= len(macs):
            return False, f"entries {len(macs)} to {count} are missing at the end"
        if macs[count] != digest:
            return False, f"entry {count} is not the one that {HEAD} names"
        return True, f"{len(macs) - 1}:{macs[-1].hex()}"

    def _walk(self) -> tuple[str, list[bytes]]:
        """What is wrong first, and the MACs from the start on."""
        macs = [_START]
        for row in self._rows():
            seq, sha256, previous, mac = row[0], row[10], row[11], row[12]
            if seq != len(macs):
                return f"entry {len(macs)} is missing", macs
            if previous != macs[-1]:
                return f"entry {seq} does not follow entry {seq - 1}", macs
            if not hmac.compare_digest(mac, self._mac(row[:12])):
                return f"entry {seq} was changed", macs
            if sha256 is not None:
                self.records(seq)
            elif self._db.rows("body", seq)[0][0] is not None:
                return f"entry {seq} was changed", macs
            macs.append(mac)
        return "", macs

    def entries(self) -> Iterator[dict[str, Any]]:
        """All entries, oldest first; `sha256`, `previous` and `mac` in hexadecimal, `detail` as JSON values."""
        for row in self._rows():
            entry = dict(zip((*_FIELDS, "mac"), row, strict=True))
            entry["detail"] = json.loads(entry["detail"])
            yield {name: value.hex() if isinstance(value, bytes) else value for name, value in entry.items()}

    def records(self, seq: int) -> pa.Table | None:
        """The rows of an `outcomes` entry: record (HMAC of its key), outcome, reason; None for an act.

        Raises:
            JournalDamaged: they are not those that were written.
        """
        found = self._db.rows("body", seq)
        if not found or found[0][1] is None:
            return None
        if found[0][0] is None:
            raise JournalDamaged(f"entry {seq} of {FILE} lacks its records", hint=RESTORE)
        return blobs.decode(blobs.Blob(*found[0]), f"entry {seq} of {FILE}")

    def history(self, key: str) -> list[dict[str, Any]]:
        """What became of one record, by its key: seq, at, run, object, outcome, reason."""
        wanted = pa.scalar(self.pseudonyms([key])[0], pa.binary(32))
        told = []
        for entry in self.entries():
            rows = self.records(entry["seq"])
            if rows is not None:
                kept = {name: entry[name] for name in ("seq", "at", "run", "object")}
                hits = rows.filter(pc.equal(rows.column("record"), wanted)).select(["outcome", "reason"])
                told += [kept | hit for hit in hits.to_pylist()]
        return told

    def covered(self) -> set[int]:
        """Batches whose outcomes are in the trail: after a kill one may be settled in the journal and missing here."""
        return {batch for (batch,) in self._db.rows("batches")}

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        self._head.close()

    def _rows(self) -> Iterator[Sequence[Any]]:
        last = 0
        while page := self._db.rows("page", last):
            yield from page
            last = page[-1][0]


def _reason(code: pa.ChunkedArray, fields: pa.ChunkedArray) -> pa.ChunkedArray:
    """`CODE` or `CODE@Field,Field`; NULL where there is none."""
    at = pc.binary_join_element_wise(code, pc.fill_null(fields, ""), "@")
    return pc.if_else(pc.greater(pc.utf8_length(pc.fill_null(fields, "")), 0), at, code)
