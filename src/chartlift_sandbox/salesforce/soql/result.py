"""The answer to one statement: a snapshot in Arrow that is shown as nested JSON records or as a flat table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from chartlift_sandbox.salesforce.soql import cells
from chartlift_sandbox.salesforce.soql.plan import ChildSlot, Choice, Layout, Plan

Record = dict[str, Any]
OpenChild = Callable[["QueryResult", int], str]
"""Keeps a long child result for later and answers the URL of the page that begins at the given row."""
CHILD_PAGE = 2_000


@dataclass
class QueryResult:
    """Rows of a statement as they were when it ran.

    Attributes:
        plan: What was asked.
        table: Typed columns as `Plan.columns_sql` names them.
        total: Number of records, or the count of COUNT().
        children: One result per sub-query, rows of one parent together; `spans` of each tells where they lie.
        spans: For a child result: parent id -> (first row, number of rows).
    """

    plan: Plan
    table: pa.Table
    total: int
    children: list[QueryResult] = field(default_factory=list)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Headers of the selected values, as written in the statement."""
        return [output.header for output in self.plan.outputs]

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Selected values as Python values, one tuple per row."""
        data = [self.table.column(f"c{n}").to_pylist() for n in range(len(self.plan.outputs))]
        return list(zip(*data, strict=True))

    def to_records(
        self, version: str = "67.0", start: int = 0, stop: int | None = None, open_child: OpenChild | None = None
    ) -> list[Record]:
        """Records `start` up to `stop` as the REST API shows them."""
        if self.plan.layout is None:
            return []
        last = self.total if stop is None else min(stop, self.total)
        page = _Page(self, version, start, max(last - start, 0), open_child)
        return page.records()

    def arrow(self, *, java_doubles: bool = True) -> pa.Table:
        """Flat text columns in the order of the select list, null as the empty text, as in the CSV of a Bulk job."""
        rows = self.table.select([f"c{n}" for n in range(len(self.plan.outputs))])
        texts = ", ".join(
            f"{cells.cell_sql(f'c{n}', output.field.type, java=java_doubles)} AS c{n}"
            for n, output in enumerate(self.plan.outputs)
        )
        with duckdb.connect() as db:
            db.register("given", rows)
            flat = db.execute(f"SELECT {texts} FROM given").to_arrow_table()
        return flat.rename_columns(self.columns)

    def slice(self, start: int, rows: int) -> QueryResult:
        """A run of rows as a result of its own."""
        return QueryResult(self.plan, self.table.slice(start, rows), rows, self.children)

    def find_spans(self) -> None:
        """Note where the rows of each parent lie; rows must come sorted by parent."""
        parents = self.table.column("parent").combine_chunks()
        runs = pc.run_end_encode(parents)
        first = 0
        for parent, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            self.spans[parent] = (first, end - first)
            first = end


class _Page:
    """Some consecutive records while they are turned into dictionaries."""

    def __init__(self, result: QueryResult, version: str, start: int, rows: int, open_child: OpenChild | None) -> None:
        self._result = result
        self._version = version
        self._rows = rows
        self._open_child = open_child
        self._root = f"/services/data/v{version}/sobjects"
        table = result.table.slice(start, rows)
        plan = result.plan
        self._values = [
            self._shown(table.column(f"c{n}").to_pylist(), output.field.type, output.field.name)
            for n, output in enumerate(plan.outputs)
        ]
        self._ids = [table.column(f"r{n}").to_pylist() for n in range(len(plan.identities))]
        self._kinds = [
            table.column(f"k{n}").to_pylist() if sql is not None else None for n, sql in enumerate(plan.kinds)
        ]

    def _shown(self, values: list[Any], kind: str, name: str) -> list[Any]:
        if kind == "complexvalue":
            return [None if value is None else orjson.loads(value) for value in values]
        if kind != "base64":
            return cells.json_values(values, kind)
        entity = self._result.plan.entity
        return [None if value is None else f"{self._root}/{entity}/{value}/{name}" for value in values]

    def records(self) -> list[Record]:
        layout = self._result.plan.layout
        assert layout is not None
        return [self._record(layout, row) for row in range(self._rows)]

    def _record(self, layout: Layout, row: int) -> Record:
        record: Record = {"attributes": self._attributes(layout, row)}
        for key, entry in layout.entries.items():
            if isinstance(entry, int):
                record[key] = self._values[entry][row]
            elif isinstance(entry, Layout):
                record[key] = self._parent(entry, row)
            elif isinstance(entry, ChildSlot):
                record[key] = self._child(entry, row)
            else:
                record[key] = self._choice(entry, row)
        return record

    def _attributes(self, layout: Layout, row: int) -> Record:
        if layout.identity < 0:
            return {"type": layout.entity}
        kinds = self._kinds[layout.identity]
        entity = layout.entity if kinds is None else kinds[row]
        return {"type": layout.entity, "url": f"{self._root}/{entity}/{self._ids[layout.identity][row]}"}

    def _parent(self, layout: Layout, row: int) -> Record | None:
        return None if self._ids[layout.identity][row] is None else self._record(layout, row)

    def _choice(self, choice: Choice, row: int) -> Record | None:
        for layout in choice.branches:
            if self._ids[layout.identity][row] is not None:
                return self._record(layout, row)
        return None if choice.otherwise is None else self._parent(choice.otherwise, row)

    def _child(self, slot: ChildSlot, row: int) -> Record | None:
        result = self._result.children[slot.number]
        first, rows = result.spans.get(self._ids[0][row], (0, 0))
        if not rows:
            return None
        stop = rows if self._open_child is None else min(rows, CHILD_PAGE)
        shown: Record = {"totalSize": rows, "done": stop == rows}
        if stop < rows and self._open_child is not None:
            shown["nextRecordsUrl"] = self._open_child(result.slice(first, rows), stop)
        shown["records"] = result.to_records(self._version, first, first + stop, self._open_child)
        return shown
