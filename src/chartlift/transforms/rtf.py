"""Notes written in RTF as plain text. Source: the RTF specification 1.9.1 (groups, destinations, code pages)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

_TOKEN = re.compile(
    r"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
_NOT_TEXT = (
    "atnid atnref author bkmkend bkmkstart blipuid buptim category colorschememapping colortbl comment company creatim "
    "datafield datastore doccomm ebcend ebcstart factoidname falt fldinst fontemb footer footerf footerl footerr "
    "ftncn ftnsep ftnsepc aftncn aftnsep aftnsepc generator gridtbl header headerf headerl headerr info keywords "
    "latentstyles listoverridetable listpicture listtable manager nonshppict objdata operator panose pict printim "
    "private revtbl revtim rsidtbl rxe stylesheet subject tc template themedata title txe userprops xe xmlnstbl"
)
_DROPPED = frozenset(_NOT_TEXT.split())
_WRITTEN = frozenset({"annotation", "shptxt", "shprslt"})  # text in a group that readers may ignore
_WORDS = {
    "par": "\n",
    "line": "\n",
    "row": "\n",
    "nestrow": "\n",
    "sect": "\n\n",
    "page": "\n\n",
    "column": "\n",
    "tab": "\t",
    "cell": "\t",
    "nestcell": "\t",
    "emdash": "\u2014",
    "endash": "\u2013",
    "emspace": "\u2003",
    "enspace": "\u2002",
    "qmspace": "\u2005",
    "bullet": "\u2022",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
}
_SYMBOLS = {"~": "\u00a0", "_": "\u2011", "\n": "\n", "\r": "\n", "{": "{", "}": "}", "\\": "\\"}
_CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
_PAGES = {"10000": "mac_roman", "65001": "utf-8"}
_SETS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}


def is_rtf(text: str) -> bool:
    """Whether a text begins as RTF does."""
    return text.lstrip().startswith("{\\rtf")


def plain_text(text: str) -> str:
    """The text of an RTF document. Bytes that its code page does not know become U+FFFD."""
    reader = _Reader(text)
    at = 0
    while found := _TOKEN.match(text, at):
        at = found.end() + reader.take(found)
    reader.flush()
    # \u gives UTF-16 units: the two halves of a character become one, a lone half U+FFFD.
    return "".join(reader.made).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class _Group:
    """What a group inherits and its end restores."""

    dropped: bool = False
    fonts: bool = False  # inside the font table
    units: int = 1  # characters that stand for a \u where it is not known
    font: str | None = None


@dataclass
class _Reader:
    text: str
    made: list[str] = field(default_factory=list)
    bytes_read: bytearray = field(default_factory=bytearray)
    groups: list[_Group] = field(default_factory=list)
    now: _Group = field(default_factory=_Group)
    page: str = "cp1252"
    fonts: dict[str, str] = field(default_factory=dict)
    default_font: str | None = None
    skipped: int = 0  # how many characters are still to be left out behind a \u
    starred: bool = False

    def take(self, found: re.Match[str]) -> int:
        """Read a token; answers how many characters behind it are binary data."""
        word, number, byte, symbol, brace, run = found.groups()
        if byte is None:
            self.flush()
        starred, self.starred = self.starred, symbol == "*"
        if word:
            self.skipped = 0
            return self.word(word, number, starred=starred)
        if byte is not None:
            if self.skipped:
                self.skipped -= 1
            elif not self.now.dropped:
                self.bytes_read += bytes.fromhex(byte)
        elif brace:
            self.brace(brace)
        elif symbol is not None:
            self.skipped = max(0, self.skipped - 1)
            self.write(_SYMBOLS.get(symbol, ""))
        elif run:
            left_out = min(self.skipped, len(run))
            self.skipped -= left_out
            self.write(run[left_out:])
        return 0

    def brace(self, brace: str) -> None:
        self.skipped = 0
        if brace == "{":
            self.groups.append(self.now)
        elif self.groups:
            self.now = self.groups.pop()

    def word(self, word: str, number: str | None, *, starred: bool) -> int:
        if word == "bin":
            return max(0, int(number or 0))
        if word in _DROPPED or (starred and word not in _WRITTEN):
            self.now = replace(self.now, dropped=True)
        elif word in _WRITTEN:
            self.now = replace(self.now, dropped=False)
        elif word == "fonttbl":
            self.now = replace(self.now, dropped=True, fonts=True)
        elif word in _WORDS:
            self.write(_WORDS[word])
        elif word == "u":
            self.write(chr(int(number or 0xFFFD) & 0xFFFF))
            self.skipped = self.now.units
        else:
            self.setting(word, number)
        return 0

    def setting(self, word: str, number: str | None) -> None:
        """Words that say how what follows is encoded."""
        if word == "uc":
            self.now = replace(self.now, units=max(0, int(number or 1)))
        elif word == "f" and number:
            self.now = replace(self.now, font=number)
        elif word == "plain":
            self.now = replace(self.now, font=self.default_font)
        elif word == "deff":
            self.default_font = number
        elif word == "fcharset" and self.now.fonts and self.now.font:
            self.fonts[self.now.font] = _CHARSETS.get(int(number or 0), "")
        elif word == "ansicpg" and number:
            self.page = _codec(_PAGES.get(number, f"cp{number}"))
        elif word in _SETS:
            self.page = _SETS[word]

    def write(self, text: str) -> None:
        if text and not self.now.dropped:
            self.made.append(text)

    def flush(self) -> None:
        """Decode bytes written in hex, in the code page of the font."""
        if self.bytes_read:
            font = self.now.font or self.default_font or ""
            self.made.append(self.bytes_read.decode(self.fonts.get(font) or self.page, "replace"))
            self.bytes_read.clear()


def _codec(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
