"""`extract`: read the clinic into staging, and again what changed.

A page and the cursor behind it are committed together, so a reading that was stopped, killed included, goes on with the
next page. The watermark of the next delta is the source's own time at the start of this reading.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from chartlift.model.ports import Tools
from chartlift.model.reports import EntityCount, ExtractReport, Finding
from chartlift.model.source import EntityShape, Page
from chartlift.stages import landing, pages
from chartlift.stages.memory import ample, give_back, modest, rare_collections
from chartlift.stages.sqltext import ident

_START = ""
_PAGES = 5  # after which memory is given back
_PASSES = 2  # readings of a listing that brings fewer rows than it promises

_TEXTS: Mapping[str, tuple[str, str, str]] = {
    # code: (severity, what it says, what becomes of it)
    "R-EMBED": ("warning", "the record brings fewer embedded rows than it counts", "read again from the list"),
    "R-BAL": ("warning", "flat rows of one record do not agree about it", "the first one counts"),
    "R-EXPONENT": ("error", "an id that a spreadsheet has turned into 1.23E+07", "held; nobody can tell which it was"),
    "R-RAGGED": ("error", "a row has more or fewer cells than there are heads", "left out"),
    "R-ZERO": ("warning", "a number that seems to have lost its leading zero", "kept as received"),
    "R-PARTS": ("error", "the record comes without the rows that are part of it", "what was read of them before stays"),
    "R-REF": ("error", "an embedded row names another patient", "held with its reason"),
    "R-SHAPE": ("error", "an entry of a list is not a record", "left out"),
    "R-TEXT": ("error", "text with half a character (unpaired surrogate)", "withheld or held, as the plan says"),
    "R-KEY": ("error", "the id is missing or not a whole number of at most 11 digits", "held"),
    "R-CONFLICT": ("error", "one id with two contents and no newer one", "held"),
    "S-ABSENT": (
        "warning",
        "a row of the export before is not in this one",
        "kept, until it is said that it was deleted: chartlift extract --absent-deleted",
    ),
    "S-COUNT": ("error", "the listing brings fewer rows than its total", "extract again, or ask the vendor"),
    "S-FALLBACK": ("warning", "the clinic has no such list; the profile's own values stand in", "to be confirmed"),
    "S-HEADS": ("warning", "two heads mean one column and do not agree in the row", "the first one counts"),
    "S-MANIFEST": ("error", "the file has another number of rows than its manifest says", "ask for the export again"),
    "S-LOOP": ("note", "a page was served again", "read once"),
    "S-NO-LIST": ("note", "the clinic has no such list", "nothing to read"),
    "S-PAGE-SIZE": ("note", "the page size changed while reading", "the listing was read again"),
    "S-SHIFT": ("note", "rows disappeared while reading", "the pages before were read again"),
    "S-SWEEP": ("note", "rows were deleted while reading", "the listing was read again"),
    "S-UNMAPPED": ("note", "a field the profile does not know", "kept in staging as received, not loaded"),
    "S-UNREADABLE": ("error", "the clinic cannot deliver the record", "not extracted"),
}


@dataclass
class _Reading:
    """The extraction that is going on."""

    number: int
    kind: str  # full | delta
    since: datetime | None
    started: datetime
    resumed: bool = False


def run(tools: Tools, since: str | None = None) -> ExtractReport:
    """Read everything the first time; with `since="last"` what changed since the start of the last complete reading.

    A reading that was interrupted is continued, whatever is asked for. With the option `full` everything is read again.

    Raises:
        TransientError: paused; the same call goes on where it stopped.
        CredentialsError, StopError: from the source.
    """
    shapes = tools.source.shapes()
    modest(tools.staging.sql)
    with _transaction(tools.staging.sql):
        landing.prepare(tools.staging.sql, shapes)
    reading = _open(tools, since)
    if reading is None:
        return _nothing(tools, shapes)
    forecast = _forecast(tools, reading)
    with rare_collections():
        for listing in tools.source.listings(reading.since):
            _read(tools, reading, listing, {shape.name: shape for shape in shapes})
    return _finish(tools, reading, shapes, forecast)


@contextmanager
def _transaction(sql: Any) -> Generator[None]:
    sql.execute("BEGIN")
    try:
        yield
    except BaseException:
        sql.execute("ROLLBACK")
        raise
    sql.execute("COMMIT")


def _utc(moment: datetime | None) -> datetime | None:
    """Times in staging are UTC without saying so."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _open(tools: Tools, since: str | None) -> _Reading | None:
    """The interrupted reading, else a new one, else None if there is nothing to read."""
    sql = tools.staging.sql
    row = sql.execute("SELECT number, kind, since, started FROM extraction WHERE finished IS NULL").fetchone()
    if row:
        return _Reading(row[0], row[1], _utc(row[2]), row[3].replace(tzinfo=UTC), resumed=True)
    last = sql.execute("SELECT number, watermark FROM extraction ORDER BY number DESC LIMIT 1").fetchone()
    again = bool(tools.options.get("full"))
    if last and not again and since != "last":
        return None
    kind = "delta" if last and not again else "full"
    reading = _Reading(
        (last[0] if last else 0) + 1, kind, _utc(last[1]) if kind == "delta" else None, tools.clock.now()
    )
    watermark = _naive(min(tools.source.now(), reading.started))
    sql.execute(
        "INSERT INTO extraction VALUES ($1, $2, $3, $4, $5, NULL)",
        [reading.number, kind, reading.since and _naive(reading.since), _naive(reading.started), watermark],
    )
    return reading


def _forecast(tools: Tools, reading: _Reading) -> Mapping[str, float]:
    """Requests and hours, said before a whole reading starts; from the last check, else from a quick one."""
    known = tools.journal.report("check")
    forecast = (known or {}).get("forecast")
    if reading.kind == "delta" or (reading.resumed and not forecast):
        return {}
    if not forecast:
        rows = {probe.name: probe.rows for probe in tools.source.check() if probe.rows is not None}
        forecast = tools.source.forecast(rows)
    tools.progress.step(f"extract: about {forecast['requests']:.0f} requests, {forecast['hours']:.1f} hours")
    return dict(forecast)


@dataclass
class _Listing:
    cursor: str | None  # "" = from the start, None = read to its end
    total: int | None
    pages: int
    passes: int
    rows: int = 0  # received by this process, repeats included


def _read(tools: Tools, reading: _Reading, listing: str, shapes: Mapping[str, EntityShape]) -> None:
    """One listing to its end, from where it was left; one that was never read before is read whole."""
    sql = tools.staging.sql
    known = sql.execute(
        "SELECT EXISTS (FROM extraction_listing WHERE number < $1 AND listing = $2 AND done)", [reading.number, listing]
    ).fetchone()[0]
    since = reading.since if known else None
    row = sql.execute(
        "SELECT cursor, total, pages, passes, done FROM extraction_listing WHERE number = $1 AND listing = $2",
        [reading.number, listing],
    ).fetchone()
    if row and row[4]:
        return
    if row is None:
        sql.execute(
            "INSERT INTO extraction_listing VALUES ($1, $2, '', false, NULL, 0, 1, 0)", [reading.number, listing]
        )
    state = _Listing(*row[:4]) if row else _Listing(_START, None, 0, 1)
    shape = shapes.get(listing)
    while True:
        if state.cursor is not None:
            for page in tools.source.pages(listing, since=since, cursor=state.cursor or None):
                if _take(tools, reading, state, page, shape):
                    return
        short = _short(sql, shape, state.total)
        if short and state.passes < _PASSES:
            state.cursor, state.passes = _START, state.passes + 1
            _note(sql, reading, listing, state, done=False, short=short)
            continue
        _note(sql, reading, listing, state, done=True, short=short)
        return


def _take(tools: Tools, reading: _Reading, state: _Listing, page: Page, shape: EntityShape | None) -> bool:
    """Land one page with its cursor; True if the listing needs no further page."""
    sql = tools.staging.sql
    with _transaction(sql):
        state.pages += 1
        state.rows += pages.put(sql, page, state.pages)
        state.cursor = page.cursor
        state.total = state.total if page.total is None else page.total
        enough = state.pages == 1 and reading.kind == "full" and _all_there(sql, shape, page)
        if page.problems:
            sql.executemany(
                "INSERT INTO extraction_problem VALUES ($1, $2, $3, $4)",
                [[reading.number, *problem] for problem in page.problems],
            )
        _note(sql, reading, page.listing, state, done=enough, short=0)
        if state.pages == 1:
            behind = tools.clock.now() - tools.source.now()
            sql.execute(
                "UPDATE extraction SET watermark = least(watermark, $2) WHERE number = $1",
                [reading.number, _naive(reading.started - behind)],
            )
    if state.pages % _PAGES == 0:
        give_back()
    tools.progress.step(f"extract {page.listing}", min(state.rows, state.total or state.rows), state.total)
    return enough


def _note(sql: Any, reading: _Reading, listing: str, state: _Listing, *, done: bool, short: int) -> None:
    sql.execute(
        "UPDATE extraction_listing SET cursor = $3, total = $4, pages = $5, passes = $6, done = $7, short = $8 "
        "WHERE number = $1 AND listing = $2",
        [reading.number, listing, state.cursor, state.total, state.pages, state.passes, done, short],
    )


def _all_there(sql: Any, shape: EntityShape | None, page: Page) -> bool:
    """Rows that came embedded in another listing: as many as this one promises, those of its first page among them."""
    if shape is None or page.total is None:
        return False
    pages.keys(sql, shape, "land_earlier", listing=page.listing, own=False)
    count = sql.execute("SELECT count(DISTINCT key) FROM land_earlier WHERE identified").fetchone()[0]
    if not count or count != page.total:
        return False
    pages.keys(sql, shape, "land_own", listing=page.listing, own=True)
    unknown = "FROM land_own o ANTI JOIN land_earlier e ON e.key = o.key AND e.identified AND o.identified"
    return sql.execute(f"SELECT count(*) {unknown}").fetchone()[0] == 0


def _landed(sql: Any, shape: EntityShape, listing: str) -> tuple[int, int]:
    """(distinct ids of a listing, rows that repeat an id on their own page)."""
    pages.keys(sql, shape, "land_own", listing=listing, own=True)
    counts = sql.execute(
        "SELECT count(DISTINCT key) FILTER (identified), (SELECT coalesce(sum(extra), 0) FROM (SELECT count(*) - "
        "count(DISTINCT key) AS extra FROM land_own GROUP BY arrival)), count(*) FILTER (NOT identified) FROM land_own"
    ).fetchone()
    return int(counts[0] + counts[2]), int(counts[1])


def _short(sql: Any, shape: EntityShape | None, total: int | None) -> int:
    """Rows that the listing promised and did not bring."""
    if shape is None or total is None:
        return 0
    distinct, repeated = _landed(sql, shape, shape.name)
    return max(0, total - repeated - distinct)


def _finish(
    tools: Tools, reading: _Reading, shapes: Sequence[EntityShape], forecast: Mapping[str, float]
) -> ExtractReport:
    sql = tools.staging.sql
    tools.progress.step("extract: settle")
    rows = sql.execute("SELECT listing, short FROM extraction_listing WHERE number = $1", [reading.number]).fetchall()
    whole = {listing for listing, short in rows if not short}
    try:
        counts = _settle(tools, reading, shapes, whole)
    except duckdb.OutOfMemoryException:
        ample(sql)
        counts = _settle(tools, reading, shapes, whole)
    ample(sql)
    pages = sql.execute("SELECT sum(pages) FROM extraction_listing WHERE number = $1", [reading.number]).fetchone()[0]
    report = ExtractReport(
        extraction=reading.number,
        kind=reading.kind,
        started=reading.started,
        since=reading.since,
        complete=len(whole) == len(rows),
        pages=int(pages or 0),
        entities=tuple(counts),
        merged=_merged(sql),
        forecast=forecast,
        findings=tuple(_findings(sql, reading, shapes, counts)),
    )
    tools.journal.put_report("extract", "", report.as_json())
    tools.audit.act(
        "extract", who=tools.who, detail={"extraction": reading.number, "rows": {c.entity: c.rows for c in counts}}
    )
    return report


def _settle(tools: Tools, reading: _Reading, shapes: Sequence[EntityShape], whole: set[str]) -> Sequence[EntityCount]:
    """All that was read into its tables, or nothing of it."""
    sql = tools.staging.sql
    with _transaction(sql):
        complete, doubted = whole & _read_whole(tools, reading, shapes), set[str]()
        if tools.source.rereads and not tools.options.get("absent_deleted"):
            complete, doubted = set(), complete
        counts = landing.settle(sql, shapes, reading.number, kind=reading.kind, complete=complete, doubted=doubted)
        sql.execute(
            "UPDATE extraction SET finished = $2 WHERE number = $1", [reading.number, _naive(tools.clock.now())]
        )
    return counts


def _read_whole(tools: Tools, reading: _Reading, shapes: Sequence[EntityShape]) -> set[str]:
    """Listings that were read from end to end: in a delta those that cannot be asked for changes.

    A list that the clinic does not have, or no longer has, says nothing about its rows.
    """
    missing = tools.staging.sql.execute(
        "SELECT place FROM extraction_problem WHERE number = $1 AND code IN ('S-NO-LIST', 'S-FALLBACK')",
        [reading.number],
    ).fetchall()
    again = reading.kind == "full" or tools.source.rereads
    whole = {shape.name for shape in shapes if again or not shape.stamp}
    return whole - {place for (place,) in missing}


def _nothing(tools: Tools, shapes: Sequence[EntityShape]) -> ExtractReport:
    sql = tools.staging.sql
    number, started, since = sql.execute(
        "SELECT number, started, since FROM extraction ORDER BY number DESC LIMIT 1"
    ).fetchone()
    counts = []
    for shape in (one for one in shapes if not one.nests):
        rows = sql.execute(f"SELECT count(*) FROM {ident('src_' + shape.name)}").fetchone()[0]
        counts.append(EntityCount(shape.name, rows, 0, 0, 0, 0, 0))
    return ExtractReport(
        extraction=number,
        kind="nothing",
        started=_utc(started) or tools.clock.now(),
        since=_utc(since),
        complete=True,
        pages=0,
        entities=tuple(counts),
        merged=_merged(sql),
        forecast={},
    )


def _merged(sql: Any) -> dict[str, int]:
    return dict(sql.execute("SELECT coalesce(problem, ''), count(*) FROM src_merged GROUP BY 1 ORDER BY 1").fetchall())


def _findings(
    sql: Any, reading: _Reading, shapes: Sequence[EntityShape], counts: Sequence[EntityCount]
) -> Iterator[Finding]:
    found = sql.execute(
        "SELECT code, place, sum(count) FROM extraction_problem WHERE number = $1 GROUP BY ALL ORDER BY code, place",
        [reading.number],
    ).fetchall()
    found += [("R-CONFLICT", count.entity, count.conflicts) for count in counts if count.conflicts]
    absent = sql.execute("SELECT entity, count(*) FROM src_absent GROUP BY entity ORDER BY entity").fetchall()
    found += [("S-ABSENT", entity, many) for entity, many in absent]
    found += sql.execute(
        "SELECT 'S-COUNT', listing, short FROM extraction_listing WHERE number = $1 AND short > 0 ORDER BY listing",
        [reading.number],
    ).fetchall()
    for code, place, count in found:
        severity, text, fate = _TEXTS.get(code, ("note", code, ""))
        yield Finding(code, severity, place, int(count), text, fate)
    if reading.kind == "full":
        yield from _embedded(sql, shapes)


def _embedded(sql: Any, shapes: Sequence[EntityShape]) -> Iterator[Finding]:
    """Patients that count more rows than there are, after everything has been read."""
    for shape in shapes:
        for column, child in shape.counts.items():
            rows = sql.execute(
                f"SELECT p._id, count(*) OVER () FROM {ident('src_' + shape.name)} p "
                f"LEFT JOIN (SELECT _patient, count(*) AS n "
                f"FROM {ident('src_' + child)} GROUP BY _patient) c ON c._patient = p._id "
                f"WHERE TRY_CAST(p.{ident(column)} AS BIGINT) > coalesce(c.n, 0) ORDER BY p._seq LIMIT 5"
            ).fetchall()
            if rows:
                samples = tuple(f"{shape.name} {key}" for key, _ in rows)
                text = "the record counts more rows than the list has"
                yield Finding(
                    "R-EMBED", "warning", f"{shape.name}.{column}", rows[0][1], text, "the list wins", samples
                )
