"""FORMAT and convertCurrency: values as the caller's locale writes them."""

from __future__ import annotations

from chartlift_sandbox.salesforce.schema import NUMBER_TYPES, Field
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.money import own_sql
from chartlift_sandbox.salesforce.soql.scope import Column, Scope
from chartlift_sandbox.salesforce.soql.syntax import Function

_AMERICAN = "en_US"
_DAYS = {_AMERICAN: "%-m/%-d/%Y"}
_MOMENTS = {_AMERICAN: "%-m/%-d/%Y, %-I:%M %p"}
_SYMBOLS = {_AMERICAN: "$"}
_DAY, _MOMENT, _SYMBOL = "%d/%m/%Y", "%d/%m/%Y, %H:%M", "£"
_TEXT = Field("format", "Format", "string", length=255)


def formatted(scope: Scope, inner: Column) -> Column:
    """`FORMAT(x)`: numbers with separators, dates and times in the caller's order and zone, other values as they are."""
    calendar = scope.statement.calendar
    sql, kind, scale = inner.sql, inner.type, inner.field.scale
    symbol = scope.statement.bind(_SYMBOLS.get(calendar.locale, _SYMBOL))
    if kind in NUMBER_TYPES or kind in {"int", "long"}:
        digits = f"format('{{:t,.{scale}f}}', round(abs(CAST({sql} AS DOUBLE)), {scale:d}))".replace("{:t,", "{:,")
        sign = f"CASE WHEN round({sql}, {scale:d}) < 0 THEN '-' ELSE '' END"
        shown = f"{sign} || {symbol if kind == 'currency' else repr('')} || {digits}"
    elif kind == "date":
        shown = f"strftime({sql}, '{_DAYS.get(calendar.locale, _DAY)}')"
    elif kind == "datetime":
        zone = scope.statement.bind(calendar.zone.key)
        shown = f"strftime(timezone({zone}, timezone('UTC', {sql})), '{_MOMENTS.get(calendar.locale, _MOMENT)}')"
    else:
        return inner
    return Column(shown, _TEXT, inner.path, inner.relation, kind=inner.kind if inner.kind == "aggregate" else "label")


def converted(scope: Scope, call: Function, inner: Column) -> Column:
    """`convertCurrency(x)`: the amount in the caller's currency; itself where the org has one currency.

    Raises:
        OrgError: INVALID_FIELD for a field that is no amount of money.
    """
    if inner.type != "currency":
        message = f"field '{inner.field.name}' is not a currency field and can not be used with convertCurrency()"
        raise refusal.placed("INVALID_FIELD", scope.statement.text, call.at, message)
    return Column(own_sql(scope.statement, inner), inner.field, inner.path, inner.relation, kind="label")
