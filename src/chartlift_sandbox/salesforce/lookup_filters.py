"""Lookup filters: which parents a lookup takes. Filters over fields of the parent with fixed values are enforced."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.schema import Field, FilterItem, SObject

CODE = "FIELD_FILTER_VALIDATION_EXCEPTION"
MESSAGE = "Value does not exist or does not match filter criteria."
_COMPARED = {"lessThan": "<", "greaterThan": ">", "lessOrEqual": "<=", "greaterOrEqual": ">="}
_SHAPES = {"contains": "%{}%", "notContain": "%{}%", "startsWith": "{}%"}
OPERATIONS = frozenset({"equals", "notEqual", *_COMPARED, *_SHAPES})


def check(call: Call, found: Field, value: pa.Array) -> None:
    """Fail the rows whose parent the filter of a lookup does not let through."""
    target = call.org.schema.object(found.reference_to[0])
    asked = pc.unique(value).drop_null()
    if target is None or not len(asked) or not found.lookup_filter:
        return
    params: dict[str, str] = {}
    conditions = [_condition(target, item, params) for item in found.lookup_filter]
    known = [one for one in conditions if one is not None]
    if len(known) < len(conditions):  # a filter over other records is not understood, so it lets everything through
        return
    where = combined(found.filter_logic, known) if found.filter_logic else " AND ".join(known)
    passed = call.org.query_with(
        {"_asked": pa.table({"v": asked})},
        f'SELECT v FROM _asked JOIN {quote(target.name)} t ON t."Id" = v WHERE {where}',
        params,
    )
    kept_out = pc.and_(pc.is_valid(value), pc.invert(pc.is_in(value, value_set=column_of(passed, "v"))))
    call.failures.add(kept_out, CODE, found.filter_message or MESSAGE, found.name)


def combined(logic: str, conditions: list[str]) -> str | None:
    """SQL of conditions joined as `1 AND (2 OR NOT 3)` says; None when that is no logic over just these conditions."""
    try:
        tree = ast.parse(logic.strip().lower(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    used: set[int] = set()
    sql = _joined(tree, conditions, used)
    return sql if len(used) == len(conditions) else None


def _joined(tree: ast.expr, conditions: list[str], used: set[int]) -> str | None:
    if isinstance(tree, ast.Constant) and type(tree.value) is int and 1 <= tree.value <= len(conditions):
        used.add(tree.value)
        return f"({conditions[tree.value - 1]})"
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        inner = _joined(tree.operand, conditions, used)
        return None if inner is None else f"(NOT {inner})"
    if isinstance(tree, ast.BoolOp):
        parts = [_joined(one, conditions, used) for one in tree.values]
        word = " AND " if isinstance(tree.op, ast.And) else " OR "
        return None if None in parts else f"({word.join(str(one) for one in parts)})"
    return None


def _condition(target: SObject, item: FilterItem, params: dict[str, str]) -> str | None:
    """SQL over the parent `t`; None for a field of another record."""
    owner, _, name = item.field.partition(".")
    one = target.field(name) if owner.lower() == target.name.lower() else None
    if one is None or not one.stored:
        return None
    column = f"t.{quote(one.name)}"

    def bind(text: str) -> str:
        params[f"f{len(params)}"] = text
        return f"$f{len(params) - 1}"

    if item.operation in _COMPARED:
        return f"{column} {_COMPARED[item.operation]} try_cast({bind(item.value)} AS {one.sql_type})"
    text = f"lower(coalesce(CAST({column} AS VARCHAR), ''))"
    values = [part.strip().lower() for part in item.value.split(",")]
    if item.operation in _SHAPES:
        likes = [f"{text} LIKE {bind(_SHAPES[item.operation].format(part))}" for part in values]
    else:
        likes = [f"{text} = {bind(part)}" for part in values]
    any_of = f"({' OR '.join(likes)})"
    return f"NOT {any_of}" if item.operation in {"notEqual", "notContain"} else any_of
