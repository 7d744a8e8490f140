"""The sandbox's own doors, for what a client has no words for."""

from __future__ import annotations

import json
from typing import Any

import httpx2
from cards import package, zipped


def opened(facts: dict[str, Any]) -> httpx2.Client:
    """The REST API of the org, with the cards deployed and granted."""
    door = httpx2.Client(
        base_url=facts["org_url"] + "/services/data/v64.0",
        headers={"Authorization": f"Bearer {facts['access_token']}"},
    )
    options = json.dumps({"deployOptions": {"rollbackOnError": True, "singlePackage": True}})
    parts = {"json": (None, options, "application/json"), "file": ("d.zip", zipped(package()), "application/zip")}
    job = door.post("/metadata/deployRequest", files=parts).json()["id"]
    while not (result := door.get(f"/metadata/deployRequest/{job}").json()["deployResult"])["done"]:
        pass
    assert result["status"] == "Succeeded"
    found = records(door, "SELECT Id FROM PermissionSet WHERE Name = 'Cards'")[0]["Id"]
    user = door.get(facts["org_url"] + "/services/oauth2/userinfo").json()["user_id"]
    made = door.post("/sobjects/PermissionSetAssignment", json={"AssigneeId": user, "PermissionSetId": found})
    assert made.status_code == 201, made.text
    return door


def records(org: httpx2.Client, soql: str) -> list[dict[str, Any]]:
    """All records of a query."""
    page = org.get("/query", params={"q": soql}).json()
    out = list(page["records"])
    while not page["done"]:
        page = org.get(str(org.base_url).partition("/services")[0] + page["nextRecordsUrl"]).json()
        out += page["records"]
    return out
