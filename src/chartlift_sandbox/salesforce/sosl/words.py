"""What stands between the braces of FIND: words with wildcards, phrases, AND, OR, AND NOT and brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.soql import refusal

MOST_WITH_OPERATORS, MOST = 4_000, 10_000
"""Beyond the first length AND, OR and NOT count for nothing and any word will do; beyond the second nothing is found."""
MAX_DEPTH = 60
_SHORTEST = 2
_TOKEN = re.compile(
    r'(?P<space>\s+)|(?P<quote>"(?:\\.|[^"\\])*")|(?P<bracket>[()])|(?P<word>(?:\\.|[^\s()"\\])+)', re.DOTALL
)
_RESERVED = re.compile(r"\\.|[&|!{}\[\]^~:\"\\-]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_STAR, _ANY = "\ue000", "\ue001"
_PIECE = re.compile(rf"[^\W\d_{_STAR}{_ANY}]+|\d+|[{_STAR}{_ANY}]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other; `*` and `?` in them are wildcards."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """Every one of the parts, and none of the others."""

    parts: tuple[Sought, ...]
    without: tuple[Sought, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts."""

    parts: tuple[Sought, ...]


Sought = Phrase | Both | Either


def pieces(text: str) -> list[str]:
    """The words of a text in small letters: runs of letters and of digits."""
    return [piece.lower() for piece in _PIECE.findall(text)]


def parse(words: str, text: str, at: int, *, strict: bool = True) -> Sought | None:
    """What is sought; None when nothing can be found.

    Args:
        words: The text between the braces.
        text: The whole statement and
        at: where the words stand in it, for the error.
        strict: Whether reserved characters have to be escaped, as in SOSL.

    Raises:
        OrgError: MALFORMED_SEARCH for a reserved character or brackets that do not fit; INVALID_SEARCH when no word has
            two characters.
    """
    if strict:
        _check_reserved(words, text, at)
    if len(words) > MOST:
        return None
    reader = _Reader(words, text, at)
    sought: Sought | None = Either(tuple(reader.every())) if len(words) > MOST_WITH_OPERATORS else reader.whole()
    if not any(_long_enough(phrase) for phrase in reader.phrases):
        raise OrgError("INVALID_SEARCH", f"search term must be longer than one character: {words}")
    return sought


def _check_reserved(words: str, text: str, at: int) -> None:
    quoted = 0
    for found in _RESERVED.finditer(words):
        sign = found.group(0)
        if sign == '"':
            quoted += 1
        elif len(sign) == 1:
            raise _mismatched(text, at + found.start(), sign, "}")
    if quoted % 2:
        raise _mismatched(text, at + len(words), "}", '"')


def _mismatched(text: str, at: int, sign: str, wanted: str) -> OrgError:
    message = f"line 1:{at} mismatched character '{sign}' expecting '{wanted}'"
    return refusal.placed("MALFORMED_SEARCH", text, at - 1, message)


def _long_enough(phrase: Phrase) -> bool:
    return sum(len(word.replace("*", "").replace("?", "")) for word in phrase.words) >= _SHORTEST


def _phrase(written: str) -> Phrase:
    """Wildcards at the beginning of a word count for nothing."""
    plain = written.replace("*", _STAR).replace("?", _ANY)
    plain = _ESCAPED.sub(lambda found: " " if found.group(1) in {_STAR, _ANY} else found.group(1), plain)
    joined: list[str] = []
    end = -1
    for piece in _PIECE.finditer(plain):
        shown = piece.group(0).lower().replace(_STAR, "*").replace(_ANY, "?")
        wild = shown in {"*", "?"} or (joined and joined[-1][-1] in "*?")
        if wild and piece.start() == end and joined:
            joined[-1] += shown
        elif shown not in {"*", "?"}:
            joined.append(shown)
        end = piece.end()
    return Phrase(tuple(joined))


class _Reader:
    """Reads alternatives of parts: OR binds less than AND, words side by side are joined by AND."""

    def __init__(self, words: str, text: str, at: int) -> None:
        self._text, self._at = text, at
        found = (one for one in _TOKEN.finditer(words) if one.lastgroup != "space")
        self._tokens = [(str(one.lastgroup), one.group(0), one.start()) for one in found]
        self._end = at + len(words)
        self._place = 0
        self._depth = 0
        self.phrases: list[Phrase] = []

    def every(self) -> list[Sought]:
        """Every word and phrase, operators left out."""
        for kind, written, _ in self._tokens:
            if kind != "bracket" and written.upper() not in {"AND", "OR", "NOT"}:
                self._keep(kind, written)
        return list(self.phrases)

    def whole(self) -> Sought | None:
        """The whole text."""
        sought = self._alternatives()
        if self._place < len(self._tokens):
            raise self._stop()
        return sought

    def _stop(self) -> OrgError:
        if self._place < len(self._tokens):
            _, written, start = self._tokens[self._place]
            return _mismatched(self._text, self._at + start, written[0], "}")
        return _mismatched(self._text, self._end, "}", ")" if self._depth else "a word")

    def _is(self, *words: str) -> bool:
        ahead = self._tokens[self._place : self._place + len(words)]
        return tuple(written.upper() for kind, written, _ in ahead if kind != "quote") == words

    def _take(self, *words: str) -> bool:
        found = self._is(*words)
        self._place += len(words) if found else 0
        return found

    def _alternatives(self) -> Sought | None:
        parts = [self._joined()]
        while self._take("OR"):
            parts.append(self._joined())
        given = [part for part in parts if part is not None]
        return given[0] if len(given) == 1 else Either(tuple(given)) if given else None

    def _joined(self) -> Sought | None:
        parts: list[Sought] = []
        without: list[Sought] = []
        while self._place < len(self._tokens) and not self._is("OR") and not self._is(")"):
            negated = self._take("AND", "NOT")
            if not negated:
                self._take("AND")
            one = self._one()
            if one is not None:
                (without if negated else parts).append(one)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 and not without else Both(tuple(parts), tuple(without))

    def _one(self) -> Sought | None:
        if self._place >= len(self._tokens):
            raise self._stop()
        kind, written, _ = self._tokens[self._place]
        if kind != "bracket":
            self._place += 1
            return self._keep(kind, written)
        if written == ")" or self._depth >= MAX_DEPTH:
            raise self._stop()
        self._place += 1
        self._depth += 1
        inner = self._alternatives()
        if not self._take(")"):
            raise self._stop()
        self._depth -= 1
        return inner

    def _keep(self, kind: str, written: str) -> Phrase | None:
        phrase = _phrase(written[1:-1] if kind == "quote" else written)
        if not phrase.words:
            return None
        self.phrases.append(phrase)
        return phrase
