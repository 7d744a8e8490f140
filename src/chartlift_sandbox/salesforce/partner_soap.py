"""Partner SOAP: what REST and Bulk cannot do, undelete and merge, and the two calls that clients use to look around."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import ids as record_ids
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.login import Sessions
from chartlift_sandbox.salesforce.metadata_jobs import stamp
from chartlift_sandbox.salesforce.org import Actor, Org
from chartlift_sandbox.salesforce.recycle_bin import emptied
from chartlift_sandbox.salesforce.soap import (
    Call,
    SoapFaultError,
    answer,
    chosen,
    every,
    fault,
    first,
    local,
    read_call,
)

NAMESPACE = "urn:partner.soap.sforce.com"
FAULTS = "urn:fault.partner.soap.sforce.com"
ID_LIMIT = 200
_MERGE_LOSERS = 2
_NOT_IN_BIN = ("UNDELETE_FAILED", "Entity is not in the recycle bin")


class PartnerSoap:
    """The operations over the engine."""

    def __init__(self, org: Org, sessions: Sessions) -> None:
        self._org, self._sessions = org, sessions
        self._operations: dict[str, Callable[[Call], list[Any]]] = {
            "undelete": lambda call: self._by_ids(call, "undelete"),
            "delete": lambda call: self._by_ids(call, "delete"),
            "emptyRecycleBin": lambda call: self._by_ids(call, "empty"),
            "merge": self._merge,
            "getServerTimestamp": self._timestamp,
            "getUserInfo": self._user_info,
            "logout": self._logout,
        }

    async def post(self, request: Request) -> Response:
        """One call; the operation is the first element of the body."""
        try:
            call = await read_call(request, self._sessions, self._org.settings.newest_api_version)
            results = await run_in_threadpool(chosen(self._operations, call), call)
        except SoapFaultError as error:
            return fault(error, FAULTS, detailed=True)
        except OrgError as error:
            return fault(SoapFaultError(error.code, error.message), FAULTS, detailed=True)
        return answer(call.operation, NAMESPACE, results)

    def _by_ids(self, call: Call, op: str) -> list[Any]:
        """Undelete or delete of up to 200 ids of any objects; one result per id, in order."""
        ids = [(one.text or "").strip() for one in every(call.body, "ids")]
        if len(ids) > ID_LIMIT:
            text = f"record limit reached. cannot submit more than {ID_LIMIT} records into this call"
            raise SoapFaultError("EXCEEDED_ID_LIMIT", text)
        results: dict[int, dict[str, Any]] = {}
        by_object: dict[str, list[int]] = {}
        for place, one in enumerate(ids):
            found = self._org.schema.by_prefix(one[:3])
            if found is None:
                results[place] = _failure(one, "MALFORMED_ID", f"bad id {one}", "")
            else:
                by_object.setdefault(found.name, []).append(place)
        for name, places in by_object.items():
            table = pa.table({"Id": pa.array([ids[place] for place in places], pa.string())})
            if op == "empty":
                rows = self._emptied(name, table.column("Id").to_pylist(), call.actor)
            else:
                rows = self._org.dml(op, name, table, call.actor).to_pylist()
            results |= {place: _result(ids[place], row) for place, row in zip(places, rows, strict=True)}
        return [results[place] for place in range(len(ids))]

    def _emptied(self, name: str, ids: list[str], actor: Actor) -> list[dict[str, Any]]:
        """Results of records that leave the recycle bin for good."""
        sobject = self._org.schema.objects[name]
        full = [record_ids.normalise(one) or one for one in ids]
        may = sobject.undeletable and self._org.deletable(actor, name)
        with self._org.transaction():
            gone = emptied(self._org, sobject, full) if may else set()
        refused = _NOT_IN_BIN if may else ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        failed = {"success": False, "code": refused[0], "message": refused[1], "fields": ""}
        return [{"success": True, "id": one} if one in gone else failed for one in full]

    def _merge(self, call: Call) -> list[Any]:
        """Each `request`: a master record with new values, and one or two losers."""
        return [self._merge_one(one, call.actor) for one in every(call.body, "request")]

    def _merge_one(self, request: Any, actor: Actor) -> dict[str, Any]:
        master = first(request, "masterRecord")
        losers = [(one.text or "").strip() for one in every(request, "recordToMergeIds")]
        if master is None or not 1 <= len(losers) <= _MERGE_LOSERS:
            raise SoapFaultError("INVALID_ARGUMENT", "A merge needs a master record and one or two records to merge")
        values = {local(one): (one.text or "").strip() for one in master}
        kind, record_id = values.pop("type", ""), values.pop("Id", values.pop("id", ""))
        try:
            self._org.merge(kind, record_id, losers, actor, values)
        except OrgError as error:
            return _failure(record_id, error.code, error.message, ",".join(error.fields))
        return {"id": record_id, "mergedRecordIds": losers, "success": True}

    def _timestamp(self, call: Call) -> list[Any]:  # noqa: ARG002 - every operation has this signature
        return [{"timestamp": stamp(self._org.clock.now())}]

    def _user_info(self, call: Call) -> list[Any]:
        user = self._sessions.user(call.actor.user_id)
        return [
            {
                "organizationId": self._org.org_id, "organizationName": "Clinic", "profileId": user["ProfileId"],
                "userEmail": user["Email"], "userFullName": user["Name"], "userId": user["Id"],
                "userName": user["Username"], "userType": "Standard",
            }
        ]  # fmt: skip

    def _logout(self, call: Call) -> list[Any]:
        self._sessions.end(call.session)
        return []


def _result(record_id: str, row: dict[str, Any]) -> dict[str, Any]:
    if row["success"]:
        return {"id": row["id"] or record_id, "success": True}
    return _failure(record_id, row["code"], row["message"], row["fields"] or "")


def _failure(record_id: str, code: str, message: str, fields: str) -> dict[str, Any]:
    names = [one for one in fields.split(",") if one]
    error = {"fields": names, "message": message, "statusCode": code}
    return {"errors": error, "id": record_id or None, "success": False}


def routes(org: Org, sessions: Sessions) -> list[BaseRoute]:
    """Every path under which clients post partner envelopes."""
    door = PartnerSoap(org, sessions)
    return [
        Route("/services/Soap/u/{version}", door.post, methods=["POST"]),
        Route("/services/Soap/u/{version}/{rest:path}", door.post, methods=["POST"]),
    ]
