"""Org and doors as one file: records and schema, and beside them jobs, sessions, allowances, switches and automation.

Left out: pages of REST queries that were still open (their locators are invalid afterwards) and planned faults.
"""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import duckdb
import orjson

from chartlift_sandbox.salesforce import snapshots
from chartlift_sandbox.salesforce.bulk_jobs import IngestJob
from chartlift_sandbox.salesforce.classic_jobs import Batch, ClassicJob
from chartlift_sandbox.salesforce.doors import Doors
from chartlift_sandbox.salesforce.frozen import Thaw, freeze
from chartlift_sandbox.salesforce.login import NEVER
from chartlift_sandbox.salesforce.metadata_jobs import DeployJob, RetrieveJob
from chartlift_sandbox.salesforce.metadata_outcome import Outcome
from chartlift_sandbox.salesforce.metadata_sources import Source
from chartlift_sandbox.salesforce.org import Actor, Session
from chartlift_sandbox.salesforce.query_jobs import QueryJob

_CLASSES = (
    IngestJob, ClassicJob, Batch, QueryJob, DeployJob, RetrieveJob, Outcome, Source, Actor, Session,
)  # fmt: skip
_PATIENCE_S = 60


def save(doors: Doors, path: str) -> None:
    """Writes everything to a new file, once no job is running; an older file of that name is replaced.

    Raises:
        OSError: the file cannot be written, or a job does not end.
    """
    until = time.monotonic() + _PATIENCE_S
    while doors.busy():
        if time.monotonic() > until:
            raise OSError("a job is still running")
        time.sleep(0.02)
    with doors.org.lock:
        snapshots.snapshot(doors.org, path)
        document, files = _document(doors), _files(doors)
        with duckdb.connect(path) as file:
            file.execute("CREATE TABLE _doors (document BLOB)")
            file.execute("CREATE TABLE _files (name VARCHAR, data BLOB)")
            file.execute("INSERT INTO _doors VALUES (?)", [orjson.dumps(document)])
            for name, data in files.items():
                file.execute("INSERT INTO _files VALUES (?, ?)", [name, data])


def load(doors: Doors, path: str) -> None:
    """Replaces everything by what `save` wrote. The caller's preset session goes on, as the org's integration user.

    Raises:
        OSError: there is no such file, or it is no snapshot.
    """
    document, files = _read(path)
    with doors.org.lock:
        snapshots.restore(doors.org, path)
        if document:
            _apply(doors, document, files)


def _read(path: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    snapshots.check(path)
    with duckdb.connect(path, read_only=True) as file:
        known = {row[0] for row in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "_doors" not in known:
            return {}, {}
        row = file.execute("SELECT document FROM _doors").fetchone()
        files = dict(file.execute("SELECT name, data FROM _files").fetchall())
    return (orjson.loads(row[0]) if row else {}), files


def _document(doors: Doors) -> dict[str, Any]:
    org, app = doors.org, doors.sessions.app
    state = {
        "now": org.clock.now(), "archived_on": org.archived_on, "schema_changed_at": org.schema_changed_at,
        "settings": {one.name: getattr(doors.settings, one.name) for one in fields(doors.settings)},
        "sessions": {key: one for key, one in org.sessions.items() if one.expires_at != NEVER},
        "timeout": doors.sessions.timeout, "refresh": app.refresh, "issued": app.issued, "jwt_keys": app.jwt_keys,
        "usage": doors.usage.kept(), "ingest": doors.jobs.kept(), "queries": doors.queries.kept(),
        "classic": doors.classic.kept(), "metadata": doors.metadata.kept(),
    }  # fmt: skip
    return freeze(state)


def _files(doors: Doors) -> dict[str, bytes]:
    paths = [path for job in doors.jobs.all() for path in (job.upload_file, job.result_file)]
    paths += [job.file for job in doors.queries.all()]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def _apply(doors: Doors, document: dict[str, Any], files: dict[str, bytes]) -> None:
    org, app, folder = doors.org, doors.sessions.app, doors.folder
    state = Thaw(_CLASSES, folder)(document)
    behind = (state["now"] - org.clock.now()).total_seconds()
    if behind > 0:
        org.clock.advance(behind)
    org.archived_on, org.schema_changed_at = state["archived_on"], state["schema_changed_at"]
    for name, value in state["settings"].items():
        if hasattr(doors.settings, name):
            setattr(doors.settings, name, value)
    preset = {
        key: Session(org.people.integration, NEVER) for key, one in org.sessions.items() if one.expires_at == NEVER
    }
    org.sessions.clear()
    org.sessions.update(state["sessions"] | preset)
    app.run_as = org.people.integration
    doors.sessions.timeout, app.jwt_keys[:] = state["timeout"], state["jwt_keys"]
    app.refresh, app.issued = state["refresh"], state["issued"]
    doors.usage.put_back(state["usage"])
    doors.jobs.clear()
    doors.queries.clear()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    doors.jobs.put_back(state["ingest"])
    doors.queries.put_back(state["queries"])
    doors.classic.put_back(state["classic"])
    doors.metadata.put_back(state["metadata"])
    for job in doors.jobs.all():
        if job.state == "UploadComplete":
            doors.worker.submit(job)
