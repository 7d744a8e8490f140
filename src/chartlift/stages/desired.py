"""The schema a pack needs: every custom field it names, the stamps, and the values its pick-lists can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chartlift.model.plan import FieldRule, ObjectMap
from chartlift.model.schema import DesiredField, DesiredSchema
from chartlift.stages.sqltext import ident

STAMPS = (
    ("Source_System_ID__c", "Source System ID", "Text(64)", True),
    ("Migration_Run__c", "Migration Run", "Text(36)", False),
    ("Migration_Hash__c", "Migration Hash", "Text(32)", False),
)


def desired_schema(pack: Any, listed: Mapping[str, Sequence[str]]) -> DesiredSchema:
    """What the org must have for a pack; fields appear once, in the order of its maps.

    `listed`: "Object.Field" -> values that the source's own lists add to a pick-list.
    """
    fields: dict[tuple[str, str], DesiredField] = {}
    standard: list[str] = []
    value_sets: dict[str, tuple[str, ...]] = {}
    shared = {place: name for name, place in pack.value_sets.items()}
    for unit in pack.maps:
        for name, label, kind, external in STAMPS:
            fields[unit.object, name] = DesiredField(
                unit.object, name, label, kind, external_id=external, unique=external
            )
        for rule in unit.fields:
            values = _values(pack, unit, rule, listed)
            if rule.target.endswith("__c"):
                fields.setdefault((unit.object, rule.target), _field(pack, unit, rule, values))
            else:
                standard.append(f"{unit.object}.{rule.target}")
                if values and standard[-1] in shared:
                    value_sets[shared[standard[-1]]] = values
    return DesiredSchema(
        objects=tuple(pack.objects),
        fields=tuple(fields.values()),
        value_sets=value_sets,
        standard_fields=tuple(dict.fromkeys(standard)),
    )


def _values(pack: Any, unit: ObjectMap, rule: FieldRule, listed: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Labels a pick-list can get: the pack's list first, then what the value map adds, then the source's own lists."""
    if not rule.type.startswith("Picklist"):
        return ()
    name = f"{unit.object}.{rule.target}"
    values = [*pack.picklists.get(name, ())]
    if rule.map in pack.value_maps:
        values += pack.value_maps[rule.map].values.values()
    values += listed.get(name, ())
    return tuple(dict.fromkeys(value for value in values if value))


def source_values(sql: Any, pack: Any) -> dict[str, list[str]]:
    """Values of the source's lists that become values of pick-lists, by "Object.Field"."""
    found: dict[str, list[str]] = {}
    for name, columns in sorted(pack.picklist_sources.items()):
        for column in columns:
            entity, _, field = column.partition(".")
            rows = sql.execute(
                f"SELECT DISTINCT (tf_text({ident(field)})).v AS value FROM {ident('src_' + entity)} WHERE value <> '' ORDER BY 1"
            ).fetchall()
            found.setdefault(name, []).extend(row[0] for row in rows)
    return found


def _field(pack: Any, unit: ObjectMap, rule: FieldRule, values: tuple[str, ...]) -> DesiredField:
    words = rule.type.split()
    return DesiredField(
        object=unit.object,
        name=rule.target,
        label=pack.label(unit.object, rule.target),
        type=words[0],
        values=values,
        required=rule.required and not rule.lookup,
        external_id="ExternalId" in words,
        unique="Unique" in words,
        restricted="restricted" in words,
    )


def as_plain(schema: DesiredSchema) -> dict[str, Any]:
    """The schema as JSON values, as frozen into the plan."""
    body = asdict(schema)
    body["value_sets"] = {name: list(values) for name, values in schema.value_sets.items()}
    return body


def _tuples(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """JSON lists under these names as tuples."""
    return {name: tuple(value) if name in names else value for name, value in body.items()}


def from_plain(body: Mapping[str, Any]) -> DesiredSchema:
    """Read back what `as_plain` wrote."""
    from chartlift.model.schema import DesiredObject

    return DesiredSchema(
        objects=tuple(DesiredObject(**o) for o in body["objects"]),
        fields=tuple(DesiredField(**_tuples(f, "values")) for f in body["fields"]),
        value_sets={name: tuple(values) for name, values in body["value_sets"].items()},
        standard_fields=tuple(body["standard_fields"]),
    )
