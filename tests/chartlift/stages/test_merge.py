"""The three-way merge against every combination of values, and against the plain rule."""

from __future__ import annotations

import itertools

import duckdb
import pytest

from chartlift.stages.merge import edited, kept, write

VALUES = (None, "a", "b", "")


def judge(wanted: str | None, ours: str | None, now: str | None, *, known: bool) -> str:
    """The rule in plain words: ours is what stood there after our last write, if there was one."""
    if wanted == now:
        return "nothing"
    return "keep" if known and now != ours else "write"


@pytest.mark.parametrize("known", [True, False])
def test_every_combination_is_written_kept_or_nothing(known: bool) -> None:
    sql = duckdb.connect()
    query = (
        f"SELECT {write('w', 'o', 'n', 'k')}, {kept('w', 'o', 'n', 'k')}, {edited('o', 'n', 'k')}"
        " FROM (SELECT ?::VARCHAR AS w, ?::VARCHAR AS o, ?::VARCHAR AS n, ?::BOOLEAN AS k)"
    )
    for wanted, ours, now in itertools.product(VALUES, repeat=3):
        goes, stays, other = sql.execute(query, [wanted, ours, now, known]).fetchone() or ()
        assert None not in (goes, stays, other), "a NULL would be taken for no by one reader and for nothing by another"
        said = {(False, False): "nothing", (True, False): "write", (False, True): "keep"}[goes, stays]
        assert said == judge(wanted, ours, now, known=known), (wanted, ours, now)
        assert other is (known and ours != now)
