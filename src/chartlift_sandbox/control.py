"""The control door: what a test asks of the sandbox itself. It has a port of its own and never shares vendor paths."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chartlift_sandbox import fault_catalogue, switch_list
from chartlift_sandbox.clinic import ClinicError
from chartlift_sandbox.clinic_door import clinic_routes
from chartlift_sandbox.control_files import ControlFiles
from chartlift_sandbox.control_words import ControlError, flag, json_answer, number, read_body, read_json
from chartlift_sandbox.estate import Estate
from chartlift_sandbox.faults import FaultError
from chartlift_sandbox.org_switches import (
    SwitchError,
    set_field_updates,
    set_switch,
    set_unique,
    set_validation_rules,
)
from chartlift_sandbox.person_edits import edit_org
from chartlift_sandbox.rule_door import rule_routes
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.writes import Only

_Body = dict[str, Any]


class ControlDoor:
    """The routes over one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    async def whoami(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        """GET: the origins that this sandbox serves."""
        at = self._estate.addresses
        return json_answer(
            {
                "service": "chartlift-sandbox", "origins": at.origins(), "org_url": at.org, "org_tls_url": at.org_tls,
                "clinic_url": at.clinic, "control_url": at.control, "seed": self._estate.seed,
                "patients": self._estate.patients, "now": self._now(),
            }
        )  # fmt: skip

    async def reset(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        """POST: everything as at start-up."""
        await run_in_threadpool(self._estate.reset)
        return json_answer({"now": self._now()})

    async def clock(self, request: Request) -> Response:
        """GET or POST {"advance_s": n}: the virtual instant, after moving it."""
        step = (await read_body(request)).get("advance_s", 0) if request.method == "POST" else 0
        if isinstance(step, bool) or not isinstance(step, int | float):
            raise ControlError("advance_s must be a number of seconds")
        try:
            self._estate.clock.advance(step)
        except ValueError as error:
            raise ControlError(str(error)) from error
        return json_answer({"now": self._now()})

    async def faults(self, request: Request) -> Response:
        """GET: the plan with its counters (`?catalogue=1`: the named faults). POST: a plan (`?add=1` keeps the old one).

        DELETE: none.
        """
        if request.method == "GET" and flag(request, "catalogue"):
            return json_answer({"catalogue": fault_catalogue.listed()})
        plan = self._estate.faults
        if request.method == "DELETE":
            plan.clear()
        elif request.method == "POST":
            try:
                plan.replace(read_json(await request.body() or b"[]"), add=flag(request, "add"))
            except FaultError as error:
                raise ControlError(str(error)) from error
        return json_answer({"faults": plan.report()})

    async def stats(self, request: Request) -> Response:
        """GET: requests by vendor, method and path pattern. DELETE: starts counting anew."""
        if request.method == "DELETE":
            self._estate.traffic.clear()
        return json_answer(self._estate.traffic.rows())

    async def writes(self, request: Request) -> Response:
        """GET: rows that DML touched; `?since=n&limit=m&object=X&job=J&op=O`, all optional. Sent page by page."""
        since, limit = number(request, "since", 0), number(request, "limit", None)
        wanted = request.query_params
        only = Only(wanted.get("object"), wanted.get("op"), wanted.get("job"))
        pages = await run_in_threadpool(self._estate.org.write_pages, since or 0, limit, only)
        return StreamingResponse(_as_list(pages), media_type="application/json")

    async def state_hash(self, request: Request) -> Response:
        """GET: a digest of the live business records; `?system=1` adds the system columns."""
        digest = await run_in_threadpool(self._hash, flag(request, "system"))
        return json_answer({"hash": digest})

    def _hash(self, system: bool) -> str:
        with self._estate.org.lock:
            return self._estate.org.state_hash(system)

    async def org_edit(self, request: Request) -> Response:
        """POST {"op","object","id","fields","user"}: DML as a person; answers {"id"}."""
        body = await read_body(request)
        return json_answer({"id": await run_in_threadpool(edit_org, self._estate.org, body)})

    async def settings(self, request: Request) -> Response:
        """GET: all switches. POST {name: value, …}: changes some.

        Beside the switches: `limits` (allowances by key), `session_s`, `unique`, `validation_rules`, `field_updates`.
        """
        estate = self._estate
        if request.method == "POST":
            body = await read_body(request)
            with estate.org.lock:
                self._change_settings(body)
                estate.org.access.invalidate()
        found = dataclasses.asdict(estate.org.settings) | dataclasses.asdict(estate.doors.settings)
        found |= dataclasses.asdict(estate.clinic_service.state.switches)
        found |= {"session_s": estate.doors.sessions.timeout.total_seconds(), "limits": estate.doors.usage.maximum}
        return json_answer(found)

    async def switches(self, request: Request) -> Response:
        """GET: every switch with value, default and meaning. POST {name: value, …}: changes some; answers the same."""
        estate = self._estate
        if request.method == "POST":
            body = await read_body(request)
            with estate.org.lock:
                self._change_settings(body)
                estate.org.access.invalidate()
        homes = {"org": estate.org.settings, "doors": estate.doors.settings}
        return json_answer({"switches": switch_list.listed(homes | {"clinic": estate.clinic_service.state.switches})})

    def _change_settings(self, body: _Body) -> None:
        estate = self._estate
        homes = (estate.org.settings, estate.doors.settings, estate.clinic_service.state.switches)
        special = {"unique": set_unique, "validation_rules": set_validation_rules, "field_updates": set_field_updates}
        for name, value in body.items():
            if name == "limits":
                _check_keys(value, estate.doors.usage.maximum)
                estate.doors.usage.maximum |= value
            elif name == "session_s":
                estate.doors.sessions.timeout = _span(value)
            elif name in special:
                special[name](estate.org, value)
            else:
                set_switch(estate.org, homes, name, value)

    async def jwt_key(self, request: Request) -> Response:
        """POST {"public_key": PEM}: accepts JWT bearer assertions signed with its private key."""
        key = (await read_body(request)).get("public_key")
        if not isinstance(key, str) or "BEGIN" not in key:
            raise ControlError("public_key must be PEM text")
        self._estate.doors.sessions.app.jwt_keys.append(key)
        return json_answer({"keys": len(self._estate.doors.sessions.app.jwt_keys)})

    async def refresh_token(self, request: Request) -> Response:
        """POST {"user": username}: a refresh token, as that person's login in the browser would give the app."""
        user = (await read_body(request)).get("user")
        found = self._estate.doors.sessions.grant_refresh(user) if isinstance(user, str) else None
        if found is None:
            raise ControlError("user must be the username of a user")
        return json_answer({"refresh_token": found})

    async def truth(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's signature
        """GET: every planted defect of the clinic."""
        return json_answer(await run_in_threadpool(self._estate.clinic.truth))

    async def mutate(self, request: Request) -> Response:
        """POST {"op","entity","id","fields"}: a change by the clinic's staff; answers {"id"}."""
        body, clinic = await read_body(request), self._estate.clinic
        key = body.get("id")
        if key is not None and not str(key).isdigit():
            raise ControlError("id must be a number")
        if not isinstance(body.get("fields") or {}, dict):
            raise ControlError("fields must be an object")
        words = (str(body.get("op", "")), str(body.get("entity", "")), None if key is None else int(key))
        return json_answer({"id": await run_in_threadpool(clinic.mutate, *words, body.get("fields"))})

    def _now(self) -> str:
        return self._estate.clock.now().isoformat().replace("+00:00", "Z")


def _as_list(pages: Iterator[list[Any]]) -> Iterator[bytes]:
    """One JSON list, however many pages it has."""
    mark = b"["
    for page in pages:
        if page:
            yield mark + orjson.dumps(page, default=str)[1:-1]
            mark = b","
    yield b"[]" if mark == b"[" else b"]"


def _span(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ControlError("session_s must be a positive number")
    return timedelta(seconds=value)


def _check_keys(value: Any, known: dict[str, int]) -> None:
    if not isinstance(value, dict) or set(value) - set(known):
        raise ControlError(f"limits are {', '.join(sorted(known))}")


async def _refused(request: Request, error: Exception) -> Response:
    """Every refusal as `{"error": text}`, never a trace."""
    if isinstance(error, HTTPException):
        text = {404: f"no path {request.url.path}", 405: f"{request.method} is not for {request.url.path}"}
        return json_answer({"error": text.get(error.status_code, error.detail)}, error.status_code)
    if isinstance(error, ControlError | ClinicError):
        return json_answer({"error": error.message}, error.status)
    if isinstance(error, SwitchError):
        return json_answer({"error": str(error)}, 400)
    if not isinstance(error, OrgError):
        return json_answer({"error": f"the sandbox failed: {type(error).__name__}"}, 500)
    return json_answer({"error": error.message, "code": error.code, "fields": list(error.fields)}, error.status)


def create_control(estate: Estate) -> Starlette:
    """The control door as an application."""
    door, files = ControlDoor(estate), ControlFiles(estate)
    return Starlette(
        routes=[
            Route("/whoami", door.whoami, methods=["GET"]),
            Route("/reset", door.reset, methods=["POST"]),
            Route("/clock", door.clock, methods=["GET", "POST"]),
            Route("/faults", door.faults, methods=["GET", "POST", "DELETE"]),
            Route("/stats", door.stats, methods=["GET", "DELETE"]),
            Route("/org/writes", door.writes, methods=["GET"]),
            Route("/org/state-hash", door.state_hash, methods=["GET"]),
            Route("/org/edit", door.org_edit, methods=["POST"]),
            Route("/org/snapshot", files.snapshot, methods=["POST"]),
            Route("/org/restore", files.restore, methods=["POST"]),
            Route("/org/dump", files.dump, methods=["POST"]),
            Route("/org/dump/{object}.parquet", files.dumped, methods=["GET"]),
            Route("/switches", door.switches, methods=["GET", "POST"]),
            Route("/org/settings", door.settings, methods=["GET", "POST"]),
            Route("/org/jwt-key", door.jwt_key, methods=["POST"]),
            Route("/org/refresh-token", door.refresh_token, methods=["POST"]),
            *rule_routes(estate.org),
            Route("/clinic/truth", door.truth, methods=["GET"]),
            Route("/clinic/mutate", door.mutate, methods=["POST"]),
            *clinic_routes(estate),
        ],
        exception_handlers=dict.fromkeys(
            (HTTPException, ControlError, ClinicError, OrgError, SwitchError, Exception), _refused
        ),
    )
