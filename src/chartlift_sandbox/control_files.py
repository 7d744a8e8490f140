"""The control door's files: the whole org saved and brought back, and single objects as Parquet."""

from collections.abc import Callable
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from chartlift_sandbox.control_words import ControlError, json_answer, read_body
from chartlift_sandbox.estate import Estate
from chartlift_sandbox.salesforce import door_snapshots, dumps

PARQUET = "application/vnd.apache.parquet"


class ControlFiles:
    """The routes over one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    async def snapshot(self, request: Request) -> Response:
        """POST {"path"}: saves the org with its jobs, sessions, allowances and switches."""
        return await self._with_path(request, door_snapshots.save)

    async def restore(self, request: Request) -> Response:
        """POST {"path"}: brings a saved org back, in this process or another."""
        return await self._with_path(request, door_snapshots.load)

    async def _with_path(self, request: Request, work: Callable[[Any, str], None]) -> Response:
        path = _path(await read_body(request))
        try:
            await run_in_threadpool(work, self._estate.doors, path)
        except OSError as error:
            raise ControlError(str(error)) from error
        return json_answer({"path": path})

    async def dump(self, request: Request) -> Response:
        """POST {"object", "path"}: the object's records as a Parquet file; answers {"path", "rows"}."""
        body = await read_body(request)
        name, path = body.get("object"), _path(body)
        if not isinstance(name, str) or not name:
            raise ControlError("object is missing")
        try:
            rows = await run_in_threadpool(dumps.dump, self._estate.org, name, path)
        except OSError as error:
            raise ControlError(str(error)) from error
        return json_answer({"path": path, "rows": rows})

    async def dumped(self, request: Request) -> Response:
        """GET: the same, sent piece by piece."""
        name = request.path_params["object"]
        path = await run_in_threadpool(dumps.dump_to_temporary, self._estate.org, name)
        gone = BackgroundTask(path.unlink, missing_ok=True)
        return FileResponse(path, media_type=PARQUET, filename=f"{name}.parquet", background=gone)


def _path(body: dict[str, Any]) -> str:
    path = body.get("path")
    if not isinstance(path, str) or not path or "\0" in path:
        raise ControlError("path is missing")
    return path
