"""The audit trail for reading and for proof: what was done, by whom, under which plan, and whether it was altered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from chartlift.errors import JournalDamaged
from chartlift.model.books import Trail
from chartlift.model.ports import Tools
from chartlift.model.standing import AuditReport

SENT = ("bulk", "rows")  # wires that leave; what the journal only notes has no outcome of the org
DONE = ("settled", "verified")


def run(tools: Tools, *, verify: bool = False) -> AuditReport:
    """All entries, oldest first, without their records; with `verify` the chain is walked and every hash recomputed."""
    trail = cast("Trail", tools.audit)
    sound, said = trail.verify() if verify else (None, "")
    return AuditReport(
        entries=tuple(_entries(trail)),
        sound=sound,
        head=said if sound else "",
        broken="" if sound is not False else said,
        uncovered=_uncovered(tools, trail),
    )


def _entries(trail: Trail) -> list[Mapping[str, Any]]:
    """As far as they can be read: where the file is damaged, `verify` says so."""
    found: list[Mapping[str, Any]] = []
    try:
        found.extend(trail.entries())
    except JournalDamaged:
        return found
    return found


def _uncovered(tools: Tools, trail: Trail) -> tuple[int, ...]:
    """Batches settled in the journal a moment before a kill; the next run of their kind tells the trail."""
    if tools.vault is not None and tools.vault.purged:
        return ()
    settled = [batch for batch in tools.journal.batches(statuses=DONE) if batch.wire in SENT]
    if not settled:
        return ()
    covered = trail.covered()
    return tuple(batch.id for batch in settled if batch.id not in covered)
