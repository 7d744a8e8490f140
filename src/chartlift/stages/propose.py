"""The proposed map: the pack as files a person can read and change, and what the clinic has that the map does not know."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from chartlift import transforms
from chartlift.errors import DecisionNeeded
from chartlift.model.outcomes import StepReport
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.model.ports import Tools
from chartlift.stages.sqltext import ident, literal
from chartlift.stages.translation import macros

PLAN = "plan"
OFTEN = 3  # a free text is shown as a value only if so many records have it: a rarer one could name a person


def run(tools: Tools, *, renew: bool = False) -> StepReport:
    """Write `plan/` (kept if it is there, unless `renew`) and list what is not mapped.

    Raises:
        DecisionNeeded: nothing has been profiled yet.
    """
    if tools.journal.report("profile") is None:
        raise DecisionNeeded("Nothing has been profiled yet.", hint="Run: chartlift extract, then chartlift profile")
    folder = tools.home / PLAN
    wrote = _write(tools, folder, renew=renew)
    macros(tools)
    values = _unmapped_values(tools)
    fields = _unknown_fields(tools)
    count = sum(len(unit.fields) for unit in tools.pack.maps)
    lines = [
        f"{'Wrote' if wrote else 'Kept'} {folder}: {len(tools.pack.maps)} maps, {count} fields.",
        "Read them, change them, then confirm.",
        *(
            f"{v['map']}: {v['rows']} rows with a value that is in no list: {v['value'] or '(rare, not shown)'}"
            for v in values
        ),
        *(
            f"unmapped field {f['field']} in {f['rows']} rows" + (f"; near {f['target']}" if f["target"] else "")
            for f in fields
        ),
    ]
    data = {"plan": str(folder), "fields": count, "unmapped_values": values, "unmapped_fields": fields}
    return StepReport("propose", lines=tuple(lines), data=data)


def _write(tools: Tools, folder: Path, *, renew: bool) -> bool:
    """Put the pack's files into the folder; what a person edited there goes only with `renew`, and only for a whole new map."""
    if folder.is_dir() and not renew:
        return False
    fresh, edited = folder.with_name(PLAN + ".new"), folder.with_name(PLAN + ".old")
    for left in (fresh, edited):
        shutil.rmtree(left, ignore_errors=True)
    if folder.is_dir():
        folder.rename(edited)  # as long as it is there it is the map, even a broken one
    try:
        texts = tools.pack.texts()
        fresh.mkdir(mode=0o700)
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8")
        fresh.rename(folder)
    except BaseException:
        if edited.is_dir():
            edited.rename(folder)
        raise
    shutil.rmtree(edited, ignore_errors=True)
    return True


def _unmapped_values(tools: Tools) -> list[dict[str, Any]]:
    """Values of the source that a value map does not know, most frequent first."""
    found: list[dict[str, Any]] = []
    for unit in tools.pack.maps:
        for rule in unit.fields:
            if rule.map and rule.map in tools.pack.value_maps:
                found += _unmapped(tools, unit, rule)
    found.sort(key=_by_weight)
    return found


def _by_weight(line: dict[str, Any]) -> tuple[int, str, str]:
    return -line["rows"], line["map"], line["value"]


def _unmapped(tools: Tools, unit: ObjectMap, rule: FieldRule) -> list[dict[str, Any]]:
    known = sorted({transforms.fold(source) or "" for source in tools.pack.value_maps[rule.map].values})
    listed = ", ".join(literal(word) for word in known) or "''"
    joins = " ".join(
        f"LEFT JOIN {ident('src_' + alias)} AS {ident('j_' + alias)} ON {ident('j_' + alias)}._id = s.{ident(on)}"
        for alias, on in unit.join.items()
        if "." not in on
    )
    filled = ", ".join(f"nullif(trim({_column(name)}), '')" for name in rule.sources)
    value = f"coalesce({filled})"
    rows = tools.staging.sql.execute(
        f"SELECT {value} AS value, count(*) AS rows FROM {ident('src_' + unit.source)} AS s {joins}"
        f" WHERE value IS NOT NULL AND fold(value) NOT IN ({listed}) GROUP BY value ORDER BY rows DESC, value"
    ).fetchall()
    return [
        {
            "map": rule.map,
            "field": f"{unit.object}.{rule.target}",
            "value": text if count >= OFTEN else "",
            "rows": count,
        }
        for text, count in rows
    ]


def _column(name: str) -> str:
    alias, _, rest = name.rpartition(".")
    return f"{ident('j_' + alias) if alias else 's'}.{ident(rest)}"


def _unknown_fields(tools: Tools) -> list[dict[str, Any]]:
    """Keys in the records as received that no entity shape knows, with the nearest target the advisor finds."""
    targets = [rule.target for unit in tools.pack.maps for rule in unit.fields]
    found = []
    for shape in tools.source.shapes():
        if shape.name not in {unit.source for unit in tools.pack.maps}:
            continue
        table = ident("src_" + shape.name)
        rows = tools.staging.sql.execute(
            f"SELECT name, count(*) FROM (SELECT unnest(json_keys(_raw)) AS name FROM {table} WHERE json_valid(_raw))"
            " GROUP BY name ORDER BY 2 DESC, 1"
        ).fetchall()
        unknown = [(name, count) for name, count in rows if name not in shape.columns]
        near = (
            {s.source: s.target for s in tools.advisor.suggest([name for name, _ in unknown], targets)}
            if unknown
            else {}
        )
        found += [
            {"field": f"{shape.name}.{name}", "rows": count, "target": near.get(name, "")} for name, count in unknown
        ]
    return found
