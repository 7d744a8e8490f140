"""A small org of a few tables, enough to query: the engine's schema and storage without its rules."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from chartlift_sandbox.salesforce import ids, store
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, Schema, SObject, system_fields
from chartlift_sandbox.salesforce.settings import OrgSettings

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; the oracle's modules lie beside the tests

NOW = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
BORN = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
ACCOUNT, CONTACT, USER, GROUP, TASK, VISIT, PAYMENT = "001", "003", "005", "00G", "00T", "a00", "a01"


@dataclass(frozen=True)
class Person:
    """Who asks."""

    user_id: str
    permissions: frozenset[str] = frozenset({"ApiEnabled"})


@dataclass
class SmallOrg:
    """What the query service needs of an org."""

    schema: Schema
    db: duckdb.DuckDBPyConnection
    lock: Any = field(default_factory=threading.RLock)
    settings: Any = field(default_factory=lambda: OrgSettings(archive_after_days=0))
    archived_on: Any = field(default_factory=NOW.date)
    clock: Any = field(default_factory=lambda: SimpleNamespace(now=lambda: NOW))
    people: Any = field(default_factory=lambda: SimpleNamespace(automated=""))
    hidden: set[tuple[str, str]] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)

    def visible_fields(self, _actor: Person, name: str) -> frozenset[str]:
        sobject = self.schema.objects[name]
        return frozenset(f for f in sobject.fields if (name, f) not in self.hidden)

    def now(self) -> Any:
        return NOW.replace(tzinfo=None)

    def first_unseen(self, _prefix: str) -> str | None:
        return None

    def record_filter(self, _actor: Person, _sobject: SObject, _alias: str) -> str | None:
        return None

    def bin_starts(self) -> Any:
        return datetime(1970, 1, 1)  # noqa: DTZ001 - stored without zone

    def readable(self, _actor: Person, name: str) -> bool:
        return name not in self.unreadable

    def insert(self, name: str, prefix: str, number: int, **values: Any) -> str:
        """Store one row as it is; answers its id."""
        sobject = self.schema.objects[name]
        given = {"Id": ids.make(prefix, number)}
        if "IsDeleted" in sobject.fields:
            given |= {"IsDeleted": False, "CreatedDate": BORN, "SystemModstamp": BORN}
        given |= values
        columns = ", ".join(store.quote(key) for key in given)
        marks = ", ".join("?" for _ in given)
        self.db.execute(f"INSERT INTO {store.quote(name)} ({columns}) VALUES ({marks})", list(given.values()))
        return given["Id"]


def _text(name: str, length: int = 80, **more: Any) -> Field:
    return Field(name, name, "string", length=length, custom=name.endswith("__c"), **more)


def _reference(name: str, to: tuple[str, ...], relationship: str, **more: Any) -> Field:
    return Field(name, name, "reference", length=18, reference_to=to, relationship_name=relationship, **more)


def _add(schema: Schema, name: str, prefix: str, fields: list[Field], *, owner: bool = True) -> None:
    custom = name.endswith("__c")
    given = [*system_fields(name, has_owner=owner), *fields]
    schema.add_object(SObject(name, name, name + "s", prefix, custom, {f.name: f for f in given}))


NAME = _text("Name", 255, name_field=True)
LONG: dict[str, Any] = {"filterable": False, "sortable": False, "groupable": False}


def build_schema() -> Schema:
    """Accounts with contacts, contacts with visits, visits with payments; tasks point anywhere."""
    schema = Schema()
    _add_setup(schema)
    _add_people(schema)
    _add_visits(schema)
    return schema


def _add_setup(schema: Schema) -> None:
    name = NAME
    user = [
        Field("Id", "User ID", "id", length=18, always_visible=True), name, _text("FirstName"), _text("LastName"),
        Field("Email", "Email", "email", length=128), Field("IsActive", "Active", "boolean"), _text("Username"),
    ]  # fmt: skip
    schema.add_object(SObject("User", "User", "Users", USER, fields={f.name: f for f in user}))
    group = [Field("Id", "Group ID", "id", length=18, always_visible=True), name, Field("Email", "Email", "email")]
    schema.add_object(SObject("Group", "Group", "Groups", GROUP, fields={f.name: f for f in group}))


def _add_people(schema: Schema) -> None:
    name = NAME
    stars = tuple(PicklistValue(v, v) for v in ("Hot", "Warm", "Cold"))
    _add(schema, "Account", ACCOUNT, [
        name, Field("Rating", "Rating", "picklist", length=40, picklist=stars),
        Field("AnnualRevenue", "Revenue", "currency", precision=18, groupable=False),
        _reference("ParentId", ("Account",), "Parent", child_relationship_name="ChildAccounts"),
    ])  # fmt: skip
    del schema.objects["Account"].fields["OwnerId"]
    schema.add_field("Account", _reference("OwnerId", ("User",), "Owner", always_visible=True))
    address = [
        _text(f"Mailing{part}", compound="MailingAddress") for part in ("Street", "City", "PostalCode", "Country")
    ]
    _add(schema, "Contact", CONTACT, [
        name, _text("FirstName"), _text("LastName"), Field("Email", "Email", "email", length=80),
        Field("Birthdate", "Birthdate", "date"), Field("HasOptedOutOfEmail", "Opt out", "boolean"),
        Field("NumberOfVisits", "Visits", "int", digits=8),
        Field("Description", "Description", "textarea", length=32000, **LONG),
        _reference("AccountId", ("Account",), "Account", child_relationship_name="Contacts"), *address,
        Field("MailingAddress", "Mailing Address", "address", filterable=False),
        Field("Source_System_ID__c", "Key", "string", length=64, custom=True, case_sensitive=True, external_id=True),
        Field("Interests__c", "Interests", "multipicklist", length=4099, custom=True, sortable=False, groupable=False),
    ])  # fmt: skip


def _add_visits(schema: Schema) -> None:
    name = NAME
    _add(schema, "Visit__c", VISIT, [
        name, Field("Start__c", "Start", "datetime", custom=True), Field("Day__c", "Day", "date", custom=True),
        Field("Status__c", "Status", "picklist", length=255, custom=True), Field("At__c", "At", "time", custom=True),
        Field("Fee__c", "Fee", "double", precision=16, scale=2, custom=True, groupable=False),
        Field("Share__c", "Share", "percent", precision=18, scale=2, custom=True, groupable=False),
        Field("Note__c", "Note", "textarea", length=32768, custom=True, **LONG),
        Field("More__c", "More", "textarea", length=32768, custom=True, **LONG),
        _reference("Contact__c", ("Contact",), "Contact__r", child_relationship_name="Visits", custom=True),
    ])  # fmt: skip
    _add(schema, "Payment__c", PAYMENT, [
        name, Field("Amount__c", "Amount", "currency", precision=16, scale=2, custom=True),
        _reference("Visit__c", ("Visit__c",), "Visit__r", child_relationship_name="Payments__r", custom=True),
    ], owner=False)  # fmt: skip
    _add(schema, "Task", TASK, [
        _text("Subject", 255, name_field=True), Field("ActivityDate", "Due", "date"),
        Field("IsArchived", "Archived", "boolean"),
        _reference("WhoId", ("Contact", "Lead"), "Who", polymorphic=True),
        _reference("WhatId", ("Account", "Visit__c"), "What", polymorphic=True, child_relationship_name="Tasks"),
    ])  # fmt: skip


@pytest.fixture
def org() -> SmallOrg:
    """An org with empty tables and two users."""
    schema = build_schema()
    db = store.connect(":memory:")
    for sobject in schema.objects.values():
        store.create_table(db, sobject)
    small = SmallOrg(schema, db)
    small.insert("User", USER, 1, Name="Ada Admin", Email="ada@clinic.example", IsActive=True, FirstName="Ada")
    small.insert("User", USER, 2, Name="Ben Dentist", Email="ben@clinic.example", IsActive=False, FirstName="Ben")
    small.insert("Group", GROUP, 1, Name="Reception")
    return small


@pytest.fixture
def ada() -> Person:
    """The first user."""
    return Person(ids.make(USER, 1))
