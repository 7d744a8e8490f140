"""Objects that have no table: definitions of entities, rules, flows and triggers, made up when they are asked for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from chartlift_sandbox.salesforce import setup_rows
from chartlift_sandbox.salesforce.catalogue import in_data_api, setup_names, setup_object
from chartlift_sandbox.salesforce.literals import ARROW_TYPES
from chartlift_sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org


def object_for(name: str, *, tooling: bool = True) -> SObject | None:
    """The made-up object of that name, in any case; without `tooling` only if the data API has it too."""
    found = next((one for one in setup_names() if one.lower() == name.lower()), None)
    if found is None or not (tooling or in_data_api(found)):
        return None
    return setup_object(found)


def _column(found: Field, rows: list[dict[str, Any]]) -> pa.Array:
    values = [row.get(found.name) for row in rows]
    if found.type == "complexvalue":
        values = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pa.array(values, ARROW_TYPES[found.sql_type])


@contextmanager
def shown(org: Org, names: frozenset[str]) -> Generator[None]:
    """Show the named objects as tables for the length of the block."""
    for name in names:
        rows = setup_rows.rows(org, name)
        columns = {found.name: _column(found, rows) for found in setup_object(name).stored_fields}
        org.db.register(name, pa.table({**columns, "_deleted_at": pa.nulls(len(rows), pa.timestamp("s"))}))
    try:
        yield
    finally:
        for name in names:
            org.db.unregister(name)
