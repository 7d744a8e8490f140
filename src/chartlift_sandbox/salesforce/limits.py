"""GET /limits: allowances of the org and what is left of them. Source: REST guide v67, recorded answers."""

import math
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.storage import data_kilobytes, stored_file_bytes
from chartlift_sandbox.salesforce.usage import Usage
from chartlift_sandbox.salesforce.wire import json_response

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
            used_kb, file_bytes = data_kilobytes(self._org), stored_file_bytes(self._org)
            megabytes = (math.ceil(used_kb / 1024), math.ceil(file_bytes / 1024**2))
            for key, used in zip(_STORAGE, megabytes, strict=True):
                most = self._usage.maximum[key]
                out[key] = {"Max": most, "Remaining": max(most - used, 0)}
        return dict(sorted(out.items()))


def routes(org: Org, usage: Usage) -> list[BaseRoute]:
    """The limits route."""
    return [Route("/services/data/v{version}/limits", LimitsDoor(org, usage).limits, methods=["GET"])]
