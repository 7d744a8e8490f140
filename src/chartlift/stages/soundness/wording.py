"""What texts carry that is no error and still worth knowing: formulas, words that look like nothing, line ends, marks."""

from __future__ import annotations

from chartlift.model.source import LONE_SURROGATE, EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident, literal

_NOTHING = ("null", "none", "na", "n/a", "#n/a", "undefined", "nil", "nan", "true", "false")
_ADDRESSES = ("mobile", "home", "work", "email", "born", "balance", "health_number")  # they have rules of their own
_HALF = "withheld or held, as the plan says"
_BIDI = "[\u202a-\u202e\u2066-\u2069\u200b-\u200f]"


def look(book: Book, shape: EntityShape) -> None:
    """Free texts of one entity, a column at a time; ids, dates and lists of values are none."""
    if shape.patient:
        for column in texts(shape):
            _text(book, shape, column)


def texts(shape: EntityShape) -> list[str]:
    """The columns with a person's own words."""
    other = {
        shape.id,
        shape.patient,
        shape.stamp,
        shape.survivor,
        shape.dated,
        shape.by,
        *shape.refs,
        *shape.lists,
        *shape.counts,
    }
    other |= {column for role, column in shape.person.items() if role in _ADDRESSES} | set(shape.roles.values())
    return [c for c in shape.columns if c not in other and not c.endswith(("Id", "At", "On", "Total", "Date", "Time"))]


def _text(book: Book, shape: EntityShape, column: str) -> None:
    cell, name = ident(column), shape.name
    heads = {
        "formula": Head(
            "R-FORMULA", "note", name, (column,), "begins like a formula of a spreadsheet; it is text", "sent as it is"
        ),
        "nothing": Head(
            "R-NA", "note", name, (column,), "a word that may mean nothing (null, n/a); it is text", "sent as it is"
        ),
        "bidi": Head(
            "R-TEXT-DIRECTION", "note", name, (column,), "invisible marks of writing direction", "sent as it is"
        ),
        "composed": Head(
            "R-TEXT-NFC",
            "note",
            name,
            (column,),
            "letters and accents in pieces; they are put together",
            "sent put together",
        ),
    }
    heads["half"] = Head("R-TEXT", "error", name, (column,), "text with half a character (unpaired surrogate)", _HALF)
    words = ", ".join(literal(word) for word in _NOTHING)
    plain = f"strlen({cell}) = length({cell})"
    book.note_each(
        heads,
        f"""SELECT _id, _seq, CASE
              WHEN left({cell}, 1) IN ('=', '+', '-', '@') AND NOT regexp_full_match({cell}, '[+-]?[0-9 ().,-]*') THEN 'formula'
              WHEN strlen({cell}) <= 9 AND lower(trim({cell})) IN ({words}) THEN 'nothing'
              WHEN {plain} THEN NULL
              WHEN contains({cell}, '{LONE_SURROGATE}') THEN 'half'
              WHEN regexp_matches({cell}, '{_BIDI}') THEN 'bidi'
              WHEN regexp_matches({cell}, '\\p{{M}}') AND nfc_normalize(without_nul({cell})) <> without_nul({cell}) THEN 'composed'
            END AS which FROM {ident("src_" + name)} WHERE {cell} IS NOT NULL AND strlen({cell}) < 100000""",
    )
