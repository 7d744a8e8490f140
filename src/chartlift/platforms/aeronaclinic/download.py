"""The content of a document as a stream: what breaks off is taken up where it broke, if the clinic can do that."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from chartlift.errors import Unreachable
from chartlift.model.source import NoContent
from chartlift.platforms.aeronaclinic.errors import BadAnswer, Broken, Declined
from chartlift.platforms.aeronaclinic.profile import Transport
from chartlift.platforms.aeronaclinic.session import Flow, Session

_PARTIAL = 206
_SLOWEST = 8192  # bytes a second that a content has to come with, once its first deadline is over
_PROGRESS = 1 << 20  # bytes after which a broken connection counts as the first one again


def pieces(session: Session, path: str, bounds: Transport) -> Iterator[bytes]:
    """The bytes at `path`, each once and in order; a connection that breaks is taken up where it broke.

    Raises:
        Declined: a lasting no of the clinic's, before anything came.
        NoContent: too large, or the clinic cannot deliver it, or (torn) what was begun cannot be ended.
        Unreachable: no answer at all.
    """
    got, tag, failures, since = 0, "", 0, 0
    while True:
        try:
            with session.opened(path, _from(got, tag)) as answer:
                skip = _skip(answer, got, tag)
                tag = answer.headers.get("etag", "")
                _fits(answer.headers, got - skip, bounds)
                for fresh in _fresh(_timely(answer, bounds), skip):
                    got += len(fresh)
                    if got > bounds.max_content:
                        raise NoContent("too large")
                    yield fresh
        except Declined:
            if got:  # withdrawn in the middle: another answer must not be put behind what there is
                raise NoContent("torn") from None
            raise
        except (BadAnswer, Broken) as error:
            failures, since = (1, got) if got - since >= _PROGRESS else (failures + 1, since)
            if failures == bounds.tries:
                raise _final(error) from None
        else:
            return
        session.pause(failures)


def _timely(answer: Flow, bounds: Transport) -> Iterator[bytes]:
    """The body as it comes; one that only trickles is given up.

    Raises:
        BadAnswer: it takes too long.
    """
    begun, size = time.monotonic(), 0
    for piece in answer.pieces():
        size += len(piece)
        if time.monotonic() - begun > bounds.deadline + size / _SLOWEST:
            raise BadAnswer("the content takes too long")
        yield piece


def _fresh(body: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """The body without its first `skip` bytes."""
    for piece in body:
        yield piece[skip:]
        skip -= min(skip, len(piece))


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
        raise NoContent("torn")  # what was handed out cannot be taken back
    return got


def _fits(headers: Mapping[str, str], before: int, bounds: Transport) -> None:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and before + int(length) > bounds.max_content:
        raise NoContent("too large")


def _final(error: Exception) -> Exception:
    if isinstance(error, BadAnswer):
        return NoContent("unreadable")
    return Unreachable(f"AeronaClinic does not answer ({error}, a document)", hint="run the same command again")
