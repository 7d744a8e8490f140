"""Auto-number formats such as `APT-{00000000}`: fixed text around one counter."""

from __future__ import annotations

import re

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc

_PLACE = re.compile(r"\{(0+)\}")


def render(numbers: pa.Array, display_format: str) -> pa.Array:
    """The texts of counters; a number longer than its places is shown whole."""
    match = _PLACE.search(display_format)
    width = len(match[1]) if match else 1
    before = display_format[: match.start()] if match else display_format
    after = display_format[match.end() :] if match else ""
    digits = pc.utf8_lpad(pc.cast(numbers, pa.string()), width, "0")
    return pc.binary_join_element_wise(before, digits, after, "")
