"""The whole org as one file, back from it, and back to the seeded state."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from chartlift_sandbox.salesforce.schema import Field, FilterItem, PicklistValue, Schema, SObject
from chartlift_sandbox.salesforce.store import literal, quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

_LOG = '"_log"'
_META = 'CREATE OR REPLACE TABLE "_meta" (document VARCHAR)'


def snapshot(org: Org, path: str) -> None:
    """Write records, schema, counters and log to a new file; an older file of that name is replaced.

    Raises OSError when the file cannot be written.
    """
    made = Path(path)
    if made.is_dir() or not made.parent.is_dir():
        raise OSError(f"{path} cannot be written")
    if made.exists():
        check(path)  # nothing but an older snapshot is replaced
    made.unlink(missing_ok=True)
    org.query_with({"_entries": org.writes.stored()}, f"CREATE OR REPLACE TABLE {_LOG} AS SELECT * FROM _entries")
    org.db.execute(_META)
    org.db.execute('INSERT INTO "_meta" VALUES (?)', [json.dumps(_document(org))])
    own = _database_name(org)
    org.db.execute(f"ATTACH {literal(path)} AS _snapshot")
    org.db.execute(f"COPY FROM DATABASE {quote(own)} TO _snapshot")
    org.db.execute("DETACH _snapshot")
    _drop_carriers(org)


def restore(org: Org, path: str) -> None:
    """Replace the org's content by that of a snapshot. Raises OSError when there is none; the org is then as before."""
    check(path)
    _drop_tables(org)
    own = _database_name(org)
    org.db.execute(f"ATTACH {literal(path)} AS _snapshot (READ_ONLY)")
    org.db.execute(f"COPY FROM DATABASE _snapshot TO {quote(own)}")
    org.db.execute("DETACH _snapshot")
    row = org.db.execute('SELECT document FROM "_meta"').fetchone()
    assert row is not None
    _load(org, json.loads(row[0]))
    _drop_carriers(org)


def _drop_carriers(org: Org) -> None:
    """The tables that exist in a snapshot only."""
    for name in (_LOG, '"_meta"', '"_doors"', '"_files"'):
        org.db.execute(f"DROP TABLE IF EXISTS {name}")


def check(path: str) -> None:
    """Raise OSError unless the file is a snapshot."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is no file")
    try:
        with duckdb.connect(path, read_only=True) as file:
            found = file.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = '_meta'").fetchone()
    except duckdb.Error as error:
        raise OSError(f"{path} is no snapshot") from error
    if not found or not found[0]:
        raise OSError(f"{path} is no snapshot")


def reset(org: Org) -> None:
    """Empty the org and seed it again. Sessions stay."""
    _drop_tables(org)
    org.counters.clear()
    org.binned = 0
    org.writes.clear()
    org.archived_on = org.now().date()
    org.rules.clear()
    org.create_standard_objects()
    org.access.invalidate()
    if org.on_reset is not None:
        org.on_reset(org)


def _database_name(org: Org) -> str:
    row = org.db.execute("SELECT current_database()").fetchone()
    assert row is not None
    return str(row[0])


def _drop_tables(org: Org) -> None:
    views = org.db.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary").fetchall()
    for (name,) in views:
        org.db.execute(f"DROP VIEW {quote(name)}")
    names = org.db.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    for (name,) in names:
        org.db.execute(f"DROP TABLE {quote(name)}")


def _document(org: Org) -> dict[str, Any]:
    return {
        "counters": org.counters,
        "writes": org.writes.count,
        "people": asdict(org.people),
        "settings": asdict(org.settings),
        "rules": org.rules.document(),
        "org_id": org.org_id,
        "value_sets": {name: [asdict(v) for v in values] for name, values in org.schema.value_sets.items()},
        "objects": [_object_document(sobject) for sobject in org.schema.objects.values()],
    }


def _object_document(sobject: SObject) -> dict[str, Any]:
    document = asdict(sobject)
    document.pop("_by_lower")
    document["fields"] = list(document["fields"].values())
    return document


def _load(org: Org, document: dict[str, Any]) -> None:
    schema = Schema()
    for name, values in document["value_sets"].items():
        schema.set_value_set(name, tuple(_value(v) for v in values))
    for data in document["objects"]:
        fields = {entry["name"]: _field(entry) for entry in data.pop("fields")}
        schema.add_object(SObject(**data, fields=fields))
    schema.version = org.schema.version + 1
    org.schema = schema
    org.counters = dict(document["counters"])
    org.binned = sum(org.counters.values())  # an upper bound, counted when it matters
    org.org_id = document["org_id"]
    for name, value in document["settings"].items():
        setattr(org.settings, name, value)
    org.rules.load(document.get("rules", {}))
    for name, value in document["people"].items():
        setattr(org.people, name, value)
    org.writes.restore(org.query(f"SELECT * FROM {_LOG} ORDER BY first"), document["writes"])
    org.access.invalidate()


def _value(data: dict[str, Any]) -> PicklistValue:
    data["valid_for"] = tuple(data["valid_for"])
    return PicklistValue(**data)


def _field(data: dict[str, Any]) -> Field:
    data["picklist"] = tuple(_value(v) for v in data["picklist"])
    data["lookup_filter"] = tuple(FilterItem(**item) for item in data["lookup_filter"])
    data["reference_to"] = tuple(data["reference_to"])
    return Field(**data)
