"""ContentNote: a file of HTML seen as a note. It has no records of its own; its Id is that of its document.

Writes become writes of ContentVersion and ContentDocument, so that a note has versions, links and a checksum like any
other file; reads go through a view.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import pyarrow as pa

from chartlift_sandbox.salesforce.call import Call
from chartlift_sandbox.salesforce.failures import RESULT_SCHEMA, Failures, any_true, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import NO_TEXT, all_true, text
from chartlift_sandbox.salesforce.lookups import UNKNOWN_REFERENCE, column_of
from chartlift_sandbox.salesforce.updates import named_ids
from chartlift_sandbox.salesforce.writes import NEW

OBJECT = "ContentNote"
EXTENSION = "snote"
_EMPTY = base64.b64encode(b"<p></p>").decode()
_SHARED = ("Title", "OwnerId", "SharingPrivacy")
Run = Callable[[Call], pa.Table]


class _Inner(Call):
    """A write that a note stands for: the log shows the note alone."""

    def log(self, failures: Failures, good: pa.Table | None, ids: pa.Array | None) -> None:
        """Say nothing; the note's own call is logged."""


def _carry(call: Call, run: Run, op: str, object_name: str, columns: dict[str, pa.Array]) -> tuple[pa.Array, pa.Table]:
    """Write the rows that are good so far, and that have a content if there is one, to the object that keeps them.

    Answers the mask of those rows and their results; errors have become those of the notes.
    """
    mask = all_true(call.count) if call.failures.good is None else call.failures.good
    if "VersionData" in columns:
        mask = pc.and_(mask, pc.is_valid(columns["VersionData"]))
    if not any_true(mask):
        return mask, RESULT_SCHEMA.empty_table()
    table, sobject = pa.table(columns).filter(mask), call.org.schema.objects[object_name]
    result = run(_Inner(call.org, op, sobject, table, call.actor, call.job, call.options))
    _take_over(call, mask, result)
    return mask, result


def _refuse_unless(call: Call, action: str) -> None:
    if not call.allowed(action):
        call.failures.fail_all("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def _take_over(call: Call, mask: pa.Array, result: pa.Table) -> None:
    """The errors of inner rows become those of the notes."""
    failed = result.filter(pc.invert(result.column("success")))
    rows = row_numbers(call.count).filter(mask).take(failed.column("row"))
    for row, one in zip(rows.to_pylist(), failed.to_pylist(), strict=True):
        fields = ",".join("Content" if name == "VersionData" else name for name in (one["fields"] or "").split(","))
        message = one["message"].replace("VersionData", "Content")
        call.failures.add_rows(pa.array([row], pa.int64()), one["code"], message, fields)


def insert(call: Call, run: Run) -> pa.Table:
    """New notes: new files of type SNOTE, whose documents' Ids are the answer."""
    _refuse_unless(call, "create")
    cells = call.cells(call.columns(skip=("id",)))
    staged = {name: cell.value for name, cell in cells.items()}
    call.required(["Title"], staged)
    titles = staged.get("Title", pa.nulls(call.count, pa.string()))
    columns = {name: staged[name] for name in _SHARED if name in staged}
    columns["PathOnClient"] = pc.binary_join_element_wise(titles, text(EXTENSION), ".")
    columns["VersionData"] = pc.fill_null(staged.get("Content", pa.nulls(call.count, pa.string())), _EMPTY)
    mask, result = _carry(call, run, "insert", "ContentVersion", columns)
    place = pc.subtract(pc.cumulative_sum(pc.cast(mask, pa.int64())), 1)
    ids = _documents(call, result).take(pc.if_else(mask, place, None))
    _log(call, ids, staged)
    return call.failures.result(ids if call.failures.bad is None else pc.if_else(call.failures.bad, NO_TEXT, ids), True)


def _documents(call: Call, versions: pa.Table) -> pa.Array:
    """The documents of versions, in order; null where there is no version."""
    found = call.org.query_with(
        {"_made": versions.select(["row", "id"])},
        'SELECT v."ContentDocumentId" AS v FROM _made m LEFT JOIN "ContentVersion" v ON v."Id" = m.id ORDER BY m.row',
    )
    return column_of(found, "v")


def update(call: Call, run: Run) -> pa.Table:
    """A new content is a new version of the file; a new title or owner changes the document."""
    _refuse_unless(call, "edit")
    ids = _known(call)
    cells = call.cells(call.columns(skip=("id",)))
    content = cells["Content"].value if "Content" in cells else pa.nulls(call.count, pa.string())
    titles = pc.coalesce(cells["Title"].value, _titles(call, ids)) if "Title" in cells else _titles(call, ids)
    path = pc.binary_join_element_wise(titles, text(EXTENSION), ".")
    columns = {"ContentDocumentId": ids, "VersionData": content, "Title": titles, "PathOnClient": path}
    _carry(call, run, "insert", "ContentVersion", columns)
    shared = {name: cells[name].value for name in _SHARED if name in cells}
    if shared:
        _carry(call, run, "update", "ContentDocument", {"Id": ids, **shared})
    _log(call, ids, {name: cell.value for name, cell in cells.items()})
    return call.failures.result(ids, False)


def by_document(call: Call, run: Run) -> pa.Table:
    """Delete, hardDelete and undelete are those of the document."""
    _refuse_unless(call, "delete")
    ids = _known(call)
    _carry(call, run, call.op, "ContentDocument", {"Id": ids})
    _log(call, ids, {})
    return call.failures.result(ids, False)


def _known(call: Call) -> pa.Array:
    """The Ids that the rows name; those of no note are failed."""
    ids = named_ids(call)
    found = call.org.query_with(
        {"_asked": pa.table({"v": pc.unique(ids).drop_null()})},
        'SELECT v FROM _asked JOIN "ContentNote" n ON n."Id" = v',
    )
    missing = pc.and_(pc.is_valid(ids), pc.invert(pc.is_in(ids, value_set=column_of(found, "v"))))
    call.failures.add(missing, "INVALID_CROSS_REFERENCE_KEY", UNKNOWN_REFERENCE)
    return ids


def _titles(call: Call, ids: pa.Array) -> pa.Array:
    found = call.org.query_with(
        {"_asked": pa.table({"i": row_numbers(call.count), "id": ids})},
        'SELECT n."Title" AS v FROM _asked a LEFT JOIN "ContentNote" n ON n."Id" = a.id ORDER BY a.i',
    )
    return column_of(found, "v")


def _log(call: Call, ids: pa.Array, staged: dict[str, pa.Array]) -> None:
    columns = {"row": row_numbers(call.count), "id": ids, **{NEW + name: value for name, value in staged.items()}}
    call.log(call.failures, call.failures.keep(pa.table(columns)), None if call.op == "insert" else ids)


ACTIONS = {
    "insert": insert,
    "update": update,
    "delete": by_document,
    "hardDelete": by_document,
    "undelete": by_document,
}
