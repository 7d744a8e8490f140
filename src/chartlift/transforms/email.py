"""An e-mail address as the org takes it, in lower case as the org stores it."""

from __future__ import annotations

import string

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-EMAIL": "no e-mail address that the org takes (ASCII, one @, a full domain)"}
_ALNUM = set(string.ascii_lowercase + string.digits)
_ATOM = _ALNUM | set("!#$%&'*/=?^_+-`{|}~")
_LOCAL, _TOP = 64, 63


def reference(x: str | None) -> Outcome:
    """Lower case; internationalised addresses are refused."""
    text = clean(x)
    if text is None:
        return NOTHING
    local, at, domain = text.lower().rpartition("@")
    labels = domain.split(".")
    good = (
        bool(at)
        and len(local) <= _LOCAL
        and all(atom and set(atom) <= _ATOM for atom in local.split("."))
        and len(labels) > 1
        and all(set(label) <= _ALNUM | {"-"} and label.strip("-") == label != "" for label in labels)
        and labels[-1].isalpha()
        and 1 < len(labels[-1]) <= _TOP
    )
    return Outcome(text.lower()) if good else Outcome(None, "R-EMAIL", bad=True)
