"""References: ids without a record, records of another patient, records on a patient merged away, circles."""

from __future__ import annotations

from typing import Any

from chartlift.model.source import EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident, literal

FATE = "held if required, else withheld"
LONGEST_CIRCLE = 10


def look(book: Book, shape: EntityShape, shapes: dict[str, EntityShape]) -> None:
    """All references of one entity."""
    for column, target in shape.refs.items():
        if target in shapes and column != shape.survivor:  # merges have a table of their own
            _reference(book, shape, column, shapes[target])
    if shape.survivor:
        _merges(book, shape)


def _reference(book: Book, shape: EntityShape, column: str, target: EntityShape) -> None:
    src, there, cell = ident("src_" + shape.name), ident("src_" + target.name), f"s.{ident(column)}"
    followed = (
        f"(SELECT s._id, s._seq, s._patient, m.id IS NOT NULL AS moved, coalesce(m.survivor, {cell}) AS ref FROM {src} s "
        f"LEFT JOIN src_merged m ON m.entity = {literal(target.name)} AND m.id = {cell} "
        f"WHERE NOT coalesce(is_blank({cell}), true))"
    )

    def note(code: str, severity: str, where: str, text: str, fate: str = FATE) -> None:
        head = Head(code, severity, shape.name, (column,), text, fate)
        book.note(head, f"SELECT r._id, r._seq FROM {followed} r {where}")

    note("R-REF", "error", f"ANTI JOIN {there} t ON t._id = r.ref", "it points to a record that is not there")
    if target.survivor and shape.survivor != column:
        moved = f"SEMI JOIN {there} t ON t._id = r.ref WHERE r.moved"
        note("R-REF-MERGED", "note", moved, "it still points to a record merged away", "sent with the surviving record")
    if target.name == shape.name:
        note("R-REF-SELF", "warning", "WHERE r.ref = r._id", "the record points to itself")
        edges = f"SELECT r._id, r._seq, r.ref FROM {followed} r WHERE r.ref <> r._id"
        _circles(
            book,
            Head("R-REF-CYCLE", "warning", shape.name, (column,), "records point to each other in a circle", FATE),
            edges,
        )
    if target.patient and target.patient != target.id:
        where = f"JOIN {there} t ON t._id = r.ref AND t._patient <> r._patient"
        note("R-REF-PATIENT", "error", where, "it points to a record of another patient")


def _circles(book: Book, head: Head, edges: str) -> None:
    """Records that come back to themselves within ten steps; only those somebody points to are walked on."""
    sql: Any = book.sql
    sql.execute(f"CREATE OR REPLACE TEMP TABLE profile_edge AS {edges}")
    # what nobody points to, and what points to nothing further, is in no circle; taking it away leaves few
    for _ in range(LONGEST_CIRCLE):
        sql.execute("""
            CREATE OR REPLACE TEMP TABLE profile_ring AS
            SELECT e.* FROM profile_edge e SEMI JOIN profile_edge f ON f.ref = e._id SEMI JOIN profile_edge g ON g._id = e.ref;
            DROP TABLE profile_edge; ALTER TABLE profile_ring RENAME TO profile_edge""")
    walk = f"""
        WITH RECURSIVE walk AS (
          SELECT _id AS start, _seq, ref AS here, 1 AS steps FROM profile_edge
          UNION ALL SELECT w.start, w._seq, e.ref, w.steps + 1 FROM walk w JOIN profile_edge e ON e._id = w.here
          WHERE w.here <> w.start AND w.steps < {LONGEST_CIRCLE})
        SELECT start AS _id, _seq FROM walk WHERE here = start"""
    book.note(head, walk)
    sql.execute("DROP TABLE profile_edge")


def _merges(book: Book, shape: EntityShape) -> None:
    """What was merged away: where to, in a circle, or into nothing that is there."""
    column, name = (shape.survivor,), shape.name
    heads = {
        "": Head(
            "R-MERGED", "note", name, column, "merged away at the clinic", "not sent; its records follow the survivor"
        ),
        "cycle": Head(
            "R-MERGE-CYCLE", "error", name, column, "merged in a circle", "held, and all its records with it"
        ),
        "missing": Head(
            "R-MERGE-MISSING",
            "error",
            name,
            column,
            "merged into a record that is not there",
            "held, and all its records with it",
        ),
    }
    book.note_each(
        heads,
        f"SELECT m.id AS _id, coalesce(s._seq, 0) AS _seq, coalesce(m.problem, '') AS which, m.survivor AS other "
        f"FROM src_merged m LEFT JOIN {ident('src_' + name)} s ON s._id = m.id WHERE m.entity = {literal(name)}",
    )
