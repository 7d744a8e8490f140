"""The content of a document as a stream: what breaks off is taken up where it broke, if the clinic can do that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chartlift.errors import Unreachable
from chartlift.model.source import NoContent
from chartlift.platforms.aeronaclinic.errors import BadAnswer, Broken
from chartlift.platforms.aeronaclinic.profile import Transport
from chartlift.platforms.aeronaclinic.session import Flow, Session

_PIECE = 1 << 18
_PARTIAL = 206


def pieces(session: Session, path: str, bounds: Transport) -> Iterator[bytes]:
    """The bytes at `path`, each once and in order, however often the connection breaks.

    Raises:
        Declined: a lasting no of the clinic's.
        NoContent: too large, or the clinic cannot deliver it.
        Unreachable: no answer at all.
    """
    got, tag = 0, ""
    for number in range(1, bounds.tries + 1):
        try:
            with session.opened(path, _from(got, tag)) as answer:
                skip = _skip(answer, got, tag)
                tag = answer.headers.get("etag", "")
                _fits(answer.headers, got - skip, bounds)
                for piece in answer.pieces(_PIECE):
                    fresh = piece[skip:]
                    skip -= min(skip, len(piece))
                    got += len(fresh)
                    if got > bounds.max_content:
                        raise NoContent("too large")
                    yield fresh
        except (BadAnswer, Broken) as error:
            if number == bounds.tries:
                raise _final(error) from None
        else:
            return
        session.pause(number)


def _from(got: int, tag: str) -> Mapping[str, str]:
    """Only a strong tag says that what follows belongs to what there is."""
    strong = tag and not tag.startswith("W/")
    return {"Range": f"bytes={got}-", "If-Range": tag} if got and strong else {}


def _skip(answer: Flow, got: int, tag: str) -> int:
    """How many bytes of the answer have been handed out before.

    Raises:
        NoContent: another content comes than the one that was begun.
    """
    if answer.status == _PARTIAL:
        if got and answer.headers.get("content-range", "").startswith(f"bytes {got}-"):
            return 0
        raise BadAnswer("another range than was asked for")
    if got and (not tag or answer.headers.get("etag", "") != tag):
        raise NoContent("unreadable")  # what was handed out cannot be taken back: the caller begins anew
    return got


def _fits(headers: Mapping[str, str], before: int, bounds: Transport) -> None:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and before + int(length) > bounds.max_content:
        raise NoContent("too large")


def _final(error: Exception) -> Exception:
    if isinstance(error, BadAnswer):
        return NoContent("unreadable")
    return Unreachable(f"AeronaClinic does not answer ({error}, a document)", hint="run the same command again")
