"""What a part of a formula becomes: SQL with the kind of its value."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = {
    "text": "Text", "number": "Number", "boolean": "Boolean", "date": "Date", "datetime": "DateTime", "time": "Time",
    "picklist": "Picklist", "multipicklist": "Picklist (Multi-Select)", "null": "Null",
}  # fmt: skip
"""What error texts call a kind."""
KINDS = {
    "boolean": "boolean", "double": "number", "currency": "number", "percent": "number", "int": "number",
    "long": "number", "date": "date", "datetime": "datetime", "time": "time", "picklist": "picklist",
    "multipicklist": "multipicklist",
}  # fmt: skip
"""Field type to kind; every other type is text."""


class FormulaError(ValueError):
    """A formula that the platform would not let anybody save; the text is what Setup shows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """SQL of one value. A text is never null, its blank is empty; all other kinds may be null.

    `field` is the API name when the piece is a field of the record itself.
    """

    sql: str
    kind: str
    field: str | None = None


def expect(what: str, piece: Piece, *kinds: str) -> str:
    """The SQL of a piece that must have one of the kinds. Raises FormulaError."""
    if piece.kind in kinds:
        return piece.sql
    if piece.kind in {"picklist", "multipicklist"} and piece.field:
        raise FormulaError(
            f"Field {piece.field} is a picklist field. Picklist fields are only supported in certain functions."
        )
    if piece.kind == "null" and "boolean" not in kinds:
        return "''" if kinds == ("text",) else "NULL"
    message = f"Incorrect parameter type for {what}. Expected {NAMES[kinds[0]]}, received {NAMES[piece.kind]}"
    raise FormulaError(message)


def blank_test(piece: Piece) -> str:
    """SQL that is true where the piece has no value."""
    return f"({piece.sql} = '')" if piece.kind == "text" else f"({piece.sql} IS NULL)"


def same_kind(what: str, pieces: list[Piece]) -> str:
    """The one kind of several pieces; nulls fit everywhere. Raises FormulaError when they differ."""
    kinds = {piece.kind for piece in pieces} - {"null"}
    if len(kinds) > 1:
        first = next(piece for piece in pieces if piece.kind != "null")
        other = next(piece for piece in pieces if piece.kind not in {"null", first.kind})
        expect(what, other, first.kind)
    return kinds.pop() if kinds else "null"
