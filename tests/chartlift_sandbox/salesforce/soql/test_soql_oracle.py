"""Statements drawn from the whole grammar on drawn rows: the records are those that plain Python works out."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_drawn import Drawer
from oracle_query import Grouped, Select, sort_kind
from oracle_world import World, load, make_world

from chartlift_sandbox.salesforce import soql

QUIET: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large,
                              HealthCheck.large_base_example],
}  # fmt: skip
QUICK, MANY = 40, 500
STATEMENTS = 6
WORLDS = 8


class Loaded:
    """The small org with one world in it at a time."""

    def __init__(self, org: Any) -> None:
        self.org, self.seed, self.world = org, -1, World({})

    def at(self, seed: int) -> World:
        if seed != self.seed:
            self.seed, self.world = seed, make_world(seed)
            load(self.org, self.world)
        return self.world


@pytest.fixture
def loaded(org: Any) -> Loaded:
    return Loaded(org)


def _near(value: Any) -> Any:
    """Numbers to nine places, texts in small letters: which spelling stands for a group is nobody's promise."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return round(float(value), 9)
    if isinstance(value, str):
        return value.lower()
    return {key: _near(inner) for key, inner in value.items()}


def _listed(records: list[Any]) -> list[str]:
    return sorted(repr(sorted(_near(record).items())) for record in records)


def _check_select(org: Any, ada: Any, world: World, query: Select, every: bool) -> None:
    text = query.text()
    result = soql.run(org, ada, text, every)
    world.every = every
    want = query.records(world)
    assert result.to_records() == want, text
    if not query.order:
        cut = ("" if query.limit is None else f" LIMIT {query.limit}") + (
            f" OFFSET {query.offset}" if query.offset else ""
        )
        where = f" WHERE {query.where.text}" if query.where else ""
        counted = soql.run(org, ada, f"SELECT COUNT() FROM {query.entity}{where}{cut}", every)
        assert counted.total == len(want), text


def _check_grouped(org: Any, ada: Any, world: World, query: Grouped) -> None:
    text = query.text()
    got = soql.run(org, ada, text).to_records()
    world.every = False
    if query.way and not any(group for _, group in query.groups(world)):
        return  # whether a roll-up of nothing has a total is not documented
    assert _listed(got) == _listed(query.records(world)), text
    for key in query.order[:1]:
        name = _name_of(query, key.what)
        values = [record[name] for record in got]
        kind = "number" if key.what.kind == "number" else sort_kind(getattr(key.what, "inner", key.what))
        kind = kind if kind in {"rating", "id"} else "shown"
        assert all(key.compare(kind, a, b) <= 0 for a, b in pairwise(values)), text


def _name_of(query: Grouped, what: Any) -> str:
    if what in query.keys:
        return f"k{query.keys.index(what)}"
    place = query.aggregates.index(what)
    return f"a{place}" if place % 2 else f"expr{place // 2}"


def _check(loaded: Loaded, ada: Any, seed: int, rnd: random.Random) -> None:
    world = loaded.at(seed)
    drawer = Drawer(rnd, world)
    for _ in range(STATEMENTS):
        if rnd.randrange(3):
            _check_select(loaded.org, ada, world, drawer.select(), rnd.randrange(5) == 0)
        else:
            _check_grouped(loaded.org, ada, world, drawer.grouped())


CASES = {"seed": st.integers(0, WORLDS - 1), "start": st.integers(0, 2**32)}


@settings(max_examples=QUICK, **QUIET)
@given(**CASES)
def test_statements_answer_what_plain_python_works_out(loaded: Loaded, ada: Any, seed: int, start: int) -> None:
    _check(loaded, ada, seed, random.Random(start))


@pytest.mark.more
@settings(max_examples=MANY, **QUIET)
@given(**CASES)
def test_thousands_of_statements_answer_what_plain_python_works_out(
    loaded: Loaded, ada: Any, seed: int, start: int
) -> None:
    _check(loaded, ada, seed, random.Random(start))
