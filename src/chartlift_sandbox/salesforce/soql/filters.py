"""Comparisons of one column with literals, by type. Null never equals a value and always differs from one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.schema import NUMBER_TYPES
from chartlift_sandbox.salesforce.soql import dates, money, quoted, refusal
from chartlift_sandbox.salesforce.soql.scope import Column
from chartlift_sandbox.salesforce.soql.statement import Statement
from chartlift_sandbox.salesforce.soql.syntax import Kind, Value

_SQL_OPERATOR = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NUMERIC = NUMBER_TYPES | {"int", "long"}
_IDS = frozenset({"id", "reference"})
_UNFILTERABLE = frozenset({"address", "location", "base64"})
_WIRE_NAMES = {"datetime": "dateTime", "reference": "ID", "id": "ID", "picklist": "string", "int": "int"}


class Filter:
    """Turns one comparison into SQL.

    `strict` asks for a condition that is never NULL (it stands under NOT); elsewhere NULL may stand for false, which
    leaves the engine free to use its own shortcuts.
    """

    def __init__(self, statement: Statement, column: Column, written: str, at: int) -> None:
        self.statement = statement
        self.column = column
        self.written = written
        self.at = at
        if column.type in _UNFILTERABLE or not column.field.filterable:
            message = f"field '{written}' can not be filtered in a query call"
            raise refusal.placed("INVALID_FIELD", statement.text, at, message)

    @property
    def is_id(self) -> bool:
        """Whether the column holds record ids."""
        return self.column.type in _IDS

    @property
    def is_text(self) -> bool:
        """Whether the column holds text that people read."""
        return self.column.field.sql_type == "VARCHAR" and not self.is_id

    def key(self, sql: str) -> str:
        """SQL of a value as it is compared: text without regard to case unless the field says otherwise."""
        return f"lower({sql})" if self.is_text and not self.column.field.case_sensitive else sql

    def compare(self, operator: str, value: Value, *, strict: bool) -> str:
        """`column operator value` as an SQL condition."""
        if operator == "LIKE":
            return self._like(value, strict=strict)
        if self.column.type == "boolean" and operator not in {"=", "!="}:
            raise self._refuse_operator(operator)
        if value.kind is Kind.NULL or (value.kind is Kind.STRING and value.raw == "" and (self.is_text or self.is_id)):
            return self._null(operator)
        if value.kind is Kind.WORD:
            return self._word(operator, value, strict=strict)
        if value.kind is Kind.CURRENCY:
            return self._amount(operator, value, strict=strict)
        sql = f"{self.key(self._operand())} {_SQL_OPERATOR[operator]} {self.key(self.statement.bind(self.cast(value)))}"
        if operator == "!=":
            return f"coalesce({sql}, true)"
        return f"coalesce({sql}, false)" if strict else f"({sql})"

    def _amount(self, operator: str, value: Value, *, strict: bool) -> str:
        """`column > USD5000`: both sides in the corporate currency."""
        worth = money.worth(self.statement, value.raw) if self.column.type == "currency" else None
        if worth is None or self.column.kind == "aggregate":
            raise self._refuse_value(value)
        sql = (
            f"{money.corporate_sql(self.statement, self.column)} {_SQL_OPERATOR[operator]} {self.statement.bind(worth)}"
        )
        if operator == "!=":
            return f"coalesce({sql}, true)"
        return f"coalesce({sql}, false)" if strict else f"({sql})"

    def _operand(self) -> str:
        # a checkbox of a missing parent counts as not ticked
        return f"coalesce({self.column.sql}, false)" if self.column.type == "boolean" else self.column.sql

    def _null(self, operator: str) -> str:
        if self.column.type == "boolean":
            # null means not ticked
            return f"({self._operand()} {'<>' if operator == '!=' else '='} false)"
        if operator in {"=", "!="}:
            return f"({self.column.sql} IS {'NOT ' if operator == '!=' else ''}NULL)"
        return "false"

    def _refuse_operator(self, operator: str) -> Exception:
        message = f"invalid operator on {self.column.type} field '{self.written}': {operator.lower()}"
        return refusal.bad_operator(self.statement.text, self.at, message)

    def _refuse_value(self, value: Value) -> Exception:
        kind = self.column.type
        wanted = "string" if self.is_text else _WIRE_NAMES.get(kind, kind)
        quotes = self.is_text or self.is_id or kind == "time"
        return refusal.bad_value(self.statement.text, value.at, self.written, wanted, quoted=quotes and kind != "time")

    def cast(self, value: Value) -> Any:
        """The Python value of a literal, checked against the column's type."""
        kind = self.column.type
        if self.is_id or self.is_text:
            if value.kind is not Kind.STRING:
                raise self._refuse_value(value)
            return self.text(value.raw, value.at)
        reader = _READERS.get(value.kind) if value.kind is _FITTING.get(kind) else None
        if reader is None:
            raise self._refuse_value(value)
        found = reader(value.raw)
        if found is None:
            message = f"Invalid {value.kind.value}: {value.raw}"
            raise refusal.malformed(self.statement.text, value.at, message)
        return found

    def text(self, raw: str, at: int) -> str:
        """Quoted text, or the 18-character form when the column holds ids."""
        try:
            text = quoted.text_of(raw)
        except quoted.BadEscape as error:
            raise self._bad_escape(error, at) from None
        if not self.is_id:
            return text
        whole = ids.normalise(text)
        if whole is None:
            raise refusal.bad_operator(self.statement.text, at, f"invalid ID field: {text[:80]}")
        return whole

    def _bad_escape(self, error: quoted.BadEscape, at: int) -> Exception:
        message = f"Invalid string literal. Illegal character sequence '{error.args[0]}' in string literal"
        return refusal.malformed(self.statement.text, at, message)

    def _like(self, value: Value, *, strict: bool) -> str:
        if not self.is_text or self.column.type == "multipicklist":
            raise self._refuse_operator("LIKE")
        if value.kind is Kind.NULL:
            return "false"
        if value.kind is not Kind.STRING:
            raise self._refuse_value(value)
        try:
            pattern = self.statement.bind(quoted.pattern_of(value.raw))
        except quoted.BadEscape as error:
            raise self._bad_escape(error, value.at) from None
        sql = f"lower({self.column.sql}) LIKE lower({pattern}) ESCAPE '\\'"
        return f"coalesce({sql}, false)" if strict else f"({sql})"

    def _word(self, operator: str, value: Value, *, strict: bool) -> str:
        span = self.statement.calendar.span(value.raw, value.number)
        if span is None:
            raise refusal.malformed(self.statement.text, value.at, f"unexpected token: '{value.raw}'")
        if self.column.type not in {"date", "datetime"}:
            raise self._refuse_value(value)
        start, end = span.start, span.end
        if self.column.type == "datetime":
            start, end = self.statement.calendar.instant(start), self.statement.calendar.instant(end)
        sql = self._within(operator, start, end)
        if operator == "!=":
            return f"coalesce({sql}, true)"
        return f"coalesce({sql}, false)" if strict else sql

    def _within(self, operator: str, start: Any, end: Any) -> str:
        column, bind = self.column.sql, self.statement.bind
        match operator:
            case "=":
                return f"({column} >= {bind(start)} AND {column} < {bind(end)})"
            case "!=":
                return f"({column} < {bind(start)} OR {column} >= {bind(end)})"
            case "<":
                return f"({column} < {bind(start)})"
            case "<=":
                return f"({column} < {bind(end)})"
            case ">":
                return f"({column} >= {bind(end)})"
            case _:
                return f"({column} >= {bind(start)})"

    def among_texts(self, raws: tuple[str, ...], at: int) -> str:
        """`column IN ('a', 'b', …)`, never NULL; an empty text stands for null."""
        given = [self.text(raw, at) for raw in raws if raw]
        sql = self._among(given, "VARCHAR")
        return f"({sql} OR {self.column.sql} IS NULL)" if len(given) < len(raws) else sql

    def _among(self, given: list[Any], sql_type: str) -> str:
        if not given:
            return "false"
        listed = self.statement.bind_texts([value if isinstance(value, str) else str(value) for value in given])
        members = f"SELECT {self.key(f'CAST(unnest({listed}) AS {sql_type})')}"
        return f"coalesce({self.key(self._operand())} IN ({members}), false)"

    def among_values(self, values: tuple[Value, ...]) -> str:
        """`column IN (1, TODAY, null, …)`, never NULL."""
        plain = [v for v in values if v.kind not in _APART and v.raw != ""]
        other = [v for v in values if v not in plain]
        parts = [self.compare("=", value, strict=True) for value in other]
        if plain or not parts:
            parts.insert(0, self._among([self.cast(value) for value in plain], self._member_type()))
        return f"({' OR '.join(parts)})"

    def _member_type(self) -> str:
        """What a listed value is read as: 0.5 is no whole number, and equal to none."""
        return "DOUBLE" if self.column.type in _NUMERIC else self.column.field.sql_type

    def includes(self, raws: tuple[str, ...], at: int) -> str:
        """`column INCLUDES ('a;b', 'c')`: one of the sets is wholly chosen; never NULL."""
        if self.column.type != "multipicklist":
            raise self._refuse_operator("INCLUDES")
        chosen = f"string_split(lower({self.column.sql}), ';')"
        parts = []
        for raw in raws:
            wanted = self.statement.bind(";".join(part.strip() for part in self.text(raw, at).split(";")))
            parts.append(f"coalesce(list_has_all({chosen}, string_split(lower({wanted}), ';')), false)")
        return f"({' OR '.join(parts)})"


_APART = frozenset({Kind.WORD, Kind.NULL, Kind.CURRENCY})


def _number(raw: str) -> float | None:
    value = float(raw)
    return value if abs(value) != float("inf") else None


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.NUMBER: _number,
    Kind.BOOLEAN: lambda raw: raw.lower() == "true",
    Kind.DATE: dates.date_of,
    Kind.DATETIME: dates.datetime_of,
    Kind.TIME: dates.time_of,
}
_FITTING = {"boolean": Kind.BOOLEAN, "date": Kind.DATE, "datetime": Kind.DATETIME, "time": Kind.TIME} | dict.fromkeys(
    _NUMERIC, Kind.NUMBER
)
