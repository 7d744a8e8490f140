"""REST query: `/query`, `/queryAll`, the pages that follow, `/tooling/query` and record counts."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce import ids, soql
from chartlift_sandbox.salesforce.errors import CONTENT_TYPE, OrgError
from chartlift_sandbox.salesforce.soql.metadata import column_metadata
from chartlift_sandbox.salesforce.soql.result import QueryResult
from chartlift_sandbox.salesforce.soql.statement import quoted

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

BASE = "/services/data/v{version}"
PAGE = 2_000
SMALLEST_PAGE = 200
LONG_TEXT_PAGE = 200
CURSOR_PREFIX = "01g"
CURSOR_LIFE = timedelta(days=2)
MAX_CURSORS = 100
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_LOCATOR = re.compile(r"(01g[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)-(\d{1,9})")


@dataclass(frozen=True)
class Cursor:
    """A result that has more pages."""

    result: QueryResult
    user_id: str
    opened: datetime
    path: str


class Cursors:
    """Open results of one org; a result stays as it was when its statement ran."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._open: OrderedDict[str, Cursor] = OrderedDict()
        self._number = 0

    def keep(self, result: QueryResult, actor: Actor, path: str) -> str:
        """Keep a result for later pages; answers the locator without offset."""
        with self._org.lock:
            self._number += 1
            name = ids.make(CURSOR_PREFIX, self._number)
            self._open[name] = Cursor(result, actor.user_id, self._org.clock.now(), path)
            while len(self._open) > MAX_CURSORS:
                self._open.popitem(last=False)
        return name

    def find(self, locator: str, actor: Actor) -> tuple[str, Cursor, int]:
        """The cursor and offset that a locator names.

        Raises:
            OrgError: INVALID_QUERY_LOCATOR when it is unknown, expired, another user's or beyond the end.
        """
        match = _LOCATOR.fullmatch(locator)
        name = ids.normalise(match.group(1)) if match else None
        cursor = self._open.get(name or "")
        if match is None or name is None or cursor is None or cursor.user_id != actor.user_id:
            raise OrgError("INVALID_QUERY_LOCATOR", "invalid query locator")
        offset = int(match.group(2))
        expired = self._org.clock.now() - cursor.opened > CURSOR_LIFE
        if expired or not 0 < offset < cursor.result.total:
            raise OrgError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return name, cursor, offset


class QueryDoor:
    """The endpoints over one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._cursors = Cursors(org)

    async def query(self, request: Request) -> Response:
        """GET `/query?q=`: first page, live rows only."""
        return await self._first(request, "query", all_rows=False)

    async def query_all(self, request: Request) -> Response:
        """GET `/queryAll?q=`: first page, deleted rows and archived activities included."""
        return await self._first(request, "queryAll", all_rows=True)

    async def tooling(self, request: Request) -> Response:
        """GET `/tooling/query?q=`: the same envelope with three more keys."""
        return _json(await run_in_threadpool(self._tooling, request))

    async def more(self, request: Request) -> Response:
        """GET of a later page."""
        return _json(await run_in_threadpool(self._more, request))

    async def record_count(self, request: Request) -> Response:
        """GET `/limits/recordCount?sObjects=A,B`: rows per object; unknown and empty objects are left out."""
        return _json(await run_in_threadpool(self._record_count, request))

    async def _first(self, request: Request, path: str, *, all_rows: bool) -> Response:
        return _json(await run_in_threadpool(self._answer, request, path, all_rows))

    def _answer(self, request: Request, path: str, all_rows: bool, tooling: bool = False) -> dict[str, Any]:
        if explained := request.query_params.get("explain"):
            return self._explain(request.state.actor, explained, all_rows)
        text = request.query_params.get("q")
        if not text:
            raise OrgError("MALFORMED_QUERY", "A query string has to be specified")
        actor: Actor = request.state.actor
        if request.query_params.get("columns", "").lower() == "true":
            with self._org.lock:
                plan = soql.prepare(self._org, actor, text, all_rows=all_rows, tooling=tooling)
                return column_metadata(self._org.schema, plan)
        result = soql.run(self._org, actor, text, all_rows, tooling=tooling)
        return self._page(request, result, 0, None, path)

    def _explain(self, actor: Actor, text: str, all_rows: bool) -> dict[str, Any]:
        """The plan of a statement that is checked but not run; the emulator names one plan, reading the table."""
        with self._org.lock:
            plan = soql.prepare(self._org, actor, text, all_rows=all_rows)
            whole = plan.entity in self._org.schema.objects
            row = self._org.db.execute(f"SELECT count(*) FROM {quoted(plan.entity)}").fetchone() if whole else None
        held = row[0] if row else 0
        step = {
            "cardinality": held, "fields": [], "leadingOperationType": "TableScan", "notes": [], "relativeCost": 1.0,
            "sobjectCardinality": held, "sobjectType": plan.entity,
        }  # fmt: skip
        return {"plans": [step], "sourceQuery": text}

    def _tooling(self, request: Request) -> dict[str, Any]:
        text = request.query_params.get("q")
        if not text:
            raise OrgError("MALFORMED_QUERY", "A query string has to be specified")
        name = soql.parse(text).source.name
        answer = self._answer(request, "tooling/query", all_rows=False, tooling=True)
        return answer if "columnMetadata" in answer else _tooling_form(name, answer)

    def _more(self, request: Request) -> dict[str, Any]:
        name, cursor, offset = self._cursors.find(request.path_params["locator"], request.state.actor)
        return self._page(request, cursor.result, offset, name, cursor.path)

    def _page(self, request: Request, result: QueryResult, start: int, name: str | None, path: str) -> dict[str, Any]:
        """One page of a result; opens a cursor when more follows."""
        actor, version = request.state.actor, request.state.version
        root = f"/services/data/v{version}/{path}"

        def open_child(child: QueryResult, shown: int) -> str:
            return f"{root}/{self._cursors.keep(child, actor, path)}-{shown}"

        size = page_size(request.headers.get("sforce-query-options", ""), result)
        stop = min(start + size, result.total)
        done = result.plan.count_only or stop == result.total
        answer: dict[str, Any] = {"totalSize": result.total, "done": done}
        if not done:
            name = name or self._cursors.keep(result, actor, path)
            answer["nextRecordsUrl"] = f"{root}/{name}-{stop}"
        answer["records"] = result.to_records(version, start, stop, open_child)
        return answer

    def _record_count(self, request: Request) -> dict[str, Any]:
        given = request.query_params.get("sObjects")
        schema = self._org.schema
        names = [part.strip() for part in given.split(",")] if given else list(schema.objects)
        counts = []
        with self._org.lock:
            for found in (schema.object(name) for name in names):
                if found is None or not found.queryable or not self._org.readable(request.state.actor, found.name):
                    continue
                alive = '"IsDeleted" IS NOT TRUE' if "IsDeleted" in found.fields else '"_deleted_at" IS NULL'
                row = self._org.db.execute(f"SELECT count(*) FROM {quoted(found.name)} WHERE {alive}").fetchone()
                if row and (row[0] or given):
                    counts.append({"count": row[0], "name": found.name})
        return {"sObjects": counts}


def page_size(options: str, result: QueryResult) -> int:
    """Rows per page: what `Sforce-Query-Options` asks for within 200 … 2,000; long texts shrink it to 200."""
    asked = _BATCH.search(options)
    size = min(max(int(asked.group(1)), SMALLEST_PAGE), PAGE) if asked else PAGE
    return min(size, LONG_TEXT_PAGE) if result.plan.long_texts > 1 else size


def _tooling_form(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"size": len(answer["records"]), "entityTypeName": name, "queryLocator": None} | answer


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps(data), media_type=CONTENT_TYPE)


def routes(org: Org) -> list[BaseRoute]:
    """Every query route."""
    door = QueryDoor(org)
    return [
        Route(f"{BASE}/query", door.query, methods=["GET"]),
        Route(f"{BASE}/queryAll", door.query_all, methods=["GET"]),
        Route(f"{BASE}/tooling/query", door.tooling, methods=["GET"]),
        Route(f"{BASE}/query/{{locator}}", door.more, methods=["GET"]),
        Route(f"{BASE}/queryAll/{{locator}}", door.more, methods=["GET"]),
        Route(f"{BASE}/tooling/query/{{locator}}", door.more, methods=["GET"]),
        Route(f"{BASE}/limits/recordCount", door.record_count, methods=["GET"]),
    ]
