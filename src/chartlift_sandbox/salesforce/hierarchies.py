"""Hierarchies of records of one object: nobody stands above itself, at any distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of, single
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

_LINKS = {
    "Account": "ParentId", "Contact": "ReportsToId", "Case": "ParentId", "User": "ManagerId", "UserRole": "ParentRoleId",
    "Territory2": "ParentTerritory2Id",
}  # fmt: skip
OBJECTS = tuple(_LINKS)
_DEEPEST = 500


def refuse_cycles(call: Call, staged: dict[str, pa.Array]) -> None:
    """Fail updates that would put a record below itself."""
    link = _LINKS[call.sobject.name]
    parents = staged.get(link)
    header = next((name for name in call.table.column_names if name.strip().lower() == "id"), None)
    if parents is None or header is None or parents.null_count == len(parents):
        return
    rows = pa.table({"id": single(call.table.column(header)).cast(pa.string()), "parent": parents})
    found = call.org.query_with(
        {"_rows": rows},
        "WITH RECURSIVE up(id, here, steps) AS (SELECT left(id, 15), parent, 1 FROM _rows WHERE parent IS NOT NULL UNION ALL "
        f'SELECT up.id, t.{quote(link)}, steps + 1 FROM up JOIN {quote(call.sobject.name)} t ON t."Id" = up.here '
        f"WHERE left(up.here, 15) <> up.id AND t.{quote(link)} IS NOT NULL AND steps < {_DEEPEST}) "
        "SELECT DISTINCT id AS v FROM up WHERE left(here, 15) = id",
    )
    below = pc.is_in(pc.utf8_slice_codeunits(column_of(rows, "id"), 0, 15), value_set=column_of(found, "v"))
    call.failures.add(below, "CIRCULAR_DEPENDENCY", "attempting to violate hierarchy constraints", link)
