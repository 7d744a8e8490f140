"""`estimate`: size, time, route and grade, computed from the pack and the volumes of the last profile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chartlift import transforms
from chartlift.errors import NotConfirmed
from chartlift.model.plan import ObjectMap, Policies
from chartlift.model.ports import Tools
from chartlift.model.reports import EstimateReport, Finding, ObjectEstimate, SummaryRow
from chartlift.stages.parents import PEOPLE

RECORD_KB = 2  # what Salesforce counts for a record of nearly every object, whatever it holds
LOAD_ROWS_PER_HOUR = 1_000_000  # Bulk API with the org's own automation on; an org without any is several times faster
CALLS_PER_BATCH = 14  # create, upload, close, results of two kinds, and polls while the org works
CALLS_PER_OBJECT = 3  # looking for what is there before the load
INDIVIDUAL_RECORDS = 2_000_000  # beyond that a migration is scoped by itself
DELTA_WINDOW = (24.0, 48.0)  # hours in which changes are picked up during the cutover
PROJECT_DAYS = (2, 7)  # sample, its acceptance and the sign-offs, for a migration of the standard kind
API_ONLY, API_AHEAD = 12.0, 36.0  # hours of reading: within the window, before it, or by files


def run(tools: Tools) -> EstimateReport:
    """Estimate from the last profile.

    Raises:
        NotConfirmed: there is no profile yet.
    """
    profile = tools.journal.report("profile")
    if profile is None:
        raise NotConfirmed("there is no profile to estimate from", hint="chartlift profile")
    volumes = {entity["name"]: _Volume(entity["rows"], entity["row_bytes"]) for entity in profile["entities"]}
    maps: Sequence[ObjectMap] = tools.pack.maps
    objects = tuple(_objects(maps, volumes))
    records = sum(one.rows for one in objects)
    batches = sum(one.batches for one in objects)
    reading = tools.source.forecast({name: volume.rows for name, volume in volumes.items()})
    loading = records / LOAD_ROWS_PER_HOUR
    route = _route(reading["hours"])
    grade, text = _grade(tools, records)
    report = EstimateReport(
        objects=objects,
        records=records,
        source_requests=round(reading["requests"]),
        source_hours=round(reading["hours"], 2),
        destination_requests=batches * CALLS_PER_BATCH + len(objects) * CALLS_PER_OBJECT,
        bulk_batches=batches,
        storage_kb=sum(one.storage_kb for one in objects),
        load_hours=round(loading, 2),
        run_hours=_run_hours(route, reading["hours"], loading),
        project_days=_project_days(route, reading["hours"], grade),
        grade=grade,
        grade_text=text,
        route=route,
        table=tuple(_table(tools)),
        findings=tuple(_findings(records, reading["hours"], route)),
    )
    tools.journal.put_report("estimate", "", report.as_json())
    return report


@dataclass(frozen=True, slots=True)
class _Volume:
    rows: int
    row_bytes: int


def _objects(maps: Sequence[ObjectMap], volumes: Mapping[str, _Volume]) -> Iterator[ObjectEstimate]:
    """One line per target object; a batch is bounded by rows and by bytes."""
    policies = Policies()
    for name in dict.fromkeys(unit.object for unit in maps):
        units = [unit for unit in maps if unit.object == name]
        rows, batches = 0, 0
        for unit in units:
            volume = volumes.get(unit.source, _Volume(0, 0))
            size = volume.rows * (volume.row_bytes + len(unit.fields))
            rows += volume.rows
            batches += max(math.ceil(volume.rows / policies.batch_rows), math.ceil(size / policies.batch_bytes))
        yield ObjectEstimate(name, tuple(unit.source for unit in units), rows, batches, rows * RECORD_KB)


def _route(hours: float) -> str:
    """Read within the window, ahead of it with only changes in the window, or ask the vendor for files."""
    return "api" if hours <= API_ONLY else "api-ahead" if hours <= API_AHEAD else "files"


def _run_hours(route: str, reading: float, loading: float) -> tuple[float, float]:
    """The cutover: reading (unless it was done ahead) and loading, with the window for changes around them."""
    busy = loading + (reading if route == "api" else 0.0)
    return (round(max(DELTA_WINDOW[0], busy), 1), round(max(DELTA_WINDOW[1], busy + DELTA_WINDOW[0]), 1))


def _project_days(route: str, reading: float, grade: str) -> tuple[int, int]:
    """From the first reading to the last signature; reading ahead and a scope of its own take longer."""
    ahead = 0 if route == "api" else math.ceil(reading / 24)
    factor = {"standard": 1, "extended": 2, "individual": 3}[grade]
    return (PROJECT_DAYS[0] * factor + ahead, PROJECT_DAYS[1] * factor + ahead)


# ---------------------------------------------------------------- grade


def _table(tools: Tools) -> Iterator[SummaryRow]:
    """What lands where: objects first (clinicians are matched with Users, never created), then lists of values."""
    maps: Sequence[ObjectMap] = tools.pack.maps
    for name in dict.fromkeys(unit.object for unit in maps):
        units = [unit for unit in maps if unit.object == name]
        how = "mapping" if any(_needs_mapping(tools, unit) for unit in units) else "direct"
        kind = "part" if any("MasterDetail" in rule.type for unit in units for rule in unit.fields) else "object"
        yield SummaryRow(", ".join(unit.source for unit in units), name, kind, how)
    if any(rule.lookup in PEOPLE for unit in maps for rule in unit.fields):
        yield SummaryRow("user", "User", "object", "matched")
    for unit in maps:
        for rule in unit.fields:
            if rule.map:
                how = "mapping" if _renames(tools, rule.map) else "direct"
                yield SummaryRow(f"{unit.source}.{rule.sources[0]}", f"{unit.object}.{rule.target}", "value", how)


def _renames(tools: Tools, name: str) -> bool:
    """True if a word of the clinic becomes another word in the org; case, punctuation and blanks do not count."""
    words: Mapping[str, str] = tools.pack.value_maps[name].values
    return any(transforms.fold(word) != transforms.fold(label) for word, label in words.items())


def _needs_mapping(tools: Tools, unit: ObjectMap) -> bool:
    """An object does if a list without room for other words (a restricted picklist) renames some."""
    return any(rule.map and "restricted" in rule.type.split() and _renames(tools, rule.map) for rule in unit.fields)


def _grade(tools: Tools, records: int) -> tuple[str, str]:
    objects = [row.how for row in _table(tools) if row.kind == "object"]  # a detail belongs to its master
    mapped = objects.count("mapping")
    text = f"{mapped} of {len(objects)} objects need a mapping; the rest are 1:1."
    if records > INDIVIDUAL_RECORDS:
        return "individual", f"Scoped individually (more than {INDIVIDUAL_RECORDS:,} records). {text}"
    if mapped * 2 > len(objects):
        return "extended", f"Extended migration. {text}"
    return "standard", f"Standard migration. {text}"


def _findings(records: int, hours: float, route: str) -> Iterator[Finding]:
    if records > INDIVIDUAL_RECORDS:
        text = f"more than {INDIVIDUAL_RECORDS:,} records: the migration is scoped individually"
        yield Finding("E-RECORDS", "warning", "estimate", records, text, "agree scope and window first")
    if route == "api-ahead":
        text = "reading takes longer than the cutover allows"
        yield Finding(
            "E-READ-AHEAD", "note", "estimate", round(hours), text, "extract days before, only changes in the window"
        )
    if route == "files":
        text = "reading by the API takes too long"
        yield Finding("E-FILES", "warning", "estimate", round(hours), text, "ask the vendor for a file export")
