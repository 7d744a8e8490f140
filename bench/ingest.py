"""How fast the sandbox takes rows: one Bulk API 2.0 job from a bare HTTP client, so that nothing but the sandbox is measured.

Run as a program it is that client: URL, token and number of rows as arguments, seconds on the clock as its answer.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

JOBS = "/services/data/v67.0/jobs/ingest"
POLL = 0.05  # seconds


def body(rows: int) -> bytes:
    """Accounts with three cells each."""
    lines = "\n".join(f"Practice {n},028 {n:08},Town {n % 97}" for n in range(rows))
    return f"Name,Phone,BillingCity\n{lines}\n".encode()


def ingest(url: str, token: str, content: bytes, *, packed: bool) -> float:
    """Seconds from creating the job to its end."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=300)
    sign = {"Authorization": f"Bearer {token}"}

    def call(
        method: str, path: str, data: bytes | None, kind: str = "application/json", **more: str
    ) -> dict[str, object]:
        connection.request(method, path, data, {**sign, "Content-Type": kind, **more})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:  # noqa: PLR2004 - the first status that is no success
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else {}

    began = time.perf_counter()
    asked = {"object": "Account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    job = f"{JOBS}/{call('POST', JOBS, json.dumps(asked).encode())['id']}"
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    call("PUT", f"{job}/batches", gzip.compress(content, 1) if packed else content, "text/csv", **encoding)
    call("PATCH", job, json.dumps({"state": "UploadComplete"}).encode())
    state: dict[str, object] = {}
    while state.get("state") not in ("JobComplete", "Failed", "Aborted"):
        time.sleep(POLL)
        state = call("GET", job, None)
    took = time.perf_counter() - began
    rows = content.count(b"\n") - 1
    if (state["state"], state["numberRecordsProcessed"], state["numberRecordsFailed"]) != ("JobComplete", rows, 0):
        raise RuntimeError(f"the job ended otherwise: {state}")
    return took


if __name__ == "__main__":
    print(ingest(sys.argv[1], sys.argv[2], body(int(sys.argv[3])), packed=sys.argv[4] == "gzip"))
