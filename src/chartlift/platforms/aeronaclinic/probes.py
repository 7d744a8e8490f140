"""`check`: tries one by one what the profile only assumes, with one row per request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chartlift.errors import CredentialsError, TransientError
from chartlift.model.source import Probe
from chartlift.platforms.aeronaclinic.errors import BadAnswer, Declined
from chartlift.platforms.aeronaclinic.profile import ENDPOINT, FLAG, LOGIN, NONE, RESCAN, Entity, Paging, Profile
from chartlift.platforms.aeronaclinic.renaming import renamed, select
from chartlift.platforms.aeronaclinic.session import Session
from chartlift.platforms.aeronaclinic.walk import count, parameters

_NOT_FOUND = 404
_KEYS_SHOWN = 8
_HOW_DELETED = {
    FLAG: "a record that has {} is deleted",
    RESCAN: "every reading is a full one: what is missing in it may have been deleted",
    NONE: "the profile knows no way to see them: what is deleted after the reading stays in the org",
}


class Prober:
    """The probes of one credential; they cost some fifteen requests."""

    def __init__(self, session: Session, profile: Profile) -> None:
        """Probe with this session."""
        self._session = session
        self._profile = profile
        self._where = f" ({session.credential.practice})" if session.credential.practice else ""

    def probes(self) -> list[Probe]:
        """All of them; what fails is told, except refused credentials.

        Raises:
            CredentialsError: the login was refused.
        """
        try:
            self._session.login()
        except CredentialsError:
            raise
        except TransientError as error:
            return [self._probe("login", False, error.message)]
        kind, header = self._profile.login.kind, self._profile.login.header
        held = f"token in {header}" if kind == LOGIN else f"a lasting key in {header}: the lists show whether it holds"
        found = [self._probe("login", True, held)]
        found += [self._listing(self._profile.entities[name]) for name in self._profile.read]
        return [*found, self._changes(), self._deletions(), self._evidence()]

    def _evidence(self) -> Probe:
        """How much of the profile is more than an assumption."""
        read = [self._profile.entities[name] for name in self._profile.read]
        unseen = [entity.name for entity in read if not entity.evidence]
        told = f"{len(read) - len(unseen)} of {len(read)} lists hold something that is publicly described"
        return self._probe("evidence", True, f"{told}; every path is an assumption of the profile {self._profile.name}")

    def _probe(self, name: str, ok: bool, detail: str, rows: int | None = None) -> Probe:
        return Probe(f"{name}{self._where}", ok, detail, rows)

    def _ask(self, entity: Entity, **more: str) -> Any:
        paging = self._profile.paging_of(entity)
        query = {**parameters(paging, paging.first, 1), **entity.parameters, **more}
        return self._session.get(entity.path, query, tries=2)

    def _listing(self, entity: Entity) -> Probe:
        paging, paged = self._profile.paging_of(entity), self._profile.is_paged(entity)
        try:
            answer = self._ask(entity)
            items = _records(answer, paging)
        except Declined as no:
            if no.status == _NOT_FOUND and entity.optional:
                return self._probe(entity.name, True, "the clinic has no such list; it can do without")
            return self._probe(entity.name, False, f"refused: {no}")
        except (BadAnswer, TransientError) as error:
            return self._probe(entity.name, False, f"no usable answer: {error}")
        rows = self._total(answer) if paged else len(items)
        items = [renamed(entity, [item])[0] if isinstance(item, dict) else item for item in items]
        return self._probe(entity.name, True, self._shape(entity, items), rows)

    def _total(self, answer: Any) -> int | None:
        return count(select(answer, self._profile.paging.total))

    def _shape(self, entity: Entity, items: list[Any]) -> str:
        """What the first record lacks, or has beyond the profile, and whether the page size was honoured."""
        if not items:
            return "empty"
        keys = set(items[0]) if isinstance(items[0], dict) else set()
        apart = {name for array in entity.embedded for name in (array.member, array.total)}
        lacks = [key for key in entity.keys if key not in keys and key not in apart]
        more = sorted(key for key in keys if key not in entity.keys and key not in apart and key.isidentifier())
        parts = [f"{len(keys)} keys"]
        parts += [f"without {', '.join(lacks[:_KEYS_SHOWN])}"] if lacks else []
        parts += [f"unmapped {', '.join(more[:_KEYS_SHOWN])}"] if more else []
        parts += ["page size not honoured"] if self._profile.is_paged(entity) and len(items) > 1 else []
        return "; ".join(parts)

    def _changes(self) -> Probe:
        """Whether the filter for changes is honoured: nothing can have changed tomorrow."""
        entity, parameter = self._profile.entities["patient"], self._profile.changes.parameter
        if self._profile.rescans:
            return self._probe("changes", True, "the profile names no way to ask for them: every reading is a full one")
        paging = self._profile.paging_of(entity)
        tomorrow = (self._session.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            answer = self._ask(entity, **{parameter: tomorrow})
            total = self._total(answer) or len(_records(answer, paging))
        except (BadAnswer, Declined, TransientError) as error:
            return self._probe(
                parameter, False, f"no usable answer ({type(error).__name__}); changes need full readings"
            )
        if total:
            return self._probe(parameter, False, "is ignored; changes need full readings", total)
        return self._probe(parameter, True, "is honoured")

    def _deletions(self) -> Probe:
        words = self._profile.deletions
        if words.kind != ENDPOINT:
            return self._probe("deletions", True, _HOW_DELETED[words.kind].format(words.flag))
        if not self._profile.logged:
            return self._probe("deletions", False, "the profile names no entity whose deletions are listed")
        query = {words.entity: words.of[self._profile.logged[0]], words.since: words.beginning}
        paging = self._profile.paging
        try:
            answer = self._session.get(words.path, {**parameters(paging, paging.first, 1), **query}, tries=2)
            rows = self._total(answer) or len(_records(answer, paging))
        except Declined as no:
            return self._probe("deletions", True, f"no such list ({no}): deletions show in full readings only")
        except (BadAnswer, TransientError) as error:
            return self._probe("deletions", False, f"no usable answer: {type(error).__name__}")
        return self._probe("deletions", True, "listed", rows)


def _records(answer: Any, paging: Paging) -> list[Any]:
    """The list that the profile says an answer has.

    Raises:
        BadAnswer: there is none.
    """
    items = answer if paging.kind == NONE and isinstance(answer, list) else select(answer, paging.items)
    if not isinstance(items, list):
        raise BadAnswer("no list of records")
    return items
