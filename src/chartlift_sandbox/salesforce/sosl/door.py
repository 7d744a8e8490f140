"""REST search: `/search?q=FIND …` and `/parameterizedSearch`, which says the same in parameters or in a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.records import read_record
from chartlift_sandbox.salesforce.sosl.execute import MAX_FOUND, Found, search
from chartlift_sandbox.salesforce.wire import json_response

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

BASE = "/services/data/v{version}"
_FIRST_WITH_ENVELOPE = 37
_NO_TERM = "No search term found. The search term must be enclosed in braces."


def routes(org: Org) -> list[BaseRoute]:
    """The routes of the search service."""
    door = SearchDoor(org)
    return [
        Route(f"{BASE}/search", door.sosl, methods=["GET"]),
        Route(f"{BASE}/parameterizedSearch", door.parameters, methods=["GET"]),
        Route(f"{BASE}/parameterizedSearch", door.body, methods=["POST"]),
    ]


class SearchDoor:
    """The endpoints over one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def sosl(self, request: Request) -> Response:
        """GET `/search?q=SOSL`."""
        text = request.query_params.get("q", "")
        if not text:
            raise OrgError("MALFORMED_SEARCH", _NO_TERM)
        return await self._answer(request, text, strict=True)

    async def parameters(self, request: Request) -> Response:
        """GET `/parameterizedSearch?q=…&sobject=Account&Account.fields=Id,Name&…`."""
        given = request.query_params
        words: dict[str, Any] = {name: given[name] for name in given if "." not in name}
        words["fields"] = _names(given.get("fields", ""))
        words["sobjects"] = [
            {"name": name, "fields": _names(given.get(f"{name}.fields", ""))}
            | {key: given[f"{name}.{key}"] for key in ("where", "orderBy", "limit") if f"{name}.{key}" in given}
            for name in given.getlist("sobject")
        ]
        return await self._answer(request, statement(words), strict=False)

    async def body(self, request: Request) -> Response:
        """POST `/parameterizedSearch` with the parameters as JSON."""
        return await self._answer(request, statement(await read_record(request)), strict=False)

    async def _answer(self, request: Request, text: str, *, strict: bool) -> Response:
        found = await run_in_threadpool(search, self._org, request.state.actor, text, strict=strict)
        return json_response(_shown(found, request.state.version))


def _shown(found: Found, version: str) -> Any:
    records = found.records(version)
    if float(version) < _FIRST_WITH_ENVELOPE:
        return records
    return {"searchRecords": records} | ({"metadata": found.metadata()} if found.labels else {})


def statement(words: dict[str, Any]) -> str:
    """The SOSL that parameters stand for.

    Raises:
        OrgError: MALFORMED_SEARCH for parameters that are missing or of another form.
    """
    sought = words.get("q")
    if not isinstance(sought, str) or not sought.strip():
        raise OrgError("MALFORMED_SEARCH", _NO_TERM)
    objects = words.get("sobjects") or []
    fields = words.get("fields") or []
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise _refused("sobjects")
    if (fields or words.get("defaultLimit")) and not objects:
        raise OrgError("MALFORMED_SEARCH", "At least one sobject must be specified")
    shown = "".join(f"\\{sign}" if sign in "{}\\" else sign for sign in sought)
    text = f"FIND {{{shown}}} IN {_word(words, 'in', 'ALL')} FIELDS"
    if objects:
        text += f" RETURNING {', '.join(_returned(one, fields, words.get('defaultLimit')) for one in objects)}"
    if str(words.get("metadata", "")).upper() == "LABELS":
        text += " WITH METADATA = 'LABELS'"
    limit = _limit(words, "overallLimit")
    return text if limit is None else f"{text} LIMIT {limit}"


def _returned(one: dict[str, Any], fields: Any, limit: Any) -> str:
    chosen = one.get("fields") or fields or ["Id"]
    if not isinstance(chosen, list) or not all(isinstance(name, str) for name in chosen):
        raise _refused("fields")
    text = ", ".join(chosen)
    if one.get("where"):
        text += f" WHERE {_word(one, 'where')}"
    if one.get("orderBy"):
        text += f" ORDER BY {_word(one, 'orderBy')}"
    most = _limit(one, "limit")
    most = _limit({"defaultLimit": limit}, "defaultLimit") if most is None else most
    return f"{_word(one, 'name')}({text}{'' if most is None else f' LIMIT {most}'})"


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _word(given: dict[str, Any], name: str, default: str = "") -> str:
    value = given.get(name) or default
    if not isinstance(value, str) or not value:
        raise _refused(name)
    return value


def _limit(given: dict[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= MAX_FOUND:
        raise _refused(name)
    return int(text[:9])


def _refused(name: str) -> OrgError:
    return OrgError("MALFORMED_SEARCH", f"Malformed search token: {name}")
