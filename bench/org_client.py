"""A bare client of the sandbox org for one measurement, in a process of its own: bulk jobs and single calls, standard library only.

    python bench/org_client.py URL TOKEN deploy|insert|upsert|query|single ROWS [gzip]

Its answer is one JSON object of figures in seconds. Bodies are made, and packed, before the clock starts: what is
measured is the org.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import statistics
import sys
import time
import zipfile
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

DATA = "/services/data/v67.0"
POLL = 0.05  # seconds
CALLS = 60
JSON = "application/json"
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
FIELD = (
    "<fields><fullName>Bench_Key__c</fullName><label>Bench Key</label><type>Text</type><length>40</length>"
    "<externalId>true</externalId><unique>true</unique><caseSensitive>false</caseSensitive></fields>"
)
READ = "<allowCreate>true</allowCreate><allowEdit>true</allowEdit><allowRead>true</allowRead><object>Account</object>"
GRANT = "<editable>true</editable><field>Account.Bench_Key__c</field><readable>true</readable>"
PACKAGE = {
    "package.xml": f"<Package {NS}><types><members>Account.Bench_Key__c</members><name>CustomField</name></types>"
    f"<types><members>Bench</members><name>PermissionSet</name></types><version>67.0</version></Package>",
    "objects/Account.object": f"<CustomObject {NS}>{FIELD}</CustomObject>",
    "permissionsets/Bench.permissionset": f"<PermissionSet {NS}><label>Bench</label><fieldPermissions>{GRANT}"
    f"</fieldPermissions><objectPermissions>{READ}</objectPermissions></PermissionSet>",
}


class Client:
    """One connection to the org."""

    def __init__(self, url: str, token: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=600)
        self._sign = {"Authorization": f"Bearer {token}"}

    def open(self, method: str, path: str, data: bytes | None = None, **headers: str) -> HTTPResponse:
        shown = {"Content-Type": JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self._connection.request(method, path if path.startswith("/") else f"/{path}", data, {**self._sign, **shown})
        answer = self._connection.getresponse()
        if answer.status >= 300:  # noqa: PLR2004 - the first status that is no success
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.read(300)!r}")
        return answer

    def call(self, method: str, path: str, body: Any = None) -> Any:
        text = self.open(method, path, None if body is None else json.dumps(body).encode()).read()
        return json.loads(text) if text else {}

    def query(self, soql: str) -> list[dict[str, Any]]:
        return self.call("GET", f"{DATA}/query?q={quote(soql)}")["records"]


def key_field(client: Client) -> None:
    """Deploys the external id and grants it to the caller."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in PACKAGE.items():
            archive.writestr(name, text)
    soap = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><SessionHeader '
        f'xmlns="http://soap.sforce.com/2006/04/metadata"><sessionId>{sys.argv[2]}</sessionId></SessionHeader></e:Header>'
        f"<e:Body><deploy {NS}><ZipFile>{base64.b64encode(packed.getvalue()).decode()}</ZipFile><DeployOptions>"
        "<singlePackage>true</singlePackage></DeployOptions></deploy></e:Body></e:Envelope>"
    )
    answer = client.open("POST", "/services/Soap/m/67.0", soap.encode(), Content_Type="text/xml", SOAPAction='""')
    number = answer.read().decode().partition("<id>")[2].partition("</id>")[0]
    result: dict[str, Any] = {}
    while not result.get("done"):
        time.sleep(POLL)
        result = client.call("GET", f"{DATA}/metadata/deployRequest/{number}?includeDetails=true")["deployResult"]
    if result["status"] != "Succeeded":
        raise RuntimeError(f"the deployment failed: {result}")
    found = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Bench'")[0]["Id"]
    me = client.call("GET", "/services/oauth2/userinfo")["user_id"]
    client.call("POST", f"{DATA}/sobjects/PermissionSetAssignment", {"AssigneeId": me, "PermissionSetId": found})


def rows_of(first: int, count: int) -> bytes:
    """Accounts with four cells each."""
    lines = "\n".join(f"Practice {n},028 {n:08},Town {n % 97},K{n}" for n in range(first, first + count))
    return f"Name,Phone,BillingCity,Bench_Key__c\n{lines}\n".encode()


def ingest(client: Client, operation: str, content: bytes, *, packed: bool) -> dict[str, float]:
    """Seconds from creating the job to its end, and to the end of its successful results."""
    rows = content.count(b"\n") - 1
    body = gzip.compress(content, 1) if packed else content
    encoding = {"Content_Encoding": "gzip"} if packed else {}
    asked = {"object": "Account", "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
    asked |= {"externalIdFieldName": "Bench_Key__c"} if operation == "upsert" else {}
    began = time.perf_counter()
    job = f"{DATA}/jobs/ingest/{client.call('POST', f'{DATA}/jobs/ingest', asked)['id']}"
    client.open("PUT", f"{job}/batches", body, Content_Type="text/csv", **encoding).read()
    client.call("PATCH", job, {"state": "UploadComplete"})
    state: dict[str, Any] = {}
    while state.get("state") not in ("JobComplete", "Failed", "Aborted"):
        time.sleep(POLL)
        state = client.call("GET", job)
    took = time.perf_counter() - began
    if (state["state"], state["numberRecordsProcessed"], state["numberRecordsFailed"]) != ("JobComplete", rows, 0):
        raise RuntimeError(f"the job ended otherwise: {state}")
    answers = {"Accept_Encoding": "gzip"} if packed else {}
    client.open("GET", f"{job}/successfulResults", **answers).read()
    return {"rows": rows, "job": took, "results": time.perf_counter() - began - took}


def bulk_query(client: Client, rows: int, *, packed: bool) -> dict[str, float]:
    """Seconds from creating the query job to the last byte of its pages."""
    began = time.perf_counter()
    soql = "SELECT Id, Name, Phone, BillingCity, CreatedDate FROM Account"
    job = f"{DATA}/jobs/query/{client.call('POST', f'{DATA}/jobs/query', {'operation': 'query', 'query': soql})['id']}"
    while client.call("GET", job)["state"] != "JobComplete":
        time.sleep(POLL)
    size, got, place = 0, 0, ""
    while place != "null":
        words = f"?locator={place}" if place else ""
        encoding = {"Accept_Encoding": "gzip"} if packed else {}
        answer = client.open("GET", f"{job}/results{words}", **encoding)
        while piece := answer.read(1 << 20):
            size += len(piece)
        got += int(answer.headers["Sforce-NumberOfRecords"])
        place = answer.headers["Sforce-Locator"]
    took = time.perf_counter() - began
    if got < rows:
        raise RuntimeError(f"{got} rows of {rows}")
    return {"rows": got, "job": took, "bytes": size}


def singles(client: Client, rows: int) -> dict[str, float]:
    """Median milliseconds of each kind of single call, mixed so that all see the same machine."""
    found = client.query(f"SELECT Id FROM Account WHERE Bench_Key__c = 'K{rows // 2}'")[0]["Id"]
    base = f"{DATA}/sobjects/Account"
    soql = quote(f"SELECT Id, Name, Phone FROM Account WHERE Id = '{found}'")
    kinds: dict[str, Any] = {
        "GET record": lambda _: client.call("GET", f"{base}/{found}"),
        "POST": lambda n: client.call("POST", base, {"Name": f"Single {n}", "Bench_Key__c": f"S{n}"}),
        "PATCH": lambda n: client.call("PATCH", f"{base}/{found}", {"Phone": f"1{n}"}),
        "query by id": lambda _: client.call("GET", f"{DATA}/query?q={soql}"),
        "upsert by external id, there": lambda n: client.call(
            "PATCH", f"{base}/Bench_Key__c/K{rows // 3}", {"Phone": f"2{n}"}
        ),
        "upsert by external id, new": lambda n: client.call(
            "PATCH", f"{base}/Bench_Key__c/U{n}", {"Name": f"Upserted {n}"}
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for n in range(CALLS):
        for name, call in kinds.items():
            began = time.perf_counter()
            call(n)
            taken[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(some) for name, some in taken.items()}


def main() -> None:
    """One measurement."""
    url, token, what, count, *more = sys.argv[1:]
    client, rows, packed = Client(url, token), int(count), "gzip" in more
    if what == "deploy":
        key_field(client)
        found: dict[str, float] = {}
    elif what == "insert":
        found = ingest(client, "insert", rows_of(0, rows), packed=packed)
    elif what == "upsert":
        found = ingest(client, "upsert", rows_of(rows // 2, rows), packed=packed)
    elif what == "query":
        found = bulk_query(client, rows, packed=packed)
    else:
        found = singles(client, rows)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
