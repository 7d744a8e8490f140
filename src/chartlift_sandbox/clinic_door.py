"""The control door's room for the clinic: its export as files, and hostile values planted in it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartlift_sandbox.aeronaclinic.answers import encoded
from chartlift_sandbox.clinic_export import export
from chartlift_sandbox.control_words import ControlError, json_answer, read_body
from chartlift_sandbox.estate import Estate
from chartlift_sandbox.export_cells import CellError, Wishes
from chartlift_sandbox.faults import FaultError
from chartlift_sandbox.hostile import HostileError

_UNPROCESSABLE = 422


class ClinicDoor:
    """The routes over one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    async def export(self, request: Request) -> Response:
        """POST {"path", …}: the clinic as a ZIP of files; answers {"path", "files", "rows", "documents", "replaced"}."""
        body = await read_body(request)
        path, wishes = _target(body), _wishes(body)
        try:
            return json_answer(await run_in_threadpool(export, self._estate.clinic, path, wishes))
        except CellError as error:
            raise ControlError(str(error), _UNPROCESSABLE) from error
        except OSError as error:
            raise ControlError(f"the file cannot be written: {error.strerror}") from error

    async def hostile(self, request: Request) -> Response:
        """POST {"families", "large", "persistent"}: plants bad values. Both answer {"planted": [...]}."""
        if request.method == "POST":
            body = await read_body(request)
            wanted = _families(body)
            large, persistent = body.get("large", False) is True, body.get("persistent", False) is True
            try:
                await run_in_threadpool(self._estate.plant, wanted, large=large, persistent=persistent)
            except (HostileError, FaultError) as error:
                raise ControlError(str(error)) from error
        planted = self._estate.hostile.planted if self._estate.hostile is not None else []
        return Response(encoded({"planted": planted}), media_type="application/json")


def _families(body: dict[str, Any]) -> list[str] | None:
    wanted = body.get("families")
    if wanted is not None and (not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted)):
        raise ControlError("families must be a list of names")
    return wanted


def _target(body: dict[str, Any]) -> Path:
    path = body.pop("path", None)
    if not isinstance(path, str) or not path or "\0" in path:
        raise ControlError("path is missing")
    return Path(path)


def _wishes(body: dict[str, Any]) -> Wishes:
    if unknown := sorted(set(body) - {one.name for one in fields(Wishes)}):
        raise ControlError(f"unknown word {', '.join(unknown)}")
    wishes = Wishes(**body)
    if (problem := wishes.problem()) is not None:
        raise ControlError(problem)
    return wishes


def clinic_routes(estate: Estate) -> list[Route]:
    """The routes of this room."""
    door = ClinicDoor(estate)
    return [
        Route("/clinic/export", door.export, methods=["POST"]),
        Route("/clinic/hostile", door.hostile, methods=["GET", "POST"]),
    ]
