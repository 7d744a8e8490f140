"""Plain text of notes that were written in HTML or RTF."""

import re
from html.parser import HTMLParser

BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "thead",
        "tr",
        "ul",
    ]
)
SILENT = frozenset(("script", "style", "head", "title", "template"))
# what a page shows as one blank; a no-break space is kept
BLANKS = re.compile(r"[ \t\n\r\f]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag in SILENT:
            self._silent += 1
        elif tag == "br":
            self.lines.append("")
        elif tag in BLOCKS:
            self._open_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in BLOCKS:
            self._open_line()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            joined = self.lines[-1] + BLANKS.sub(" ", data)
            self.lines[-1] = re.sub(" +", " ", joined).lstrip(" ")

    def _open_line(self) -> None:
        if self.lines[-1].strip(" "):
            self.lines.append("")


def html_text(raw: str) -> str:
    """What the page shows: blocks begin on a line of their own, runs of blanks are one."""
    reader = _Reader()
    reader.feed(raw)
    reader.close()
    return "\n".join(line.rstrip(" ") for line in reader.lines)


TOKEN = re.compile(r"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]+)(-?\d+)? ?|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)")
HIDDEN = frozenset(("fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "listtable", "generator"))
SIGNS = {
    "par": "\n", "line": "\n", "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "bullet": "\u2022",
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
}  # fmt: skip


def rtf_text(raw: str) -> str:
    """The visible text of an RTF document in Windows-1252 with \\u escapes."""
    out: list[str] = []
    hidden, groups, swallow, width = False, list[tuple[bool, int]](), 0, 1
    for escaped, word, number, symbol, brace, plain in TOKEN.findall(raw):
        if brace == "{":
            groups.append((hidden, width))
        elif brace == "}":
            hidden, width = groups.pop() if groups else (False, 1)
        elif symbol == "*" or word in HIDDEN:
            hidden = True
        elif hidden:
            continue
        elif escaped:
            if not swallow:
                out.append(bytes.fromhex(escaped).decode("cp1252", "replace"))
            swallow = max(0, swallow - 1)
        elif word == "u":
            out.append(chr(int(number) % 65_536))
            swallow = width
        elif word == "uc":
            width = int(number)
        elif word:
            out.append(SIGNS.get(word, ""))
        elif symbol:
            out.append({"~": "\u00a0", "_": "\u2011"}.get(symbol, symbol if symbol in "\\{}" else ""))
        else:
            out.append(plain[swallow:])
            swallow = 0
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
