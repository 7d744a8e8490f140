"""The end: the data key is destroyed and everything it opened is removed. The audit trail stays; it holds no values."""

from __future__ import annotations

from typing import Any, cast

from chartlift.errors import JournalDamaged, StopError, UsageError
from chartlift.model.books import Holding, Ledger, Vault
from chartlift.model.ports import Tools
from chartlift.model.standing import PurgeReport


def run(tools: Tools, *, go: bool = False) -> PurgeReport:
    """Say what would go (go=False), or destroy it. There is no way back, and no rollback afterwards.

    Raises:
        StopError: rows are without a fate, which only the journal can settle.
    """
    vault: Vault = tools.vault
    if vault is None:
        raise UsageError("This workspace has no keys to destroy.", hint="chartlift init DIR makes a workspace.")
    holdings, purged = vault.holdings(), vault.purged
    unknown, tally = (0, []) if purged else _journal(tools)
    went = go and not (purged and not holdings)
    if went:
        _destroy(tools, vault, holdings, unknown, tally)
    sound, head = tools.audit.verify()
    return PurgeReport(went, vault.purged, holdings, unknown, audit_sound=sound, audit_head=head if sound else "")


def _journal(tools: Tools) -> tuple[int | None, list[dict[str, Any]]]:
    """Rows without a fate and what was written; a journal that cannot be read is no reason to keep the data."""
    journal = cast("Ledger", tools.journal)
    try:
        return journal.unknown(), journal.tally()
    except JournalDamaged:
        return None, []


def _destroy(
    tools: Tools, vault: Vault, holdings: tuple[Holding, ...], unknown: int | None, tally: list[dict[str, Any]]
) -> None:
    if unknown:
        raise StopError(
            f"{unknown} rows are without a fate; after a purge nobody could tell what became of them.",
            hint="Run the interrupted step again, then purge.",
        )
    sizes = {holding.name: holding.bytes for holding in holdings}
    tools.audit.act("purge started", who=tools.who, detail={"bytes": sizes})
    if unknown is not None and not vault.purged:
        tools.journal.close()
    vault.destroy()
    names = ("run", "unit", "operation", "ok", "failed")
    written = [{name: line[name] for name in names} for line in tally]
    tools.audit.act("purge", who=tools.who, detail={"bytes": sizes, "written": written})
