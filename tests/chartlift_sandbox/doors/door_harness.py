"""A running sandbox as the tests use it: clients for its doors, and whole conversations as one call."""

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any

import httpx2
import pyarrow as pa

from chartlift_sandbox.estate import Estate
from chartlift_sandbox.server import Ports, serve

VERSION = "67.0"
DATA = f"/services/data/v{VERSION}"


@dataclass
class Sandbox:
    """A running sandbox with ready-made clients."""

    estate: Estate
    org: httpx2.Client
    control: httpx2.Client

    def get(self, path: str, **words: Any) -> httpx2.Response:
        return self.org.get(DATA + path, **words)

    def post(self, path: str, **words: Any) -> httpx2.Response:
        return self.org.post(DATA + path, **words)

    def deploy(self, data: bytes, **options: Any) -> dict[str, Any]:
        """Deploys a zip by REST and waits for the end; answers deployResult with details."""
        words = {"rollbackOnError": True, "singlePackage": True} | options
        parts = {
            "json": (None, json.dumps({"deployOptions": words}), "application/json"),
            "file": ("deploy.zip", data, "application/zip"),
        }
        answer = self.post("/metadata/deployRequest", files=parts)
        assert answer.status_code == 201, answer.text
        return self.deployed(answer.json()["id"])

    def deployed(self, job: str) -> dict[str, Any]:
        for _ in range(400):
            result = self.get(f"/metadata/deployRequest/{job}?includeDetails=true").json()["deployResult"]
            if result["done"]:
                return result
            threading.Event().wait(0.01)
        raise AssertionError("the deployment did not end")

    def assign(self, name: str) -> None:
        """Gives a permission set to the integration user."""
        org = self.estate.org
        found = org.rows('SELECT "Id" FROM "PermissionSet" WHERE "Name" = ?', [name])[0]["Id"]
        table = pa.table({"AssigneeId": [org.people.integration], "PermissionSetId": [found]})
        answer = org.dml("insert", "PermissionSetAssignment", table, org.actor_for(org.people.admin)).to_pylist()
        assert answer[0]["success"] or answer[0]["code"] == "DUPLICATE_VALUE", answer

    def ingest(self, operation: str, sobject: str, csv: str | bytes, **words: Any) -> dict[str, Any]:
        """Runs a whole ingest job and answers its last status."""
        job = self.post("/jobs/ingest", json={"operation": operation, "object": sobject, **words}).json()
        assert (
            self.org.put("/" + job["contentUrl"], content=csv, headers={"content-type": "text/csv"}).status_code == 201
        )
        closed = self.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"}).json()
        assert closed["state"] == "UploadComplete"
        return self.finished(job["id"])

    def finished(self, job: str) -> dict[str, Any]:
        for _ in range(1000):
            status = self.get(f"/jobs/ingest/{job}").json()
            if status["state"] in {"JobComplete", "Failed", "Aborted"}:
                return status
            threading.Event().wait(0.01)
        raise AssertionError("the job did not end")


def run_in_thread(estate: Estate) -> tuple[threading.Thread, asyncio.AbstractEventLoop, asyncio.Event]:
    """Serves an estate until the event is set; returns once it answers."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve(estate, Ports(), lambda _: ready.set(), stop))
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(30)
    return thread, loop, stop
