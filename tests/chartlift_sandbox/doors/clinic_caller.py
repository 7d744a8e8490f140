"""A signed-in caller of the clinic's API over HTTP, shared by the tests of its faults, files and hostile values."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from door_harness import Sandbox


@contextmanager
def signed_in(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    """A client with a token; the limiter starts anew."""
    sandbox.estate.clinic_service.state.reset()
    known = sandbox.estate.clinic.credentials()
    words = {
        "username": known["CHARTLIFT_AERONA_USERNAME"],
        "password": known["CHARTLIFT_AERONA_PASSWORD"],
        "practicePin": known["CHARTLIFT_AERONA_PIN"],
    }
    with httpx2.Client(base_url=sandbox.estate.addresses.clinic, timeout=30) as client:
        answer = client.post("/login", json=words)
        client.headers["AERONA-AUTH-TOKEN"] = answer.headers["AERONA-AUTH-TOKEN"]
        yield client


def everything(client: httpx2.Client, path: str, **words: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    asked = {"pageSize": 500, "includeArchived": True, "includeDeceased": True, "includeInactive": True} | words
    page: int | None = 1
    while page is not None:
        answer = json.loads(client.get(path, params={**asked, "page": page}).content)
        if isinstance(answer, list):
            return answer
        rows += answer["items"]
        page = answer["nextPage"]
    return rows
