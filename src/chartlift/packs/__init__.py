"""Mapping packs: data that says how a source's rows become an org's rows. This room only loads and checks them.

A pack is a folder: one TOML file per kind of row, `value_maps.toml`, `objects.toml`, `coverage.toml` (what becomes of
every field of the source) and `overview.toml` (the mappings as people count them). The words of a row file, and no others:

    object   the org's object                      source   the flat entity of the source
    key      its code in Source_System_ID__c       join     { entity = "column that holds its id" }
    when     [{ skip = "reason", if = "column" }]  or hold; rows for which the column is true, or filled, get that fate;
             with unless = "TARGET" those for which that field comes out empty
    [fields] TARGET = { … }:
      from       a column, a column of a joined entity ("practice.timezone"), or a list of them. `_owner`: the patient
                 after merges (also of a joined row). Where a text may continue in further rows: `_part`, `_parts`,
                 `_sha256` of the whole, `_whole` (the row's id on every part but the first)
      type       Text(n) [ExternalId] [Unique], TextArea, LongTextArea(n), Number(p,s), Currency(p,s), Checkbox, Date,
                 DateTime, Picklist [restricted], Email, Phone, Url, Lookup(Object), MasterDetail(Object).
                 A target without __c is a standard field: it is filled, never deployed
      transform  a kind of value from `transforms`, with columns as arguments: "local_time(practice.timezone)"; text if
                 left out. Given several columns, a transform of one value takes the first that can be used
      map        a value map, applied to what the transform made; a value that is in no list is bad
      lookup     User (a true match only); Practitioner, Owner (a match, else the fallback User if so decided; Owner
                 without from: the owner of accounts); OBJECT:CODE (the value is a source id);
                 OBJECT (the value is CODE-id)
      const      the same text for every row, in canonical form; "" for a field that is deployed and stays empty
      required   the row is held without a value
      on_bad     withhold (default) or hold: what an unusable value does; hold_unreadable: hold, but withhold what only has
                 more decimals than the field
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.abc import Traversable
from pathlib import Path

from chartlift.errors import PackError
from chartlift.model.plan import ObjectMap, ValueMap
from chartlift.model.schema import DesiredObject
from chartlift.packs.reading import Reader, in_load_order, read_object_map, read_toml
from chartlift.packs.schema_words import PermissionSet, read_objects, read_value_maps

__all__ = ["OverviewLine", "Pack", "PermissionSet", "available", "coverage", "load"]

_NOT_EDITED = {"coverage.toml", "overview.toml"}
_NOT_MAPS = {"value_maps.toml", "objects.toml", *_NOT_EDITED}


@dataclass(frozen=True, slots=True)
class OverviewLine:
    """A mapping as people count it: whole rows of some maps, or some of their fields ("Object.Field"); `matched` rows are
    found in the org, not moved. A unit that is no map is an entity that never moves: `rebuild` lists it."""

    title: str
    units: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    matched: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """A loaded pack.

    `maps` stand in load order (parents first). `picklists`: "Object.Field" -> values that are deployed beside those of
    the field's value map. `picklist_sources`: "Object.Field" -> columns ("entity.column") whose values are deployed.
    `value_sets`: standard value set -> the field whose values must be in it. `labels`: "Object.Field" -> label.
    """

    name: str
    maps: tuple[ObjectMap, ...]
    value_maps: Mapping[str, ValueMap]
    objects: tuple[DesiredObject, ...] = ()
    picklists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    picklist_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    value_sets: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    permission_sets: tuple[PermissionSet, ...] = ()
    overview: tuple[OverviewLine, ...] = ()
    place: Traversable | None = None

    def texts(self) -> Mapping[str, str]:
        """The files a person may edit, by name; coverage and overview stay with the pack."""
        if self.place is None:
            return {}
        files = (p for p in self.place.iterdir() if p.name.endswith(".toml") and p.name not in _NOT_EDITED)
        return {p.name: p.read_text(encoding="utf-8") for p in sorted(files, key=lambda p: p.name)}

    def label(self, object_name: str, field_name: str) -> str:
        """What people call a field."""
        words = field_name.removesuffix("__c").replace("_", " ")
        return self.labels.get(f"{object_name}.{field_name}", words)


def available() -> tuple[str, ...]:
    """The packs that come with chartlift."""
    return tuple(sorted(p.name for p in resources.files(__name__).iterdir() if p.is_dir() and _maps(p)))


def load(name: str, *, folder: Path | None = None) -> Pack:
    """Load and check a pack: the one of that name, as edited in `folder` if that is given.

    Raises:
        PackError: there is no such pack, or something in it is wrong; the message names file and field.
    """
    place: Traversable = folder if folder is not None else resources.files(__name__).joinpath(name)
    if not place.is_dir() or not _maps(place):
        raise PackError(f"there is no pack {name}", hint=f"packs: {', '.join(available())}")
    value_maps = read_value_maps(Reader("value_maps.toml", read_toml(place, "value_maps.toml")))
    maps = [read_object_map(Reader(p.name, read_toml(place, p.name)), value_maps) for p in _maps(place)]
    ordered = in_load_order(maps)
    made = read_objects(Reader("objects.toml", read_toml(place, "objects.toml")), ordered)
    return Pack(
        name=name,
        maps=ordered,
        value_maps=value_maps,
        objects=made.objects,
        picklists=made.picklists,
        picklist_sources=made.picklist_sources,
        value_sets=made.value_sets,
        labels=made.labels,
        permission_sets=made.permission_sets,
        overview=_overview(name, ordered),
        place=place,
    )


def _overview(name: str, maps: tuple[ObjectMap, ...]) -> tuple[OverviewLine, ...]:
    """The lines of the pack's overview, and one for each map that has none."""
    reader = Reader("overview.toml", read_toml(resources.files(__name__).joinpath(name), "overview.toml"))
    objects = {unit.name: unit.object for unit in maps}
    lines = []
    for table in reader.body.get("line", ()):
        reader.known(table, ("title", "units", "fields", "matched", "listed"), "line")
        units = tuple(unit for unit in table.get("units", ()) if unit in objects)
        fields = tuple(f"{objects[unit]}.{field}" for unit in units[:1] for field in table.get("fields", ()))
        listed = tuple(table.get("listed", ()))
        if units or listed or table.get("matched"):
            title = reader.text(table, "title", "line")
            lines.append(OverviewLine(title, units + listed, fields, bool(table.get("matched"))))
    told = {unit for line in lines for unit in line.units}
    return (*lines, *(OverviewLine(f"{u.source} → {u.object}", (u.name,)) for u in maps if u.name not in told))


def coverage(name: str) -> Mapping[str, Mapping[str, str]]:
    """Entity -> field of the source -> what becomes of it: `mapped`, `matched` or the reason why it is not loaded.

    Raises:
        PackError: the pack has no such list.
    """
    body = read_toml(resources.files(__name__).joinpath(name), "coverage.toml")
    if not body:
        raise PackError(f"{name}: coverage.toml is missing")
    return body


def _maps(place: Traversable) -> list[Traversable]:
    files = (p for p in place.iterdir() if p.name.endswith(".toml") and p.name not in _NOT_MAPS)
    return sorted(files, key=lambda p: p.name)
