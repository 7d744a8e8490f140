"""People: who is alone, who has died, what birth dates and names say of themselves."""

from __future__ import annotations

from datetime import date

from chartlift.model.source import EntityShape
from chartlift.stages.soundness.book import Book, Head
from chartlift.stages.sqltext import ident, literal

CONSENT_AGE = 16


def look(book: Book, shape: EntityShape, shapes: dict[str, EntityShape], today: date) -> None:
    """Everything about the people of one entity that needs no map."""
    _alone(book, shape, today)
    _deceased(book, shape, shapes, today)
    _birth(book, shape, shapes)
    _names(book, shape)


def living(shape: EntityShape, alias: str = "s") -> str:
    """FROM clause: the records that are neither deleted nor merged away."""
    name = literal(shape.name)
    return (
        f"FROM {ident('src_' + shape.name)} {alias} "
        f"ANTI JOIN src_deleted d ON d.entity = {name} AND d.id = {alias}._id "
        f"ANTI JOIN src_merged m ON m.entity = {name} AND m.id = {alias}._id"
    )


def _alone(book: Book, shape: EntityShape, today: date) -> None:
    """Children below the age of consent without a guardian."""
    born, guardian = shape.person.get("born"), shape.person.get("guardian")
    if not born or not guardian:
        return
    youngest = f"{today.year - CONSENT_AGE:04d}-{today:%m-%d}"
    text = f"younger than {CONSENT_AGE} and no guardian is named"
    book.note(
        Head("R-GUARDIAN", "warning", shape.name, (guardian,), text, "sent"),
        f"SELECT _id, _seq FROM {ident('src_' + shape.name)} WHERE {ident(born)} > $1 AND {ident(born)} <= $2 "
        f"AND coalesce(is_blank({ident(guardian)}), true)",
        [youngest, today.isoformat()],
    )


def _deceased(book: Book, shape: EntityShape, shapes: dict[str, EntityShape], today: date) -> None:
    """People who have died, with a visit or a reminder still ahead of them."""
    died, status = shape.person.get("deceased"), shape.person.get("status")
    if not died or not status:
        return
    gone = f"(NOT coalesce(is_blank(p.{ident(died)}), true) OR fold(p.{ident(status)}) = 'deceased')"
    for ahead in shapes.values():
        open_ones = [key for key, said in ahead.states.items() if said == "open"]
        if not ahead.dated or not open_ones or ahead.refs.get(ahead.patient) != shape.name:
            continue
        states = ", ".join(literal(key) for key in open_ones)
        text = "has died, and something is still planned for them"
        fate = "sent; every contact permission of theirs is off"
        book.note(
            Head("R-DECEASED", "warning", ahead.name, (ahead.patient,), text, fate),
            f"SELECT s._id, s._seq FROM {ident('src_' + ahead.name)} s JOIN {ident('src_' + shape.name)} p "
            f"ON p._id = s._patient WHERE {gone} AND s.{ident(ahead.state)} IN ({states}) "
            f"AND left(s.{ident(ahead.dated)}, 10) > $1",
            [today.isoformat()],
        )


def _birth(book: Book, shape: EntityShape, shapes: dict[str, EntityShape]) -> None:
    born, died = shape.person.get("born"), shape.person.get("deceased")
    if not born:
        return
    cell = f"s.{ident(born)}"
    book.note(
        Head("R-DOB-MISSING", "note", shape.name, (born,), "no birth date is recorded", "sent without"),
        f"SELECT s._id, s._seq {living(shape)} WHERE coalesce(is_blank({cell}), true)",
    )
    plain = "regexp_full_match(left({}, 10), '[12][0-9]{{3}}-[01][0-9]-[0-3][0-9]')"
    if died:
        end = f"s.{ident(died)}"
        book.note(
            Head("R-DOB-ORDER", "warning", shape.name, (born, died), "born after the day of death", "sent"),
            f"SELECT s._id, s._seq {living(shape)} WHERE {plain.format(cell)} AND {plain.format(end)} "
            f"AND left({cell}, 10) > left({end}, 10)",
        )
    for other in shapes.values():
        if other.states and other.dated and other.refs.get(other.patient) == shape.name:
            seen = f"o.{ident(other.dated)}"
            done = ", ".join(literal(key) for key, said in other.states.items() if said == "done") or "NULL"
            book.note(
                Head(
                    "R-DOB-ORDER", "warning", other.name, (other.dated,), "a visit before the patient was born", "sent"
                ),
                f"SELECT o._id, o._seq FROM {ident('src_' + other.name)} o JOIN {ident('src_' + shape.name)} s "
                f"ON s._id = o._patient WHERE o.{ident(other.state)} IN ({done}) AND {plain.format(cell)} "
                f"AND {plain.format(seen)} AND left({cell}, 10) > left({seen}, 10)",
            )


def _names(book: Book, shape: EntityShape) -> None:
    surname, forename = shape.person.get("surname"), shape.person.get("forename")
    if not surname or not forename:
        return
    one = Head("R-NAME-ONE", "note", shape.name, (forename,), "one name only", "sent")
    book.note(
        one,
        f"SELECT s._id, s._seq {living(shape)} WHERE fold(s.{ident(forename)}) IS NULL "
        f"AND fold(s.{ident(surname)}) IS NOT NULL",
    )
    test = Head(
        "R-NAME-TEST", "note", shape.name, (forename, surname), "the name of a test patient, or of nobody", "sent"
    )
    words = (
        "'test', 'testpatient', 'patienttest', 'dummy', 'dummypatient', 'donotuse', 'newpatient', 'mickeymouse', 'asdf'"
    )
    book.note(
        test,
        f"SELECT s._id, s._seq {living(shape)} WHERE fold(s.{ident(surname)}) IN ({words}) "
        f"OR fold(s.{ident(forename)} || s.{ident(surname)}) IN ({words})",
    )
