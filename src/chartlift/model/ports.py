"""What stages ask of the outside world. Stages see these Protocols only, never a vendor or a store.

Tables cross a port as Arrow streams: any object with `__arrow_c_stream__` (pyarrow, DuckDB and others have it).
Cells that come from or go to a vendor are text; NULL means "no value".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from chartlift.errors import Unreachable
from chartlift.model.arrow import ArrowStream
from chartlift.model.schema import DesiredSchema, ObjectDescribe
from chartlift.model.source import Probe, Source

# ---------------------------------------------------------------- destination


@dataclass(frozen=True, slots=True)
class OrgIdentity:
    """The org that answers, and as whom we speak to it."""

    org_id: str
    name: str
    edition: str
    sandbox: bool
    user_id: str
    username: str
    url: str


@dataclass(frozen=True, slots=True)
class ByPrefix:
    """Rows whose `field` starts with `prefix`."""

    field: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ByValues:
    """Rows whose `field` is one of `values` (split over several queries by length)."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Everywhere:
    """All rows of the object."""


Where = ByPrefix | ByValues | Everywhere


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a batch on the wire, reported before the next one starts."""

    kind: str  # creating | created | uploaded | closing | closed | polled | done | aborted
    job_id: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The fate of the rows of one batch.

    `rows`: Arrow, columns key (the `key_column` value as sent), id, outcome (ok | failed | unprocessed), created (bool),
    code, fields (comma separated). No message: the org's messages echo values.
    """

    rows: ArrowStream
    sent: int
    job_id: str = ""
    complete: bool = True  # False: the job ended without processing every row


class JobGone(Exception):
    """The org no longer knows the job; its rows must be settled by query."""


class Torn(Unreachable):
    """Pages of an answer do not add up: what came of it so far is thrown away and asked for again."""


class JobUnsent(Exception):
    """The job never left the state Open, was aborted now, and none of its rows was processed."""


class Destination(Protocol):
    """A CRM org that is read and written."""

    name: str

    def check(self) -> list[Probe]:
        """Log in and try what the migration needs: API access, limits, permissions, duplicate rules, automation."""
        ...

    def identity(self) -> OrgIdentity:
        """Who answers; asked at every login."""
        ...

    def limits(self) -> Mapping[str, tuple[int, int]]:
        """Limit name -> (max, remaining)."""
        ...

    def describe(self, object_name: str, *, fresh: bool = False) -> ObjectDescribe | None:
        """The object as the integration user sees it; None if there is none."""
        ...

    def users(self) -> ArrowStream:
        """Columns Id, Name, Email, Username, IsActive, UserType, all text."""
        ...

    def read(self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False) -> ArrowStream:
        """Rows as text in canonical form (see transforms.canonical), columns as asked. `deleted` includes the recycle bin."""
        ...

    def pages(
        self, object_name: str, fields: Sequence[str], where: Where, *, deleted: bool = False
    ) -> Iterator[ArrowStream]:
        """The same page by page, for answers that need not fit into memory; at least one page, which may be empty.

        Raises:
            Torn: while they are read: they do not add up, so none of them counts.
        """
        ...

    def count(self, object_name: str, where: Where) -> int:
        """Number of live rows."""
        ...

    def write(
        self,
        object_name: str,
        operation: str,  # insert | update | delete | undelete
        rows: ArrowStream,
        *,
        key_column: str,
        wire: str,  # bulk | rows
        on_step: OnStep,
    ) -> WriteResult:
        """Write one batch. Text columns named by field; update and delete carry Id.

        A NULL cell leaves the field alone; the text `NULL_CELL` clears it. For update and delete `key_column` may be Id.
        """
        ...

    def settle(self, job_id: str, *, key_column: str, on_step: OnStep) -> WriteResult:
        """Continue with a job of an earlier process: wait for its end and fetch its results.

        Raises:
            JobGone: the org does not know it any more.
            JobUnsent: it was still Open; it is aborted now.
        """
        ...

    def missing(self, desired: DesiredSchema) -> DesiredSchema:
        """The part of the desired schema that the org lacks or that the integration user cannot see."""
        ...

    def deploy(self, desired: DesiredSchema, on_step: OnStep) -> Sequence[str]:
        """Deploy schema and permission sets, assign the integration one to ourselves; returns what was done, a line each."""
        ...

    def schema_package(self, desired: DesiredSchema) -> bytes:
        """The same as a zip that an administrator can deploy with other tools."""
        ...


NULL_CELL = "\x00null"
"""A cell that clears the field (the platform writes it in the vendor's way, `#N/A` in Bulk CSV)."""


# ---------------------------------------------------------------- store


class Staging(Protocol):
    """The encrypted DuckDB file with patient data; `sql` is a DuckDB connection."""

    sql: Any

    def close(self) -> None:
        """Write everything out and let go of the file."""
        ...


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch as the journal knows it; blobs are decoded by the journal's own calls."""

    id: int
    run: str
    unit: str
    object: str
    operation: str
    wire: str
    status: str  # cut | created | uploaded | closed | settled | verified
    rows: int
    job_id: str = ""
    level: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


class Journal(Protocol):
    """The only truth about what was done. Every call is durable when it returns."""

    def transaction(self) -> AbstractContextManager[None]:
        """Group calls so that all or none of them become durable."""
        ...

    def get(self, name: str, default: Any = None) -> Any:
        """A named JSON value of the workspace."""
        ...

    def put(self, name: str, value: Any) -> None:
        """Set a named JSON value of the workspace."""
        ...

    def start_run(self, kind: str, *, fingerprint: str, who: str, detail: Mapping[str, Any] | None = None) -> str:
        """Open a run and return its id (a UUID)."""
        ...

    def end_run(self, run: str, outcome: str) -> None:
        """Close a run: done | paused | failed | rolled_back."""
        ...

    def runs(self, *, kinds: Sequence[str] = (), open_only: bool = False) -> list[dict[str, Any]]:
        """Runs, oldest first: id, kind, fingerprint, who, started, ended, outcome, detail."""
        ...

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
        """Write a batch down before anything of it leaves: `keys` has key, hash and (update, delete) id; `pre` the pre-images."""
        ...

    def step(self, batch: int, status: str, *, job_id: str = "", detail: Mapping[str, Any] | None = None) -> None:
        """Note how far a batch is on the wire."""
        ...

    def settle(self, batch: int, outcomes: ArrowStream) -> None:
        """Write the fate of each row of a batch (key, id, outcome, created, code, fields) and mark it settled, at once."""
        ...

    def posts(self, batch: int, post: ArrowStream) -> None:
        """Write the post-images (key, id, SystemModstamp, fields …) of a settled batch and mark it verified."""
        ...

    def batches(self, *, run: str = "", unit: str = "", statuses: Sequence[str] = ()) -> list[BatchRow]:
        """Batches in the order they were cut."""
        ...

    def blob(self, batch: int, kind: str) -> Any:
        """`keys`, `pre`, `outcomes` or `post` of a batch as a pyarrow Table; None if there is none."""
        ...

    def put_fates(self, run: str, unit: str, fates: ArrowStream) -> None:
        """Rows that do not go or go with findings: key, fate, reason, withheld, notes. Replaces the unit's."""
        ...

    def fates(self, run: str, unit: str) -> Any:
        """The same as a pyarrow Table; None if there is none."""
        ...

    def decide(self, kind: str, subject: str, choice: str, *, by: str, detail: Mapping[str, Any] | None = None) -> None:
        """Remember a person's decision (kind match, people, sample, confirm, …); the last one counts."""
        ...

    def decisions(self, kind: str) -> dict[str, dict[str, Any]]:
        """The last decision per subject: choice, by, at, detail."""
        ...

    def put_report(self, step: str, run: str, report: Mapping[str, Any]) -> None:
        """Keep a step's report for `status`, `audit` and the pages."""
        ...

    def report(self, step: str) -> dict[str, Any] | None:
        """The newest report of a step."""
        ...

    def landings(self) -> Iterator[Any]:
        """Batch by batch, oldest first: key, id, hash, batch, stays; the highest batch of a key counts."""
        ...

    def posts_of(self, unit: str) -> Any:
        """The newest post-image of each key of a unit as a pyarrow Table; None if there is none."""
        ...

    def made_by_us(self, object_name: str = "") -> Any:
        """Keys of the rows (of one object) that we inserted and did not delete since, as a pyarrow array."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Audit(Protocol):
    """The hash chain of outcomes and privileged acts, under its own key; it survives `purge` and holds no values."""

    def act(
        self, act: str, *, who: str, run: str = "", fingerprint: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Append a privileged act or a step."""
        ...

    def outcomes(
        self, *, run: str, batch: int, object_name: str, fingerprint: str, who: str, rows: ArrowStream
    ) -> None:
        """Append what became of the rows of a batch: key (stored keyed), outcome, reason."""
        ...

    def covered(self) -> set[int]:
        """Batches whose outcomes are in the trail."""
        ...

    def verify(self) -> tuple[bool, str]:
        """Walk the chain: (True, head) or (False, where it breaks)."""
        ...

    def entries(self) -> Iterable[dict[str, Any]]:
        """All entries, oldest first."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


# ---------------------------------------------------------------- what a stage gets


class Progress(Protocol):
    """Where a stage says how far it is; doors draw it on stderr."""

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Show that `text` is being done, with counts where they are known."""
        ...


class Clock(Protocol):
    """Time and waiting. In front of a sandbox, waiting moves the sandbox's clock instead of sleeping."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The ports a stage receives. Only `workspace` builds it."""

    home: Path
    tenant: str
    who: str
    source: Source
    destination: Destination
    staging: Staging
    journal: Journal
    audit: Audit
    progress: Progress
    clock: Clock
    pack: Any  # packs.Pack: maps, value maps, objects
    options: Mapping[str, Any] = field(default_factory=dict)
    files: Any = None  # FileStore
    vault: Any = None  # books.Vault: the data key and what it protects, for `purge`
    advisor: Any = None  # suggest(source fields, targets): who proposes a map
