"""A currency by its code, for a value map that knows the currencies of the org."""

from __future__ import annotations

from chartlift.transforms import code_text
from chartlift.transforms.outcome import Outcome

UNMAPPED = "R-CUR"
FINDINGS = code_text.FINDINGS | {"R-CUR": "a currency that the org does not know, or that nobody has confirmed"}


def reference(x: str | None) -> Outcome:
    """The code in upper case."""
    return code_text.reference(x)
