"""What all parts of one statement share while it is compiled: who asks, the text, bound values, what may be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from chartlift_sandbox.salesforce.schema import Field, Schema, SObject
from chartlift_sandbox.salesforce.settings import OrgSettings
from chartlift_sandbox.salesforce.soql import virtual
from chartlift_sandbox.salesforce.soql.dates import Calendar

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.soql.money import Money


class Caller(Protocol):
    """The person or program that asks."""

    @property
    def user_id(self) -> str:
        """18-character id of the User."""
        ...


class Visibility(Protocol):
    """What the org tells about access; `Org` is one."""

    schema: Schema
    settings: OrgSettings

    def visible_fields(self, actor: Any, object_name: str) -> frozenset[str]:
        """Names of the fields that field-level security lets the caller see."""
        ...

    def first_unseen(self, prefix: str) -> str | None:
        """The first Id under a key prefix that is too fresh for queries, if any."""
        ...

    def record_filter(self, actor: Any, sobject: SObject, alias: str) -> str | None:
        """SQL that is true for the records that the caller may see; None when that is all of them."""
        ...

    def bin_starts(self) -> datetime:
        """Records deleted before this instant are gone for good."""
        ...

    def readable(self, actor: Any, object_name: str) -> bool:
        """Whether the caller may read the object at all."""
        ...


@dataclass
class Statement:
    """State of one compilation. `params` are the named values that the SQL binds."""

    org: Visibility
    actor: Caller
    text: str
    calendar_of: Callable[[], Calendar]
    all_rows: bool = False
    tooling: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    _aliases: int = 0
    _visible: dict[str, frozenset[str]] = field(default_factory=dict)
    virtual: dict[str, SObject] = field(default_factory=dict)
    money_of: Callable[[], Money | None] = lambda: None
    matched: Callable[[Any], str] | None = None
    """A further condition on the object itself, made from its scope: what a search looks for."""

    @cached_property
    def calendar(self) -> Calendar:
        """The caller's calendar, looked up only when the statement needs to know the day."""
        return self.calendar_of()

    @cached_property
    def money(self) -> Money | None:
        """Currencies and their rates, None where the org has one currency."""
        return self.money_of()

    @property
    def schema(self) -> Schema:
        """The org's schema."""
        return self.org.schema

    def bind(self, value: Any) -> str:
        """Keep a value out of the SQL text; answers its name in SQL."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"${name}"

    def bind_texts(self, values: list[str]) -> str:
        """Keep a list of texts out of the SQL text; answers SQL of the list.

        It travels as one text, because the driver takes seconds to bind a list of thousands.
        """
        joined, number = "".join(values), 0
        while (separator := f"\x1f{number}\x1e") in joined:
            number += 1
        return f"string_split({self.bind(separator.join(values))}, {self.bind(separator)})"

    def alias(self) -> str:
        """A table alias that nothing else uses."""
        self._aliases += 1
        return f"t{self._aliases}"

    def sees(self, sobject: SObject, found: Field) -> bool:
        """Whether field-level security shows the field to the caller."""
        if found.always_visible or found.type == "id" or sobject.name in self.virtual:
            return True
        if sobject.name not in self._visible:
            self._visible[sobject.name] = self.org.visible_fields(self.actor, sobject.name)
        return found.name in self._visible[sobject.name]

    def object(self, name: str) -> SObject | None:
        """The object of that name if the caller may query it."""
        found = self.schema.object(name)
        if found is None and (made := virtual.object_for(name, tooling=self.tooling)) is not None:
            return self.virtual.setdefault(made.name, made)
        if found is None or not found.queryable or not self.org.readable(self.actor, found.name):
            return None
        return found


def quoted(name: str) -> str:
    """An SQL identifier; only names from the schema get here."""
    return '"' + name.replace('"', '""') + '"'
