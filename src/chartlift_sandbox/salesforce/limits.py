"""GET /limits: allowances of the org and what is left of them. Source: REST guide v67, recorded answers."""

import math
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.usage import Usage
from chartlift_sandbox.salesforce.wire import json_response

_RECORD_KB = {"Campaign": 8, "CampaignMember": 1, "EmailMessage": 2}
_STANDARD_KB = 2
_FREE = {"ContentVersion", "ContentDocument", "ContentDocumentLink", "Organization", "AccountContactRelation"}
_STORAGE = ("DataStorageMB", "FileStorageMB")
_NESTED = {"PermissionSets": "CreateCustom"}


class LimitsDoor:
    """The endpoint over the usage counters and the stored records."""

    def __init__(self, org: Org, usage: Usage) -> None:
        self._org, self._usage = org, usage

    async def limits(self, request: Request) -> Response:
        """All keys with Max and Remaining; the storage keys only for those who manage users."""
        permissions = request.state.actor.permissions
        if "ViewSetup" not in permissions:
            raise OrgError("INSUFFICIENT_ACCESS", "You need the permission View Setup and Configuration", status=403)
        return json_response(await run_in_threadpool(self.answer, storage="ManageUsers" in permissions))

    def answer(self, *, storage: bool) -> dict[str, Any]:
        """The body of the answer."""
        left = {key: self._usage.remaining(key) for key in self._usage.maximum if key not in _STORAGE}
        out: dict[str, Any] = {
            key: {"Max": self._usage.maximum[key], "Remaining": value} for key, value in left.items()
        }
        out |= {key: {"Max": value, "Remaining": value} for key, value in self._usage.constant.items()}
        for key, inner in _NESTED.items():
            out[key] = out[key] | {inner: dict(out[key])}
        if storage:
            data, files = self.storage_mb()
            for key, used in zip(_STORAGE, (data, files), strict=True):
                most = self._usage.maximum[key]
                out[key] = {"Max": most, "Remaining": max(most - used, 0)}
        return dict(sorted(out.items()))

    def storage_mb(self) -> tuple[int, int]:
        """Used data storage (a flat size per live record) and file storage, in whole MB."""
        kilobytes, file_bytes = 0, 0
        with self._org.lock:
            for sobject in self._org.schema.objects.values():
                if sobject.setup or sobject.name in _FREE:
                    continue
                live = f'SELECT count(*) FROM {quote(sobject.name)} WHERE NOT "IsDeleted"'
                row = self._org.db.execute(live).fetchone()
                kilobytes += (row[0] if row else 0) * _RECORD_KB.get(sobject.name, _STANDARD_KB)
            if self._org.schema.object("ContentVersion") is not None:
                row = self._org.db.execute('SELECT coalesce(sum("ContentSize"), 0) FROM "ContentVersion"').fetchone()
                file_bytes = int(row[0]) if row else 0
        return math.ceil(kilobytes / 1024), math.ceil(file_bytes / 1024**2)


def routes(org: Org, usage: Usage) -> list[BaseRoute]:
    """The limits route."""
    return [Route("/services/data/v{version}/limits", LimitsDoor(org, usage).limits, methods=["GET"])]
