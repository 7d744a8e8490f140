"""What a compiled statement looks like: SQL with bound values, and how its columns become records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chartlift_sandbox.salesforce.schema import Field

PARENTS = "soql_parents"
"""Name under which the ids of the parents are shown to a child query."""


@dataclass(frozen=True)
class Output:
    """One selected value: its SQL, the field that gives its type, its header as written, and what it is called."""

    sql: str
    field: Field
    header: str
    aggregate: bool = False
    label: str = ""


@dataclass
class Layout:
    """The keys of one record in order. An entry is an output's number, a parent's layout, or a child query's number."""

    entity: str
    identity: int
    polymorphic: bool = False
    entries: dict[str, int | Layout | ChildSlot | Choice] = field(default_factory=dict)


@dataclass(frozen=True)
class ChildSlot:
    """Where the records of a child query go."""

    number: int


@dataclass
class Choice:
    """TYPEOF: the first branch whose parent exists gives the keys."""

    branches: list[Layout]
    otherwise: Layout | None


@dataclass
class Child:
    """A sub-query of the select list; `link` is the SQL of the field that points to the parent."""

    key: str
    plan: Plan
    link: str


@dataclass
class Plan:
    """A compiled SELECT.

    Attributes:
        entity: Name of the object.
        outputs: Selected values in order.
        identities: SQL of record ids, the object's own first, then one per parent in use.
        kinds: For each identity the SQL of its object's name if that varies by row, else None.
        layout: Shape of a record; None for COUNT().
        tail: FROM … WHERE … GROUP BY … HAVING, without order and limit.
        order: Sort keys; `unique` closes them so that the order is total.
        virtual: Objects that are made up from the schema when the statement runs.
        long_texts: Number of custom long text columns, which shrink the pages.
    """

    entity: str
    outputs: list[Output]
    identities: list[str]
    kinds: list[str | None]
    layout: Layout | None
    tail: str
    order: list[str]
    unique: str | None
    limit: int | None
    offset: int
    children: list[Child]
    params: dict[str, Any]
    aggregate: bool
    long_texts: int
    virtual: frozenset[str] = frozenset()

    @property
    def count_only(self) -> bool:
        """Whether this is `SELECT COUNT() FROM …`."""
        return self.layout is None

    def columns_sql(self) -> list[str]:
        """The select list: c0 … for outputs, r0 … for ids of the record and its parents, k0 … for their objects."""
        columns = [f"{output.sql} AS c{n}" for n, output in enumerate(self.outputs)]
        columns += [f"{sql} AS r{n}" for n, sql in enumerate(self.identities)]
        columns += [f"{sql} AS k{n}" for n, sql in enumerate(self.kinds) if sql is not None]
        return columns

    def sql(self) -> str:
        """The whole statement, typed columns, in a total order."""
        text = f"SELECT {', '.join(self.columns_sql())} {self.tail}"
        if self.count_only:
            # LIMIT and OFFSET cut the rows that are counted, not the one row that holds their number
            return text
        return text + self.order_sql(total=True) + self.limit_sql()

    def child_sql(self, link: str) -> str:
        """The statement as a child query: `parent` tells whose row it is, rows of one parent lie together, in order."""
        place = f"row_number() OVER (PARTITION BY {link}{self.order_sql(total=True)})"
        inner = f"SELECT {', '.join(self.columns_sql())}, {link} AS parent, {place} AS place {self.tail}"
        last = f" AND place <= {self.offset + self.limit:d}" if self.limit is not None else ""
        return f"SELECT * FROM ({inner}) WHERE place > {self.offset:d}{last} ORDER BY parent, place"

    def order_sql(self, *, total: bool) -> str:
        """ORDER BY; with `total` the record id decides ties."""
        keys = [*self.order, *([self.unique] if total and self.unique else [])]
        return f" ORDER BY {', '.join(keys)}" if keys else ""

    def limit_sql(self) -> str:
        """LIMIT and OFFSET; both are whole numbers by grammar."""
        text = f" LIMIT {self.limit:d}" if self.limit is not None else ""
        return text + (f" OFFSET {self.offset:d}" if self.offset else "")
