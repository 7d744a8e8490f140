"""The schema a pack needs: every custom field it names, the stamps, and the values its pick-lists can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chartlift.model.plan import FieldRule, ObjectMap, ValueMap
from chartlift.model.schema import DesiredField, DesiredSchema

STAMPS = (
    ("Source_System_ID__c", "Source System ID", "Text(64)", True),
    ("Migration_Run__c", "Migration Run", "Text(36)", False),
    ("Migration_Hash__c", "Migration Hash", "Text(32)", False),
)
SHARED_VALUE_SETS = {"LeadSource": "LeadSource", "Salutation": "Salutation"}


def desired_schema(pack: Any, maps: tuple[ObjectMap, ...], value_maps: Mapping[str, ValueMap]) -> DesiredSchema:
    """What the org must have for these maps; fields appear once, in the order of the packs."""
    fields: dict[tuple[str, str], DesiredField] = {}
    standard: list[str] = []
    value_sets: dict[str, tuple[str, ...]] = {}
    for unit in maps:
        for name, label, kind, external in STAMPS:
            fields[unit.object, name] = DesiredField(
                unit.object, name, label, kind, external_id=external, unique=external
            )
        for rule in unit.fields:
            values = _values(pack, unit, rule, value_maps)
            if rule.target.endswith("__c"):
                fields.setdefault((unit.object, rule.target), _field(unit, rule, values))
            else:
                standard.append(f"{unit.object}.{rule.target}")
                if rule.target in SHARED_VALUE_SETS and values:
                    value_sets[SHARED_VALUE_SETS[rule.target]] = values
    return DesiredSchema(
        objects=tuple(pack.objects),
        fields=tuple(fields.values()),
        value_sets=value_sets,
        standard_fields=tuple(dict.fromkeys(standard)),
    )


def _values(pack: Any, unit: ObjectMap, rule: FieldRule, value_maps: Mapping[str, ValueMap]) -> tuple[str, ...]:
    """Labels a pick-list can get: the pack's list first, then what the value map adds."""
    if not rule.type.startswith("Picklist"):
        return ()
    listed = list(pack.picklists.get(f"{unit.object}.{rule.target}", ()))
    if rule.map in value_maps:
        listed += list(value_maps[rule.map].values.values())
    return tuple(dict.fromkeys(value for value in listed if value))


def _field(unit: ObjectMap, rule: FieldRule, values: tuple[str, ...]) -> DesiredField:
    words = rule.type.split()
    return DesiredField(
        object=unit.object,
        name=rule.target,
        label=rule.target.removesuffix("__c").replace("_", " "),
        type=words[0] if words[0].endswith(")") or len(words) == 1 else words[0],
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


def from_plain(body: Mapping[str, Any]) -> DesiredSchema:
    """Read back what `as_plain` wrote."""
    from chartlift.model.schema import DesiredObject

    return DesiredSchema(
        objects=tuple(DesiredObject(**o) for o in body["objects"]),
        fields=tuple(DesiredField(**{**f, "values": tuple(f["values"])}) for f in body["fields"]),
        value_sets={name: tuple(values) for name, values in body["value_sets"].items()},
        standard_fields=tuple(body["standard_fields"]),
    )
