"""Writes docs/mappings.md: every mapping of every pack, object by object, from the packs themselves.

    python scripts/mappings_page.py

A test compares the page with what this makes (tests/house/test_mappings_page.py), so it cannot go stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from chartlift import packs, transforms
from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.packs import Pack

PAGE = Path(__file__).parents[1] / "docs/mappings.md"
PEOPLE = {
    "User": "the User with the clinician's e-mail, a true match only",
    "Practitioner": "the User with the clinician's e-mail, or the fallback User where a person decided so",
    "Owner": "the User with the clinician's e-mail; the fallback User where decided so, or where no clinician is named",
}
HEAD = """# Every mapping, field by field

Made from the packs by `scripts/mappings_page.py`; do not edit it by hand. `chartlift propose` writes the same map to `plan/` in a
workspace, where it can be changed before somebody confirms it.

How to read the last column: **left empty** means the record moves and this field stays empty, with its reason in every report;
**record held** means the whole record stays at the clinic until the value is put right there. Nothing is cut or guessed. A lookup
to a record that did not move is left empty, or holds the record where it is required. Every record also gets `Source_System_ID__c`,
`Migration_Run__c` and `Migration_Hash__c`. The codes of findings are explained at the end.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in packs.available():
        pack = packs.load(name)
        parts += [f"# {name}\n", *(_unit(pack, unit) for unit in pack.maps), _values(pack), _left(name)]
    parts.append(_codes())
    return "\n".join(parts)


def _unit(pack: Pack, unit: ObjectMap) -> str:
    lines = [
        f"## {unit.source} → {unit.object}",
        "",
        f"`{unit.name}.toml`, key `TENANT-{unit.code}-id`.{_gates(unit)}",
        "",
    ]
    lines += ["| target | from | type | how | a value that cannot be used |", "|---|---|---|---|---|"]
    for rule in unit.fields:
        cells = (f"`{rule.target}`", _sources(rule), rule.type, _how(pack, rule), _bad(rule))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _gates(unit: ObjectMap) -> str:
    said = []
    for gate in unit.when:
        fate = "skipped" if gate.fate == "skip" else "held"
        test = f"`{gate.column}` says so" if gate.column else f"`{gate.unless}` comes out empty"
        said.append(f"{fate} ({gate.reason}) where {test}")
    return f" Records are {'; '.join(said)}." if said else ""


def _sources(rule: FieldRule) -> str:
    return ", ".join(f"`{name}`" for name in rule.sources) or "-"


def _how(pack: Pack, rule: FieldRule) -> str:
    if rule.const is not None:
        return f"always `{rule.const}`" if rule.const else "empty"
    if rule.lookup in PEOPLE:
        return PEOPLE[rule.lookup] if rule.sources else "the owner of accounts, else the fallback User"
    if rule.lookup:
        return f"the {rule.lookup.partition(':')[0]} made from it"
    arguments = f"({', '.join(rule.arguments)})" if rule.arguments else ""
    how = [] if rule.transform == "text" else [f"`{rule.transform}{arguments}`"]
    if rule.map:
        how.append(f"value map [{rule.map}](#value-map-{rule.map.replace('_', '-')})")
    place = next((f"{u.object}.{rule.target}" for u in pack.maps if rule in u.fields), "")
    how += [f"values {', '.join(pack.picklists[place])}"] if pack.picklists.get(place) else []
    how += ["the clinic's own values"] if pack.picklist_sources.get(place) else []
    return ", ".join(how) or "text"


def _bad(rule: FieldRule) -> str:
    required = "; empty: record held" if rule.required else ""
    if rule.const is not None:
        return "-"
    if rule.lookup in ("Owner", "Practitioner"):
        return "record held" + required
    if rule.lookup:
        return "record held" if rule.required else "left empty"
    return ("record held" if rule.required or rule.on_bad == "hold" else "left empty") + required


def _values(pack: Pack) -> str:
    lines = ["## Value maps", "", "Compared without case, punctuation and blanks. A word in no list is unmapped.", ""]
    for name, values in sorted(pack.value_maps.items()):
        lines += [f"### Value map {name.replace('_', ' ')}", "", "| in Salesforce | at the clinic |", "|---|---|"]
        labels: dict[str, list[str]] = {}
        for word, label in values.values.items():
            labels.setdefault(label, []).append(word)
        lines += [f"| {label} | {', '.join(words)} |" for label, words in labels.items()]
        lines.append("")
    return "\n".join(lines)


def _left(name: str) -> str:
    lines = ["## Fields of the clinic that are not loaded", ""]
    for entity, fields in packs.coverage(name).items():
        left = [*_reasons(fields)]
        if left:
            lines += [
                f"- **{entity}**: " + "; ".join(f"{', '.join(f'`{n}`' for n in names)}: {why}" for why, names in left)
            ]
    return "\n".join([*lines, ""])


def _reasons(fields: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Reason -> the fields that have it."""
    found: dict[str, list[str]] = {}
    for name, fate in fields.items():
        if fate not in ("mapped", "matched"):
            found.setdefault(fate.removeprefix("not loaded: "), []).append(name)
    yield from found.items()


def _codes() -> str:
    rows = [f"| {code} | {text} |" for code, text in sorted(transforms.findings().items())]
    return "\n".join(["# What the codes say", "", "| code | |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {page().count(chr(10))} lines")
