"""Which source rows a run is about. Sample, load and delta differ in nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """The whole graphs of these patients (source ids)."""

    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """All rows in staging."""


@dataclass(frozen=True, slots=True)
class Since:
    """Rows that were extracted again since this extraction number, with what depends on them."""

    extraction: int


Selection = Slice | Everything | Since
