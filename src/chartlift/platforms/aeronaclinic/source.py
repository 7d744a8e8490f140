"""AeronaClinic as a Source: listings of flat entities, patients first with what is embedded in them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from chartlift.errors import StopError
from chartlift.model.arrow import ArrowStream
from chartlift.model.source import CONTENTS, EntityShape, NoContent, Page, Probe
from chartlift.platforms.aeronaclinic import download, flatten
from chartlift.platforms.aeronaclinic.errors import Declined
from chartlift.platforms.aeronaclinic.flatten import Problems, Record
from chartlift.platforms.aeronaclinic.probes import Prober
from chartlift.platforms.aeronaclinic.profile import FLAG, Entity, Profile
from chartlift.platforms.aeronaclinic.renaming import enveloped, renamed, select
from chartlift.platforms.aeronaclinic.session import Session
from chartlift.platforms.aeronaclinic.unfold import Unfolder
from chartlift.platforms.aeronaclinic.walk import Place, Walk, merged, parameters
from chartlift.platforms.aeronaclinic.wire import Number

DELETIONS = "deletions"
_NOT_FOUND = 404
_GONE = (_NOT_FOUND, 410)
_UNKNOWN_WORD = (400, _NOT_FOUND, 422)  # no list of deletions, or none of this entity's


class AeronaSource:
    """Implements `model.ports.Source`. Several credentials (one pin per practice) are read one after the other."""

    def __init__(self, sessions: Sequence[Session], profile: Profile) -> None:
        """Read with these sessions, as the profile says."""
        if not sessions:
            raise StopError("no credential for AeronaClinic")
        self.name = profile.name
        self.rereads = profile.rescans
        self._sessions = tuple(sessions)
        self._profile = profile
        self._by_name: dict[str, str] | None = None  # slug of a practice's name -> its id
        self._unfolder = Unfolder(profile, self._get)
        self.contents = next((name for name in profile.read if profile.entities[name].content), "")

    def close(self) -> None:
        """Let go of the connections."""
        for session in self._sessions:
            session.close()

    def now(self) -> datetime:
        """The clinic's time, never later than ours."""
        return min(session.now() for session in self._sessions)

    def shapes(self) -> tuple[EntityShape, ...]:
        """The flat entities, those made from others included."""
        return self._profile.shapes()

    def listings(self, since: datetime | None) -> tuple[str, ...]:
        """Entities in reading order, deletions last; for changes, too: lists without a filter are read whole."""
        del since
        return (*self._profile.read, *((DELETIONS,) if self._profile.logged else ()))

    def check(self) -> list[Probe]:
        """Log in, ask each listing for one row, and try what the profile assumes."""
        probes: list[Probe] = []
        for session in self._sessions:
            probes += Prober(session, self._profile).probes()
        return probes

    def forecast(self, rows: Mapping[str, int]) -> Mapping[str, float]:
        """Requests and hours for so many rows per listing.

        Lists that come embedded in patients count, too: they are read to their end as soon as one of their rows belongs
        to nobody. A clinic without such rows costs fewer requests than said here.
        """
        requests = 1.0 + 3 * len(self._profile.logged)  # the login; deletions before, after and at the end
        for entity in self._read():
            pages = (
                math.ceil(rows.get(entity.name, 0) / self._profile.size(entity))
                if self._profile.is_paged(entity)
                else 1
            )
            requests += max(1, pages)
        requests += rows.get(CONTENTS, 0)
        limit = self._profile.limit
        per_hour = limit.usable * 3600 / limit.window * len(self._sessions)
        requests += math.floor(requests / per_hour)  # a login an hour
        return {"requests": requests, "hours": requests / per_hour}

    def pages(self, listing: str, *, since: datetime | None, cursor: str | None) -> Iterator[Page]:
        """Read a listing on from `cursor`.

        Raises:
            Unreachable, SessionExpired, CredentialsError, StopError: see `Session.get`.
        """
        place = Place.of(cursor) if cursor else Place(page=self._profile.paging.first)
        if listing == DELETIONS:
            yield from self._deletions(since, place)
            return
        entity = self._profile.entities[listing]
        for lane in range(place.lane, len(self._sessions)):
            if lane > place.lane:
                place = Place(page=self._profile.paging.first, lane=lane)
            for page in self._lane(entity, since, place):
                more_lanes = page.cursor is None and lane + 1 < len(self._sessions)
                following = Place(page=self._profile.paging.first, lane=lane + 1).text() if more_lanes else page.cursor
                yield replace(page, cursor=following, total=page.total if len(self._sessions) == 1 else None)

    def content(self, key: str) -> Iterator[bytes]:
        """A document's bytes; with several credentials from the first one that may see it.

        Raises:
            NoContent: see there.
            Unreachable: nobody answers.
        """
        path = self._profile.entities[self.contents].content.replace("{id}", quote(key, safe=""))
        reason = "missing"
        for session in self._sessions:
            try:
                yield from download.pieces(session, path, self._profile.transport)
            except Declined as no:
                reason = "missing" if no.status in _GONE else "refused"
                continue
            return
        raise NoContent(reason)

    def _read(self) -> list[Entity]:
        return [self._profile.entities[name] for name in self._profile.read]

    # ------------------------------------------------------------ one listing of one session

    def _lane(self, entity: Entity, since: datetime | None, place: Place) -> Iterator[Page]:
        session, problems = self._sessions[place.lane], Counter()
        base = self._base_parameters(entity, since)
        embed = self._embedding(entity) if since is None else {}

        paging = self._profile.paging_of(entity)

        def fetch(page: int, size: int, embedded: bool, tries: int, token: str) -> Any:
            query = {**parameters(paging, page, size, token), **base, **(embed if embedded else {})}
            answer = self._get(session, entity, query, page, tries)
            return self._stand_in(entity, problems) if answer is None else answer

        walk = Walk(entity, paging, self._profile.size(entity), fetch, problems)
        place = self._begun(session, entity, since, place)
        waiting: Place | None = place
        while waiting is not None:
            place, waiting = waiting, None
            for step in walk.pages(place):
                if step.after is None and since is None and place.read:
                    waiting = walk.sweep(place, self._deleted_since(session, entity, place))
                page = self._page(session, entity, step.records, bool(embed), problems)
                after = step.after or waiting
                yield replace(page, cursor=after.text() if after else None, total=step.total, problems=merged(problems))
                problems.clear()
                place = after or place

    def _begun(self, session: Session, entity: Entity, since: datetime | None, place: Place) -> Place:
        """The start of a listing, with what had been deleted by then: only what comes on top can shift its pages."""
        if place.started:
            return place
        early = session.now() - timedelta(seconds=self._profile.changes.overlap)
        place = replace(place, started=stamp(early))
        return place if since else replace(place, deleted=self._deleted_since(session, entity, place))

    def _get(self, session: Session, entity: Entity, query: Mapping[str, str], page: int, tries: int) -> Any:
        try:
            return session.get(entity.path, query, tries=tries)
        except Declined as no:
            if no.status == _NOT_FOUND and page > self._profile.paging.first:
                return enveloped(self._profile.paging_of(entity).items, [])  # a page beyond the last
            if no.status == _NOT_FOUND and entity.optional:
                return None
            raise StopError(f"AeronaClinic refuses the list {entity.name} ({no})", hint="chartlift check") from None

    def _stand_in(self, entity: Entity, problems: Problems) -> Any:
        """What is read where the clinic lacks an optional list: nothing, or the profile's own values."""
        values = entity.fallback.get("values", {})
        problems["S-FALLBACK" if values else "S-NO-LIST", entity.name] += 1
        records = [{entity.id: Number(key), entity.fallback["column"]: text} for key, text in values.items()]
        return enveloped(self._profile.paging_of(entity).items, records)

    def _base_parameters(self, entity: Entity, since: datetime | None) -> dict[str, str]:
        profile, changed = self._profile, {}
        if since is not None and entity.stamp and profile.is_paged(entity) and not profile.rescans:
            changed[profile.changes.parameter] = stamp(since - timedelta(seconds=profile.changes.overlap))
        asking = profile.deletions.asking if profile.deletions.kind == FLAG else {}
        return {**entity.parameters, **asking, **changed}

    def _embedding(self, entity: Entity) -> dict[str, str]:
        wanted = (*(array.member for array in self._profile.wanted(entity) if array.total), *entity.embed_always)
        return {entity.embed: ",".join(wanted)} if entity.embed else {}

    def _page(
        self, session: Session, entity: Entity, records: list[Record], embedded: bool, problems: Problems
    ) -> Page:
        records, gone = self._alive(entity, records)
        sites = self._sites(session, records) if entity.name == "patient" else {}
        tables: dict[str, ArrowStream] = {entity.name: flatten.table(entity, records, problems, sites)}
        extra = flatten.made(entity.name, records, sites)
        if extra is not None:
            tables[extra[0]] = flatten.table(self._profile.entities[extra[0]], extra[1], problems)
        inside = self._unfolder.inside(session, entity, records, problems, asked=embedded)
        for name, rows in inside.rows.items():
            tables[name] = flatten.table(self._profile.entities[name], rows, problems)
        return Page(entity.name, tables, None, deleted=gone, bare=tuple(inside.bare))

    def _alive(self, entity: Entity, records: list[Record]) -> tuple[list[Record], tuple[tuple[str, str, None], ...]]:
        """Records without those that a member of their own marks as deleted, and the deleted ones."""
        flag = self._profile.flag
        if not flag:
            return records, ()
        gone = [flatten.cell(record.get(entity.id)) for record in records if record.get(flag)]
        alive: list[Record] = [
            {name: value for name, value in record.items() if name != flag}
            for record in records
            if not record.get(flag)
        ]
        return alive, tuple((entity.name, key, None) for key in gone if key)

    def _sites(self, session: Session, records: list[Record]) -> Mapping[str, str]:
        """Slug of each listed practice's name -> its id; asked for once, when a patient names a practice without its id."""
        if self._by_name is None and any(flatten.name_slug(record) for record in records):
            practice = self._profile.entities["practice"]
            listed = self._get(session, practice, self._base_parameters(practice, None), self._profile.paging.first, 0)
            paging = self._profile.paging_of(practice)
            rows = listed if isinstance(listed, list) else select(listed, paging.items) or []
            rows = renamed(practice, [row for row in rows if isinstance(row, dict)])
            named = [(flatten.slug(row.get("name")), str(row.get(practice.id))) for row in rows]
            self._by_name = {slug: number for slug, number in reversed(named) if slug}
        return self._by_name or {}

    # ------------------------------------------------------------ deletions

    def _deletions(self, since: datetime | None, place: Place) -> Iterator[Page]:
        start = (
            stamp(since - timedelta(seconds=self._profile.changes.overlap))
            if since
            else self._profile.deletions.beginning
        )
        steps = [(lane, name) for lane in range(len(self._sessions)) for name in self._profile.logged]
        done = steps.index((place.lane, place.entity)) if place.entity else 0
        for at, (lane, name) in enumerate(steps[done:], done):
            if at > done or not place.entity:
                place = Place(page=self._profile.paging.first, lane=lane, entity=name)
            following = steps[at + 1] if at + 1 < len(steps) else None
            yield from self._deletions_of(self._sessions[lane], start, place, following)

    def _deletions_of(
        self, session: Session, start: str, place: Place, following: tuple[int, str] | None
    ) -> Iterator[Page]:
        problems: Problems = Counter()
        for records, after, _ in self._deletion_walk(session, place.entity, start, problems).pages(place):
            cursor = after.text() if after else None
            if after is None and following is not None:
                cursor = Place(page=self._profile.paging.first, lane=following[0], entity=following[1]).text()
            gone = tuple(g for g in (self._gone(place.entity, record) for record in records) if g is not None)
            yield Page(DELETIONS, {}, cursor, deleted=gone, problems=merged(problems))
            problems.clear()

    def _deletion_walk(self, session: Session, name: str, start: str, problems: Problems) -> Walk:
        words = self._profile.deletions
        log = Entity(name=DELETIONS, id=words.id, columns=(), path=words.path, optional=True)

        def fetch(page: int, size: int, _embedded: bool, tries: int, token: str) -> Any:
            query = {
                **parameters(self._profile.paging, page, size, token),
                words.entity: words.of[name],
                words.since: start,
            }
            try:
                answer = session.get(log.path, query, tries=tries)
            except Declined as no:
                if no.status not in _UNKNOWN_WORD:
                    raise StopError(
                        f"AeronaClinic refuses the list {DELETIONS} ({no})", hint="chartlift check"
                    ) from None
                if page == self._profile.paging.first:
                    problems["S-NO-LIST", f"{DELETIONS}.{name}"] += 1
                return enveloped(self._profile.paging.items, [])
            return answer

        return Walk(log, self._profile.paging, self._profile.paging.rows, fetch, problems)

    def _gone(self, name: str, record: Record) -> tuple[str, str, str | None] | None:
        key = flatten.cell(record.get(self._profile.deletions.id))
        return (name, key, flatten.cell(record.get(self._profile.deletions.survivor))) if key else None

    def _deleted_since(self, session: Session, entity: Entity, place: Place) -> int:
        """Rows deleted while the listing was read; a clinic without that list gives no hint."""
        if entity.name not in self._profile.logged:
            return 0
        walk = self._deletion_walk(session, entity.name, place.started, Counter())
        return sum(len(step.records) for step in walk.pages(Place(page=self._profile.paging.first)))


def stamp(moment: datetime) -> str:
    """A time as the clinic takes it: UTC, whole seconds (cut, never rounded up), Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
