"""Planned faults that change the org while a client works: other people, administrators, other integrations.

What lasts only while the plan is in force (a field's permission, another org id, a wrong clock, a switch,
an allowance that others used up) is taken back
when the faults are cleared; what somebody did to records or to the schema stays.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from starlette.types import Scope

from chartlift_sandbox.fault_words import Fault
from chartlift_sandbox.org_switches import set_switch
from chartlift_sandbox.person_edits import edit_org
from chartlift_sandbox.salesforce import ids
from chartlift_sandbox.salesforce.doors import Doors
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote

_OTHER_ORG = 62**5
_TEXTS = ("Description", "Title", "Description__c")
_USER_LOCK = "refused"


class OrgFaults:
    """The changes, over everything behind the org's doors."""

    def __init__(self, doors: Doors) -> None:
        self._doors, self._org, self._plan = doors, doors.org, doors.faults
        self._actions: dict[str, Callable[[Fault, Scope], None]] = {
            "edit": self._edit, "child": self._child, "delete": self._delete, "undelete": self._undelete,
            "merge": self._merge, "owner": self._owner, "revoke_field": self._revoke_field,
            "drop_field": self._drop_field, "drop_value": self._drop_value, "shorten": self._shorten,
            "use_up": self._use_up, "other_org": self._other_org, "empty_bin": self._empty_bin,
            "purge_job": self._purge_job, "skew": self._skew, "switch": self._switch, "lock_out": self._lock_out,
        }  # fmt: skip

    def act(self, fault: Fault, scope: Scope) -> None:
        """Makes the change that the fault plans. A change that the org refuses (no such record) is left out."""
        with self._org.lock:
            try:
                self._actions[fault.what](fault, scope)
            except OrgError as error:
                self._plan.memory[(fault.id, _USER_LOCK)] = str(error)

    # ----------------------------------------------------------------- people

    def _target(self, fault: Fault, *, deleted: bool = False) -> tuple[SObject, str]:
        """The record concerned: the one the plan names, else the newest one of the object."""
        name = fault.record.get("object") or fault.object or "Contact"
        sobject = self._org.schema.object(str(name))
        if sobject is None:
            raise OrgError("NOT_FOUND", f"no object {name}", status=404)
        if fault.record.get("id"):
            return sobject, str(fault.record["id"])
        found = self._newest(sobject, deleted=deleted)
        if not found:
            raise OrgError("NOT_FOUND", f"no record of {name}", status=404)
        return sobject, found[0]

    def _newest(self, sobject: SObject, *, deleted: bool = False, count: int = 1) -> list[str]:
        flag = '"IsDeleted"' if sobject.field("IsDeleted") else '"_deleted_at" IS NOT NULL'
        condition = flag if deleted else f"{flag} IS NOT TRUE"
        sql = f'SELECT "Id" FROM {quote(sobject.name)} WHERE {condition} ORDER BY "Id" DESC LIMIT {count}'
        return [row["Id"] for row in self._org.rows(sql)]

    def _as_person(self, fault: Fault, op: str, sobject: SObject, record: str | None, values: dict[str, Any]) -> None:
        user = fault.record.get("user")
        edit_org(self._org, {"op": op, "object": sobject.name, "id": record, "fields": values, "user": user})

    def _edit(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        if fault.record.get("op"):
            edit_org(self._org, dict(fault.record))
            return
        sobject, record = self._target(fault)
        given = fault.record.get("fields") or {_text_field(sobject).name: fault.value or "Changed by a person"}
        self._as_person(fault, "update", sobject, record, given)

    def _child(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, record = self._target(fault)
        link = "WhoId" if sobject.name in {"Contact", "Lead"} else "WhatId"
        task = self._org.schema.objects["Task"]
        values = fault.record.get("fields") or {"Subject": "Call back", link: record}
        self._as_person(fault, "insert", task, None, values)

    def _delete(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        self._as_person(fault, "delete", *self._target(fault), {})

    def _undelete(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        self._as_person(fault, "undelete", *self._target(fault, deleted=True), {})

    def _merge(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, loser = self._target(fault)
        master = next((one for one in self._newest(sobject, count=2) if one != loser), None)
        master = str(fault.record.get("master") or master)
        self._as_person(fault, "merge", sobject, master, {"loser": loser})

    def _owner(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        self._as_person(fault, "update", *self._target(fault), {"OwnerId": self._org.people.front_desk})

    # ----------------------------------------------------------------- administrators

    def _field(self, fault: Fault, kinds: frozenset[str]) -> tuple[SObject, Field]:
        """The field concerned: the one the plan names, else the object's first custom one that nothing hangs on."""
        owner, _, name = (fault.column or "").rpartition(".")
        sobject = self._org.schema.object(owner or fault.object or "Contact")
        fields = list(sobject.fields.values()) if sobject else []
        free = (
            f for f in fields if f.custom and f.type in kinds and f.nillable and not f.required and not f.external_id
        )
        found = sobject.field(name) if sobject and name else next(free, None)
        if sobject is None or found is None:
            raise OrgError("NOT_FOUND", f"no field {fault.column or 'of a kind that can change'}", status=404)
        return sobject, found

    def _revoke_field(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, found = self._field(fault, _ANY)
        where = '"Field" = ?', [f"{sobject.name}.{found.name}"]
        kept = self._org.query(f'SELECT * FROM "FieldPermissions" WHERE {where[0]}', where[1])
        self._org.db.execute(f'DELETE FROM "FieldPermissions" WHERE {where[0]}', where[1])
        self._org.access.invalidate()
        self._plan.on_clear(functools.partial(self._give_back, kept))

    def _give_back(self, kept: pa.Table) -> None:
        with self._org.lock:
            if kept.num_rows:
                self._org.query_with({"_kept": kept}, 'INSERT INTO "FieldPermissions" BY NAME SELECT * FROM _kept')
            self._org.access.invalidate()

    def _drop_field(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, found = self._field(fault, _ANY)
        self._org.drop_field(sobject.name, found.name)
        self._org.db.execute('DELETE FROM "FieldPermissions" WHERE "Field" = ?', [f"{sobject.name}.{found.name}"])
        self._org.note_schema_change()

    def _drop_value(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, found = self._field(fault, frozenset({"picklist", "multipicklist"}))
        gone = fault.value or (found.picklist[-1].value if found.picklist else "")
        left = tuple(one for one in found.picklist if one.value != gone)
        self._org.create_field(sobject.name, dataclasses.replace(found, picklist=left))
        self._org.note_schema_change()

    def _shorten(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        sobject, found = self._field(fault, frozenset({"string", "textarea"}))
        length = fault.bytes if fault.bytes is not None else max(found.length // 2, 1)
        self._org.create_field(sobject.name, dataclasses.replace(found, length=length))
        self._org.note_schema_change()

    def _switch(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        homes = (self._org.settings, self._doors.settings)
        for name, value in fault.words.items():
            home = next((one for one in homes if hasattr(one, name)), None)
            if home is not None:
                self._plan.on_clear(functools.partial(setattr, home, name, getattr(home, name)))
            set_switch(self._org, homes, name, value)

    # ----------------------------------------------------------------- the platform

    def _use_up(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        usage, limit = self._doors.usage, str(fault.words.get("limit", "DailyApiRequests"))
        if limit not in usage.maximum:
            raise OrgError("NOT_FOUND", f"no limit {limit}", status=404)
        self._plan.on_clear(usage.use_up(limit, int(fault.words.get("left", 0))))

    def _other_org(self, fault: Fault, scope: Scope) -> None:
        old = self._org.org_id
        if (fault.id, "org") in self._plan.memory:
            return
        self._plan.memory[(fault.id, "org")] = old
        self._plan.on_clear(functools.partial(self._become, old))
        self._become(ids.make("00D", _OTHER_ORG + 1))
        self._lock_sessions(scope)

    def _become(self, org_id: str) -> None:
        with self._org.lock:
            if self._org.schema.object("Organization") is not None:
                self._org.db.execute('UPDATE "Organization" SET "Id" = ?', [org_id])
            self._org.org_id = org_id

    def _lock_sessions(self, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        kept = dict(self._org.sessions)
        self._org.sessions.clear()
        self._plan.on_clear(functools.partial(self._restore_sessions, kept))

    def _restore_sessions(self, kept: dict[str, Any]) -> None:
        for token, session in kept.items():
            self._org.sessions.setdefault(token, session)

    def _lock_out(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        app = self._doors.sessions.app
        kept = dict(app.refresh)
        self._lock_sessions(scope)
        app.refresh.clear()
        app.blocked = True

        def allow() -> None:
            app.refresh.update(kept)
            app.blocked = False

        self._plan.on_clear(allow)

    def _empty_bin(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        share = 1.0 if fault.share is None else fault.share
        for sobject in self._org.schema.objects.values():
            if (
                not sobject.field("IsDeleted")
                or sobject.view
                or (fault.object and sobject.name.lower() != fault.object.lower())
            ):
                continue
            name = quote(sobject.name)
            gone = f'SELECT "Id" FROM {name} WHERE "IsDeleted" ORDER BY "_deleted_at", "Id"'
            rows = [row["Id"] for row in self._org.rows(gone)]
            oldest = pa.table({"id": pa.array(rows[: int(len(rows) * share)], pa.string())})
            self._org.query_with({"_gone": oldest}, f'DELETE FROM {name} WHERE "Id" IN (SELECT id FROM _gone)')

    def _purge_job(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        parts = [part for part in scope["path"].split("/") if part]
        job = next((found for part in parts if (found := self._doors.jobs.find(part)) is not None), None)
        if job is not None:
            self._doors.jobs.drop(job)

    def _skew(self, fault: Fault, scope: Scope) -> None:  # noqa: ARG002 - an action's signature
        self._org.clock.skew(fault.clock_s)
        self._plan.on_clear(functools.partial(self._org.clock.skew, -fault.clock_s))


_ANY = frozenset(
    {
        "string", "textarea", "boolean", "double", "currency", "percent", "int", "date", "datetime", "picklist",
        "multipicklist", "email", "phone", "url",
    }
)  # fmt: skip


def _text_field(sobject: SObject) -> Field:
    """A field that a person would write into: a description or title, else the first plain text."""
    named = (sobject.field(name) for name in _TEXTS)
    plain = (
        f for f in sobject.fields.values() if f.type in {"string", "textarea"} and f.updateable and not f.external_id
    )
    found = next((one for one in named if one is not None and one.updateable), None) or next(plain, None)
    if found is None:
        raise OrgError("NOT_FOUND", f"{sobject.name} has no text to change", status=404)
    return found
