"""Whatever a caller sends to the org's REST surface, the answer is no 500 and no stack trace."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartlift_sandbox.estate import build_estate

QUICK, MANY = 250, 10_000
ROOT = "/services/data/v67.0"
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")
OBJECTS = (
    "Account",
    "Contact",
    "Task",
    "User",
    "PermissionSet",
    "Organization",
    "Nope__c",
    "account",
    "Group",
    "\x00",
    "é",
)
KEYS = ("001000000000001", "0015g0000000001AAA", "0035g0000000001", "x", "", "null", "%00", "Name", "Id")
SOQL = (
    "SELECT Id FROM Account", "SELECT COUNT() FROM Contact", "SELECT", "SELECT FIELDS(ALL) FROM Account LIMIT 5",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name OFFSET 3", "FIND {x}", "\x00",
    "SELECT Id FROM User WHERE Name LIKE '%a' GROUP BY Id", "SELECT Name, COUNT(Id) c FROM Account GROUP BY ROLLUP(Name)",
)  # fmt: skip
NAMES = (
    "Id", "Name", "LastName", "Email", "AccountId", "Account", "OwnerId", "attributes", "IsDeleted", "CreatedDate", "records",
    "allOrNone", "compositeRequest", "batchRequests", "method", "url", "referenceId", "richInput", "graphs", "graphId", "body",
    "object", "operation", "contentType", "externalIdFieldName", "state", "query", "lineEnding", "columnDelimiter", "type",
    "Subject", "WhoId", "MailingAddress", "BillingCity", "ids", "Nope__c", "Birthdate", "HasOptedOutOfEmail", "AnnualRevenue",
)  # fmt: skip
WORDS = (
    "insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll", "UploadComplete", "Aborted", "CSV", "XML", "LF",
    "CRLF", "COMMA", "PIPE", "Account", "Contact", "POST", "GET", "PATCH", "@{a.id}", "@{", "a", "", "2026-01-01", "x@y.zz",
    f"{ROOT}/sobjects/Account", f"{ROOT}/query?q=SELECT+Id+FROM+Account", "/services/data/v67.0", "\ud800", "\x00", "0",
    "0015g0000000001AAA", "1e400", "SELECT Id FROM Contact", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", "Id", "Name",
)  # fmt: skip
JOB = ("contentType", "externalIdFieldName", "state", "query", "lineEnding", "columnDelimiter")
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(WORDS), st.text(max_size=6)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)),
    max_leaves=12,
)
SINGLE = st.dictionaries(st.sampled_from(NAMES[:12]), LEAVES, max_size=4)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"attributes": st.fixed_dictionaries({"type": st.sampled_from(OBJECTS)})},
        optional=dict.fromkeys(("Id", "Name", "LastName", "AccountId", "Nope__c"), LEAVES),
    ),
    max_size=4,
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {"method": st.sampled_from(METHODS), "url": st.sampled_from(WORDS), "referenceId": st.sampled_from(WORDS)},
        optional={"body": TREES, "httpHeaders": TREES, "richInput": TREES},
    ),
    max_size=3,
)
SHAPES = st.one_of(
    SINGLE,
    st.fixed_dictionaries({"records": RECORDS}, optional={"allOrNone": LEAVES}),
    st.fixed_dictionaries({"compositeRequest": STEPS}, optional={"allOrNone": LEAVES}),
    st.fixed_dictionaries({"batchRequests": STEPS}, optional={"haltOnError": LEAVES}),
    st.fixed_dictionaries({"graphs": st.lists(st.fixed_dictionaries({"graphId": LEAVES, "compositeRequest": STEPS}))}),
    st.fixed_dictionaries({"object": LEAVES, "operation": LEAVES}, optional=dict.fromkeys(JOB, LEAVES)),
    TREES,
)
BODIES = st.one_of(
    SHAPES.map(lambda tree: json.dumps(tree).encode()),
    st.binary(max_size=30),
    st.sampled_from(
        [b"", b"{", b"[]", b"null", b"Name,Phone\na,b\n", b"<a/>", b"\xff", b"[" * 3000, b'{"Name":' * 900]
    ),
)
KINDS = (
    "application/json",
    "text/csv",
    "application/xml",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "",
    "é",
)
EXTRA = (
    {}, {}, {"content-encoding": "gzip"}, {"sforce-query-options": "batchSize=9999999999999999999999"},
    {"if-modified-since": "never"}, {"sforce-duplicate-rule-header": "allowSave=true"}, {"accept-encoding": "gzip"},
    {"if-modified-since": "Mon, 30 Feb 2026 99:00:00 GMT"}, {"accept": "application/xml"},
)  # fmt: skip
SEGMENTS = st.one_of(st.sampled_from(OBJECTS), st.sampled_from(KEYS), st.text(max_size=5))
TEMPLATES = (
    "/sobjects", "/sobjects/{0}", "/sobjects/{0}/describe", "/sobjects/{0}/{1}", "/sobjects/{0}/{1}/{2}",
    "/sobjects/{0}/deleted", "/sobjects/{0}/updated", "/sobjects/{0}/{1}/{2}/{3}", "/composite", "/composite/sobjects",
    "/composite/sobjects/{0}", "/composite/sobjects/{0}/{1}", "/composite/tree/{0}", "/composite/batch", "/composite/graph",
    "/query", "/queryAll", "/query/{1}", "/tooling/query", "/limits", "/limits/recordCount", "/jobs/ingest", "/jobs/query",
    "/jobs/ingest/{1}", "/jobs/query/{1}", "/jobs/query/{1}/results", "/jobs/ingest/{1}/batches", "/metadata/deployRequest",
    "/metadata/deployRequest/{1}", "/tooling/sobjects/{0}", "/search", "/parameterizedSearch", "/recent", "/{0}/{1}",
)  # fmt: skip
QUERIES = st.dictionaries(
    st.sampled_from(("q", "fields", "ids", "start", "end", "columns", "locator", "maxRecords", "sObjects", "allOrNone",
                     "explain", "jobType", "queryLocator")),
    st.one_of(st.sampled_from(SOQL), st.sampled_from(WORDS), st.text(max_size=8)),
    max_size=3,
)  # fmt: skip


class Door:
    """The org's whole application in this process, as one caller sees it."""

    def __init__(self, home: Path) -> None:
        self.estate = build_estate(home, patients=1, seed=3)
        self.app = self.estate.org_app()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of one request; the path is already encoded."""
        return asyncio.run(self._ask(method, path, body, headers))

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        target, _, query = path.partition("?")
        sent: list[Any] = []
        signed = {"authorization": f"Bearer {self.estate.access_token}", "host": "org", **headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": target, "raw_path": quote(target).encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(k.encode(), v.encode("utf-8")) for k, v in signed.items()], "client": ("127.0.0.1", 1),
            "server": ("org", 80), "state": {},
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    made = Door(tmp_path_factory.mktemp("surface"))
    yield made
    made.estate.close()


CASES = st.fixed_dictionaries(
    {
        "method": st.sampled_from(METHODS),
        "template": st.sampled_from(TEMPLATES),
        "parts": st.tuples(SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS),
        "query": QUERIES,
        "body": BODIES,
        "kind": st.sampled_from(KINDS),
        "extra": st.sampled_from(EXTRA),
    }
)
QUIET: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}  # fmt: skip


def _check(door: Door, case: dict[str, Any]) -> None:
    path = ROOT + case["template"].format(*case["parts"])
    query = urlencode({k: v.encode("utf-8", "replace") for k, v in case["query"].items()})
    door.estate.doors.usage.reset()
    headers = {"content-type": case["kind"], **case["extra"]}
    status, text = door.ask(case["method"], path + (f"?{query}" if query else ""), case["body"], headers)
    assert 100 <= status < 500, (path, case, text[:300])
    assert not re.search(rb"Traceback|File \\?\"/|duckdb|pyarrow|UNKNOWN_EXCEPTION", text), (path, case, text[:300])


@settings(max_examples=QUICK, **QUIET)
@given(case=CASES)
def test_any_request_is_answered_without_500(door: Door, case: dict[str, Any]) -> None:
    _check(door, case)


@pytest.mark.more
@settings(max_examples=MANY, **QUIET)
@given(case=CASES)
def test_ten_thousand_requests_are_answered_without_500(door: Door, case: dict[str, Any]) -> None:
    _check(door, case)
