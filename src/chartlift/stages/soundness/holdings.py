"""Documents by what is said of them, and practitioners by what the clinic knows of them; neither needs the other side."""

from __future__ import annotations

from chartlift.model.source import EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident

LARGEST_FILE = 2 * 1024**3  # bytes that a file of the org may have


def documents(book: Book, shape: EntityShape) -> None:
    """Empty, too large, without a hash, and the same content twice."""
    if not {"size", "hash"} <= set(shape.roles):
        return
    size, digest = shape.roles["size"], shape.roles["hash"]
    src, bytes_, sha = ident("src_" + shape.name), f"TRY_CAST({ident(size)} AS BIGINT)", f"lower(trim({ident(digest)}))"
    kept = "the record is sent"
    heads = {
        "empty": Head("R-DOC-EMPTY", "warning", shape.name, (size,), "a document of no bytes", kept),
        "large": Head("R-DOC-LARGE", "warning", shape.name, (size,), "larger than the org takes (2 GB)", kept),
        "unsigned": Head(
            "R-DOC-HASH", "note", shape.name, (digest,), "no SHA-256 is given; it is made while reading", kept
        ),
    }
    book.note_each(
        heads,
        f"SELECT _id, _seq, unnest([CASE WHEN {bytes_} = 0 THEN 'empty' WHEN {bytes_} > {LARGEST_FILE} THEN 'large' END,"
        f" CASE WHEN coalesce(is_blank({ident(digest)}), true) THEN 'unsigned' END]) AS which FROM {src}",
    )
    twice = {
        "own": Head("R-DOC-TWICE", "note", shape.name, (digest,), "the same content twice with one patient", kept),
        "others": Head(
            "R-DOC-SHARED", "warning", shape.name, (digest,), "the same content with several patients", kept
        ),
    }
    book.note_each(
        twice,
        f"SELECT _id, _seq, CASE WHEN patients > 1 THEN 'others' ELSE 'own' END AS which "
        f"FROM (SELECT _id, _seq, {sha} AS h FROM {src}) "
        f"JOIN (SELECT {sha} AS h, count(*) AS n, count(DISTINCT _patient) AS patients FROM {src} "
        f"WHERE regexp_full_match({sha}, '[0-9a-f]{{64}}') GROUP BY h HAVING n > 1) USING (h)",
    )


def clinicians(book: Book, shape: EntityShape, shapes: dict[str, EntityShape]) -> None:
    """Without e-mail, with one that others have too, gone, or named by records as text alone."""
    if "mail" not in shape.roles:
        return
    column = shape.roles["mail"]
    mail, src = f"lower(trim({ident(column)}))", ident("src_" + shape.name)
    fate = "to the User a person decides, else to the fallback"
    heads = {
        "none": Head("R-USER-EMAIL", "warning", shape.name, (column,), "a practitioner without e-mail address", fate),
        "shared": Head(
            "R-USER-SHARED", "warning", shape.name, (column,), "several practitioners with one e-mail address", fate
        ),
    }
    book.note_each(
        heads,
        f"SELECT _id, _seq, CASE WHEN coalesce(mail, '') = '' THEN 'none' WHEN n > 1 THEN 'shared' END AS which FROM "
        f"(SELECT _id, _seq, {mail} AS mail, count(*) OVER (PARTITION BY {mail}) AS n FROM {src})",
    )
    if "active" in shape.roles:
        gone = Head("R-USER-LEFT", "note", shape.name, (shape.roles["active"],), "a practitioner who has left", fate)
        book.note(
            gone, f"SELECT _id, _seq FROM {src} WHERE lower(trim({ident(shape.roles['active'])})) IN ('false', '0')"
        )
    for other in shapes.values():
        _named(book, other, shape)


def _named(book: Book, other: EntityShape, shape: EntityShape) -> None:
    """Records that name the practitioner as text alone."""
    author = other.roles.get("author")
    ids = [c for c, target in other.refs.items() if target == shape.name]
    if author and ids:
        text = Head(
            "R-USER-TEXT",
            "note",
            other.name,
            (author,),
            "the practitioner is named as text alone",
            "the name is sent as text, the fallback owns it",
        )
        unnamed = " AND ".join(f"coalesce(is_blank({ident(c)}), true)" for c in ids)
        book.note(
            text,
            f"SELECT _id, _seq FROM {ident('src_' + other.name)} "
            f"WHERE {unnamed} AND NOT coalesce(is_blank({ident(author)}), true)",
        )


def deleted(book: Book, shape: EntityShape) -> None:
    """Rows that the clinic has deleted and still shows."""
    if "isDeleted" in shape.columns:
        book.note(
            Head("R-DELETED", "note", shape.name, ("isDeleted",), "deleted at the clinic", "not sent"),
            f"SELECT _id, _seq FROM {ident('src_' + shape.name)} WHERE lower(trim(\"isDeleted\")) IN ('true', '1')",
        )


def states(book: Book, shape: EntityShape, week_ago: str, today: str) -> None:
    """Rows that are over and still open, and rows that are done before their day."""
    day = f"left({ident(shape.dated)}, 10)"
    plain = f"regexp_full_match({day}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    for kind, test, edge, text in (
        ("open", "<", week_ago, "more than a week over and still open"),
        ("done", ">", today, "done, and its day is yet to come"),
    ):
        ids = [key for key, said in shape.states.items() if said == kind]
        if ids:
            marks = ", ".join(f"${number}" for number in range(2, len(ids) + 2))
            book.note(
                Head("R-STATE-TIME", "warning", shape.name, (shape.state,), text, "sent", kind),
                f"SELECT _id, _seq FROM {ident('src_' + shape.name)} "
                f"WHERE {ident(shape.state)} IN ({marks}) AND {plain} AND {day} {test} $1",
                [edge, *ids],
            )
