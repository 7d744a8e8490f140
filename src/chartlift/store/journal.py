"""The journal: the only truth about what was done. One SQLCipher file, batches as blobs, durable at every call.

Whoever reads the journal may trust it: pages carry MACs, blobs their SHA-256, and `journal.mark` outside the file
tells when its end was lost. Anything that does not add up raises JournalDamaged; nothing is repaired silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import pyarrow as pa

from chartlift.errors import JournalDamaged, StopError
from chartlift.model.ports import BatchRow
from chartlift.store import blobs, landed
from chartlift.store.database import RESTORE, Database, json_list, script, statements
from chartlift.store.landed import Part
from chartlift.store.mark import Mark

if TYPE_CHECKING:
    from chartlift.model.arrow import ArrowStream

FILE, MARK = "journal.db", "journal.mark"
APPLICATION, VERSION = 0x434C4A31, 1
STATUSES = ("cut", "created", "uploaded", "closed", "settled", "verified")
DONE = ("settled", "verified")
PAGES_CHECKED_UP_TO = 256 << 20  # bytes; a larger file is checked page by page as it is read


def _now() -> datetime:
    return datetime.now(UTC)


class SqlJournal:
    """Implements model.ports.Journal; the further calls are for loading, `status` and `purge`."""

    def __init__(self, database: Database, mark: Mark, now: Callable[[], datetime]) -> None:
        self._db, self._mark, self._now = database, mark, now

    @classmethod
    def open(cls, home: Path, key: bytes, *, now: Callable[[], datetime] = _now, sole: bool = True) -> Self:
        """Open the journal of a workspace, or make it if the workspace never had one.

        `sole` says that no other process writes now (the lease is held); only then all pages are checked.

        Raises:
            JournalDamaged: it cannot be trusted.
            UsageError: a newer chartlift wrote it.
        """
        path, mark = home / FILE, Mark(home / MARK, key, durable=False)
        if mark.exists() and not path.exists():
            raise JournalDamaged(f"{FILE} is missing", hint=RESTORE)
        known = mark.read()[0] if mark.exists() else None
        database = Database(path, key, application=APPLICATION, version=VERSION, schema=script("schema.sql"))
        database.name_statements(statements("queries.sql"))
        journal = cls(database, mark, now)
        try:
            journal._check(known, sole=sole)
        except BaseException:
            database.close()
            raise
        return journal

    def _check(self, known: int | None, *, sole: bool) -> None:
        commits = self._db.rows("commits")
        if len(commits) != 1 or (known is None and not self._db.made and commits[0][0] > 1):
            raise JournalDamaged(f"{FILE} and {MARK} do not belong together", hint=RESTORE)
        if known is not None and commits[0][0] < known:
            lost = known - commits[0][0]
            raise JournalDamaged(f"the last {lost} entries of {FILE} are lost", hint=RESTORE)
        if sole and self._db.size() <= PAGES_CHECKED_UP_TO and (bad := self._db.damaged_pages()):
            raise JournalDamaged(f"{bad} pages of {FILE} are damaged", hint=RESTORE)
        if broken := self._db.rows("census"):
            raise JournalDamaged(f"batch {broken[0][0]} of {FILE} lacks its rows", hint=RESTORE)
        if sole:
            self._mark.set(commits[0][0])

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Group calls so that all or none of them become durable; may be nested."""
        outermost, commits = not self._db.inside, 0
        with self._db.transaction():
            yield
            if outermost:
                self._db.do("beat")
                commits = self._db.rows("commits")[0][0]
        if outermost:
            self._mark.set(commits)

    def get(self, name: str, default: Any = None) -> Any:
        """A named JSON value of the workspace."""
        found = self._db.rows("get", name)
        return json.loads(found[0][0]) if found else default

    def put(self, name: str, value: Any) -> None:
        """Set a named JSON value of the workspace."""
        with self.transaction():
            self._db.do("put", name, json.dumps(value))

    def start_run(self, kind: str, *, fingerprint: str, who: str, detail: Mapping[str, Any] | None = None) -> str:
        """Open a run and return its id (a UUID)."""
        run = str(uuid4())
        with self.transaction():
            self._db.do("start_run", run, kind, fingerprint, who, self._at(), json.dumps(dict(detail or {})))
        return run

    def end_run(self, run: str, outcome: str) -> None:
        """Close a run: done | failed | rolled_back | …; `paused` notes the outcome and leaves it open."""
        with self.transaction():
            self._db.do("end_run", id=run, outcome=outcome, at=self._at())

    def runs(self, *, kinds: Sequence[str] = (), open_only: bool = False) -> list[dict[str, Any]]:
        """Runs, oldest first: id, kind, fingerprint, who, started, ended, outcome, detail."""
        names = ("id", "kind", "fingerprint", "who", "started", "ended", "outcome", "detail")
        found = self._db.rows("runs", kinds=json_list(kinds), open_only=open_only)
        return [dict(zip(names, row[:-1], strict=False)) | {"detail": json.loads(row[-1])} for row in found]

    def cut(
        self,
        run: str,
        *,
        unit: str,
        object_name: str,
        operation: str,
        wire: str,
        level: int,
        keys: ArrowStream,
        pre: ArrowStream | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> BatchRow:
        """Write a batch down before any of it leaves: `keys` has key, hash and, for known rows, id; `pre` pre-images.

        Raises:
            StopError: the run is unknown, or a key is missing or there twice.
        """
        rows = landed.keys_of_a_batch(keys)
        images = {"keys": rows} | ({} if pre is None else {"pre": blobs.table(pre)})
        encoded = {kind: blobs.encode(image) for kind, image in images.items()}
        with self.transaction():
            if not self._db.rows("run_there", run):
                raise StopError(f"there is no run {run} in the journal")
            note = json.dumps(dict(detail or {}))
            batch = self._db.do("cut", run, unit, object_name, operation, wire, level, rows.num_rows, note)
            for kind, blob in encoded.items():
                self._keep(batch, kind, blob)
        return self._batch(batch)

    def step(self, batch: int, status: str, *, job_id: str = "", detail: Mapping[str, Any] | None = None) -> None:
        """Note how far a batch is on the wire.

        A word that is no status (creating, polled, aborted, …) is kept in the batch's history and leaves its status
        alone, as does anything after its fates are known. `cut` sends it back to its start, without a job.
        """
        note = dict(detail or {})
        with self.transaction():
            entry = self._batch(batch)
            self._db.do("step", batch, status, job_id, self._at(), json.dumps(note))
            if entry.status in DONE:
                return
            moved = status if status in STATUSES and status not in DONE else entry.status
            job = "" if status == "cut" else job_id or entry.job_id
            self._db.do("move", id=batch, status=moved, job_id=job, detail=json.dumps(dict(entry.detail) | note))

    def steps(self, batch: int) -> list[dict[str, Any]]:
        """The history of a batch on the wire: kind, job_id, at, detail."""
        names = ("kind", "job_id", "at")
        return [
            dict(zip(names, row, strict=False)) | {"detail": json.loads(row[3])}
            for row in self._db.rows("steps", batch)
        ]

    def settle(self, batch: int, outcomes: ArrowStream) -> None:
        """Write the fate of each row of a batch (key, id, outcome, created, code, fields) and mark it settled, at once.

        The rows are put into the order of the batch's keys. A key may be given as the record's id.

        Raises:
            StopError: the outcomes are not exactly those of the batch's rows, or it has its fates already.
        """
        said = blobs.table(outcomes)
        with self.transaction():
            entry = self._batch(batch)
            if entry.status in DONE:
                raise StopError(f"batch {batch} has its fates already")
            rows = landed.outcomes_of_a_batch(said, self.blob(batch, "keys"), f"batch {batch}")
            self._keep(batch, "outcomes", blobs.encode(rows))
            self._db.do("settle", id=batch, **landed.counts(rows))

    def posts(self, batch: int, post: ArrowStream) -> None:
        """Write the post-images (key, id, SystemModstamp, fields …) of a settled batch and mark it verified.

        Raises:
            StopError: the batch is not settled.
        """
        blob = blobs.encode(blobs.table(post))
        with self.transaction():
            if self._batch(batch).status not in DONE:
                raise StopError(f"batch {batch} has no fates yet, so no post-images either")
            self._keep(batch, "post", blob)
            self._db.do("verified", batch)

    def batches(self, *, run: str = "", unit: str = "", statuses: Sequence[str] = ()) -> list[BatchRow]:
        """Batches in the order they were cut."""
        return [_row(row) for row in self._db.rows("batches", run=run, unit=unit, statuses=json_list(statuses))]

    def blob(self, batch: int, kind: str) -> Any:
        """`keys`, `pre`, `outcomes` or `post` of a batch as a pyarrow Table; None if there is none."""
        found = self._db.rows("image", batch, kind)
        return blobs.decode(blobs.Blob(*found[0]), f"batch {batch}, {kind}") if found else None

    def put_fates(self, run: str, unit: str, fates: ArrowStream) -> None:
        """Rows not sent (key, fate, reason) and rows sent with findings (withheld, notes). Replaces the unit's."""
        rows = blobs.table(fates)
        blob, count = blobs.encode(rows), json.dumps(landed.fate_counts(rows))
        with self.transaction():
            self._db.do("keep_fates", run, unit, blob.rows, count, blob.sha256, blob.body)

    def fates(self, run: str, unit: str) -> Any:
        """The same as a pyarrow Table; None if there is none."""
        found = self._db.rows("fates", run, unit)
        return blobs.decode(blobs.Blob(*found[0]), f"fates of {unit}") if found else None

    def fate_counts(self) -> list[dict[str, Any]]:
        """Per run and unit how many rows have which fate, as `put_fates` was told."""
        return [
            {"run": run, "unit": unit, "fates": json.loads(text)} for run, unit, text in self._db.rows("fate_counts")
        ]

    def decide(self, kind: str, subject: str, choice: str, *, by: str, detail: Mapping[str, Any] | None = None) -> None:
        """Remember a person's decision (kind match, people, sample, confirm, …); the last one counts."""
        with self.transaction():
            self._db.do("decide", kind, subject, choice, by, self._at(), json.dumps(dict(detail or {})))

    def decisions(self, kind: str) -> dict[str, dict[str, Any]]:
        """Subject -> {choice, by, at, detail}."""
        return {
            subject: {"choice": choice, "by": who, "at": at, "detail": json.loads(detail)}
            for subject, choice, who, at, detail in self._db.rows("decisions", kind)
        }

    def put_report(self, step: str, run: str, report: Mapping[str, Any]) -> None:
        """Keep a step's report for `status`, `audit` and the pages."""
        with self.transaction():
            self._db.do("put_report", step, run, self._at(), json.dumps(dict(report)))

    def report(self, step: str) -> dict[str, Any] | None:
        """The newest report of a step, with `run` and `at` where it does not have them itself."""
        found = self._db.rows("report", step)
        return {"run": found[0][0], "at": found[0][1]} | json.loads(found[0][2]) if found else None

    def report_steps(self) -> dict[str, str]:
        """Steps that left a report -> when the newest was kept."""
        return {step: at for step, at, _ in self._db.rows("report_steps")}

    def landed(self) -> pa.Table:
        """What is in the org because of us or linked by us: key, id, hash, run, batch, object of each key's last batch.

        A delete or a restore of its pre-image takes a key out, an undelete brings it back (without a hash, which
        makes the next load compare it).
        """
        return landed.landed(self._parts(landed.CHANGES))

    def landings(self) -> Iterator[pa.Table]:
        """The same batch by batch, oldest first, for a store that spills: key, id, hash, batch, stays.

        Of each key the row of its highest batch counts; `stays` is False if it is not landed after that one.
        """
        for part in self._parts(landed.CHANGES):
            yield landed.changes(part)

    def made_by_us(self, object_name: str = "") -> pa.ChunkedArray:
        """Keys of the rows (of one object) that we inserted and did not delete since."""
        return landed.made(self._parts(landed.MAKES_OR_ENDS, object_name))

    def unknown(self) -> int:
        """Rows of batches whose fate is not known yet."""
        return self._db.rows("unknown")[0][0]

    def tally(self) -> list[dict[str, Any]]:
        """Per run, unit, object and operation: batches, rows, ok, failed, unprocessed, unknown."""
        names = ("run", "unit", "object", "operation", "batches", "rows", "ok", "failed", "unprocessed", "unknown")
        return [dict(zip(names, row, strict=True)) for row in self._db.rows("tally")]

    def posts_of(self, unit: str, *, run: str = "") -> pa.Table | None:
        """The newest post-image of each key of a unit; None if there is none."""
        return landed.newest(self._images(unit, "post", run))

    def pre_of(self, unit: str, *, run: str = "") -> pa.Table | None:
        """The newest pre-image of each key of a unit; None if there is none."""
        return landed.newest(self._images(unit, "pre", run))

    def inspect(self) -> int:
        """Read every page and every blob and compare hashes; returns the number of blobs. Slow on a large journal.

        Raises:
            JournalDamaged: names what is wrong.
        """
        if bad := self._db.damaged_pages():
            raise JournalDamaged(f"{bad} pages of {FILE} are damaged", hint=RESTORE)
        images = self._db.rows("images")
        for batch, kind, *blob in images:
            blobs.decode(blobs.Blob(*blob), f"batch {batch}, {kind}")
        return len(images)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        self._mark.close()

    def _images(self, unit: str, kind: str, run: str) -> Iterable[pa.Table]:
        for (batch,) in self._db.rows("with_image", unit=unit, kind=kind, run=run):
            yield self.blob(batch, kind)

    def _parts(self, operations: Sequence[str], object_name: str = "") -> Iterator[Part]:
        for batch, run, name, operation in self._db.rows(
            "settled", operations=json_list(operations), object=object_name
        ):
            yield Part(batch, run, name, operation, self.blob(batch, "keys"), self.blob(batch, "outcomes"))

    def _keep(self, batch: int, kind: str, blob: blobs.Blob) -> None:
        self._db.do("keep_image", batch, kind, blob.rows, blob.sha256, blob.body)

    def _batch(self, batch: int) -> BatchRow:
        found = self._db.rows("batch", batch)
        if not found:
            raise StopError(f"there is no batch {batch} in the journal")
        return _row(found[0])

    def _at(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _row(row: Sequence[Any]) -> BatchRow:
    return BatchRow(*row[:10], detail=json.loads(row[10]))
