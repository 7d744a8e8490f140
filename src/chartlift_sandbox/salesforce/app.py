"""The org's web application: every route of the emulator behind one chain of middleware."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from chartlift_sandbox.fault_door import FaultDoor
from chartlift_sandbox.org_faults import OrgFaults
from chartlift_sandbox.salesforce import (
    bulk_ingest,
    bulk_query,
    classic_bulk,
    collections,
    limits,
    login,
    metadata,
    metadata_soap,
    partner_soap,
    query,
    rest,
)
from chartlift_sandbox.salesforce.caller_permissions import CallerPermissions
from chartlift_sandbox.salesforce.doors import Doors
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.sosl import door as search
from chartlift_sandbox.salesforce.wire import (
    OLDEST,
    Gate,
    PackAnswer,
    TidyPath,
    UnpackBody,
    json_response,
    refuse_any,
    refuse_http,
    refuse_org,
)
from chartlift_sandbox.traffic import Traffic, TrafficMeter

_SEASONS = ("Winter", "Spring", "Summer")
_WINTER_26 = 65
_RESOURCES = (
    "tooling", "metadata", "sobjects", "query", "queryAll", "limits", "composite", "jobs", "recent", "search",
    "parameterizedSearch", "quickActions", "process", "actions", "support", "tabs", "theme", "appMenu",
)  # fmt: skip


def create_app(doors: Doors, traffic: Traffic) -> ASGIApp:
    """The org as an ASGI application; request counter and faults included."""
    app: ASGIApp = Router(routes(doors), redirect_slashes=False)
    app = ExceptionMiddleware(
        app,
        handlers={HTTPException: refuse_http, OrgError: refuse_org, Exception: refuse_any},
    )
    app = CallerPermissions(app, doors.org)
    app = Gate(app, doors.org, doors.sessions, doors.usage)
    app = PackAnswer(app)
    app = UnpackBody(app)
    app = FaultDoor(
        app,
        doors.faults,
        "org",
        doors.org.clock,
        object_of=doors.object_of,
        expire=lambda scope: doors.sessions.end(login.bearer_token(Request(scope)) or ""),
        act=OrgFaults(doors).act,
    )
    return TidyPath(TrafficMeter(app, traffic, "org"))


def routes(doors: Doors) -> list[BaseRoute]:
    """Every route, the more specific ones first."""
    org = doors.org
    return [
        Route("/services/data", _versions(org), methods=["GET"]),
        Route("/services/data/v{version}", _root, methods=["GET"]),
        *login.routes(org, doors.sessions),
        *limits.routes(org, doors.usage),
        *bulk_ingest.routes(org, doors.jobs, doors.worker, doors.settings),
        *classic_bulk.routes(doors.classic, doors.sessions, doors.usage),
        *metadata.routes(org, doors.metadata),
        *metadata_soap.routes(org, doors.metadata, doors.sessions),
        *partner_soap.routes(org, doors.sessions),
        *bulk_query.routes(org, doors.usage, doors.queries),
        *query.routes(org),
        *search.routes(org),
        *collections.routes(org),
        *rest.routes(org),
    ]


def _versions(org: Org) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:  # noqa: ARG001 - an endpoint's signature
        """Every supported version, oldest first; open to everybody."""
        return json_response([_version(number) for number in range(OLDEST, org.settings.newest_api_version + 1)])

    return endpoint


def _version(number: int) -> dict[str, str]:
    year, season = divmod(number - _WINTER_26, len(_SEASONS))
    label = f"{_SEASONS[season]} '{(26 + year) % 100:02d}"
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


async def _root(request: Request) -> Response:
    """The resource map of one version."""
    base = f"/services/data/v{request.state.version}"
    resources: dict[str, Any] = {name: f"{base}/{name}" for name in _RESOURCES}
    user = request.state.actor.user_id
    org_id = request.state.org_id
    return json_response(resources | {"identity": f"{login.origin(request)}/id/{org_id}/{user}"})
