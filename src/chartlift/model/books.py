"""What the books of a workspace tell beyond the calls of a carry: for `status`, `audit`, `purge` and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chartlift.model.ports import Audit, Journal


class Ledger(Journal, Protocol):
    """A journal that can also say what all its batches come to."""

    def landed(self) -> Any:
        """What is in the org because of us or linked by us, a pyarrow Table: key, id, hash, run, batch, object."""
        ...

    def landings(self) -> Iterator[Any]:
        """The same batch by batch, oldest first: key, id, hash, batch, stays; the highest batch of a key counts."""
        ...

    def made_by_us(self, object_name: str = "") -> Any:
        """Keys of the rows (of one object) that we inserted and did not delete since, as a pyarrow array."""
        ...

    def posts_of(self, unit: str, *, run: str = "") -> Any:
        """The newest post-image of each key of a unit as a pyarrow Table; None if there is none."""
        ...

    def pre_of(self, unit: str, *, run: str = "") -> Any:
        """The newest pre-image of each key of a unit as a pyarrow Table; None if there is none."""
        ...

    def unknown(self) -> int:
        """Rows of batches whose fate is not known yet."""
        ...

    def tally(self) -> list[dict[str, Any]]:
        """Per run, unit, object and operation: batches, rows, ok, failed, unprocessed, unknown."""
        ...

    def fate_counts(self) -> list[dict[str, Any]]:
        """Per run and unit: `fates`, fate -> rows that were not sent."""
        ...

    def report_steps(self) -> Mapping[str, str]:
        """Steps that left a report -> when the newest was kept."""
        ...


class Trail(Audit, Protocol):
    """An audit trail that can also be looked into."""

    def records(self, seq: int) -> Any:
        """The rows of an `outcomes` entry as a pyarrow Table: record (keyed hash), outcome, reason; None for an act."""
        ...

    def history(self, key: str) -> list[dict[str, Any]]:
        """What became of one record, by its key: seq, at, run, object, outcome, reason."""
        ...

    def covered(self) -> set[int]:
        """Batches whose outcomes are in the trail."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """Something on the disk that the data key protects."""

    name: str  # staging | journal | files
    files: int
    bytes: int


class Vault(Protocol):
    """The data key and all that it protects."""

    @property
    def purged(self) -> bool:
        """Whether the data key is gone for good."""
        ...

    def holdings(self) -> tuple[Holding, ...]:
        """What is there to remove."""
        ...

    def destroy(self) -> None:
        """Destroy the data key, then remove what it protected; done again, it finishes what was cut short."""
        ...


class FileStore(Protocol):
    """Contents of documents, encrypted, each once and known by its SHA-256."""

    def put(self, content: Iterable[bytes]) -> tuple[str, int]:
        """Store a content; its SHA-256 (hexadecimal) and its bytes. Durable when it returns."""
        ...

    def get(self, sha256: str) -> Iterator[bytes]:
        """The content in pieces, checked."""
        ...

    def sweep(self) -> int:
        """Remove what a killed process left half written; returns how many."""
        ...
