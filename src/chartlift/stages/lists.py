"""The table of value maps that statements join: `value_map(name, folded, label)`."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from chartlift import transforms
from chartlift.model.plan import ValueMap
from chartlift.model.ports import Tools


def fill_lists(tools: Tools, maps: Iterable[ValueMap]) -> None:
    """Make it anew from the value maps of a pack or a plan; words are compared folded."""
    rows = [(m.name, transforms.fold(source), label) for m in maps for source, label in m.values.items()]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = [pa.array(column, pa.string()) for column in columns]
    sql = tools.staging.sql
    sql.register("incoming", pa.Table.from_arrays(arrays, names=["name", "folded", "label"]))
    sql.execute(
        "CREATE OR REPLACE TABLE value_map AS SELECT name, folded, min(label) AS label FROM incoming GROUP BY ALL"
    )
    sql.unregister("incoming")
