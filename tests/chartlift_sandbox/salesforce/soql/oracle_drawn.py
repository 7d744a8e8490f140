"""Draws statements of the whole grammar that the query service answers, as trees of the oracle."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from oracle_conditions import (
    PARTS,
    Among,
    Chosen,
    Compare,
    Joined,
    Like,
    Not,
    Operand,
    SemiJoin,
    Span,
    literal_of,
)
from oracle_query import Aggregate, Grouped, Having, Order, Select, TypeOf
from oracle_world import CHILDREN, CLOCKS, DAYS, MOMENTS, NUMBERS, PATHS, PREFIXES, RATINGS, TEXTS, World

SORTS = ("=", "!=", "<>", "<", "<=", ">", ">=")
UNITS = ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
SEMI = {
    "Account": (("Id", "Contact", "AccountId"),),
    "Contact": (("Id", "Visit__c", "Contact__c"), ("AccountId", "Account", "Id"), ("AccountId", "Account", "ParentId")),
    "Visit__c": (("Contact__c", "Contact", "Id"), ("Id", "Payment__c", "Visit__c")),
    "Payment__c": (("Visit__c", "Visit__c", "Id"),),
    "Task": (("WhatId", "Account", "Id"), ("WhoId", "Contact", "Id")),
}
TYPEOFS = (
    TypeOf("What", (("Account", ("Name", "Rating")),), ("Name", "Type")),
    TypeOf("What", (("Visit__c", ("Fee__c", "Start__c", "At__c")), ("Account", ("AnnualRevenue",))), ()),
    TypeOf("Who", (("Contact", ("Birthdate", "Interests__c", "Email")),), ("Id",)),
)


class Drawer:
    """Draws with one source of chance, in one world."""

    def __init__(self, rnd: random.Random, world: World) -> None:
        self.rnd, self.world = rnd, world

    def some(self, percent: int) -> bool:
        return self.rnd.randrange(100) < percent

    def operand(self, entity: str, *kinds: str) -> Operand:
        paths = [(p, k) for p, k in PATHS[entity].items() if not kinds or k in kinds]
        path, kind = self.rnd.choice(paths)
        return Operand(entity, path, kind, loud=self.some(15))

    def part(self, entity: str) -> Operand | None:
        """A part of a date, if the object has one to take it of."""
        dated = [(p, k) for p, k in PATHS[entity].items() if k in {"day", "moment"}]
        if not dated:
            return None
        path, kind = self.rnd.choice(dated)
        zoned = kind == "moment" and self.some(50)
        call = self.rnd.choice([name for name in PARTS if kind == "moment" or name != "HOUR_IN_DAY"])
        return Operand(entity, path, "day" if call == "DAY_ONLY" else "number", call, zoned)

    # conditions

    def span(self) -> Span:
        rnd, unit = self.rnd, self.rnd.choice(UNITS)
        count = rnd.choice([1, 2, 3, 14, 400])
        match rnd.randrange(5):
            case 0:
                word, first = rnd.choice([("YESTERDAY", -1), ("TODAY", 0), ("TOMORROW", 1), ("today", 0)])
                return Span(word, "DAY", first, first)
            case 1:
                word, first, last = rnd.choice(
                    [("LAST_90_DAYS", -90, 0), ("NEXT_90_DAYS", 1, 90), (f"LAST_N_DAYS:{count}", -count, 0),
                     (f"NEXT_N_DAYS:{count}", 1, count), (f"N_DAYS_AGO:{count}", -count, -count)]
                )  # fmt: skip
                return Span(word, "DAY", first, last)
            case 2:
                word, first = rnd.choice([("LAST", -1), ("THIS", 0), ("NEXT", 1)])
                return Span(f"{word}_{unit}", unit, first, first)
            case 3:
                return Span(f"N_{unit}S_AGO:{count}", unit, -count, -count)
            case _:
                way, first, last = rnd.choice([("LAST", -count, -1), ("NEXT", 1, count)])
                return Span(f"{way}_N_{unit}S:{count}", unit, first, last)

    def literal(self, left: Operand) -> tuple[str, Any]:
        """A literal that fits, and its value."""
        rnd, kind = self.rnd, left.kind
        if left.call and kind == "number":
            value: Any = rnd.choice([0, 1, 2, 3, 4, 5, 11, 12, 23, 25, 31, 47, 329, 2026])
        elif kind == "id":
            value = rnd.choice([row["Id"] for name in (*PREFIXES, "User", "Group") for row in self.world.rows[name]])
        else:
            value = rnd.choice(
                {"text": TEXTS, "exact": TEXTS, "picklist": (*RATINGS, "odd", "COLD", ""), "number": NUMBERS,
                 "day": DAYS, "moment": MOMENTS, "clock": CLOCKS, "set": ("Aa", "aa;bb", "Aa;Bb;Cc"),
                 "box": (True, False)}[kind]
            )  # fmt: skip
        if kind == "text" and left.path.endswith("Type"):
            value = rnd.choice(("User", "group", "Account", "Visit__c", "CONTACT"))
        if self.some(8) or value is None:
            return rnd.choice(("null", "NULL")), None
        return literal_of(kind, value, hours=rnd.choice((0, 0, 1, -5, 11)), short=self.some(30)), value or _blank(value)

    def compare(self, entity: str) -> Any:
        left = (self.part(entity) if self.some(20) else None) or self.operand(entity)
        while left.kind == "set":
            left = self.operand(entity)
        operator = self.rnd.choice(("=", "!=", "<>") if left.kind == "box" else SORTS)
        if left.kind in {"day", "moment"} and self.some(50):
            span = self.span()
            return Compare(left, operator, span.text, span)
        literal, value = self.literal(left)
        return Compare(left, operator, literal, value)

    def like(self, entity: str) -> Like:
        parts = self.rnd.choices(("%", "_", "\\%", "\\_", "a", "B", "É", "'", "\\", "ab"), k=self.rnd.randint(1, 4))
        return Like(self.operand(entity, "text", "picklist", "exact"), tuple(parts))

    def among(self, entity: str) -> Among:
        left = self.operand(entity, "text", "picklist", "exact", "number", "day", "moment", "id", "clock", "box")
        drawn = [self.literal(left) for _ in range(self.rnd.randint(1, 4))]
        literals, values = zip(*drawn, strict=True)
        return Among(left, self.some(50), literals, values)

    def chosen(self) -> Chosen:
        sets = tuple(
            tuple(self.rnd.sample(("aA", "BB", "Cc"), self.rnd.randint(1, 3))) for _ in range(self.rnd.randint(1, 3))
        )
        return Chosen(Operand("Contact", "Interests__c", "set"), self.some(50), sets)

    def simple(self, entity: str) -> Any:
        way = self.rnd.randrange(10)
        if way < 6:
            return self.compare(entity)
        if way < 8:
            return self.among(entity)
        return self.chosen() if way == 8 and entity == "Contact" else self.like(entity)

    def condition(self, entity: str, depth: int = 0) -> Any:
        way = self.rnd.randrange(6) if depth < 3 else 5
        if way > 2:
            return self.simple(entity)
        if way == 2:
            return Not(self.condition(entity, depth + 1))
        parts = tuple(self.condition(entity, depth + 1) for _ in range(self.rnd.randint(2, 3)))
        return Joined(self.rnd.choice(("AND", "OR", "and", "or")), parts)

    def where(self, entity: str) -> Any:
        """A whole condition: semi-joins stand at its top only."""
        if self.some(75):
            return self.condition(entity)
        joins = []
        for _ in range(self.rnd.randint(1, 2)):
            key, source, field = self.rnd.choice(SEMI[entity])
            inner = self.condition(source, 1) if self.some(60) else None
            joins.append(SemiJoin(Operand(entity, key, "id"), self.some(50), source, field, inner))
        return Joined("AND", (*joins, self.condition(entity, 1)), top=True) if self.some(50) else joins[0]

    # statements

    def order(self, entity: str) -> tuple[Order, ...]:
        keys = []
        for _ in range(self.rnd.randint(0, 3)):
            what = (self.part(entity) if self.some(10) else None) or self.operand(entity)
            if what.kind != "set":
                keys.append(Order(what, self.some(50), self.rnd.choice((None, None, True, False))))
        return tuple(keys)

    def items(self, entity: str) -> tuple[Any, ...]:
        found = {p: self.operand(entity) for p in range(self.rnd.randint(1, 6))}
        items: dict[str, Any] = {one.path: replace(one, loud=self.some(10)) for one in found.values()}
        if entity == "Task" and self.some(60):
            chosen = self.rnd.choice(TYPEOFS)
            items = {path: one for path, one in items.items() if not path.startswith(chosen.relationship + ".")}
            items["typeof"] = chosen
        return tuple(items.values())

    def select(self, entity: str | None = None, depth: int = 0) -> Select:
        entity = entity or self.rnd.choice(tuple(PREFIXES))
        children = []
        for name, (child, _) in CHILDREN[entity].items():
            if self.some(35) and depth < 4:
                children.append((name, self.select(child, depth + 1)))
        return Select(
            entity, self.items(entity), self.where(entity) if self.some(70) and depth < 2 else None, self.order(entity),
            self.rnd.choice((None, None, None, 0, 1, 3, 7)), 0 if depth else self.rnd.choice((0, 0, 0, 1, 5)),
            tuple(children),
        )  # fmt: skip

    def aggregate(self, entity: str) -> Aggregate:
        name = self.rnd.choice(("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"))
        if name in {"SUM", "AVG"} and any(kind == "number" for kind in PATHS[entity].values()):
            return Aggregate(name, self.operand(entity, "number"))
        if name in {"MIN", "MAX"}:
            return Aggregate(name, self.operand(entity, "text", "number", "day", "moment", "picklist", "clock"))
        return Aggregate("COUNT" if name in {"SUM", "AVG"} else name, self.operand(entity))

    def grouped(self) -> Grouped:
        entity = self.rnd.choice(tuple(PREFIXES))
        keys: dict[str, Operand] = {}
        for _ in range(self.rnd.randint(0, 3)):
            key = (self.part(entity) if self.some(40) else None) or self.operand(
                entity, "text", "picklist", "box", "id", "exact"
            )
            keys[key.text.lower()] = key
        drawn = [self.aggregate(entity) for _ in range(self.rnd.randint(1, 3))]
        way = self.rnd.choice(("", "", "ROLLUP", "CUBE")) if keys else ""
        marks = tuple(n for n in range(len(keys)) if way and not list(keys.values())[n].call and self.some(50))
        having: list[Having] = []
        for _ in range(self.rnd.randint(1, 2) if keys and self.some(40) else 0):
            one = self.aggregate(entity)
            literal, value = self.literal(replace(one.inner, kind=one.kind, call=""))
            having.append(Having(one, self.rnd.choice(SORTS), literal, value))
        pool = [*keys.values(), *drawn] if keys else []
        order = tuple(Order(what, self.some(50), self.rnd.choice((None, True))) for what in pool if self.some(40))
        return Grouped(
            entity, tuple(keys.values()), tuple(drawn), way, self.where(entity) if self.some(50) else None, tuple(having),
            self.rnd.choice(("AND", "OR")), marks, order,
        )  # fmt: skip


def _blank(value: Any) -> Any:
    """An empty text stands for null; every other value that looks empty is one."""
    return None if value == "" and isinstance(value, str) else value
