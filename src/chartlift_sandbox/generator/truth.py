"""Planted defects: what a careful migration must notice, and what it must then do."""

from dataclasses import dataclass
from typing import Literal

RowFate = Literal["send", "hold", "skip", "unmatched", "matched"]
FieldFate = Literal["sent", "withheld", "none"]
_WORDS = ("entity", "id", "field", "rule", "row", "fate", "note")


@dataclass(frozen=True, slots=True)
class Planted:
    """One defect in one served record.

    ``row`` is the fate the record must meet (users are matched, not moved), ``fate`` that of the field (``none`` where
    the row as a whole decides). ``rule`` is a code of the rule catalogue, or one of ours: PARENT (a consequence of the
    fate of the patient, or of an invoice for its lines), R-GUARDIAN, R-STATE-TIME, R-DECEASED, R-FORMULA, R-NA,
    R-UNMAPPED, R-ADDR, R-REBUILD (payment links: listed, never moved), R-CAREPLAN. Lines of an invoice are the entity
    ``invoiceLine`` with the id ``<invoice>-<line>``; every other id is a number.
    """

    entity: str
    id: int | str
    field: str | None
    rule: str
    row: RowFate = "send"
    fate: FieldFate = "sent"
    note: str = ""

    def as_json(self) -> dict[str, object]:
        """The line of the truth file."""
        return {name: getattr(self, name) for name in _WORDS}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case of the catalogue says about the field it spoilt; the record's id is added by the chart."""

    field: str | None
    rule: str
    fate: FieldFate = "sent"
    note: str = ""
