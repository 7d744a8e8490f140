"""A tiny org behind a replaced transport: enough of Bulk, REST and login to lose answers in front of it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from chartlift.model.ports import Step
from chartlift.platforms.salesforce.credentials import Secrets
from chartlift.platforms.salesforce.destination import Salesforce

URL = "https://clinic.my.salesforce.com"
ORG = "00D5g000004XyzAEAS"
USER = "0055g00000AbCdEAAV"


class TestClock:
    """Waiting only moves the hands."""

    __test__ = False

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 25, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass
class Fault:
    """What happens to the next `times` requests that match: act() before, after(response) after they are served."""

    match: str
    before: Callable[[httpx2.Request], httpx2.Response | None] | None = None
    after: Callable[[httpx2.Response], httpx2.Response] | None = None
    times: int = 1


def reset(request: httpx2.Request) -> httpx2.Response | None:
    """The connection is refused."""
    raise httpx2.ConnectError("refused", request=request)


def lost(response: httpx2.Response) -> httpx2.Response:
    """The org acted, and nobody hears of it."""
    raise httpx2.ReadError("gone")


def json_answer(status: int, document: object, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=document, headers=headers)


def error(status: int, code: str, message: str = "secret Jane Smith") -> httpx2.Response:
    return json_answer(status, [{"errorCode": code, "message": message}])


def raw(status: int, body: bytes, **headers: str) -> httpx2.Response:
    """A body as it is on the wire, without a length."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx2.Response(status, headers=named, stream=Pieces(body))


class Pieces(httpx2.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body


@dataclass
class FakeOrg:
    clock: TestClock
    requests: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    landed: list[dict[str, str]] = field(default_factory=list)
    logins: int = 0
    org_id: str = ORG
    refuse: Callable[[dict[str, str]], str] = lambda _: ""
    polls: int = 1  # how many polls a job stays in progress
    answers: dict[str, Callable[[httpx2.Request], httpx2.Response]] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)

    def fault(self, match: str, **how: Any) -> None:
        self.faults.append(Fault(match, **how))

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        what = f"{request.method} {request.url.path}"
        self.requests.append(what)
        hit = next((f for f in self.faults if f.times and re.search(f.match, what)), None)
        if hit:
            hit.times -= 1
            if hit.before and (early := hit.before(request)) is not None:
                return early
        response = self.serve(request, what)
        return hit.after(response) if hit and hit.after else response

    def serve(self, request: httpx2.Request, what: str) -> httpx2.Response:
        for pattern, answer in self.answers.items():
            if re.search(pattern, what):
                return answer(request)
        if what.endswith("/oauth2/token"):
            self.logins += 1
            return json_answer(200, {"access_token": f"{ORG}!{self.logins}", "instance_url": URL})
        if what.endswith("/oauth2/userinfo"):
            return json_answer(
                200, {"organization_id": self.org_id, "user_id": USER, "preferred_username": "int@x.test"}
            )
        if what == "GET /services/data":
            return json_answer(200, [{"version": v} for v in ("59.0", "66.0", "67.0", "68.0")])
        if "/jobs/ingest" in what:
            return self.ingest(request, request.url.path.split("/jobs/ingest")[1].strip("/").split("/"))
        return error(404, "NOT_FOUND")

    # -------------------------------------------------------- ingest

    def ingest(self, request: httpx2.Request, parts: list[str]) -> httpx2.Response:
        if request.method == "POST":
            job = json.loads(request.content)
            job |= {
                "id": f"7505g{len(self.jobs):010}AAA",
                "state": "Open",
                "rows": [],
                "good": [],
                "bad": [],
                "left": [],
            }
            self.jobs[job["id"]] = job
            return self.state(job)
        job = self.jobs.get(parts[0])
        if job is None:
            return error(404, "NOT_FOUND")
        if request.method == "PUT":
            return self.put(job, request)
        if request.method == "PATCH":
            return self.patch(job, json.loads(request.content)["state"])
        return self.result(job, parts[1]) if len(parts) > 1 else self.poll(job)

    def state(self, job: dict[str, Any]) -> httpx2.Response:
        counts = {"numberRecordsProcessed": len(job["good"]) + len(job["bad"]), "numberRecordsFailed": len(job["bad"])}
        plain = {k: v for k, v in job.items() if isinstance(v, str)}
        return json_answer(200, {**plain, **counts, **job.get("told", {})})

    def put(self, job: dict[str, Any], request: httpx2.Request) -> httpx2.Response:
        if job["state"] != "Open" or job["rows"]:
            return error(400, "INVALIDJOBSTATE")
        self.bodies.append(request.content)
        packed = request.headers.get("content-encoding") == "gzip"
        text = (gzip.decompress(request.content) if packed else request.content).decode()
        job["rows"] = list(csv.DictReader(io.StringIO(text, newline="")))
        return httpx2.Response(201)

    def patch(self, job: dict[str, Any], state: str) -> httpx2.Response:
        if job["state"] not in {"Open", "UploadComplete", "InProgress"} or (
            state == "UploadComplete" != job["state"] != "Open"
        ):
            return error(400, "INVALIDJOBSTATE")
        job["state"] = state
        if state == "UploadComplete":
            job["polls"] = self.polls
        return self.state(job)

    def poll(self, job: dict[str, Any]) -> httpx2.Response:
        if job["state"] == "UploadComplete":
            job["polls"] -= 1
            if job["polls"] <= 0:
                self.process(job)
        return self.state(job)

    def process(self, job: dict[str, Any]) -> None:
        for number, row in enumerate(job["rows"]):
            if problem := self.refuse(row):
                job["bad"].append({"sf__Id": row.get("Id", ""), "sf__Error": problem, **row})
            else:
                self.landed.append(row)
                record_id = row.get("Id") or f"0035g{number:010}AAA"
                made = str(job["operation"] == "insert").lower()
                job["good"].append({"sf__Id": record_id, "sf__Created": made, **row})
        random.Random(len(job["rows"])).shuffle(job["good"])  # the order of results is not promised
        job["state"] = "JobComplete"

    def result(self, job: dict[str, Any], part: str) -> httpx2.Response:
        echoed = list(job["rows"][0]) if job["rows"] else []
        rows, own = {
            "successfulResults": (job["good"], ["sf__Id", "sf__Created"]),
            "failedResults": (job["bad"], ["sf__Id", "sf__Error"]),
            "unprocessedrecords": (job["left"], []),
        }[part]
        return httpx2.Response(200, content=csv_of(own, echoed, rows), headers={"Content-Type": "text/csv"})


def csv_of(own: list[str], echoed: list[str], rows: list[dict[str, str]]) -> bytes:
    """Headers of ours quoted, echoes bare, all cells quoted: as the org writes it."""
    lines = [",".join([*(f'"{name}"' for name in own), *echoed])]
    lines += [",".join('"' + row[name].replace('"', '""') + '"' for name in [*own, *echoed]) for row in rows]
    return ("\n".join(lines) + "\n").encode()


class Steps(list[Step]):
    """Keeps what was reported; `stop` names the kind after which the process dies."""

    stop = ""

    def __call__(self, step: Step) -> None:
        self.append(step)
        if step.kind == self.stop:
            raise KeyboardInterrupt

    @property
    def kinds(self) -> list[str]:
        return [step.kind for step in self]


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def org(clock: TestClock) -> FakeOrg:
    return FakeOrg(clock)


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def faults() -> Any:
    """The ways to fail, as a name space: a test folder is no package, so nothing can be imported from here."""
    names = {"reset": reset, "lost": lost, "error": error, "raw": raw, "json_answer": json_answer, "csv_of": csv_of}
    return type("Faults", (), {name: staticmethod(call) for name, call in names.items()})


@pytest.fixture
def connect(org: FakeOrg, clock: TestClock) -> Callable[..., Salesforce]:
    """A destination in front of the fake org."""

    def make(**policies: Any) -> Salesforce:
        secrets = policies.pop("secrets", Secrets(client_id="app", client_secret="s3cret"))
        url = policies.pop("url", URL)
        return Salesforce(url, secrets, clock=clock, transport=httpx2.MockTransport(org), **policies)

    return make
