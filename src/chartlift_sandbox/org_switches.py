"""Changes an administrator makes in Setup, for the control door: switches, unique fields, automation."""

import dataclasses
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from chartlift_sandbox.salesforce import features, territories
from chartlift_sandbox.salesforce.catalogue import AUDIT_PERMISSIONS, standard_schema
from chartlift_sandbox.salesforce.formulas import FormulaError, compile_formula
from chartlift_sandbox.salesforce.hooks import FieldUpdate, ValidationRule
from chartlift_sandbox.salesforce.literals import ARROW_TYPES
from chartlift_sandbox.salesforce.org import Org

_MOST = 10**12
_CHOICES: dict[str, tuple[Any, ...]] = {
    "duplicate_result_key": ("duplicateResult", "duplicateResut"),
    "text_area_line_ends": ("as_sent", "lf", "crlf"),
    "window": ("sliding", "fixed"),
    "scope": ("credential", "practice", "tenant"),
    "exceed_status": (429, 401, 403),
}
_AUDIT_SWITCH = "set_audit_fields"
_PERMISSION_OBJECTS = ("PermissionSet", "Profile", "UserPermissionAccess")


class SwitchError(ValueError):
    """A switch that does not exist, or a value it cannot take."""


def set_switch(org: Org, homes: tuple[Any, ...], name: str, value: Any) -> None:
    """Changes one named switch in the first settings object that has it.

    Raises:
        SwitchError: no such switch, or a value of another type.
    """
    home = next((one for one in homes if hasattr(one, name)), None)
    if home is None:
        raise SwitchError(f"no switch named {name}")
    kind = type(getattr(home, name))
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise SwitchError(f"{name} must be {kind.__name__}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise SwitchError(f"{name} must be one of {', '.join(map(str, _CHOICES[name]))}")
    if kind in {int, float} and not 0 <= value <= _MOST:
        raise SwitchError(f"{name} must lie between 0 and {_MOST}")
    if name in features.NAMES:
        _turn_on(org, name, value=value, already=getattr(home, name))
    setattr(home, name, value)
    if name in territories.SWITCHES:
        org.access.invalidate()
    if name == _AUDIT_SWITCH:
        _show_audit_permissions(org, shown=value)


def _turn_on(org: Org, name: str, *, value: bool, already: bool) -> None:
    if already and not value:
        raise SwitchError(f"{name} cannot be turned off again; reset the sandbox")
    if value and not already:
        features.enable(org, name)


def _show_audit_permissions(org: Org, *, shown: bool) -> None:
    """The two audit permissions are columns of the setup objects only while the switch is on."""
    whole = standard_schema(audit_switch=True)
    for owner in _PERMISSION_OBJECTS:
        for name in AUDIT_PERMISSIONS:
            if shown:
                org.schema.add_field(owner, whole.objects[owner].fields[f"Permissions{name}"])
            else:
                org.schema.remove_field(owner, f"Permissions{name}")


def set_unique(org: Org, fields: Any) -> None:
    """Makes fields unique or not: `{"Contact.NHS_Number__c": true}`. Values already there are not looked at.

    Raises:
        SwitchError: no such field.
    """
    for qualified, unique in mapping(fields).items():
        owner, _, name = str(qualified).partition(".")
        found = org.schema.field(owner, name)
        if found is None:
            raise SwitchError(f"no field {qualified}")
        org.schema.add_field(owner, dataclasses.replace(found, unique=bool(unique)))


def set_validation_rules(org: Org, rules: Any) -> None:
    """Replaces the validation rules: a list of `{"object", "condition" (SQL) or "formula", "message", "error_field"}`.

    `name`, `description` and `active` may be given too.

    Raises:
        SwitchError: a rule lacks a word or names an unknown object.
    """
    made = []
    for rule in mappings(rules):
        owner = known_object(org, rule)
        text = str(rule.get("formula") or "")
        if text:
            checked(lambda o=owner, t=text: compile_formula(org.schema, org.schema.objects[o], t))
        condition = "" if text else word(rule, "condition")
        if condition:
            _try_sql(org, owner, f"SELECT 1 FROM _record WHERE {condition}")
        more = {name: str(rule.get(name) or "") for name in ("error_field", "name", "description")}
        active = rule.get("active") is not False
        made.append(ValidationRule(owner, condition, word(rule, "message"), formula=text, active=active, **more))
    org.validation_rules[:] = made


def set_field_updates(org: Org, updates: Any) -> None:
    """Replaces the before-save flows: a list of `{"object", "field", "expression" (SQL), "on_update"}`.

    Raises:
        SwitchError: an update lacks a word or names an unknown object or field.
    """
    made = []
    for one in mappings(updates):
        owner = known_object(org, one)
        found = org.schema.field(owner, word(one, "field"))
        if found is None:
            raise SwitchError(f"no field {owner}.{one['field']}")
        _try_sql(org, owner, f"SELECT CAST({word(one, 'expression')} AS {found.sql_type}) FROM _record")
        made.append(FieldUpdate(owner, found.name, word(one, "expression"), on_update=bool(one.get("on_update"))))
    org.before_save[:] = made


def _try_sql(org: Org, owner: str, sql: str) -> None:
    """Runs an expression over the object's records without a row, so that it cannot break a save later.

    Raises:
        SwitchError: the database does not understand it.
    """
    columns = {
        found.name: pa.array([], ARROW_TYPES[found.sql_type]) for found in org.schema.objects[owner].stored_fields
    }
    try:
        org.query_with({"_record": pa.table({"_row": pa.array([], pa.int64())} | columns)}, sql)
    except duckdb.Error as error:
        raise SwitchError(f"not an expression over {owner}: {str(error).splitlines()[0]}") from error


def checked(work: Callable[[], Any]) -> None:
    """Runs a check of formulas. Raises SwitchError with its words."""
    try:
        work()
    except FormulaError as error:
        raise SwitchError(str(error)) from error


def known_object(org: Org, entry: dict[str, Any]) -> str:
    """The name of the object that an entry is about. Raises SwitchError."""
    found = org.schema.object(word(entry, "object"))
    if found is None:
        raise SwitchError(f"no object {entry['object']}")
    return found.name


def word(entry: dict[str, Any], name: str) -> str:
    """A text that an entry must have. Raises SwitchError."""
    text = entry.get(name)
    if not isinstance(text, str) or not text:
        raise SwitchError(f"{name} is missing")
    return text


def mapping(value: Any) -> dict[Any, Any]:
    """A JSON object. Raises SwitchError."""
    if not isinstance(value, dict):
        raise SwitchError("an object was expected")
    return value


def mappings(value: Any) -> list[dict[Any, Any]]:
    """A list of JSON objects. Raises SwitchError."""
    if not isinstance(value, list):
        raise SwitchError("a list was expected")
    return [mapping(one) for one in value]
