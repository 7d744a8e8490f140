"""Go on after a stop: every batch that left gets its fate from the org before anything new is cut."""

from __future__ import annotations

import pyarrow as pa

from chartlift.model.ports import BatchRow, JobGone, JobUnsent
from chartlift.stages.carry.context import KEY, Carry
from chartlift.stages.carry.write import ask_org, joined, note_step, settle_doubts


def settle_open(carry: Carry) -> int:
    """Settle all batches whose fate is unknown, whatever run they belong to; returns how many there were."""
    journal = carry.tools.journal
    entries = journal.batches(statuses=("cut", "created", "uploaded", "closed"))
    for entry in entries:
        journal.settle(entry.id, settle_doubts(carry, entry, _fate(carry, entry)))
    _tell_audit(carry)
    return len(entries)


def _tell_audit(carry: Carry) -> None:
    """A stop between the journal's word and the audit's left a batch out of the trail: told now."""
    told = carry.tools.audit.covered()
    for entry in carry.tools.journal.batches(statuses=("settled", "verified")):
        if entry.wire != "none" and entry.id not in told:
            carry.tools.audit.outcomes(
                run=entry.run,
                batch=entry.id,
                object_name=entry.object,
                fingerprint=carry.plan.fingerprint,
                who=carry.tools.who,
                rows=carry.tools.journal.blob(entry.id, "outcomes"),
            )


def _fate(carry: Carry, entry: BatchRow) -> pa.Table:
    if entry.wire != "bulk" or not entry.job_id:
        # Without a job the org has to be asked; a bulk job's id is journalled before its upload, so then nothing ever left.
        return ask_org(carry, entry)
    try:
        result = carry.tools.destination.settle(
            entry.job_id,
            key_column=KEY if entry.operation == "insert" else "Id",
            on_step=lambda step: note_step(carry, entry.id, step),
        )
    except (JobGone, JobUnsent):
        return ask_org(carry, entry)
    return joined(carry, entry, result)
