"""The contents of documents: each fetched once, stored under its own SHA-256, and compared with what its record says.

A content is on disk before its row is written, and a row is committed before the next content is asked for: whoever is
killed repeats at most the one document that was on its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chartlift.errors import Unreachable, UsageError
from chartlift.model.books import FileStore
from chartlift.model.ports import Tools
from chartlift.model.reports import ExtractReport, Finding
from chartlift.model.source import CONTENTS, EntityShape, NoContent
from chartlift.stages.sqltext import ident, literal

_MANY = 1000  # documents asked for at once in staging
_OUTAGE = 5  # documents in a row that cannot be read: then it is not they that are broken
_AGAIN, _TORN = "unreadable", "torn"
_OPEN = (_AGAIN, "refused")  # asked for again by the next run

_TABLE = (
    "CREATE TABLE IF NOT EXISTS content (id VARCHAR, sha256 VARCHAR, bytes BIGINT, verdict VARCHAR, "
    "said_hash VARCHAR, said_size VARCHAR, stamp VARCHAR)"
)
_TEXTS: Mapping[str, tuple[str, str, str]] = {
    # verdict: (severity, what it says, what becomes of it)
    "empty": ("warning", "the document has no bytes", "kept as it is"),
    "size differs": ("error", "the content is longer or shorter than its record says", "kept as received"),
    "hash differs": ("error", "the content has another SHA-256 than its record says", "kept as received"),
    "missing": ("error", "the clinic has the record but not the content", "nothing to keep"),
    "refused": ("error", "the clinic does not give the content to this login", "ask the clinic"),
    "too large": ("error", "the content is larger than an org takes", "not fetched"),
    _AGAIN: ("error", "the clinic cannot deliver the content", "run the same command again"),
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A document whose content is not here yet, and what its record says of it."""

    key: str
    hash: str | None
    size: str | None
    stamp: str | None
    place: int


@dataclass(frozen=True, slots=True)
class _Got:
    sha256: str | None
    bytes: int | None
    verdict: str


def run(tools: Tools, extracted: ExtractReport) -> ExtractReport:
    """Fetch what is missing; the report of the extraction with the contents added.

    Raises:
        UsageError: this source has no contents.
        TransientError: paused; the same call goes on where it stopped.
    """
    shape = next((one for one in tools.source.shapes() if one.name == tools.source.contents), None)
    if shape is None:
        raise UsageError("This source has no contents of documents.", hint="Leave out --contents.")
    sql = tools.staging.sql
    sql.execute(_TABLE)
    tools.files.sweep()
    total, broken = _count(sql, shape), 0
    tools.progress.step(f"extract: {total} contents of documents, about {_hours(tools, total):.1f} hours")
    for number, wanted in enumerate(_wanted(sql, shape), start=1):
        got = _fetched(tools, wanted)
        broken = broken + 1 if got.verdict == _AGAIN else 0
        if broken == _OUTAGE:
            raise Unreachable("The clinic cannot deliver its documents.", hint="run the same command again")
        _keep(sql, wanted, got)
        tools.progress.step("extract: contents of documents", number, total)
    return _reported(tools, extracted, shape)


def _hours(tools: Tools, total: int) -> float:
    """What so many contents add to an extraction, by the source's own limit."""
    return tools.source.forecast({CONTENTS: total})["hours"] - tools.source.forecast({})["hours"]


def _pending(shape: EntityShape) -> str:
    """Rows of the entity whose content was not fetched, or whose record has changed since."""
    said, size, stamp = (_column(shape, name) for name in ("hash", "size", "stamp"))
    return (
        f"FROM {ident('src_' + shape.name)} d LEFT JOIN content c ON c.id = d._id "
        f"WHERE (c.id IS NULL OR c.verdict IN ({', '.join(map(literal, _OPEN))}) OR c.said_hash IS DISTINCT FROM {said} "
        f"OR c.said_size IS DISTINCT FROM {size} OR c.stamp IS DISTINCT FROM {stamp}) "
        f"AND NOT EXISTS (FROM src_deleted g WHERE g.entity = {literal(shape.name)} AND g.id = d._id)"
    )


def _column(shape: EntityShape, name: str) -> str:
    column = shape.stamp if name == "stamp" else shape.roles.get(name, "")
    return f"d.{ident(column)}" if column else "NULL"


def _count(sql: Any, shape: EntityShape) -> int:
    return int(sql.execute(f"SELECT count(*) {_pending(shape)}").fetchone()[0])


def _wanted(sql: Any, shape: EntityShape) -> Iterator[_Wanted]:
    """In the order of staging, a thousand at a time: the list itself may be long."""
    cells = ", ".join(_column(shape, name) for name in ("hash", "size", "stamp"))
    last = -1
    while True:
        rows = sql.execute(
            f"SELECT d._id, {cells}, d._seq {_pending(shape)} AND d._seq > $1 ORDER BY d._seq LIMIT {_MANY}", [last]
        ).fetchall()
        if not rows:
            return
        for row in rows:
            wanted = _Wanted(*row)
            last = wanted.place
            yield wanted


def _fetched(tools: Tools, wanted: _Wanted) -> _Got:
    """The content into the store; one that is torn, or not as its record says, is fetched a second time."""
    store: FileStore = tools.files
    got = _Got(None, None, _AGAIN)
    for _ in range(2):
        try:
            sha256, size = store.put(tools.source.content(wanted.key))
        except NoContent as no:
            if no.reason != _TORN:
                return _Got(None, None, no.reason)
            got = _Got(None, None, _AGAIN)
            continue
        got = _Got(sha256, size, _verdict(wanted, sha256, size))
        if got.verdict in ("ok", "not checked", "empty"):
            return got
    return got


def _verdict(wanted: _Wanted, sha256: str, size: int) -> str:
    said = (wanted.hash or "").strip().lower()
    if size == 0:
        return "empty"
    if wanted.size and wanted.size.isascii() and wanted.size.isdigit() and int(wanted.size) != size:
        return "size differs"
    if not said:
        return "not checked"
    return "ok" if said == sha256 else "hash differs"


def _keep(sql: Any, wanted: _Wanted, got: _Got) -> None:
    sql.execute("BEGIN")
    try:
        sql.execute("DELETE FROM content WHERE id = $1", [wanted.key])
        sql.execute(
            "INSERT INTO content VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [wanted.key, got.sha256, got.bytes, got.verdict, wanted.hash, wanted.size, wanted.stamp],
        )
    except BaseException:
        sql.execute("ROLLBACK")
        raise
    sql.execute("COMMIT")


def _reported(tools: Tools, extracted: ExtractReport, shape: EntityShape) -> ExtractReport:
    """Of the documents that are there now; what was fetched of deleted ones stays, but tells nobody anything."""
    sql = tools.staging.sql
    present = f"FROM content c SEMI JOIN {ident('src_' + shape.name)} d ON d._id = c.id"
    counts = dict(sql.execute(f"SELECT verdict, count(*) {present} GROUP BY verdict ORDER BY verdict").fetchall())
    findings = [*extracted.findings]
    for verdict, (severity, text, fate) in _TEXTS.items():
        if verdict in counts:
            found = sql.execute(f"SELECT id {present} WHERE verdict = $1 ORDER BY id LIMIT 5", [verdict]).fetchall()
            samples = tuple(f"{shape.name} {key}" for (key,) in found)
            findings.append(Finding("R-HASH", severity, shape.name, counts[verdict], text, fate, samples))
    report = replace(extracted, contents=counts, findings=tuple(findings))
    tools.journal.put_report("extract", "", report.as_json())
    tools.audit.act("contents", who=tools.who, detail={"contents": counts})
    return report
