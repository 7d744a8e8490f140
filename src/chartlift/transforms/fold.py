"""Fold codes and names so that case, punctuation and blanks do not count; and slugs for keys. Twin of fold.sql."""

from __future__ import annotations

import hashlib
import unicodedata

_SLUG_UNITS = 40
_SLUG_HEAD = 31


def fold(x: str | None) -> str | None:
    """Letters and digits of `x` in lower case; None if there are none."""
    if x is None:
        return None
    lower = "".join(c.lower() for c in unicodedata.normalize("NFC", x))
    return "".join(c for c in lower if unicodedata.category(c)[0] in "LN") or None


def slug(x: str | None) -> str | None:
    """A name as part of a key: a-z, 0-9 and single dashes, at most 40 characters; None if it has no letter or digit.

    Where letters had to be left out, or it was too long, it ends in eight hex digits of the folded name.
    """
    folded = fold(x)
    if x is None or folded is None:
        return None
    composed = unicodedata.normalize("NFC", x)
    bare = "".join(c for c in unicodedata.normalize("NFD", composed) if unicodedata.category(c) != "Mn").lower()
    words = "".join(c if c.isascii() and c.isalnum() else "-" for c in bare)
    joined = "-".join(part for part in words.split("-") if part)
    if bare.isascii() and joined and len(joined) <= _SLUG_UNITS:
        return joined
    digest = hashlib.md5(folded.encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{joined[:_SLUG_HEAD]}-{digest}".strip("-")
