"""Records that cannot be written now: under approval, or held by another batch of a parallel job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import whole
from chartlift_sandbox.salesforce.schema import Field

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

LOCKED = "The record you are trying to edit is locked. If you need to make changes, please contact your administrator."
_ALWAYS = frozenset({("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Case", "AccountId")})
"""Lookups of standard objects whose parent is locked while the child is written."""


def refuse_locked(call: Call, ids: pa.Array) -> None:
    """Fail changes of records that an approval process holds."""
    locked = call.org.rules.locked
    if not locked or call.by_person:
        return
    if call.org.settings.modify_all_passes_locks and call.org.grant(call.actor, call.sobject.name).modify_all:
        return
    call.failures.add(pc.is_in(ids, value_set=pa.array(locked, pa.string())), "ENTITY_IS_LOCKED", LOCKED)


def refuse_contended(call: Call, staged: dict[str, pa.Array]) -> None:
    """Fail rows of a parallel Bulk job whose parent the batch before theirs was still writing under."""
    size = call.org.settings.parallel_lock_rows
    if not size or call.job is None or call.options.channel != "bulk" or call.options.serial:
        return
    for name, value in staged.items():
        found = call.sobject.fields.get(name)
        if found is not None and _locks(call, found):
            _refuse(call, value, size)


def _locks(call: Call, found: Field) -> bool:
    if found.type != "reference":
        return False
    firm = found.master_detail or found.delete_constraint in {"Restrict", "Cascade"}
    return firm or (call.sobject.name, found.name) in _ALWAYS


def _refuse(call: Call, parents: pa.Array, size: int) -> None:
    batch = pc.divide(row_numbers(call.count), whole(size))
    rows = pa.table({"i": row_numbers(call.count), "b": batch, "p": parents})
    hit = call.org.query_with(
        {"_parents": rows},
        "SELECT i FROM _parents s WHERE p IS NOT NULL AND EXISTS "
        "(SELECT 1 FROM _parents o WHERE o.p = s.p AND o.b = s.b - 1) ORDER BY i",
    )
    shown = pc.utf8_slice_codeunits(parents, 0, call.id_width)
    message = pc.binary_join_element_wise("unable to obtain exclusive access to this record or 1 records: ", shown, "")
    bad = pc.is_in(row_numbers(call.count), value_set=hit.column("i").combine_chunks())
    call.failures.add(bad, "UNABLE_TO_LOCK_ROW", message)
