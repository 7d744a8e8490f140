"""Reads the org's standard objects from the compact data files in `objects/`.

One letter of `flags` is one property of describe: c createable, u updateable, n nillable, d defaultedOnCreate,
F not filterable, S not sortable, G not groupable, R restricted picklist, K idLookup, N nameField, Q unique,
I caseSensitive, A settable audit field, P polymorphic, H namePointing, C calculated, V not under field-level security.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from chartlift_sandbox.salesforce.schema import Field, PicklistValue, Schema, SObject

_PACKAGE = "chartlift_sandbox.salesforce"
_TYPE = re.compile(r"(?P<type>\w+)(?:\((?P<first>\d+)(?:,(?P<second>\d+))?\))?")
_PERMISSION_OBJECTS = ("PermissionSet", "Profile", "UserPermissionAccess")
AUDIT_PERMISSIONS = ("CreateAuditFields", "UpdateWithInactiveOwner")


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(_PACKAGE) / "objects" / f"{name}.toml").read_text("utf-8"))


def feature_fields(name: str) -> dict[str, dict[str, Field]]:
    """Fields that a feature adds, by object; `every` stands for all of them."""
    data = _read(f"features/{name}")
    return {owner: {field: _field(field, one) for field, one in fields.items()} for owner, fields in data.items()}


def feature_object(name: str) -> SObject:
    """An object that exists only with a feature."""
    return _object(f"features/{name}", audit_switch=False)


@cache
def setup_names() -> tuple[str, ...]:
    """Names of the objects that have no table: their rows come from `setup_rows`."""
    folder = resources.files(_PACKAGE) / "objects" / "setup"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir()))


@cache
def setup_object(name: str) -> SObject:
    """One object without a table, read when it is first asked for."""
    return _object(f"setup/{name}", audit_switch=False)


def in_data_api(name: str) -> bool:
    """Whether an object without a table is also in the data API; all of them are in the Tooling API."""
    return "data" in _read(f"setup/{name}")["doors"]


@cache
def object_names() -> tuple[str, ...]:
    """Names of the standard objects that the data files describe."""
    folder = resources.files(_PACKAGE) / "objects"
    stems = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(stem for stem in stems if stem[0].isupper())


def user_permissions() -> dict[str, str]:
    """API name to label of every user permission."""
    return dict(_read("permissions"))


def natural_keys() -> dict[str, tuple[str, ...]]:
    """Columns of which no two live records of an object may agree, where the platform says so."""
    return {name: tuple(_read(name)["natural_key"]) for name in object_names() if "natural_key" in _read(name)}


def _values(entries: list[str], default: str | None) -> tuple[PicklistValue, ...]:
    pairs = [(entry.partition("|")[0], entry.partition("|")[2]) for entry in entries]
    return tuple(PicklistValue(value, label or value, default=value == default) for value, label in pairs)


def _sizes(kind: str, first: str | None, second: str | None) -> dict[str, Any]:
    if kind in {"reference", "id"}:
        return {"length": 18}
    if first is None:
        return {}
    if second is not None:
        return {"precision": int(first), "scale": int(second)}
    return {"digits" if kind in {"int", "long"} else "length": int(first)}


def _field(name: str, data: dict[str, Any]) -> Field:
    match = _TYPE.fullmatch(data["type"])
    assert match is not None
    flags, kind = set(data["flags"]), match["type"]
    default = data.get("default") or _read("value_sets").get(data.get("set"), {}).get("default")
    return Field(
        name,
        data["label"],
        kind,
        **_sizes(kind, match["first"], match["second"]),
        createable="c" in flags,
        updateable="u" in flags,
        nillable="n" in flags,
        defaulted_on_create="d" in flags,
        filterable="F" not in flags,
        sortable="S" not in flags,
        groupable="G" not in flags,
        restricted="R" in flags,
        id_lookup="K" in flags,
        name_field="N" in flags,
        unique="Q" in flags,
        case_sensitive="I" in flags,
        audit="A" in flags,
        polymorphic="P" in flags,
        name_pointing="H" in flags,
        calculated="C" in flags,
        always_visible="V" in flags,
        reference_to=tuple(data.get("to", ())),
        relationship_name=data.get("rel"),
        child_relationship_name=data.get("children"),
        delete_constraint=data.get("on_delete", "SetNull"),
        compound=data.get("compound"),
        value_set=data.get("set"),
        picklist=_values(data.get("values", []), default),
        default=default,
        auto_number=data.get("auto"),
        required="n" not in flags and "c" in flags and "d" not in flags and kind != "boolean",
    )


def _permission_fields(*, writable: bool, audit_switch: bool) -> dict[str, Field]:
    fields = {}
    for name, label in user_permissions().items():
        if audit_switch or name not in AUDIT_PERMISSIONS:
            fields[f"Permissions{name}"] = Field(
                f"Permissions{name}", label, "boolean", nillable=False, createable=writable, updateable=writable,
                defaulted_on_create=True, always_visible=True,
            )  # fmt: skip
    return fields


def _object(name: str, *, audit_switch: bool) -> SObject:
    data = _read(name)
    name = name.rpartition("/")[2]
    fields = {field: _field(field, values) for field, values in data["fields"].items()}
    if name in _PERMISSION_OBJECTS:
        fields |= _permission_fields(writable=name != "UserPermissionAccess", audit_switch=audit_switch)
    flags = ("createable", "updateable", "deletable", "queryable", "undeletable", "mergeable")
    return SObject(
        name,
        data["label"],
        data["plural"],
        data["prefix"],
        fields=fields,
        sharing_model=data["sharing"],
        enable_activities=data["activities"],
        setup=data["setup"],
        view=data.get("view", False),
        has_tab="LastViewedDate" in fields,
        **{flag: data[flag] for flag in flags},
    )


def standard_schema(*, audit_switch: bool = True) -> Schema:
    """A fresh schema with every standard object and shared value set.

    `audit_switch` is the org-wide setting without which the two audit permissions do not exist.
    """
    schema = Schema()
    for name, data in _read("value_sets").items():
        schema.set_value_set(name, _values(data["values"], data.get("default")))
    for name in object_names():
        schema.add_object(_object(name, audit_switch=audit_switch))
    return schema
