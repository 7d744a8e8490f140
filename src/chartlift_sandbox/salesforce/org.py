"""One Salesforce org: its schema, its records, who may do what, and the one door through which records change."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import (
    describe,
    dml,
    features,
    grants,
    ids,
    merge,
    recycle_bin,
    sharing,
    snapshots,
    state,
    store,
    targets,
)
from chartlift_sandbox.salesforce.access import GRANT_OBJECTS, Access, FieldGrant, ObjectGrant, spread_activity
from chartlift_sandbox.salesforce.call import DmlOptions
from chartlift_sandbox.salesforce.cascade import CLEARED_TABLE
from chartlift_sandbox.salesforce.catalogue import natural_keys, standard_schema
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.hooks import RowFault
from chartlift_sandbox.salesforce.injected import Injector, Rows
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import whole
from chartlift_sandbox.salesforce.rulebook import Rulebook
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, Schema, SObject
from chartlift_sandbox.salesforce.settings import OrgSettings
from chartlift_sandbox.salesforce.statements import Statements
from chartlift_sandbox.salesforce.writes import EVERYTHING, Only, WriteLog


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling, with the user permissions that hold at the moment (names without `Permissions`)."""

    user_id: str
    permissions: frozenset[str]


@dataclass(slots=True)
class Session:
    """A login: `expires_at` is aware UTC."""

    user_id: str
    expires_at: datetime


@dataclass
class People:
    """Ids of the users that every seeded org has."""

    integration: str = ""
    admin: str = ""
    front_desk: str = ""
    manager: str = ""
    automated: str = ""


class Org(Statements):
    """The whole state of one org. Hold `lock` around anything that needs several statements."""

    def __init__(self, clock: Clock, *, seed: int = 0, path: str = ":memory:") -> None:
        self.clock = clock
        self.seed = seed
        self.lock = threading.RLock()
        self.settings = OrgSettings()
        self.base_url = "https://clinic.my.salesforce.com"
        self.sessions: dict[str, Session] = {}
        self.people = People()
        self.rules = Rulebook()
        self.before_save, self.validation_rules = self.rules.before_save, self.rules.validation
        self.row_faults: list[RowFault] = []
        self.binned = 0
        self.packing = store.Packing()
        self.storage_mb: Callable[[], int] = lambda: 10_240
        self.injector: Injector | None = None
        self.natural_keys = natural_keys()
        self.writes = WriteLog()
        self.access = Access(self)
        self.counters: dict[str, int] = {}
        self.org_id = ids.make("00D", 1 + seed % 62**6)
        self.schema_changed_at = clock.now().replace(microsecond=0)
        self.archived_on = clock.now().date()
        self._recent: deque[tuple[datetime, str, int]] = deque()
        self.on_reset: Callable[[Org], None] | None = None
        self._transactions = store.Transactions(self.lock)
        self.db: duckdb.DuckDBPyConnection = store.connect(path)
        self.schema = Schema()
        self.create_standard_objects()

    # ----------------------------------------------------------------- callers

    def actor(self, token: str) -> Actor | None:
        """The caller that a token stands for; None when it is unknown, expired, or its user inactive."""
        session = self.sessions.get(token)
        if session is None or session.expires_at <= self.clock.now():
            return None
        with self.lock:
            row = self.db.execute('SELECT "IsActive" FROM "User" WHERE "Id" = ?', [session.user_id]).fetchone()
        return self.actor_for(session.user_id) if row and row[0] else None

    def actor_for(self, user_id: str) -> Actor:
        """The caller for a user id, without asking for a login (control door, tests)."""
        return Actor(user_id, self.access.of(user_id).permissions)

    def find_user(self, text: str) -> str | None:
        """Id of the user with that Id, Username or e-mail; the first one by Id when an e-mail has several."""
        wanted = ids.normalise(text) or text
        with self.lock:
            row = self.db.execute(
                'SELECT "Id" FROM "User" WHERE "Id" = $exact OR lower("Username") = lower($text) '
                'OR lower("Email") = lower($text) ORDER BY "Id" = $exact DESC, '
                'lower("Username") = lower($text) DESC, "IsActive" DESC, "Id" LIMIT 1',
                {"exact": wanted, "text": text},
            ).fetchone()
        return row[0] if row else None

    def visible_fields(self, actor: Actor, object_name: str) -> frozenset[str]:
        """API names of the fields that the caller can see."""
        return self.access.visible(actor.user_id, object_name)

    def grant(self, actor: Actor, object_name: str) -> ObjectGrant:
        """What the caller may do with records of an object."""
        return self.access.object_grant(actor.user_id, actor.permissions, object_name)

    def record_filter(self, actor: Actor, sobject: SObject, alias: str) -> str | None:
        """SQL that is true for the records that the caller may see; None when that is all of them."""
        return sharing.condition(self, actor, sobject, alias)

    def bin_starts(self) -> datetime:
        """Records deleted before this instant are gone for good."""
        return recycle_bin.oldest_kept(self)

    def readable(self, actor: Actor, object_name: str) -> bool:
        """Whether the caller may read records of an object."""
        return self.grant(actor, object_name).read

    def creatable(self, actor: Actor, object_name: str) -> bool:
        """Whether the caller may create records of an object."""
        return self.grant(actor, object_name).create

    def editable(self, actor: Actor, object_name: str) -> bool:
        """Whether the caller may edit records of an object."""
        return self.grant(actor, object_name).edit

    def deletable(self, actor: Actor, object_name: str) -> bool:
        """Whether the caller may delete records of an object."""
        return self.grant(actor, object_name).delete

    # ----------------------------------------------------------------- data

    def now(self) -> datetime:
        """The org's time as it is stored: UTC without zone, whole seconds."""
        return self.clock.now().replace(tzinfo=None, microsecond=0)

    def transaction(self) -> AbstractContextManager[None]:
        """A block that is committed as a whole or undone as a whole; blocks may nest."""
        return self._transactions(self.db)

    def take_ids(self, prefix: str, count: int) -> pa.Array:
        """The next `count` ids under a key prefix."""
        with self.lock:
            first = self.counters.get(prefix, 0) + 1
            self.counters[prefix] = first + count - 1
            if self.settings.query_lag_s:
                self._recent.append((self.clock.now(), prefix, first))
        return ids.block(prefix, first, count)

    def first_unseen(self, prefix: str) -> str | None:
        """The first Id under a key prefix that queries do not see yet; ids sort in the order of insertion."""
        since = self.clock.now() - timedelta(seconds=self.settings.query_lag_s)
        with self.lock:
            while self._recent and self._recent[0][0] <= since:
                self._recent.popleft()
            first = next((number for _, one, number in self._recent if one == prefix), None)
        return None if first is None else ids.make(prefix, first)

    def new_id(self, prefix: str) -> str:
        """The next id under a key prefix, for jobs, deploys and cursors too."""
        with self.lock:
            number = self.counters[prefix] = self.counters.get(prefix, 0) + 1
        return ids.make(prefix, number)

    def numbers(self, object_name: str, found: Field, count: int) -> pa.Array:
        """The next auto-numbers of a field."""
        key = f"{object_name}.{found.name}"
        with self.lock:
            first = self.counters.get(key, found.starting_number - 1) + 1
            self.counters[key] = first + count - 1
        return pc.add(row_numbers(count), whole(first))

    def dml(
        self,
        op: str,
        object_name: str,
        table: pa.Table,
        actor: Actor,
        *,
        external_id: str | None = None,
        job: str | None = None,
        all_or_none: bool = False,
        options: DmlOptions | None = None,
    ) -> pa.Table:
        """Insert, update, upsert, delete, undelete or hardDelete rows; see `dml.run`."""
        with self.lock:
            if self.injector is not None:
                rows = Rows(
                    self, self.injector.plan, op, object_name, table, actor, external_id, job, all_or_none,
                    options or DmlOptions(),
                )  # fmt: skip
                if (answer := self.injector.run(rows)) is not None:
                    return answer
            return dml.run(
                self, op, object_name, table, actor,
                external_id=external_id, job=job, all_or_none=all_or_none, options=options,
            )  # fmt: skip

    def merge(
        self, object_name: str, master_id: str, loser_ids: list[str], actor: Actor, fields: dict[str, Any] | None = None
    ) -> None:
        """Merge records into a master; raises OrgError when that is refused."""
        with self.lock:
            merge.merge(self, object_name, master_id, loser_ids, actor, fields)

    def after_dml(self, object_name: str) -> None:
        """Forget cached access when a write may have changed it."""
        if object_name in GRANT_OBJECTS:
            self.access.invalidate()

    def read_writes(self, since: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of the write log with n > since, in the shape of the control door."""
        return [row for page in self.write_pages(since, limit) for row in page]

    def write_pages(
        self, since: int = 0, limit: int | None = None, only: Only = EVERYTHING
    ) -> Iterator[list[dict[str, Any]]]:
        """The same a page at a time, as the log is now; `limit` counts the rows that are wanted."""
        pages = self.writes.pages(since, limit, only)
        with self.lock:
            next(pages)
        return pages

    # ----------------------------------------------------------------- schema

    def note_schema_change(self) -> None:
        """Move the time that describe gives as Last-Modified; two changes never share one."""
        self.schema_changed_at = max(
            self.clock.now().replace(microsecond=0), self.schema_changed_at + timedelta(seconds=1)
        )

    def create_standard_objects(self) -> None:
        """Build the standard objects of a fresh org in an empty database."""
        with self.lock:
            self.schema = standard_schema(audit_switch=True)
            self.db.execute(CLEARED_TABLE)
            for sobject in sorted(self.schema.objects.values(), key=lambda one: one.view):
                store.create_table(self.db, sobject)

    def create_object(self, sobject: SObject) -> None:
        """Add a custom object and its table; files, and with activities on Task and Event, can be about it."""
        with self.lock:
            features.on_new_object(self, sobject)
            store.create_table(self.db, sobject)
            self.schema.add_object(sobject)
            targets.spread(self.schema, sobject)
            self.access.invalidate()

    def create_field(self, object_name: str, new: Field) -> None:
        """Add a field with its column, or replace the definition of one that exists; Activity means Task and Event."""
        with self.lock:
            for name in spread_activity(object_name):
                owner = self.schema.objects[name]
                if owner.field(new.name) is None:
                    store.add_column(self.db, name, new)
                else:
                    store.index_column(self.db, name, new)
                self.schema.add_field(name, new)
                features.on_new_field(self, name, new)
            self.access.invalidate()

    def drop_field(self, object_name: str, name: str) -> None:
        """Remove a field and its values."""
        with self.lock:
            for owner in spread_activity(object_name):
                found = self.schema.field(owner, name)
                if found is not None:
                    store.drop_column(self.db, owner, found)
                    self.schema.remove_field(owner, found.name)
                    features.on_dropped_field(self, owner, found)
            self.access.invalidate()

    def drop_object(self, name: str) -> None:
        """Remove an object, its records and the lookups that point to it."""
        with self.lock:
            found = self.schema.object(name)
            if found is None:
                return
            for child, lookup in self.schema.children(found.name):
                if lookup.custom and child.name != found.name:
                    self.drop_field(child.name, lookup.name)
            self.db.execute(f"DROP TABLE {store.quote(found.name)}")
            self.schema.remove_object(found.name)
            targets.withdraw(self.schema, found.name)
            self.access.invalidate()

    def set_value_set(self, name: str, values: tuple[PicklistValue, ...]) -> None:
        """Replace a shared value set."""
        with self.lock:
            self.schema.set_value_set(name, values)
            self.note_schema_change()

    def put_permission_set(
        self,
        name: str,
        label: str,
        *,
        objects: dict[str, ObjectGrant],
        fields: dict[str, FieldGrant],
        user_permissions: frozenset[str] = frozenset(),
    ) -> str:
        """Create or replace a permission set; answers its Id. `fields` is keyed by `Object.Field`."""
        with self.lock:
            return grants.put_permission_set(self, name, label, objects, fields, user_permissions)

    def put_profile_grants(
        self,
        profile: str,
        *,
        objects: dict[str, ObjectGrant],
        fields: dict[str, FieldGrant],
        user_permissions: frozenset[str] = frozenset(),
    ) -> str:
        """Create a profile or add to what it grants; answers the Id of the profile."""
        with self.lock:
            return grants.put_profile_grants(self, profile, objects, fields, user_permissions)

    # ----------------------------------------------------------------- whole org

    def describe(self, actor: Actor, object_name: str, *, version: str = "67.0") -> dict[str, Any]:
        """The describe of an object as the caller sees it; raises OrgError when there is none."""
        return describe.describe_object(self, actor, object_name, version)

    def describe_global(self, actor: Actor, *, version: str = "67.0") -> dict[str, Any]:
        """The list of objects that the caller sees."""
        return describe.describe_global(self, actor, version)

    def state_hash(self, system: bool = False) -> str:
        """Fingerprint of the live business records; see `state.state_hash`."""
        return state.state_hash(self, system=system)

    def snapshot(self, path: str) -> None:
        """Write the whole org to one file."""
        with self.lock:
            snapshots.snapshot(self, path)

    def restore(self, path: str) -> None:
        """Replace the whole org by what `snapshot` wrote."""
        with self.lock:
            snapshots.restore(self, path)

    def reset(self) -> None:
        """Back to the state right after seeding."""
        with self.lock:
            snapshots.reset(self)
