"""What the engine's tests share: an org with custom objects, and short ways to write to it and ask it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyarrow as pa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import collections, rest
from chartlift_sandbox.salesforce.access import FULL, FieldGrant
from chartlift_sandbox.salesforce.dml import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, error_response
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.schema import Field, PicklistValue, SObject, system_fields
from chartlift_sandbox.salesforce.seed import seed_org

USERS = [
    {"first_name": "Ann", "last_name": "Active", "email": "Ann@clinic.example", "username": "ann@clinic.example",
     "is_active": True, "profile": "Dentist", "user_type": "Standard", "alias": "ann"},
    {"first_name": "Ian", "last_name": "Gone", "email": "ian@clinic.example", "username": "ian@clinic.example",
     "is_active": False, "profile": "Dentist", "user_type": "Standard", "alias": "ian"},
]  # fmt: skip
STATUSES = (PicklistValue("Booked", "Booked", default=True), PicklistValue("No Show", "No show"),
            PicklistValue("Old", "Old", active=False))  # fmt: skip


@dataclass
class Bench:
    """The org under test and the integration user."""

    org: Org
    actor: Actor

    def dml(self, op: str, name: str, rows: list[dict[str, str | None]], **more: Any) -> list[dict[str, Any]]:
        """Run DML as the integration user; answers the result rows."""
        names = dict.fromkeys(key for row in rows for key in row)
        table = pa.table({key: pa.array([row.get(key) for row in rows], pa.string()) for key in names})
        return self.org.dml(op, name, table, more.pop("actor", self.actor), **more).to_pylist()

    def insert(self, name: str, **values: str | None) -> str:
        """Insert one record that must succeed; answers its Id."""
        row = self.dml("insert", name, [values])[0]
        assert row["success"], row
        return row["id"]

    def error(self, op: str, name: str, **values: str | None) -> tuple[str, str, str]:
        """Code, message and fields of a row that must fail."""
        row = self.dml(op, name, [values])[0]
        assert not row["success"]
        return row["code"], row["message"], row["fields"]

    def one(self, name: str, record_id: str) -> dict[str, Any]:
        """The stored row."""
        return self.org.rows(f'SELECT * FROM "{name}" WHERE "Id" = ?', [record_id])[0]


def _custom(label: str) -> dict[str, Field]:
    fields = {f.name: f for f in system_fields("")}
    name = Field(
        "Name", f"{label} Name", "string", length=80, name_field=True, id_lookup=True, defaulted_on_create=True,
        always_visible=True,
    )  # fmt: skip
    return {"Id": fields.pop("Id"), "OwnerId": fields.pop("OwnerId"), "Name": name, **fields}


def _key(name: str = "Source_System_ID__c", *, case_sensitive: bool = False) -> Field:
    return Field(
        name, name.removesuffix("__c").replace("_", " "), "string", length=64, custom=True, unique=True,
        external_id=True, id_lookup=True, case_sensitive=case_sensitive,
    )  # fmt: skip


def _lookup(name: str, target: str, **more: Any) -> Field:
    return Field(
        name, name.removesuffix("__c"), "reference", length=18, custom=True, reference_to=(target,),
        relationship_name=name.replace("__c", "__r"), **more,
    )  # fmt: skip


VISIT_FIELDS = (
    _key(),
    _key("Exact_Key__c", case_sensitive=True),
    Field("Loose_Key__c", "Loose Key", "string", length=20, custom=True, external_id=True, id_lookup=True),
    _lookup("Contact__c", "Contact", child_relationship_name="Visits"),
    _lookup("Follows__c", "Visit__c", child_relationship_name="Followers"),
    _lookup("Practitioner__c", "User"),
    Field("Status__c", "Status", "picklist", length=255, custom=True, restricted=True, picklist=STATUSES,
          default="Booked"),
    Field("Surfaces__c", "Surfaces", "multipicklist", length=4099, custom=True, restricted=True,
          picklist=(PicklistValue("M", "M"), PicklistValue("O", "O"), PicklistValue("D", "D"))),
    Field("Cost__c", "Cost", "currency", precision=7, scale=2, custom=True),
    Field("Units__c", "Units", "double", precision=4, scale=1, custom=True),
    Field("Count__c", "Count", "int", digits=4, custom=True),
    Field("Start__c", "Start", "datetime", custom=True),
    Field("Day__c", "Day", "date", custom=True),
    Field("Clock__c", "Clock", "time", custom=True),
    Field("Note__c", "Note", "textarea", length=20, custom=True),
    Field("Contact_Email__c", "Contact Email", "email", length=80, custom=True),
    Field("Paid__c", "Paid", "boolean", nillable=False, custom=True, default="true"),
)  # fmt: skip


def _objects() -> list[SObject]:
    visit = SObject("Visit__c", "Visit", "Visits", "a00", custom=True, fields=_custom("Visit"), enable_activities=True)
    line = SObject("Line__c", "Line", "Lines", "a01", custom=True, fields=_custom("Line"))
    del line.fields["OwnerId"]
    line.fields["Name"] = Field(
        "Name", "Line No", "string", length=80, name_field=True, auto_number="LN-{0000}", createable=False,
        updateable=False, always_visible=True,
    )  # fmt: skip
    guard = SObject("Guard__c", "Guard", "Guards", "a02", custom=True, fields=_custom("Guard"))
    return [visit, line, guard]


CHILD_FIELDS = {
    "Line__c": (
        _key(),
        _lookup("Visit__c", "Visit__c", master_detail=True, nillable=False, relationship_order=0, updateable=False,
                child_relationship_name="Lines"),
    ),
    "Guard__c": (
        _lookup("Visit__c", "Visit__c", delete_constraint="Restrict", child_relationship_name="Guards"),
        _lookup("Companion__c", "Visit__c", delete_constraint="Cascade", child_relationship_name="Companions"),
        Field("Must__c", "Must", "string", length=10, custom=True, nillable=False, required=True),
    ),
    "Contact": (_key(),),
}  # fmt: skip


def new_bench() -> Bench:
    """A seeded org with the custom objects, granted to the integration user together with the audit permissions."""
    org = Org(Clock(), seed=5)
    seed_org(org, USERS, 5)
    for sobject in _objects():
        org.create_object(sobject)
    grants = {"Contact.HasOptedOutOfEmail": FieldGrant(), "Contact.Birthdate": FieldGrant()}
    for name, fields in {"Visit__c": VISIT_FIELDS, **CHILD_FIELDS}.items():
        for new in fields:
            org.create_field(name, new)
            grants[f"{name}.{new.name}"] = FieldGrant()
    everything = dict.fromkeys(("Visit__c", "Line__c", "Guard__c"), FULL)
    permissions = frozenset({"CreateAuditFields", "BulkApiHardDelete"})
    set_id = org.put_permission_set("Loader", "Loader", objects=everything, fields=grants, user_permissions=permissions)
    made = Bench(org, org.actor_for(org.people.integration))
    made.insert("PermissionSetAssignment", AssigneeId=org.people.integration, PermissionSetId=set_id)
    made.actor = org.actor_for(org.people.integration)
    return made


@dataclass
class WebBench:
    """The engine's own routes without login, as the integration user unless told otherwise."""

    bench: Bench
    actor: Actor | None = None
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        org = self.bench.org
        self.app = Starlette(routes=[*collections.routes(org), *rest.routes(org)])
        self.app.add_exception_handler(OrgError, _refuse)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One request below /services/data/v67.0 (or an absolute path)."""
        return asyncio.run(self._send(method, path, headers, json=body))

    def upload(self, method: str, path: str, parts: dict[str, tuple[str | None, bytes, str]]) -> httpx2.Response:
        """The same with a body of parts: name to (file name, content, media type)."""
        built = httpx2.Request(method, "http://org/x", files=list(parts.items()))
        headers = {"content-type": built.headers["content-type"]}
        return asyncio.run(self._send(method, path, headers, content=built.read()))

    async def _send(self, method: str, path: str, headers: dict[str, str], **body: Any) -> httpx2.Response:
        actor = self.actor or self.bench.actor
        version = path.split("/")[3][1:] if path.startswith("/services") else "67.0"

        async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app({**scope, "state": {"actor": actor, "version": version}}, receive, send)

        url = path if path.startswith("/services") else f"/services/data/v67.0{path}"
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx2.ASGITransport(app=asgi)
        async with httpx2.AsyncClient(transport=transport, base_url="http://org") as client:
            return await client.request(method, url, headers=shown, **body)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, OrgError)
    return error_response(error)


ALLOW = DmlOptions(allow_duplicates=True)
BULK = DmlOptions(channel="bulk")
PERSON = DmlOptions(channel="person")
