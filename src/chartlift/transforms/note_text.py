"""The text of a clinical note, as long as it is. Notes in HTML and RTF become plain text.

The stage cuts what is longer than a field into parts (`parts.cut`). The macro answers texts that are plain and short.
"""

from __future__ import annotations

from collections.abc import Callable

from chartlift.transforms import markup, rtf
from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note, text_outcome
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

KIND = "parts"
QUICK = True
ARGUMENTS = 1
FINDINGS = TEXT_FINDINGS | {
    "R-TEXT-HTML": "the note was written in HTML and is sent as plain text",
    "R-TEXT-RTF": "the note was written in RTF and is sent as plain text",
    "R-TEXT-MARKUP": "the note and its stated format do not agree; it is sent as it was typed",
    "R-LONG": "longer than a long text field in the org, and there is no place to cut it",
}
_HTML = {"html", "htm", "xhtml", "texthtml"}
_RTF = {"rtf", "richtext", "textrtf", "applicationrtf"}


def reference(x: str | None, note_format: str | None) -> Outcome:
    """The whole canonical text of `x`, of any length. `note_format`: PLAIN (or blank), HTML or RTF."""
    typed = text_outcome(x)
    if x is None or typed.v is None:
        return typed
    stated = fold(note_format) or ""
    if stated in _HTML:
        return _converted(x, markup.plain_text, "R-TEXT-HTML")
    if stated in _RTF and rtf.is_rtf(typed.v):
        return _converted(x, rtf.plain_text, "R-TEXT-RTF")
    if stated in _RTF or rtf.is_rtf(typed.v) or markup.has_tags(typed.v):
        return typed._replace(note=typed.note or "R-TEXT-MARKUP")
    return typed


def _converted(x: str, plain_text: Callable[[str], str], code: str) -> Outcome:
    text = plain_text(x)
    v = clean(text)
    if v is None:
        return NOTHING
    return Outcome(v, text_note(text) or (code if v != clean(x) else None))
