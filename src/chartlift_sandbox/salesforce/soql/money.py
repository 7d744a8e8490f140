"""Amounts in an org with several currencies: what they are worth in the corporate currency and in the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.soql.statement import quoted

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.soql.scope import Column
    from chartlift_sandbox.salesforce.soql.statement import Statement

_CODE = "CurrencyIsoCode"


@dataclass(frozen=True)
class Money:
    """Rates of the active currencies, in units for one of the corporate currency, and the caller's own currency."""

    rates: dict[str, float]
    own: str


def corporate_sql(statement: Statement, column: Column) -> str:
    """The column's SQL; amounts of records that have a currency are turned into the corporate currency."""
    money, relation = statement.money, column.relation
    if money is None or column.type != "currency" or relation is None or _CODE not in relation.sobject.fields:
        return column.sql
    code = f"{relation.alias}.{quoted(_CODE)}"
    cases = " ".join(f"WHEN {statement.bind(iso)} THEN {statement.bind(rate)}" for iso, rate in money.rates.items())
    return f"({column.sql} / CASE {code} {cases} ELSE 1.0 END)"


def own_sql(statement: Statement, column: Column) -> str:
    """The column's SQL in the caller's currency."""
    worth = corporate_sql(statement, column)
    if worth == column.sql or statement.money is None:
        return worth
    return f"({worth} * {statement.bind(statement.money.rates.get(statement.money.own, 1.0))})"


def worth(statement: Statement, raw: str) -> float | None:
    """What a literal such as USD5000 is worth in the corporate currency; None where that currency is not active."""
    rate = statement.money.rates.get(raw[:3].upper()) if statement.money is not None else None
    return float(raw[3:]) / rate if rate else None
