"""Planned faults of single rows, around the engine: rows that fail, values that change on the way, a rival's write."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.fault_door import CURRENT
from chartlift_sandbox.faults import ROW_KINDS, Fault, FaultPlan
from chartlift_sandbox.salesforce import bulk_csv, dml
from chartlift_sandbox.salesforce.call import ROLLED_BACK, Call, DmlOptions
from chartlift_sandbox.salesforce.failures import RESULT_SCHEMA, Failures, row_numbers
from chartlift_sandbox.salesforce.injected_values import (
    altered,
    is_blank,
    message,
    parent_column,
    row_texts,
    whole_chunks,
)
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import normalise_ids, single

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

_ALERT = "alert"


@dataclass
class Rows:
    """One call with faults: what `dml.run` takes, and which part of a job its rows are."""

    org: Org
    plan: FaultPlan
    op: str
    object_name: str
    table: pa.Table
    actor: Actor
    external_id: str | None = None
    job: str | None = None
    all_or_none: bool = False
    options: DmlOptions = field(default_factory=DmlOptions)
    offset: int = 0
    total: int | None = None

    def run(self, faults: list[Fault]) -> pa.Table:
        """Carries the call out with these faults; answers as `dml.run` does."""
        for fault in faults:
            if fault.kind == "rival":
                self._rival(fault)
            elif fault.kind == "alter":
                self.table = altered(self.table, fault, self._key_names())
        failures, late, said = self._hits([one for one in faults if one.kind == "rows"])
        if failures.bad is None and not late:
            return self._dml(self.table)
        answer = self._merge(failures)
        for fault, mask in late:
            answer = self._deny(answer, fault, mask)
        if failures.bad is not None:
            self._log(failures, said)
        return answer

    def _key_names(self) -> frozenset[str]:
        return frozenset({"id", (self.external_id or "id").lower()})

    def _dml(self, table: pa.Table) -> pa.Table:
        return dml.run(
            self.org, self.op, self.object_name, table, self.actor, external_id=self.external_id, job=self.job,
            all_or_none=self.all_or_none, options=self.options,
        )  # fmt: skip

    def _hits(self, faults: list[Fault]) -> tuple[Failures, list[tuple[Fault, pa.Array]], pa.Array]:
        """Rows that fail before the engine sees them, faults that deny what it did, and the ids the rows name."""
        failures, late = Failures(self.table.num_rows), []
        named = self._named_ids()
        for fault in faults:
            if fault.value == _ALERT and self.options.allow_duplicates:
                continue
            mask = self._mask(fault)
            if fault.late:
                late.append((fault, mask))
            else:
                text, columns = message(self, fault, named)
                failures.add(mask, fault.code, text, columns)
        return failures, late, named

    def _named_ids(self) -> pa.Array:
        header = next((name for name in self.table.column_names if name.lower() == "id"), None)
        if header is None:
            return pa.nulls(self.table.num_rows, pa.string())
        value, _ = normalise_ids(single(self.table.column(header)))
        return value

    def _mask(self, fault: Fault) -> pa.Array:
        count = self.table.num_rows
        if fault.what == "from":
            return self._from(fault)
        if fault.what == "parent":
            mask = self._sticky(fault, parent_column(self.org, self.object_name, self.table, fault.column))
        elif fault.what == "row":
            mask = self._bad_row(fault)
        elif fault.keys is not None:
            mask = pa.repeat(False, count)
            for column in self.table.columns:
                found = pc.match_substring_regex(pc.fill_null(single(column).cast(pa.string()), ""), fault.keys)
                mask = pc.or_(mask, found)
        else:
            mask = self._shared(fault)
        return whole_chunks(mask, fault.chunk) if fault.chunk else mask

    def _from(self, fault: Fault) -> pa.Array:
        """Every row behind a part of the load; once it is reached, every row of later calls."""
        full = (fault.id, "full")
        if self.plan.memory.get(full):
            return pa.repeat(True, self.table.num_rows)
        total = self.table.num_rows + self.offset if self.total is None else self.total
        first = int(total * (fault.fraction or 0)) - self.offset
        if first < self.table.num_rows:
            self.plan.memory[full] = True
        return pc.greater_equal(row_numbers(self.table.num_rows), first)

    def _sticky(self, fault: Fault, cells: pa.Array | None) -> pa.Array:
        """Rows that share the value which was seen first."""
        if cells is None or not len(cells):
            return pa.repeat(False, self.table.num_rows)
        key = (fault.id, "value")
        if key not in self.plan.memory:
            first = next((cell for cell in cells.to_pylist() if not is_blank(cell)), None)
            if first is None:
                return pa.repeat(False, self.table.num_rows)
            self.plan.memory[key] = first
        return pc.fill_null(pc.equal(cells, self.plan.memory[key]), False)

    def _bad_row(self, fault: Fault) -> pa.Array:
        """The one bad row, wherever it comes: the first that `keys` picks, else the first of all."""
        texts = row_texts(self.table)
        if fault.keys is not None and (fault.id, "value") not in self.plan.memory:
            texts = pc.if_else(pc.match_substring_regex(texts, fault.keys), texts, "")
        return self._sticky(fault, texts)

    def _shared(self, fault: Fault) -> pa.Array:
        """A repeatable choice of rows: a share of the call to the nearest row below, the rest of it by chance.

        A fault that hits one call only hits a row of it: else a small job would use it up unseen.
        """
        count, share = self.table.num_rows, 1.0 if fault.share is None else fault.share
        wanted = count * share
        whole, rest = int(wanted), wanted - int(wanted)
        number = self.plan.memory[(fault.id, "draws")] = self.plan.memory.get((fault.id, "draws"), 0) + 1
        if rest > 0 and count < _FEW:
            chance = random.Random(f"{fault.seed}:{fault.id}:{number}").random()  # noqa: S311 - a repeatable draw
            whole += 1 if chance < rest else 0
        if fault.when == "once" and share > 0:
            whole = max(whole, 1)
        if whole >= count:
            return pa.repeat(True, count)
        spread = self.plan.draw(fault, str(self.offset)).getrandbits(62)
        rank = pc.sort_indices(bulk_csv.shuffled(count, spread))
        return pc.less(rank, whole)

    def _merge(self, failures: Failures) -> pa.Table:
        """The engine's answer for the good rows and the planned one for the others, in input order."""
        bad = pa.repeat(False, self.table.num_rows) if failures.bad is None else failures.bad
        planned = failures.result(self._named_ids(), False)
        if self.all_or_none and failures.bad is not None:
            code = pc.if_else(bad, planned["code"], ROLLED_BACK[0])
            text = pc.if_else(bad, planned["message"], ROLLED_BACK[1])
            columns = [planned["row"], planned["id"], pa.repeat(False, len(bad)), planned["created"], code, text]
            return pa.table([*columns, planned["fields"], planned["detail"]], schema=RESULT_SCHEMA)
        good = pc.invert(bad)
        done = self._dml(self.table.filter(good))
        done = done.set_column(0, "row", row_numbers(self.table.num_rows).filter(good))
        return pa.concat_tables([done, planned.filter(bad)]).sort_by("row")

    def _deny(self, answer: pa.Table, fault: Fault, mask: pa.Array) -> pa.Table:
        """The rows of a mask are written, and the answer says that they are not."""
        ids = answer["id"].combine_chunks()
        mask = pc.and_(mask, answer["success"].combine_chunks())
        text, columns = message(self, fault, ids)
        changes: dict[str, Any] = {
            "id": pc.if_else(answer["created"].combine_chunks(), pa.scalar(None, pa.string()), ids),
            "success": False, "created": False, "code": fault.code, "message": text, "fields": columns,
        }  # fmt: skip
        for name, value in changes.items():
            place = answer.column_names.index(name)
            column = pc.if_else(mask, value, answer[name].combine_chunks())
            answer = answer.set_column(place, RESULT_SCHEMA.field(name), column.cast(RESULT_SCHEMA.field(name).type))
        return answer

    def _log(self, failures: Failures, ids: pa.Array) -> None:
        sobject = self.org.schema.object(self.object_name)
        if sobject is not None:
            arrays = [single(column).cast(pa.string()) for column in self.table.columns]
            table = pa.table(arrays, names=self.table.column_names)
            Call(self.org, self.op, sobject, table, self.actor, self.job, self.options).log(failures, None, ids)

    def _rival(self, fault: Fault) -> None:
        """Another integration writes the first rows a moment earlier, as the administrator."""
        rows = self.table.slice(0, max(fault.rows, 1))
        rival = self.org.actor_for(self.org.people.admin)
        options = DmlOptions(allow_duplicates=True, channel="person")
        dml.run(self.org, self.op, self.object_name, rows, rival, external_id=self.external_id, options=options)


_FEW = 1_000
"""Calls smaller than this draw for the last part of a row; larger ones keep to the share as it is."""


class Injector:
    """Row faults in every channel but Bulk API 2.0, whose worker asks once per job."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan

    def run(self, rows: Rows) -> pa.Table | None:
        """Carries a call out with the faults that are due; None when there are none."""
        if not self.plan.has(ROW_KINDS) or rows.options.channel == "person":
            return None
        method, path = CURRENT.get()
        where = path or f"/services/async/job/{rows.job or ''}"
        faults = self.plan.take(ROW_KINDS, "org", method, where, rows.object_name, rows.op)
        return rows.run(faults) if faults else None
