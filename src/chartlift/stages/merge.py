"""The one three-way merge: what may be written over a field that others can edit too.

`ours` is the value as the org stored it after our last write, `now` what the org holds, `wanted` what we would write
(the source's new value in a delta, the pre-image in a rollback). Without `ours` nobody else can have edited *since us*.
- write  if wanted differs from now, and now still is ours
- kept   if wanted differs from now, and a person (or the org's automation) changed it since
"""

from __future__ import annotations


def edited(ours: str, now: str, known: str) -> str:
    """SQL: somebody else changed the field since our last write (`known` = there is such a write)."""
    return f"({known} AND {now} IS DISTINCT FROM {ours})"


def write(wanted: str, ours: str, now: str, known: str) -> str:
    """SQL: the field is to be written."""
    return f"({wanted} IS DISTINCT FROM {now} AND NOT {edited(ours, now, known)})"


def kept(wanted: str, ours: str, now: str, known: str) -> str:
    """SQL: the field would be written, but is kept as somebody else left it."""
    return f"({wanted} IS DISTINCT FROM {now} AND {edited(ours, now, known)})"
