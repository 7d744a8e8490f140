"""Notes written in HTML as plain text: blocks become line ends, entities their characters, scripts and styles go.

The parser of the standard library needs quadratic time on broken markup and stops at some; this one reads each character
a bounded number of times and takes everything. What is no element of HTML stays as it was typed ("BPE <4 and >2").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_BLOCKS = (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol option p pre search section "
    "select summary table tbody tfoot thead title tr ul"
)
_INLINE = (
    "a abbr acronym area audio b base basefont bdi bdo big br button canvas cite code col colgroup data datalist del "
    "dfn em embed font i iframe img input ins kbd label link map mark meta meter noscript object optgroup output param "
    "picture progress q rp rt ruby s samp script slot small source span strike strong style sub sup svg td template "
    "textarea th time track tt u var video wbr"
)
_IS_BLOCK, _IS_INLINE = frozenset(_BLOCKS.split()), frozenset(_INLINE.split())
_DROPPED = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style")}
_NAME = re.compile(r"/?([A-Za-z][^\s/>]{0,60})")
_STOPS = re.compile("[>\"']")
_BLANKS = re.compile("[ \t\r\n\f]+")
_LOOKS_LIKE_TAG = re.compile(r"<[A-Za-z/!]")
_SURE_TAGS = re.compile(
    r"</?(?:p|div|br|span|b|i|u|strong|em|ul|ol|li|table|tr|td|html|body|font|h[1-6]|a)(?:\s[^<>]{0,200})?/?>",
    re.IGNORECASE,
)


def has_tags(text: str) -> bool:
    """Whether a plain text contains what only markup would."""
    return bool(_SURE_TAGS.search(text))


def plain_text(text: str) -> str:
    """The text of an HTML document. A text without any tag keeps its line ends."""
    if not _LOOKS_LIKE_TAG.search(text):
        return html.unescape(text)
    page = _Page()
    for name, written in _pieces(text):
        if name is None:
            page.write(html.unescape(written))
        else:
            page.tag(name, closes=written.startswith("/"))
    return "".join(page.made)


class _Page:
    """The text so far."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.fresh = True  # nothing stands on the line yet
        self.blank = False  # a blank waits for what follows it
        self.kept = 0  # depth of elements that keep white space

    def write(self, text: str) -> None:
        if self.kept:
            self.made.append(text)
            self.fresh = text.endswith("\n")
            return
        words = _BLANKS.sub(" ", text)
        bare = words.strip(" ")
        if words.startswith(" "):
            self.blank = True
        if not bare:
            return
        if self.blank and not self.fresh:
            self.made.append(" ")
        self.made.append(bare)
        self.fresh, self.blank = False, words.endswith(" ")

    def tag(self, name: str, *, closes: bool) -> None:
        if name == "br":
            self.line_end()
        elif name in _IS_BLOCK:
            if not self.fresh:
                self.line_end()
            if name == "pre":
                self.kept = max(0, self.kept - 1) if closes else self.kept + 1
        elif name in {"td", "th"}:
            self.blank = True

    def line_end(self) -> None:
        self.made.append("\n")
        self.fresh, self.blank = True, False


def _pieces(text: str) -> Iterator[tuple[str | None, str]]:
    """`(None, text as typed)` and `(name in lower case, tag without <>)`; comments and declarations are left out."""
    tags = _Tags(text)
    start = at = 0
    while (at := text.find("<", at)) >= 0:
        name, end = tags.read(at)
        if end is None:
            at += 1
            continue
        if start < at:
            yield None, text[start:at]
        if name:
            yield name, text[at + 1 : end - 1]
        start = at = end
    if start < len(text):
        yield None, text[start:]


class _Tags:
    """Where tags end. Remembers what does not occur any more, so that nothing is looked for twice."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.quotes = True  # a `>` inside a quoted value does not end the tag
        self.absent: set[str] = set()

    def find(self, what: str, at: int) -> int:
        if what in self.absent:
            return -1
        found = self.text.find(what, at)
        if found < 0:
            self.absent.add(what)
        return found

    def read(self, at: int) -> tuple[str | None, int | None]:
        """The element at a `<` and where what belongs to it ends; no end: it is text."""
        text = self.text
        if text.startswith("<!--", at):
            end = self.find("-->", at + 4)
            return None, (end + 3 if end >= 0 else None)
        if text.startswith(("<!", "<?"), at):
            end = self.find(">", at)
            return None, (end + 1 if end >= 0 else None)
        found = _NAME.match(text, at + 1)
        name = found[1].lower() if found else ""
        foreign = ":" in name or "-" in name
        if found is None or not (foreign or name in _IS_BLOCK or name in _IS_INLINE):
            return None, None
        end = self._end(found.end())
        if end is None:
            return None, None
        if name in _DROPPED and text[at + 1] != "/":
            closing = _DROPPED[name].search(text, end)
            return None, (closing.start() if closing else len(text))
        return name, end

    def _end(self, at: int) -> int | None:
        first = self.find(">", at)
        if first < 0:
            return None
        place = at
        while self.quotes and (stop := _STOPS.search(self.text, place)):
            if stop[0] == ">":
                return stop.end()
            place = stop.end()
            if self.text[at : stop.start()].rstrip().endswith("="):
                closing = self.find(stop[0], place)
                place = closing + 1 if closing >= 0 else place
        self.quotes = False
        return first + 1
