"""The pack's type words as Salesforce field types: what to deploy, and whether a field that is there will do.

`Number(6,2)` and `Currency(16,2)` count digits before and after the point, as Setup does; metadata and describe count
all digits (precision 8 and 18).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chartlift.errors import PlanError
from chartlift.model.schema import DesiredField, FieldDescribe

_WORD = re.compile(r"\s*(\w+)\s*(?:\(([^)]*)\))?", re.ASCII)
LONGEST_TEXT = 255
SHORTEST_LONG = 256

_DESCRIBED = {
    "Text": ("string",),
    "TextArea": ("textarea", "string"),
    "LongTextArea": ("textarea",),
    "Number": ("double", "int", "long"),
    "Currency": ("currency",),
    "Checkbox": ("boolean",),
    "Date": ("date",),
    "DateTime": ("datetime",),
    "Picklist": ("picklist",),
    "Email": ("email",),
    "Phone": ("phone",),
    "Url": ("url",),
    "Lookup": ("reference",),
    "MasterDetail": ("reference",),
}


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type word taken apart: Metadata API type, and whichever of the rest the type has."""

    name: str
    length: int = 0
    whole: int = 0
    scale: int = 0
    parent: str = ""

    @property
    def precision(self) -> int:
        """All digits."""
        return self.whole + self.scale


def field_type(word: str) -> FieldType:
    """Take a type word apart; flags after it (`ExternalId`, `Unique`, `restricted`) do not matter here.

    Raises:
        PlanError: there is no such type, or its figures do not fit it.
    """
    found = _WORD.match(word)
    name, inner = (found[1], found[2] or "") if found else ("", "")
    if name not in _DESCRIBED:
        raise PlanError(f"no field type {word!r}")
    try:
        return _sized(name, inner.strip())
    except ValueError:
        raise PlanError(f"the figures of {word!r} do not fit its type") from None


def _sized(name: str, inner: str) -> FieldType:
    if name in ("Lookup", "MasterDetail"):
        if not inner.replace("_", "").isalnum():
            raise ValueError(inner)
        return FieldType(name, parent=inner)
    if name in ("Number", "Currency"):
        whole, _, scale = inner.partition(",")
        return FieldType(name, whole=int(whole), scale=int(scale or 0))
    if name == "Text":
        length = int(inner)
        return FieldType("Text", length=length) if length <= LONGEST_TEXT else FieldType("LongTextArea", length=length)
    if name == "LongTextArea":
        return FieldType(name, length=max(int(inner), SHORTEST_LONG))
    return FieldType(name)


def will_do(wanted: DesiredField, there: FieldDescribe) -> bool:
    """Whether a field of the org can take what the pack sends: same type, no smaller, no picklist value lacking."""
    kind = field_type(wanted.type)
    if there.type not in _DESCRIBED[kind.name]:
        return False
    if kind.parent:
        return kind.parent in there.reference_to
    if kind.length and there.length < kind.length:
        return False
    if kind.whole and (there.precision - there.scale < kind.whole or there.scale < kind.scale):
        return False
    if (wanted.unique and not there.unique) or (wanted.external_id and not there.external_id):
        return False
    return not set(wanted.values) - set(there.picklist)
