"""REST calls: version, describe, query, limits, single records and collections of up to 200."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

from chartlift.errors import PlanError
from chartlift.platforms.salesforce.errors import NoAnswer, Refused
from chartlift.platforms.salesforce.session import JSON, Repeat, Session

NEWEST, OLDEST = 67.0, 58.0
"""The API versions this client was written for."""

COLLECTION = 200
JSON_BODY = {"Content-Type": JSON}


class Rest:
    """The REST API of one org at one version."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through."""
        self.session = session

    @cached_property
    def version(self) -> str:
        """The newest version that the org and this client both know, such as `67.0`."""
        found = self.session.open("/services/data").document
        listed = [str(item.get("version", "")) for item in found if isinstance(item, dict)]
        known = [text for text in listed if _number(text) is not None and OLDEST <= (_number(text) or 0) <= NEWEST]
        if not known:
            raise PlanError(f"the org offers no API version between {OLDEST} and {NEWEST}")
        return max(known, key=lambda text: _number(text) or 0.0)

    @property
    def root(self) -> str:
        """Path of the REST API."""
        return f"/services/data/v{self.version}"

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path below the root (or at an absolute /services path); numbers with a point are text."""
        full = path if path.startswith("/services/") else self.root + path
        return self.session.call("GET", full, repeat=Repeat.ALWAYS, params=params).document

    def post(self, path: str, document: object, *, repeat: Repeat, headers: Mapping[str, str] | None = None) -> Any:
        """Send JSON and return the JSON of the answer."""
        return self.send("POST", path, document, repeat=repeat, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        document: object,
        *,
        repeat: Repeat,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """Send JSON (or nothing, if `document` is None) and return the JSON of the answer, None if it is empty."""
        body = b"" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        extra = {**(JSON_BODY if body else {}), **(headers or {})}
        path = self.root + path
        return self.session.call(method, path, repeat=repeat, content=body, headers=extra, params=params).document

    def describe(self, object_name: str) -> dict[str, Any] | None:
        """The describe of one object, None if the user sees none of that name."""
        try:
            return self.get(f"/sobjects/{object_name}/describe")
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def limits(self) -> dict[str, Any]:
        """The /limits document."""
        return self.get("/limits")

    def pages(self, statement: str, *, deleted: bool = False, tooling: bool = False) -> Iterator[dict[str, Any]]:
        """The pages of a query, each with totalSize, done and records."""
        path = "/tooling/query" if tooling else ("/queryAll" if deleted else "/query")
        page = self.get(path, {"q": statement})
        seen: set[str] = set()
        while True:
            if not isinstance(page, dict) or not isinstance(page.get("records"), list):
                raise NoAnswer(f"GET {path}", "it holds no records", unsent=False)
            yield page
            following = page.get("nextRecordsUrl")
            if page.get("done", True) or not isinstance(following, str):
                return
            if following in seen:
                raise NoAnswer(f"GET {path}", "its pages go round in a circle", unsent=False)
            seen.add(following)
            page = self.get(following)

    def query(self, statement: str, *, deleted: bool = False, tooling: bool = False) -> list[dict[str, Any]]:
        """All records of a query that is known to be small.

        Raises:
            NoAnswer: the records do not add up to totalSize.
        """
        found: list[dict[str, Any]] = []
        total = 0
        for page in self.pages(statement, deleted=deleted, tooling=tooling):
            found += page["records"]
            total = page.get("totalSize", len(found))
        if total != len(found):
            raise NoAnswer("GET /query", f"{len(found)} records came of {total}", unsent=False)
        return found

    def count(self, statement: str) -> int:
        """What a `SELECT COUNT()` statement counts."""
        page = self.get("/query", {"q": statement})
        total = page.get("totalSize") if isinstance(page, dict) else None
        if not isinstance(total, int):
            raise NoAnswer("GET /query", "it holds no count", unsent=False)
        return total

    def collection(
        self, method: str, records: Sequence[Mapping[str, Any]], *, repeat: Repeat, headers: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Insert (POST) or update (PATCH) up to 200 records; one result each, in order."""
        document = {"allOrNone": False, "records": list(records)}
        found = self.send(method, "/composite/sobjects", document, repeat=repeat, headers=headers)
        return self._results(found, len(records), method)

    def delete_collection(self, ids: Sequence[str], *, headers: Mapping[str, str]) -> list[dict[str, Any]]:
        """Delete up to 200 records; one result each, in order."""
        params = {"ids": ",".join(ids), "allOrNone": "false"}
        found = self.send("DELETE", "/composite/sobjects", None, repeat=Repeat.ALWAYS, headers=headers, params=params)
        return self._results(found, len(ids), "DELETE")

    @staticmethod
    def _results(found: Any, expected: int, method: str) -> list[dict[str, Any]]:
        if not isinstance(found, list) or len(found) != expected or not all(isinstance(item, dict) for item in found):
            raise NoAnswer(f"{method} /composite/sobjects", "it has another number of results", unsent=False)
        return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
