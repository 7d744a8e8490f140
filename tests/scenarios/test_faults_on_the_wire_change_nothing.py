"""Lost answers, resets, refusals and an ended session in the middle: still everything exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from journey_driver import World

LOAD = ("load", "--go", "--without-sample")
COLLECTION, JOBS, JOB = r"/composite/sobjects", r"/jobs/ingest/?$", r"/jobs/ingest/\w+/?$"


def lost(method: str, path: str, nth: int = 1) -> dict[str, Any]:
    """The request is carried out, its answer never arrives."""
    return {"kind": "drop", "method": method, "path": path, "nth": nth}


LOST_ANSWERS = [
    lost("POST", COLLECTION, 1),
    lost("POST", COLLECTION, 4),
    lost("POST", JOBS, 1),
    lost("PUT", "/batches", 2),
    lost("PATCH", JOB, 1),
    lost("GET", JOB, 2),
    lost("GET", "/successfulResults", 1),
    lost("POST", "/services/oauth2/token", 1),
]
TROUBLE = [
    {"kind": "expire_token", "method": "GET", "path": JOB, "nth": 1},
    {"kind": "expire_token", "method": "POST", "path": COLLECTION, "nth": 2},
    {"kind": "status", "status": 503, "method": "PUT", "path": "/batches"},
    {"kind": "status", "status": 503, "method": "GET", "path": "/query", "nth": 3},
    {"kind": "reset", "method": "POST", "path": JOBS, "nth": 2},
    {"kind": "reset", "method": "PUT", "path": "/batches", "nth": 3, "bytes": 2000},
    {"kind": "truncate", "method": "GET", "path": "/successfulResults", "nth": 1, "clean": True, "row_boundary": True},
    {"kind": "rows", "object": "Appointment__c", "share": 0.05, "times": 2},
]


@pytest.mark.parametrize("faults", [LOST_ANSWERS, TROUBLE], ids=["lost answers", "trouble"])
def test_faults_on_the_wire_change_nothing(deployed: World, faults: list[dict[str, Any]]) -> None:
    deployed.post("/faults", [fault | {"id": f"f{number}"} for number, fault in enumerate(faults)])
    for _ in range(4):
        done = deployed.run(*LOAD)
        if done.code != 5:
            break
    assert done.code == 0, done.document
    hits = {fault["id"]: fault["hits"] for fault in deployed.get("/faults")["faults"]}
    assert sum(1 for count in hits.values() if count) >= len(faults) - 1, hits
    deployed.clear_faults()
    deployed.holds_everything()
    inserted = [row["new"]["Source_System_ID__c"] for row in deployed.writes() if row["op"] == "insert" and row["ok"]]
    assert len(inserted) == len(set(inserted))
    assert [row["error"] for row in deployed.writes() if not row["ok"] and "DUPLICATE" in row["error"]] == []
    assert deployed.ok("reconcile").document["clean"]


def test_a_clinic_that_falters_is_read_whole(deployed: World) -> None:
    faults = [
        {"kind": "status", "status": 503, "path": "/patients", "nth": 1},
        {"kind": "reset", "path": "/appointments", "nth": 2},
        {"kind": "expire_token", "path": "/appointments", "nth": 4},
        {"kind": "truncate", "path": "/appointments", "nth": 6},
    ]
    deployed.post("/faults", [fault | {"id": f"c{n}", "vendor": "clinic"} for n, fault in enumerate(faults)])
    deployed.ok("extract", "--full")
    deployed.ok(*LOAD)
    deployed.holds_everything()
