"""What every pack has to keep to, against the shapes of its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from chartlift import packs, transforms
from chartlift.model.plan import FieldRule, ObjectMap, Policies
from chartlift.model.source import EntityShape
from chartlift.stages import landing
from chartlift.stages.columns import Entities
from chartlift.stages.continuation import parts_of, table_columns
from chartlift.stages.desired import desired_schema
from chartlift.stages.parents import PEOPLE, is_record_lookup
from chartlift.stages.statement import compile_statement

SETTLED = ("mapped", "matched")
REASONS = ("not loaded", "mapped as rows", "held", "rebuild", "later")
KEYS = ("lookup", "masterdetail")
USED_ELSEWHERE = "timezone"  # of a practice: an argument of transforms, not a value of the org


@dataclass(frozen=True)
class PackCase:
    """A pack by name (or as it lies in a folder), the shapes of its source, and a folder that may be written to.

    `coverage`: what the pack says becomes of every field. `derived`: column of the source -> the columns that the
    platform makes of it; `made`: whole entities that it makes, of which the vendor knows nothing; `copied`: columns that it
    gives an entity from the record around it.
    """

    pack: packs.Pack
    shapes: tuple[EntityShape, ...]
    coverage: Mapping[str, Mapping[str, str]]
    scratch: Path
    derived: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    copied: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, frozenset[str]]:
        """Entity -> its columns."""
        return {shape.name: frozenset(shape.columns) for shape in self.shapes}

    def compiled(self, unit: ObjectMap) -> str:
        """The statement of a unit."""
        return compile_statement(
            unit,
            tenant="t",
            policies=Policies(fallback_user_id="005000000000001AAA"),
            entities=Entities.of(self.shapes),
            units={each.code: each for each in self.pack.maps},
        )

    def vendors(self) -> list[str]:
        """Entities that become rows and that the vendor knows."""
        return sorted({unit.source for unit in self.pack.maps} - set(self.made))

    def rules(self) -> list[tuple[ObjectMap, FieldRule]]:
        """Every line of the pack with its file."""
        return [(unit, rule) for unit in self.pack.maps for rule in unit.fields]


class PackContract:
    """Inherit it in a test module and give it a fixture `pack_case`."""

    def test_every_map_compiles(self, pack_case: PackCase) -> None:
        """Columns, joins, transforms and parents are all there."""
        assert pack_case.pack.maps
        for unit in pack_case.pack.maps:
            assert unit.source in pack_case.columns, unit.name
            assert set(unit.join) <= set(pack_case.columns), unit.name
            assert pack_case.compiled(unit) == pack_case.compiled(unit)

    def test_every_statement_runs(self, pack_case: PackCase) -> None:
        """Over empty staging each gives no row and one text column per field."""
        sql = empty_staging(pack_case)
        for unit in pack_case.pack.maps:
            answer = sql.execute(pack_case.compiled(unit)).to_arrow_table()
            named = {f"key:{r.target}" if is_record_lookup(r) else r.target for r in unit.fields}
            assert answer.num_rows == 0
            assert named <= set(answer.column_names), unit.name
            assert {str(answer.schema.field(name).type) for name in named} == {"string"}, unit.name
        sql.close()

    def test_types_parse_into_a_schema(self, pack_case: PackCase) -> None:
        """Each custom field is deployed once, with one type, and pick-lists have values or take them from the source."""
        schema = desired_schema(pack_case.pack, {})
        names = [(f.object, f.name.lower()) for f in schema.fields]
        assert len(set(names)) == len(names)
        kinds: dict[tuple[str, str], set[str]] = {}
        for unit, rule in pack_case.rules():
            kinds.setdefault((unit.object, rule.target), set()).add(rule.type)
        assert {place: types for place, types in kinds.items() if len(types) > 1} == {}
        for wanted in schema.fields:
            listed = f"{wanted.object}.{wanted.name}" in pack_case.pack.picklist_sources
            assert wanted.type != "Picklist" or wanted.values or listed, wanted.name

    def test_every_parent_is_mapped_and_comes_first(self, pack_case: PackCase) -> None:
        """Lookups to records name a map of this pack that is loaded before (or the map itself)."""
        done: set[str] = set()
        for unit in pack_case.pack.maps:
            done.add(unit.code)
            for rule in (r for r in unit.fields if r.lookup and r.lookup not in PEOPLE):
                name, _, code = rule.lookup.partition(":")
                parents = {code} if code else {m.code for m in pack_case.pack.maps if m.object == name}
                assert parents, f"{unit.name}.{rule.target}"
                assert parents <= done, f"{unit.name}.{rule.target}"

    def test_value_maps_and_transforms_are_used(self, pack_case: PackCase) -> None:
        """A value map that no field uses is a mistake, and so is one that has no value."""
        used = {rule.map for _, rule in pack_case.rules() if rule.map}
        assert used == set(pack_case.pack.value_maps)
        assert all(table.values for table in pack_case.pack.value_maps.values())

    def test_coverage_names_every_field_of_the_source(self, pack_case: PackCase) -> None:
        """Nothing the source delivers is forgotten: it is mapped, or somebody wrote down why it is not."""
        for entity, fields in pack_case.coverage.items():
            for name, said in fields.items():
                head, colon, reason = said.partition(": ")
                assert said in SETTLED or (head in REASONS and colon and reason), f"{entity}.{name}: {said}"
        made = set(pack_case.derived.values())
        for entity in pack_case.vendors():
            known = {*pack_case.coverage[entity], *made, *pack_case.copied.get(entity, ())}
            assert pack_case.columns[entity] - known == set(), entity

    def test_coverage_says_what_the_maps_do(self, pack_case: PackCase) -> None:
        """What is called mapped is read by a line, and what a line reads is called mapped or matched."""
        read = _read_columns(pack_case)
        ids = {shape.name: shape.id for shape in pack_case.shapes}
        for entity in pack_case.vendors():
            for name, said in pack_case.coverage[entity].items():
                names = {name, pack_case.derived.get(f"{entity}.{name}", name)}
                seen = names & (read.get(entity, set()) | {ids[entity]})
                place = f"{entity}.{name}"
                assert said != "mapped" or seen, f"{place} is called mapped, and no line reads it"
                quiet = said in ("mapped", "matched") or said.startswith("held") or name == USED_ELSEWHERE
                assert quiet or name not in read.get(entity, set()), f"{place} is called {said}, and a line reads it"

    def test_an_edited_copy_is_the_same_pack(self, pack_case: PackCase) -> None:
        """Written to a folder and loaded from there, nothing changes."""
        folder = pack_case.scratch / "copy"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pack_case.pack.texts().items():
            (folder / name).write_text(text, encoding="utf-8")
        again = packs.load(pack_case.pack.name, folder=folder)
        assert replace(again, place=None) == replace(pack_case.pack, place=None)
        assert [unit.name for unit in again.maps] == [unit.name for unit in pack_case.pack.maps]


def empty_staging(case: PackCase) -> Any:
    """A DuckDB connection with all the tables a statement reads, without a row."""
    sql = duckdb.connect(config={"threads": 1})
    transforms.install(sql)
    landing.prepare(sql, case.shapes)
    sql.execute("CREATE TABLE people (source_id VARCHAR, user_id VARCHAR, how VARCHAR)")
    sql.execute("CREATE TABLE value_map (name VARCHAR, folded VARCHAR, label VARCHAR)")
    for name, transform in transforms.load().items():
        if transform.kind == "distinct":
            listed = "".join(f", a{number} VARCHAR" for number in range(transform.arguments))
            sql.execute(f'CREATE TABLE "distinct_{name}" (x VARCHAR{listed}, v VARCHAR, note VARCHAR, bad BOOLEAN)')
    for unit in case.pack.maps:
        sql.execute(f"CREATE TABLE {parts_of(unit)} ({table_columns()})")
    return sql


def _read_columns(case: PackCase) -> dict[str, set[str]]:
    """Entity -> columns that some line reads, directly or through a join."""
    found: dict[str, set[str]] = {}
    for unit in case.pack.maps:
        names = [*unit.join.values(), *(line.column for line in unit.when if line.column)]
        names += [name for rule in unit.fields for name in (*rule.sources, *rule.arguments)]
        for name in names:
            entity, _, column = name.rpartition(".")
            found.setdefault(entity or unit.source, set()).add(column)
    return found
