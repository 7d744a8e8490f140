"""What a delete takes along, what it clears and what forbids it, worked out level by level in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.uniqueness import alive

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

CLEARED_TABLE = (
    'CREATE TABLE IF NOT EXISTS "_cleared" (object VARCHAR, field VARCHAR, child VARCHAR, parent VARCHAR, root VARCHAR)'
)


@dataclass
class Doom:
    """Records to be deleted: object name to a table of id and root (the id the caller named)."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)

    def add(self, object_name: str, found: pa.Table) -> pa.Table:
        """Add records that are not listed yet; answers those."""
        known = self.tables.get(object_name)
        if known is None:
            self.tables[object_name] = found
            return found
        fresh = found.filter(pc.invert(pc.is_in(found.column("id"), value_set=column_of(known, "id"))))
        self.tables[object_name] = pa.concat_tables([known, fresh])
        return fresh

    def without_blocked(self) -> None:
        """Drop everything that hangs on a root whose delete is forbidden."""
        if self.blocked:
            roots = pa.array(list(self.blocked))
            for name, table in self.tables.items():
                self.tables[name] = table.filter(pc.invert(pc.is_in(table.column("root"), value_set=roots)))


def cascades(found: Field) -> bool:
    """Whether deleting the parent deletes the child."""
    return found.master_detail or found.delete_constraint == "Cascade"


def gather(org: Org, sobject: SObject, ids: pa.Array) -> Doom:
    """Everything that goes when the ids go, and which of them may not go because of a Restrict lookup."""
    doom = Doom()
    queue = [(sobject, doom.add(sobject.name, pa.table({"id": ids, "root": ids})))]
    while queue:
        parent, records = queue.pop()
        for child, found in org.schema.children(parent.name):
            if cascades(found) and records.num_rows:
                fresh = doom.add(child.name, _children(org, child, found, records))
                if fresh.num_rows:
                    queue.append((child, fresh))
    _find_blockers(org, doom)
    doom.without_blocked()
    return doom


def _children(org: Org, child: SObject, found: Field, parents: pa.Table) -> pa.Table:
    return org.query_with(
        {"_parents": parents},
        f'SELECT t."Id" AS id, min(p.root) AS root FROM {quote(child.name)} t JOIN _parents p '
        f"ON t.{quote(found.name)} = p.id WHERE {alive(child)} GROUP BY 1 ORDER BY 1",
    )


def _find_blockers(org: Org, doom: Doom) -> None:
    """A Restrict lookup from a record that stays blocks the whole delete of that root."""
    for name, records in list(doom.tables.items()):
        for child, found in org.schema.children(name):
            if found.delete_constraint != "Restrict" or cascades(found) or not records.num_rows:
                continue
            kept = _children(org, child, found, records)
            going = doom.tables.get(child.name)
            if going is not None:
                kept = kept.filter(pc.invert(pc.is_in(kept.column("id"), value_set=column_of(going, "id"))))
            for root in pc.unique(kept.column("root")).to_pylist():
                doom.blocked.setdefault(root, child.label_plural)


def clear_lookups(org: Org, doom: Doom) -> None:
    """Empty the lookups of records that stay, and remember them for an undelete."""
    for name, records in doom.tables.items():
        for child, found in org.schema.children(name):
            if cascades(found) or found.delete_constraint == "Restrict" or not records.num_rows or not found.stored:
                continue
            if child.setup or found.name == "MasterRecordId":
                continue
            _clear(org, child, found, records)


def _clear(org: Org, child: SObject, found: Field, parents: pa.Table) -> None:
    column = quote(found.name)
    org.query_with(
        {"_parents": parents},
        f"INSERT INTO \"_cleared\" SELECT '{child.name}', '{found.name}', t.\"Id\", p.id, p.root "
        f"FROM {quote(child.name)} t JOIN _parents p ON t.{column} = p.id WHERE {alive(child)}",
    )
    stamp = ', "SystemModstamp" = $now' if child.field("SystemModstamp") else ""
    org.query_with(
        {"_parents": parents},
        f"UPDATE {quote(child.name)} AS t SET {column} = NULL{stamp} FROM _parents p "
        f"WHERE t.{column} = p.id AND {alive(child)}",
        {"now": org.now()} if stamp else None,
    )


def drop_dangling(org: Org, sobject: SObject, roots: pa.Array) -> None:
    """Empty the lookups of restored records whose parents have gone meanwhile; each target by its own statement."""
    for found in sobject.stored_fields:
        for name in found.reference_to:
            target = org.schema.object(name)
            if found.master_detail or target is None or target.setup or target.view:
                continue
            column = quote(found.name)
            org.query_with(
                {"_roots": pa.table({"root": roots})},
                f'UPDATE {quote(sobject.name)} AS s SET {column} = NULL FROM _roots r WHERE s."Id" = r.root AND '
                f"starts_with(s.{column}, '{target.key_prefix}') AND NOT EXISTS "
                f'(SELECT 1 FROM {quote(name)} t WHERE t."Id" = s.{column} AND {alive(target)})',
            )


def restore_lookups(org: Org, roots: pa.Array) -> None:
    """Point lookups back to restored records where nobody has pointed them elsewhere."""
    wanted = {"_roots": pa.table({"root": roots})}
    pairs = org.query_with(wanted, 'SELECT DISTINCT object, field FROM "_cleared" JOIN _roots USING (root)').to_pylist()
    for pair in pairs:
        org.query_with(
            wanted,
            f"UPDATE {quote(pair['object'])} AS t SET {quote(pair['field'])} = c.parent "
            'FROM (SELECT * FROM "_cleared" JOIN _roots USING (root)) c '
            f'WHERE t."Id" = c.child AND t.{quote(pair["field"])} IS NULL AND c.object = $object AND c.field = $field',
            {"object": pair["object"], "field": pair["field"]},
        )
    org.query_with(wanted, 'DELETE FROM "_cleared" WHERE root IN (SELECT root FROM _roots)')
