"""The words of a parsed SOQL statement. `at` is always the offset of the word in the text, for error messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a value in a filter looks like."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    DATETIME = "dateTime"
    TIME = "time"
    WORD = "literal"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field as written, `Owner.Email` included."""

    written: str
    at: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Relationship names, then the field name."""
        return tuple(self.written.split("."))


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. Quoted text keeps its escapes in `raw`; `number` is the n of `LAST_N_DAYS:n`."""

    kind: Kind
    raw: str
    at: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A call such as `COUNT(Id)`; `arguments` may nest."""

    name: str
    arguments: tuple[FieldRef | Function | Value, ...]
    at: int
    written: str

    @property
    def upper(self) -> str:
        """The name in capitals, for comparison."""
        return self.name.upper()


Operand = FieldRef | Function


@dataclass(frozen=True, slots=True)
class SelectItem:
    """A field or a function with its alias."""

    what: Operand
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Subquery:
    """A child relationship query in the select list."""

    query: Query
    at: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """`TYPEOF What WHEN Account THEN … ELSE … END`."""

    relationship: FieldRef
    branches: tuple[tuple[FieldRef, tuple[FieldRef, ...]], ...]
    otherwise: tuple[FieldRef, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator value`; LIKE is an operator too."""

    left: Operand
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    """IN, NOT IN, INCLUDES, EXCLUDES. `texts` are raw quoted texts, `values` any literals; a sub-select otherwise."""

    left: Operand
    operator: str
    at: int
    texts: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by one operator, AND or OR."""

    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT of one condition."""

    part: Condition
    at: int


Condition = Compare | Membership | Junction | Negation


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One sort key; nulls come first unless the text says otherwise."""

    what: Operand
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class FromItem:
    """The object (or, for further items, the relationship) and its alias."""

    name: str
    at: int
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT."""

    select: tuple[SelectItem | Subquery | TypeOf, ...]
    sources: tuple[FromItem, ...]
    where: Condition | None = None
    scope: str | None = None
    group_by: tuple[Operand, ...] = ()
    having: Condition | None = None
    order_by: tuple[OrderItem, ...] = ()
    limit: int | None = None
    offset: int | None = None
    all_rows: bool = False
    locked: bool = False

    @property
    def source(self) -> FromItem:
        """The object selected from."""
        return self.sources[0]

    def functions(self) -> Iterator[Function]:
        """Functions of the select list, outermost only."""
        return (item.what for item in self.select if isinstance(item, SelectItem) and isinstance(item.what, Function))

    def subqueries(self) -> Iterator[Subquery]:
        """Child sub-queries of the select list."""
        return (item for item in self.select if isinstance(item, Subquery))


@dataclass(frozen=True, slots=True)
class Find:
    """One SOSL statement: the text between the braces, the group of fields, one SELECT per object that is returned."""

    words: str
    at: int
    group: str = "ALL"
    returning: tuple[Query, ...] = ()
    limit: int | None = None
    labels: bool = False
