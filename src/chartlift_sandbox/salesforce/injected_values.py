"""Texts and cells of planned row faults: messages with a row's own values, parents, changed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from chartlift_sandbox.fault_words import Fault
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import single
from chartlift_sandbox.salesforce.values import SET_NULL

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org
    from chartlift_sandbox.salesforce.schema import Field

_PAD = 'Flow error at element Visit_Sync, line 1: "x" <b>&amp;</b>\n' * 200
_DIGITS = 10


class Given(Protocol):
    """The call that a message is about."""

    org: Org
    object_name: str
    table: pa.Table
    external_id: str | None


def is_blank(cell: Any) -> bool:
    """Whether a cell names nothing."""
    return cell is None or str(cell) in {"", SET_NULL}


def texts(table: pa.Table, name: str) -> pa.Array:
    """A column as text without nulls."""
    return pc.fill_null(single(table.column(name)).cast(pa.string()), "")


def row_texts(table: pa.Table) -> pa.Array:
    """All cells of each row in one text."""
    if not table.num_columns:
        return pa.array([""] * table.num_rows, pa.string())
    cells = [texts(table, name) for name in table.column_names]
    return pc.binary_join_element_wise(*cells, ", ")


def whole_chunks(mask: pa.Array, size: int) -> pa.Array:
    """A mask that is true for every row of a chunk that has a true one."""
    rows = pa.array(range(len(mask)), pa.int64())
    chunk = pc.divide(rows, size)
    return pc.is_in(chunk, value_set=pc.unique(chunk.filter(mask)))


def parent_column(org: Org, object_name: str, table: pa.Table, wanted: str | None) -> pa.Array | None:
    """The cells that name each row's parent: the wanted column, else the first that is a lookup."""
    for name in table.column_names:
        found = org.schema.field(object_name, name)
        is_lookup = "." in name or (found is not None and found.type == "reference" and found.name != "OwnerId")
        if name.lower() == wanted.lower() if wanted else is_lookup:
            return texts(table, name)
    return None


def _field_of(call: Given, fault: Fault) -> tuple[str, Field | None]:
    """The column a message speaks of, and its field: the wanted one, else the first that is no key."""
    keys = {"id", (call.external_id or "id").lower()}
    names = call.table.column_names
    name = next((one for one in names if fault.column and one.lower() == fault.column.lower()), None)
    name = name or next((one for one in names if one.lower() not in keys), names[0] if names else "Id")
    return name, call.org.schema.field(call.object_name, name)


def message(call: Given, fault: Fault, ids: pa.Array) -> tuple[pa.Array, str]:
    """The message of every row, and the fields it names.

    `{cell}`, `{cells}`, `{id}` are the row's own; `{column}`, `{label}`, `{key}`, `{object}`, `{pad}` common ones.
    """
    name, found = _field_of(call, fault)
    common = {
        "{column}": found.name if found else name, "{label}": found.label if found else name, "{pad}": _PAD,
        "{key}": call.external_id or name, "{object}": call.object_name.lower(),
    }  # fmt: skip
    text, columns = fault.message, fault.columns
    for mark, value in common.items():
        text, columns = text.replace(mark, value), columns.replace(mark, value)
    count = call.table.num_rows
    own = {
        "{cells}": lambda: row_texts(call.table),
        "{cell}": lambda: texts(call.table, name) if name in call.table.column_names else row_texts(call.table),
        "{id}": lambda: pc.fill_null(ids, ""),
    }
    parts: list[pa.Array | str] = [text]
    for mark, cells in own.items():
        if mark in text:
            parts = _split(parts, mark, cells())
    arrays = [pa.repeat(part, count) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*arrays, ""), columns


def _split(parts: list[pa.Array | str], mark: str, cells: pa.Array) -> list[pa.Array | str]:
    out: list[pa.Array | str] = []
    for part in parts:
        if not isinstance(part, str):
            out.append(part)
            continue
        for number, piece in enumerate(part.split(mark)):
            out += [piece] if number == 0 else [cells, piece]
    return out


def altered(table: pa.Table, fault: Fault, keys: frozenset[str]) -> pa.Table:
    """The table after the server's silent change of one column."""
    name = _changed_column(table, fault, keys)
    if name is None:
        return table
    old = single(table.column(name)).cast(pa.string())
    blank = pc.or_(pc.equal(pc.fill_null(old, ""), ""), pc.equal(pc.fill_null(old, ""), SET_NULL))
    new = pc.if_else(blank, old, _changed(pc.fill_null(old, ""), fault))
    if fault.what == "set":
        new = pa.repeat(fault.value, len(old))
    return table.set_column(table.column_names.index(name), name, new)


def _changed_column(table: pa.Table, fault: Fault, keys: frozenset[str]) -> str | None:
    names = [name for name in table.column_names if name.lower() not in keys and "." not in name]
    if fault.column:
        return next((name for name in names if name.lower() == fault.column.lower()), None)
    if fault.what == "phone":
        names = [name for name in names if "phone" in name.lower()]
    return next((name for name in names if not name.lower().endswith("id")), None)


def _changed(cells: pa.Array, fault: Fault) -> pa.Array:
    if fault.what == "cut":
        return pc.utf8_slice_codeunits(cells, 0, fault.bytes if fault.bytes is not None else 20)
    if fault.what == "lower":
        return pc.utf8_lower(cells)
    if fault.what == "phone":
        digits = pc.replace_substring_regex(cells, r"\D", "")
        shaped = pc.replace_substring_regex(digits, r"^.*?(\d{3})(\d{3})(\d{4})$", r"(\1) \2-\3")
        return pc.if_else(pc.greater_equal(pc.utf8_length(digits), _DIGITS), shaped, cells)
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(cells), r"\s+", " ")
