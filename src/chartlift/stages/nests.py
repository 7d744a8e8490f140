"""Nests: rows of one entity gathered under the id of another one, made anew after every reading that touched them.

A nest's table has one row for each id that the gathered rows name or ever named: lists of text, all of one length, or
with a pick the texts of one row. `_extraction` says when its content last changed; a group that is gone stays, empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chartlift.model.source import EntityShape
from chartlift.stages.sqltext import ident, literal

ROWS_AT_ONCE = 50_000
"""Gathered rows of one pass: lists do not spill, so their size bounds the memory."""
_LAST = "170141183460469231731687303715884105727::HUGEINT"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"


def prepare(sql: Any, shape: EntityShape) -> None:
    """Make the nest's table if it is not there yet."""
    kind = "VARCHAR" if shape.pick else "VARCHAR[]"
    columns = ", ".join(f"{ident(column)} {kind}" for column in shape.columns)
    sql.execute(
        f"CREATE TABLE IF NOT EXISTS {ident('src_' + shape.name)} ({columns}, _id VARCHAR, _patient VARCHAR, "
        "_seq BIGINT, _raw VARCHAR, _extraction INTEGER, _conflict BOOLEAN)"
    )


def build(sql: Any, shapes: Sequence[EntityShape], number: int, remerged: set[str]) -> None:
    """Make the nests whose rows this extraction touched, inside the caller's transaction.

    `remerged`: entities of which records were merged, or torn apart again, since the last one.
    """
    by_name = {shape.name: shape for shape in shapes}
    for shape in shapes:
        if shape.nests:
            nest = _Nest(shape, by_name[shape.nests], by_name)
            if remerged & set(nest.redirects.values()) or _touched(sql, nest, number):
                _make(sql, nest, number)


@dataclass(frozen=True)
class _Nest:
    shape: EntityShape
    child: EntityShape
    shapes: Mapping[str, EntityShape]

    @property
    def table(self) -> str:
        return ident("src_" + self.shape.name)

    @property
    def rows(self) -> str:
        return ident("src_" + self.child.name)

    @property
    def redirects(self) -> dict[str, str]:
        """Columns whose ids may be those of merged records -> the entity of these."""
        used = {self.shape.by, *self.shape.columns}
        refs = {column: target for column, target in self.child.refs.items() if column in used}
        return {column: target for column, target in refs.items() if self.shapes[target].survivor}

    def cell(self, column: str) -> str:
        """SQL for a column of a gathered row, after the redirect of merged records."""
        own = f"s.{ident(column)}"
        return f"coalesce({ident('m_' + column)}.survivor, {own})" if column in self.redirects else own

    @property
    def gathered(self) -> str:
        """SQL for FROM and WHERE of the rows that are gathered."""
        name, without = literal(self.child.name), self.shape.without
        joins = [
            f"LEFT JOIN src_merged {ident('m_' + column)} ON {ident('m_' + column)}.entity = {literal(target)} "
            f"AND {ident('m_' + column)}.id = s.{ident(column)}"
            for column, target in self.redirects.items()
        ]
        tests = [f"trim(coalesce({self.cell(self.shape.by)}, '')) <> ''", "NOT s._conflict"]
        tests += [f"coalesce(s.{ident(without)}, '') IN ('', 'false', '0')"] if without else []
        if self.shape.pick:
            equals = self.shape.pick.equals.items()
            tests += [f"upper(trim(s.{ident(column)})) = {literal(value.upper())}" for column, value in equals]
        return (
            f"{self.rows} s {' '.join(joins)} ANTI JOIN src_deleted d ON d.entity = {name} AND d.id = s._id "
            f"WHERE {' AND '.join(tests)}"
        )


def _touched(sql: Any, nest: _Nest, number: int) -> bool:
    return sql.execute(
        f"SELECT EXISTS (FROM {nest.rows} WHERE _extraction = {number}) OR NOT EXISTS (FROM {nest.table})"
    ).fetchone()[0]


def _make(sql: Any, nest: _Nest, number: int) -> None:
    """The whole table anew, in ranges of its ids, so that it lies in their order without being sorted as a whole."""
    columns = ", ".join(ident(column) for column in nest.shape.columns)
    sql.execute(f"CREATE OR REPLACE TABLE nest_made AS SELECT * FROM {nest.table} LIMIT 0")
    made = 0
    for within in _ranges(sql, nest):
        sql.execute(f"""
            INSERT INTO nest_made BY NAME
            WITH fresh AS ({_picked(nest, within) if nest.shape.pick else _listed(nest, within)}),
            old AS (SELECT * FROM {nest.table} WHERE {within.format(id="_id")})
            SELECT {columns}, _id, NULL::VARCHAR AS _patient, NULL::VARCHAR AS _raw, _extraction, false AS _conflict,
                   {made} + row_number() OVER (ORDER BY {_by_number("_id")}) AS _seq
            FROM (SELECT coalesce(f._id, o._id) AS _id, {_cells(nest)},
                         CASE WHEN {_changed(nest)} THEN {number} ELSE o._extraction END AS _extraction
                  FROM fresh f FULL JOIN old o ON o._id = f._id)
            ORDER BY _seq""")
        made = sql.execute("SELECT count(*) FROM nest_made").fetchone()[0]
    sql.execute(f"DROP TABLE {nest.table}; ALTER TABLE nest_made RENAME TO {ident('src_' + nest.shape.name)}")


def _cells(nest: _Nest) -> str:
    """A group that is gone has empty lists, or no row."""
    gone = "NULL" if nest.shape.pick else "[]::VARCHAR[]"
    return ", ".join(
        f"CASE WHEN f._id IS NULL THEN {gone} ELSE f.{ident(c)} END AS {ident(c)}" for c in nest.shape.columns
    )


def _changed(nest: _Nest) -> str:
    """True where the content is another one than before; what may differ without a change does not count."""
    empty = "NULL" if nest.shape.pick else "[]::VARCHAR[]"
    columns = [ident(c) for c in nest.shape.columns if c not in nest.child.volatile]
    differs = [f"CASE WHEN f._id IS NULL THEN {empty} ELSE f.{c} END IS DISTINCT FROM o.{c}" for c in columns]
    return " OR ".join(["o._id IS NULL", *differs])


def _number(key: str) -> str:
    """An id as a number, a composed one by its last part; NULL for what is none."""
    return f"TRY_CAST(regexp_extract({key}, '[0-9]+$') AS HUGEINT)"


def _by_number(key: str) -> str:
    """The order of ids: as numbers, what is none last."""
    return f"{_number(key)} NULLS LAST, {key}"


def _listed(nest: _Nest, within: str) -> str:
    """Lists that are sorted once they are whole: an aggregate that sorts takes many times their size in memory."""
    group, first = nest.cell(nest.shape.by), nest.shape.order
    order = f"coalesce(TRY_CAST(trim(s.{ident(first)}) AS DOUBLE), 'infinity')" if first else "0.0::DOUBLE"
    keys = f"_order := {order}, _number := coalesce({_number('s._id')}, {_LAST}), _id := s._id"
    packed = ", ".join(f"{ident(column)} := {nest.cell(column)}" for column in nest.shape.columns)
    lists = ", ".join(f"list_transform(packed, lambda x: x.{ident(c)}) AS {ident(c)}" for c in nest.shape.columns)
    return (
        f"SELECT _id, {lists} FROM (SELECT {group} AS _id, list_sort(list(struct_pack({keys}, {packed}))) AS packed "
        f"FROM {nest.gathered} AND {within.format(id=group)} GROUP BY {group})"
    )


def _picked(nest: _Nest, within: str) -> str:
    pick, group = nest.shape.pick, nest.cell(nest.shape.by)
    if pick is None:
        raise ValueError(f"{nest.shape.name} picks nothing")
    day = f"s.{ident(pick.last or pick.first)}"
    date = f"CASE WHEN regexp_matches({day}, '{_DAY}') THEN TRY_CAST(left({day}, 10) AS DATE) END"
    direction = "DESC" if pick.last else "ASC"
    cells = ", ".join(f"{nest.cell(column)} AS {ident(column)}" for column in nest.shape.columns)
    return (
        f"SELECT {group} AS _id, {cells} FROM {nest.gathered} AND {within.format(id=group)} "
        f"QUALIFY row_number() OVER (PARTITION BY {group} "
        f"ORDER BY {date} {direction} NULLS LAST, {_by_number('s._id')}) = 1"
    )


def _ranges(sql: Any, nest: _Nest) -> Iterator[str]:
    """Conditions on the id that part all groups into ranges of about as many gathered rows, in their order."""
    rows = sql.execute(f"SELECT count(*) FROM {nest.rows}").fetchone()[0]
    parts = max(1, -(-rows // ROWS_AT_ONCE))
    number = _number("{id}")
    edges: list[int] = []
    if parts > 1:
        shares = ", ".join(str(part / parts) for part in range(1, parts))
        asked = f"approx_quantile({number.format(id=ident(nest.shape.by))}::DOUBLE, [{shares}])"
        found = sql.execute(f"SELECT {asked} FROM {nest.rows}").fetchone()[0] or ()
        edges = sorted({int(edge) for edge in found if edge is not None})
    below = [*edges, None]
    for low, high in zip([None, *edges], below, strict=True):
        tests = [f"{number} >= {low}"] if low is not None else []
        tests += [f"{number} < {high}"] if high is not None else [f"({number} IS NULL OR {number} >= {low or 0})"]
        yield " AND ".join(tests)
