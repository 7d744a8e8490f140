"""Reads a listing page by page, and does not believe what the pages say about themselves.

Pages are asked for by number, ordered by id, while the clinic is open: a deletion moves later rows forward, so that a
row can slip through between two pages. What guards against it: a falling total steps back; after the last page the
deletions since the start are counted, and if there were more than falling totals told, the listing is read once more.
Repeats do no harm, rows are told apart by id later.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from chartlift.errors import StopError, Unreachable
from chartlift.platforms.aeronaclinic.errors import BadAnswer
from chartlift.platforms.aeronaclinic.flatten import Problems, Record
from chartlift.platforms.aeronaclinic.profile import CURSOR, LINK, NONE, OFFSET, Entity, Paging
from chartlift.platforms.aeronaclinic.renaming import renamed, select

_IDLE_PAGES = 2  # pages without anything new before a listing counts as ended
_SWEEPS = 2
_UNREADABLE_ROWS = 5  # on one page; more is an outage, not broken rows
_DIGITS = 15  # of a count; beyond that it is nonsense


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing is to be read on; it is the cursor, as JSON."""

    page: int
    lane: int = 0
    size: int = 0  # rows per page as the clinic serves them; 0 = not known yet
    total: int | None = None
    drops: int = 0  # rows by which the total fell while reading
    read: int = 0  # pages read
    idle: int = 0
    first_print: str = ""
    last_print: str = ""
    started: str = ""  # ISO 8601, the clinic's time
    token: str = ""  # what the answer before said about where this page is
    mark: str = ""  # a token met before: who comes back to it goes in circles
    deleted: int = 0  # deletions that were listed at the start
    sweep: int = 0  # how often the listing was begun again
    entity: str = ""  # deletions: which entity's

    def text(self) -> str:
        """As a cursor."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str) -> Place:
        """From a cursor."""
        return cls(**json.loads(cursor))


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer of a listing."""

    records: list[Record]
    total: int | None
    more: bool
    size: int  # as the answer says; 0 = it does not
    token: str = ""


class Step(NamedTuple):
    """The records of one page, the place behind it (None = that was the last), and the listing's total so far."""

    records: list[Record]
    after: Place | None
    total: int | None


Fetch = Callable[[int, int, bool, int, str], Any]
"""page number, size, with embedded arrays?, tries, token -> the answer's JSON"""


class Walk:
    """One listing of one lane."""

    def __init__(self, entity: Entity, paging: Paging, size: int, fetch: Fetch, problems: Problems) -> None:
        """Read `entity` with `fetch`; oddities are counted in `problems`."""
        self._entity = entity
        self._paging = paging
        self._size = size
        self._fetch = fetch
        self._problems = problems

    def pages(self, place: Place) -> Iterator[Step]:
        """Page after page, from `place` on."""
        while True:
            answer = self.read(place)
            after = self._after(place, answer)
            yield Step(answer.records, after, place.total if answer.total is None else answer.total)
            if after is None:
                return
            place = after

    def read(self, place: Place) -> Envelope:
        """One page; if it stays unreadable, its rows are read in ever smaller pages to leave out the broken ones."""
        size = place.size or self._size
        try:
            return self.envelope(self._fetch(place.page, size, True, 0, place.token), size, place.page)
        except BadAnswer as bad:
            if not self._by_number or not self._others_answer(place.page, size):
                raise Unreachable(
                    f"AeronaClinic gives no usable answer for {self._entity.name}: {bad.reason}",
                    hint="run the same command again",
                ) from None
            before = self._problems["S-UNREADABLE", self._entity.name]
            return Envelope(self._isolate(place.page, size, before), None, more=True, size=size)

    def _others_answer(self, page: int, size: int) -> bool:
        beyond = (page - self._paging.first + 1) * size + self._paging.first
        for elsewhere in {self._paging.first, beyond}:
            try:
                self.envelope(self._fetch(elsewhere, 1, False, 2, ""), 1, elsewhere)
            except BadAnswer:
                continue
            return True
        return False

    def _isolate(self, page: int, size: int, before: int) -> list[Record]:
        part = size // 10 if size % 10 == 0 else 1
        start = (page - self._paging.first) * (size // part) + self._paging.first
        found: list[Record] = []
        for number in range(start, start + size // part):
            try:
                found += self._exactly(number, part)
            except BadAnswer:
                found += self._isolate(number, part, before) if part > 1 else self._alone(number)
            if self._problems["S-UNREADABLE", self._entity.name] - before > _UNREADABLE_ROWS:
                raise Unreachable(
                    f"AeronaClinic gives no usable answer for many rows of {self._entity.name}",
                    hint="run the same command again",
                )
        return found

    def _exactly(self, number: int, size: int) -> list[Record]:
        records = self.envelope(self._fetch(number, size, True, 2, ""), size, number).records
        if len(records) > size:
            raise Unreachable("AeronaClinic does not serve smaller pages, so a broken record cannot be left out")
        return records

    def _alone(self, number: int) -> list[Record]:
        """The one row that breaks its page: perhaps only one of its embedded arrays does."""
        if self._entity.embed:
            try:
                return self.envelope(self._fetch(number, 1, False, 2, ""), 1, number).records
            except BadAnswer:
                pass  # it is the row itself
        self._problems["S-UNREADABLE", self._entity.name] += 1
        return []

    @property
    def _by_number(self) -> bool:
        return self._paging.kind != NONE and not self._paging.by_token

    def envelope(self, answer: Any, asked: int, page: int) -> Envelope:
        """The answer's parts, its records under the profile's names.

        Raises:
            BadAnswer: it has no list of records where the profile says.
        """
        words = self._paging
        bare = words.kind == NONE and isinstance(answer, list)
        if not bare and not isinstance(answer, dict):
            raise BadAnswer("not a page")
        items = answer if bare else select(answer, words.items)
        if not isinstance(items, list):
            raise BadAnswer("no list of records")
        records: list[Record] = renamed(self._entity, [item for item in items if isinstance(item, dict)])
        if len(records) < len(items):
            self._problems["R-SHAPE", self._entity.name] += len(items) - len(records)
        if words.kind == NONE:
            return Envelope(records, None, more=False, size=asked)
        total, size = count(select(answer, words.total)), count(select(answer, words.clamped)) or 0
        token = select(answer, words.next) if words.by_token else None
        more = self._says_more(answer, page, bool(items))
        return Envelope(records, total, more, min(size, asked) if size else 0, str(token or ""))

    def _says_more(self, answer: Any, page: int, filled: bool) -> bool:
        """Whether the answer promises another page; where it says nothing but a total, only an empty one is the last."""
        words = self._paging
        if words.next:
            return select(answer, words.next) is not None
        if words.pages:
            return page - words.first + 1 < (count(select(answer, words.pages)) or 0)
        return filled

    def _after(self, place: Place, answer: Envelope) -> Place | None:
        if self._paging.kind == NONE:
            return None
        print_ = fingerprint(answer.records, self._entity.id)
        repeated = bool(answer.records) and place.read > 0 and print_ in {place.last_print, place.first_print}
        nothing_new = (repeated and place.idle >= 0) or not answer.records
        served = answer.size or place.size or self._served(answer)
        after = replace(
            place,
            page=place.page + 1,
            size=served,
            total=place.total if answer.total is None else answer.total,
            token=answer.token,
            mark=answer.token if place.read & (place.read + 1) == 0 else place.mark,
            read=place.read + 1,
            idle=place.idle + 1 if nothing_new or place.idle < 0 else 0,
            first_print=place.first_print or print_,
            last_print=print_,
        )
        if self._by_number and place.size and served != place.size:
            return self._resized(after)
        lost = (place.total or 0) - answer.total if answer.total is not None else 0
        if self._by_number and lost > 0 and self._patient(after):
            return self._back(place, after, lost)
        if self._ended(place, after, answer):
            if repeated:
                self._problems["S-LOOP", self._entity.name] += 1
            return None
        self._guard_length(after)
        return after

    def _served(self, answer: Envelope) -> int:
        """Rows per page, judged by a first page: a cap that is not announced shows as a short page and more to come."""
        return len(answer.records) if answer.more and 0 < len(answer.records) < self._size else self._size

    def _ended(self, place: Place, after: Place, answer: Envelope) -> bool:
        if self._paging.by_token:
            self._guard_circle(place, answer)
            return not answer.token
        if after.idle >= _IDLE_PAGES:
            return True
        end = (place.page - self._paging.first) * after.size + len(answer.records)
        promised = after.total is not None and end < after.total
        if not answer.records:
            return not (answer.more and promised)
        return not answer.more and not (promised and len(answer.records) >= after.size)

    def _back(self, place: Place, after: Place, lost: int) -> Place:
        """The total fell: as many rows moved forward, perhaps from this page onto one already read."""
        self._problems["S-SHIFT", self._entity.name] += lost
        pages = -(-lost // max(after.size, 1))
        page = max(self._paging.first, place.page - pages)
        return replace(after, page=page, drops=place.drops + lost, idle=-(after.page - page))

    def _patient(self, after: Place) -> bool:
        """Totals that fall again and again are lies; then only the deletions count."""
        return after.read <= 2 * self._expected(after) + 50

    def _expected(self, place: Place) -> int:
        return (place.total or 0) // max(place.size, 1) + 1

    def _resized(self, after: Place) -> Place:
        again = self._again(after, "S-PAGE-SIZE")
        if again is None:
            raise StopError(f"AeronaClinic keeps changing the page size of {self._entity.name}")
        return again

    def _again(self, after: Place, code: str) -> Place | None:
        """Begin the listing again, but not for ever."""
        self._problems[code, self._entity.name] += 1
        if after.sweep >= _SWEEPS:
            return None
        anew = {
            "page": self._paging.first,
            "size": 0,
            "idle": 0,
            "first_print": "",
            "last_print": "",
            "read": 0,
            "token": "",
            "mark": "",
        }
        return replace(after, sweep=after.sweep + 1, **anew)

    def sweep(self, place: Place, deletions: int) -> Place | None:
        """After the last page: where to read again if rows may have slipped through, else None."""
        if deletions - place.deleted <= place.drops or self._paging.kind == CURSOR:
            return None
        return self._again(replace(place, drops=0, deleted=deletions), "S-SWEEP")

    def _guard_circle(self, place: Place, answer: Envelope) -> None:
        """What lies behind a circle cannot be reached, so its rows would be missing without a word."""
        if answer.token and answer.token in {place.token, place.mark}:
            raise StopError(
                f"AeronaClinic's listing of {self._entity.name} leads back to pages already read",
                hint="see [paging] in docs/source-profile.md",
            )

    def _guard_length(self, place: Place) -> None:
        if place.total is not None and place.read > 4 * self._expected(place) + 100:
            raise StopError(f"AeronaClinic's listing of {self._entity.name} does not end")


def fingerprint(records: list[Record], key: str) -> str:
    """Tells pages apart by the ids on them."""
    ids = "\n".join(str(record.get(key)) for record in records)
    return hashlib.sha256(ids.encode("utf-8", "replace")).hexdigest()[:16]


def count(value: Any) -> int | None:
    """A number of rows, from a JSON number or text; None if it is none."""
    if type(value) is int:
        return value if 0 <= value < 10**_DIGITS else None
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS
    return int(value) if digits else None


def merged(problems: Counter[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    """Problems as a Page carries them."""
    return tuple((code, where, many) for (code, where), many in sorted(problems.items()) if many)


def parameters(paging: Paging, page: int, size: int, token: str = "") -> Mapping[str, str]:
    """Query parameters of a page.

    Of an address that an answer brings only the query is taken: the request goes where all others go.
    """
    if paging.kind == NONE:
        return {}
    if paging.kind == LINK and token:
        return dict(parse_qsl(urlsplit(token).query, keep_blank_values=True))
    if paging.by_token:
        return {paging.size: str(size), **paging.order, **({paging.cursor: token} if token else {})}
    number = (page - paging.first) * size if paging.kind == OFFSET else page
    return {paging.page: str(number), paging.size: str(size), **paging.order}
