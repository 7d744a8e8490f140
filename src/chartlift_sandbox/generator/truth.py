"""Planted defects: what a careful migration must notice, and what it must then do."""

from dataclasses import dataclass
from typing import Literal

RowFate = Literal["send", "hold", "skip", "unmatched", "matched"]
FieldFate = Literal["sent", "withheld", "none"]
_WORDS = ("entity", "id", "field", "rule", "row", "fate", "note", "other")


@dataclass(frozen=True, slots=True)
class Planted:
    """One defect in one served record.

    ``row`` is the fate the record must meet (users are matched, not moved), ``fate`` that of the field (``none`` where
    the row as a whole decides). ``rule`` is a code of the rule catalogue, or one of ours: PARENT (a consequence of the
    fate of the patient, or of an invoice for its lines), R-GUARDIAN, R-STATE-TIME, R-DECEASED, R-FORMULA, R-NA,
    R-UNMAPPED, R-ADDR, R-REBUILD (payment links: listed, never moved), R-CAREPLAN, NOT-DUP (two people who look like
    one: nothing may be said of them). Lines of an invoice are the entity
    ``invoiceLine`` with the id ``<invoice>-<line>``; every other id is a number. Rules about two records (R-DUP,
    NOT-DUP) are listed at both; ``other`` is the id of the second one, ``note`` the kind of pair.
    """

    entity: str
    id: int | str
    field: str | None
    rule: str
    row: RowFate = "send"
    fate: FieldFate = "sent"
    note: str = ""
    other: int | None = None

    def as_json(self) -> dict[str, object]:
        """The line of the truth file."""
        return {name: getattr(self, name) for name in _WORDS}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case of the catalogue says about the field it spoilt; the record's id is added by the chart.

    ``other`` is how many places away the second record of a pair is.
    """

    field: str | None
    rule: str
    fate: FieldFate = "sent"
    note: str = ""
    other: int = 0
