"""Records as rules see them in the middle of a save, and formulas evaluated over all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce.derived import derivations
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.formulas import Formula, compile_formula
from chartlift_sandbox.salesforce.formulas.names import OLD as BEFORE
from chartlift_sandbox.salesforce.literals import ARROW_TYPES
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.soql.execute import calendar
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.writes import OLD

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call
    from chartlift_sandbox.salesforce.org import Org

_COMPILED: dict[tuple[int, int, str, str, str | None], Formula] = {}
_MOST_COMPILED = 2_000


def formula(org: Org, sobject: SObject, text: str, result: str | None = "boolean") -> Formula:
    """A formula over an object, compiled once per version of the schema. Raises FormulaError."""
    key = (id(org), org.schema.version, sobject.name, text, result)
    found = _COMPILED.get(key)
    if found is None:
        if len(_COMPILED) > _MOST_COMPILED:
            _COMPILED.clear()
        found = _COMPILED[key] = compile_formula(org.schema, sobject, text, result)
    return found


class Saving:
    """The rows of one insert or update as a table: new values, `o:` values before, `_row` and `_new`.

    `found` is the stored records of an update, with every field, or None for an insert.
    """

    def __init__(self, call: Call, staged: dict[str, pa.Array], found: pa.Table | None) -> None:
        self._call, self._staged, self._found = call, staged, found

    def table(self) -> pa.Table:
        """The rows as they stand now."""
        call, columns = self._call, {"_row": row_numbers(self._call.count)}
        for one in call.sobject.stored_fields:
            old = self._old(one.name)
            new = self._staged.get(one.name, old)
            if new is None:
                new = pa.nulls(call.count, ARROW_TYPES[one.sql_type])
            columns[one.name] = new
            columns[BEFORE + one.name] = new if old is None else old
        columns["_new"] = pa.repeat(pa.scalar(self._found is None), call.count)
        return pa.table(columns)

    def _old(self, name: str) -> pa.Array | None:
        if self._found is None or OLD + name not in self._found.column_names:
            return None
        return column_of(self._found, OLD + name)

    def value(self, sql: str, params: dict[str, Any], reads: frozenset[str]) -> pa.Array:
        """The value of an expression for every row, in order."""
        text = f"SELECT {sql} AS v FROM {self._source(reads)} r ORDER BY r._row"
        return column_of(self._call.org.query_with({"_record": self.table()}, text, params), "v")

    def rows_where(self, condition: Formula | None) -> pa.Array:
        """Numbers of the good rows for which a formula is true; without one, of all good rows."""
        rows = row_numbers(self._call.count)
        if condition is not None:
            text = f"SELECT r._row AS v FROM {self._source(condition.reads)} r WHERE {condition.sql} ORDER BY 1"
            params = parameters(self._call, condition.params)
            rows = column_of(self._call.org.query_with({"_record": self.table()}, text, params), "v")
        good = self._call.failures.good
        return rows if good is None else rows.filter(good.take(rows))

    def _source(self, reads: frozenset[str]) -> str:
        """The table, with what the platform works out itself (a person's name) where a rule looks at it."""
        rules = [rule for rule in derivations(self._call.sobject) if rule.name in reads]
        if not rules:
            return "_record"
        made = ", ".join(f"{rule.sql} AS {quote(rule.name)}" for rule in rules)
        return f"(SELECT * REPLACE ({made}) FROM _record)"


def evaluate(saving: Saving, call: Call, one: Formula, sql_type: str | None = None) -> pa.Array:
    """The values of a formula, cast to a column's type if given."""
    sql = f"try_cast({one.sql} AS {sql_type})" if sql_type else one.sql
    return saving.value(sql, parameters(call, one.params), one.reads)


def parameters(call: Call, names: frozenset[str]) -> dict[str, Any]:
    """What formulas ask of the moment and of the caller."""
    values: dict[str, Any] = {}
    if "who" in names:
        values["who"] = call.actor.user_id
    if "org" in names:
        values["org"] = call.org.org_id
    if "held" in names:
        values["held"] = sorted(held(call))
    if "now" in names:
        values["now"] = call.org.now()
    if "today" in names:
        values["today"] = calendar(call.org, call.actor).today
    return values


def held(call: Call) -> frozenset[str]:
    """Custom permissions of the caller in lower case."""
    grants = call.org.rules.grants
    if not grants:
        return frozenset()
    sets = call.org.access.set_names(call.actor.user_id)
    return frozenset(one.lower() for name in sets for one in grants.get(name.lower(), ()))


def spared(call: Call, bypass: str) -> bool:
    """Whether the caller's custom permission keeps a rule away."""
    return bool(bypass) and bypass.lower() in held(call)
