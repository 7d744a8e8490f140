"""The words of SOSL that are not those of SOQL, while Lark parses."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer, v_args

from chartlift_sandbox.salesforce.soql.clauses import Clause, Stop, compose
from chartlift_sandbox.salesforce.soql.syntax import FieldRef, Find, FromItem, Query, SelectItem

SEARCH_GROUPS = frozenset({"ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"})
_RETURNED = frozenset({"where", "order_by", "limit", "offset"})
_SEARCH_WITH_ALONE = frozenset({"HIGHLIGHT"})
_SEARCH_WITH = _SEARCH_WITH_ALONE | {"DIVISION", "METADATA", "NETWORK", "PRICEBOOKID", "SNIPPET", "SPELL_CORRECTION"}

_inline = v_args(inline=True)


class FindWords(Transformer[Token, Any]):
    """Puts a FIND statement together, bottom-up."""

    @_inline
    def find(
        self, finding: Token, group: str | None, returning: tuple[Query, ...] | None, *rest: Clause | None
    ) -> Find:
        """The whole statement."""
        given = {clause.name: clause.value for clause in rest if clause is not None}
        text = str(finding)
        brace = text.index("{") + 1
        at = (finding.start_pos or 0) + brace
        return Find(text[brace:-1], at, group or "ALL", returning or (), given.get("limit"), "labels" in given)

    @_inline
    def search_group(self, name: Token) -> str:
        """The group of fields that is searched."""
        if name.upper() not in SEARCH_GROUPS:
            raise Stop(name.start_pos or 0, f"Malformed search token: {name}")
        return name.upper()

    @_inline
    def returning(self, *queries: Query) -> tuple[Query, ...]:
        """One SELECT per object."""
        return queries

    @_inline
    def returned(self, name: Token, select: tuple[Any, ...] | None, *clauses: Clause | None) -> Query:
        """What is answered of one object."""
        at = name.start_pos or 0
        chosen = select or (SelectItem(FieldRef("Id", at)),)
        odd = next((item for item in chosen if not isinstance(item, SelectItem)), None)
        given = [clause for clause in clauses if clause is not None]
        late = next((clause for clause in given if clause.name not in _RETURNED), None)
        if odd is not None or late is not None:
            raise Stop(late.at if late is not None else at, f"Malformed search token: {name}")
        return compose(chosen, (FromItem(str(name), at),), tuple(given))

    @_inline
    def search_with(self, name: Token, value: Any) -> Clause:
        """`WITH …`: only METADATA changes what is answered."""
        kind = name.upper()
        if kind not in _SEARCH_WITH or ((value is None) is not (kind in _SEARCH_WITH_ALONE) and kind != "SNIPPET"):
            raise Stop(name.start_pos or 0, f"Malformed search token: {name}")
        return Clause("labels" if kind == "METADATA" else "with", value, name.start_pos or 0)

    @_inline
    def with_value(self, *given: Any) -> tuple[Any, ...]:
        """What a WITH is set to."""
        return given
