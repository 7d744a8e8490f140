"""A clinic in memory that answers like AeronaClinic, for the source and the stages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duckdb
import httpx2
import pytest

from chartlift.model.ports import Tools
from chartlift.platforms.aeronaclinic.limiter import Limiter
from chartlift.platforms.aeronaclinic.profile import load
from chartlift.platforms.aeronaclinic.session import Credential, Session
from chartlift.platforms.aeronaclinic.source import AeronaSource
from chartlift.store.files import Files

Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[str, str, dict[str, str]], Answer | None]

LISTS = {
    "/practices": ("practice", "practiceId", False),
    "/users": ("user", "userId", True),
    "/appointmentTypes": ("appointmentType", "appointmentTypeId", False),
    "/appointmentStatuses": ("appointmentStatus", "appointmentStatusId", False),
    "/referralSources": ("referralSource", "referralSourceId", False),
    "/households": ("household", "householdId", True),
    "/patients": ("patient", "patientId", True),
    "/appointments": ("appointment", "appointmentId", True),
    "/coursesOfTreatment": ("course", "courseId", True),
    "/treatments": ("treatment", "treatmentId", True),
    "/clinicalNotes": ("clinicalNote", "noteId", True),
    "/documents": ("document", "documentId", True),
    "/invoices": ("invoice", "invoiceId", True),
    "/paymentPlans": ("paymentPlan", "paymentPlanId", True),
    "/carePlanMemberships": ("carePlanMembership", "membershipId", True),
    "/recalls": ("recall", "recallId", True),
    "/paymentProviders": ("paymentLink", "providerLinkId", True),
}
EMBEDDED = {"appointments": "appointment", "treatments": "treatment", "clinicalNotes": "clinicalNote"}
STAMP = "2026-01-05T09:00:00Z"


class VirtualClock:
    """Waiting moves it, nothing else does."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.slept = 0.0

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.time += timedelta(seconds=seconds)


class ClinicDouble:
    """Rows by entity; `faults` see each request first and may answer it; `after` runs behind each answer."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in LISTS.values()}
        self.deletions: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.faults: list[Fault] = []
        self.after: list[Callable[[str, dict[str, str]], None]] = []
        self.tokens: set[str] = set()
        self.logins = 0
        self.max_size = 500
        self.embed_cap: int | None = None
        self.embeds = True
        self.missing: set[str] = set()  # paths that answer 404
        self.ignores: set[str] = set()  # parameters without effect
        self.password = "secret"

    def handle(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        self.requests.append((method, path, query))
        for fault in self.faults:
            answer = fault(method, path, query)
            if answer is not None:
                return answer
        answer = self._answer(method, path, query, headers, body)
        for hook in self.after:
            hook(path, query)
        return answer

    def _answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        if method == "POST" and path == "/login":
            if json.loads(body).get("password") != self.password:
                return reply({"error": "LOGIN_FAILED", "message": "no such user Jane Doe"}, 401)
            self.logins += 1
            token = f"token-{self.logins}"
            self.tokens.add(token)
            return 200, {"AERONA-AUTH-TOKEN": token}, b"{}"
        if headers.get("aerona-auth-token") not in self.tokens:
            return reply({"error": "TOKEN_INVALID", "message": ""}, 401)
        if path in self.missing:
            return reply({"error": "NOT_FOUND"}, 404)
        if path == "/deletions":
            since = query["since"]
            return self._page(
                [d for d in self.deletions if d["entity"] == query["entity"] and d["deletedAt"] >= since], query
            )
        name, key, paged = LISTS[path]
        rows = sorted(
            self.rows[name],
            key=lambda row: (not str(row.get(key)).isdigit(), int(row[key]) if str(row.get(key)).isdigit() else 0),
        )
        if not paged:
            return reply(rows)
        since = "" if "updatedSince" in self.ignores else query.get("updatedSince", "")
        rows = [row for row in rows if str(row.get("updatedAt", "9")) >= since]
        if "patientId" in query and "patientId" not in self.ignores:
            rows = [row for row in rows if str(row["patientId"]) == query["patientId"]]
        if name == "patient":
            rows = [self._embedded(row, query.get("embed", "")) for row in rows]
        return self._page(rows, query)

    def _embedded(self, patient: dict[str, Any], embed: str) -> dict[str, Any]:
        arrays = {member: self._of(patient, entity) for member, entity in EMBEDDED.items()}
        arrays["billingLines"] = [flat for invoice in self._of(patient, "invoice") for flat in flat_lines(invoice)]
        patient = {**patient, **{f"{member}Total": len(rows) for member, rows in arrays.items()}}
        if self.embeds:
            asked = embed.split(",")
            patient |= {member: rows[: self.embed_cap] for member, rows in arrays.items() if member in asked}
        return patient

    def _of(self, patient: dict[str, Any], entity: str) -> list[dict[str, Any]]:
        return [row for row in self.rows[entity] if row["patientId"] == patient["patientId"]]

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        page, size = int(query["page"]), min(int(query["pageSize"]), self.max_size)
        items = rows[(page - 1) * size : page * size]
        more = page * size < len(rows)
        return reply(
            {"page": page, "pageSize": size, "total": len(rows), "nextPage": page + 1 if more else None, "items": items}
        )

    def fill(self, patients: int, appointments: int = 2) -> None:
        self.rows["practice"] = [
            {
                "practiceId": 101,
                "name": "Lagan Dental Care",
                "groupName": "Lagan Group",
                "timezone": "Europe/London",
                "updatedAt": STAMP,
            },
            {"practiceId": 102, "name": "Foyle Dental", "groupName": "LAGAN  Group", "updatedAt": STAMP},
        ]
        self.rows["user"] = [
            {"userId": 3021, "firstName": "Aoife", "practiceIds": [101, 102], "active": True, "updatedAt": STAMP}
        ]
        self.rows["appointmentType"] = [
            {"appointmentTypeId": 12, "name": "Examination", "defaultDuration": 15, "active": True}
        ]
        self.rows["appointmentStatus"] = [
            {"appointmentStatusId": 7, "code": "DNA", "name": "Did Not Attend", "terminal": True}
        ]
        self.rows["referralSource"] = [{"referralSourceId": 4, "name": "Friend / family"}]
        self.rows["household"] = [
            {"householdId": 880, "name": "O\u2019Neill", "headPatientId": 1, "memberPatientIds": [1, 2]}
        ]
        self.rows["patient"] = [self.patient(number) for number in range(1, patients + 1)]
        self.rows["appointment"] = [
            self.appointment(number * 10 + one, number)
            for number in range(1, patients + 1)
            for one in range(appointments)
        ]

    @staticmethod
    def patient(number: int, **more: Any) -> dict[str, Any]:
        return {
            "patientId": number, "practiceId": 101, "lastName": f"Name{number}", "allergies": [], "balance": "45.50",
            "isDeleted": False, "mergedIntoPatientId": None, "updatedAt": STAMP, **more,
        }  # fmt: skip

    @staticmethod
    def appointment(number: int, patient: int, **more: Any) -> dict[str, Any]:
        return {
            "appointmentId": number, "patientId": patient, "practiceId": 101, "userId": 3021, "appointmentStatusId": 7,
            "appointmentTime": "2025-10-14T09:20:00", "isDeleted": False, "updatedAt": STAMP, **more,
        }  # fmt: skip

    @staticmethod
    def treatment(number: int, patient: int, **more: Any) -> dict[str, Any]:
        return {
            "treatmentId": number, "patientId": patient, "appointmentId": None, "courseId": None, "status": "COMPLETED",
            "cost": "10.00", "discount": "0.00", "isDeleted": False, "updatedAt": STAMP, **more,
        }  # fmt: skip

    @staticmethod
    def invoice(number: int, patient: int, lines: int = 2, **more: Any) -> dict[str, Any]:
        items = [
            {"invoiceLineId": n, "lineNumber": n, "description": f"Line {n}", "quantity": 1, "lineTotal": "5.00"}
            for n in range(1, lines + 1)
        ]
        return {
            "invoiceId": number, "patientId": patient, "totalAmount": f"{5 * lines}.00", "isDeleted": False,
            "updatedAt": STAMP, "lineItems": items, **more,
        }  # fmt: skip

    def asked(self, path: str) -> list[dict[str, str]]:
        return [query for method, asked, query in self.requests if asked == path and method == "GET"]


def flat_lines(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    """Its lines as a patient's billing lines: the invoice's own fields with each."""
    head = {name: value for name, value in invoice.items() if name != "lineItems"}
    return [{**head, **line} for line in invoice.get("lineItems") or ()]


def reply(value: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@pytest.fixture
def clinic() -> ClinicDouble:
    return ClinicDouble()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def clinic_url(clinic: ClinicDouble) -> Iterator[str]:
    """The same clinic behind a socket, for other processes."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, data = clinic.handle(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def session(clinic: ClinicDouble, clock: VirtualClock, tmp_path: Path) -> Callable[..., Session]:
    def handler(request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, more, data = clinic.handle(
            request.method, request.url.path, dict(request.url.params), headers, request.read()
        )
        return httpx2.Response(status, headers=more, content=data)

    def make(*, password: str = "secret", practice: str = "") -> Session:
        profile = load()
        limiter = Limiter(tmp_path / "state", f"one{practice}", profile.limit, clock)
        credential = Credential("user", password, "1234", practice)
        transport = httpx2.MockTransport(handler)
        return Session("https://clinic.example", credential, profile, limiter, clock, transport=transport)

    return make


@pytest.fixture
def source(session: Callable[..., Session]) -> AeronaSource:
    return AeronaSource([session()], load())


class Memory:
    """Journal, audit and progress of a test: they remember what they were told."""

    def __init__(self) -> None:
        self.reports: dict[str, Any] = {}
        self.acts: list[str] = []
        self.steps: list[str] = []

    def put_report(self, step: str, _run: str, report: Any) -> None:
        self.reports[step] = json.loads(json.dumps(report))

    def report(self, step: str) -> Any:
        return self.reports.get(step)

    def act(self, act: str, **_more: Any) -> None:
        self.acts.append(act)

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        self.steps.append(f"{text} {done}/{total}")


class OpenStaging:
    """Staging in memory, without encryption."""

    def __init__(self) -> None:
        self.sql = duckdb.connect(config={"threads": 1})

    def close(self) -> None:
        self.sql.close()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def reading_tools(source: AeronaSource, clock: VirtualClock, memory: Memory, tmp_path: Path) -> Iterator[Tools]:
    """Tools for the stages that read the clinic; no org."""
    staging: Any = OpenStaging()
    mind: Any = memory
    nobody: Any = None
    yield Tools(
        home=tmp_path, tenant="t", who="tester", source=source, destination=nobody, staging=staging, journal=mind,
        audit=mind, progress=mind, clock=clock, pack=nobody, options={}, files=Files(tmp_path, bytes(32)),
    )  # fmt: skip
    staging.close()
