"""Read back what was written: the post-image, as the org stored it, is what "ours" means from now on."""

from __future__ import annotations

from chartlift.model.plan import ObjectMap
from chartlift.model.ports import ByPrefix, ByValues
from chartlift.stages.carry.context import KEY, Carry, field_names, key_prefix
from chartlift.stages.carry.images import post_of, read_ours
from chartlift.stages.carry.preread import SMALL
from chartlift.stages.memory import give_back

MADE = """
    SELECT d.key, d.created, false AS touched, o.* FROM done AS d JOIN org_post AS o ON o."Id" = d.id
    WHERE d.outcome = 'ok' ORDER BY d.key
"""


def verify(carry: Carry, unit: ObjectMap) -> int:
    """Keep the post-images of all settled batches of a unit that have none yet; returns the number of rows read back."""
    journal = carry.tools.journal
    settled = journal.batches(unit=unit.name, statuses=("settled",))
    open_batches = [batch for batch in settled if batch.operation in ("insert", "update", "undelete")]
    if not open_batches:
        return 0
    fields = ["Id", KEY, "SystemModstamp", *field_names(unit)]
    tables = {batch.id: journal.blob(batch.id, "outcomes") for batch in open_batches}
    count = sum(table.num_rows for table in tables.values())
    if count > SMALL:
        where: ByPrefix | ByValues = ByPrefix(KEY, key_prefix(carry.plan, unit))
    else:
        ids = {
            i
            for t in tables.values()
            for i, o in zip(t["id"].to_pylist(), t["outcome"].to_pylist(), strict=True)
            if o == "ok"
        }
        where = ByValues("Id", tuple(sorted(ids)))
    carry.read("org_post", unit.object, fields, where)
    operations = {batch.id: batch.operation for batch in open_batches}
    if "update" in operations.values():  # only an update has to be told from what others did
        read_ours(carry, unit)
    for batch, outcomes in tables.items():
        carry.sql.register("done", outcomes)
        post = carry.table(post_of(unit) if operations[batch] == "update" else MADE)
        carry.sql.unregister("done")
        journal.posts(batch, post)
        del post
        give_back()
    return count
