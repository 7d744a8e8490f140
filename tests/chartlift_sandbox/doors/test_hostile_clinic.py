"""The hostile clinic: every family is planted, served as planted, told, and taken back."""

import hashlib
import json
from typing import Any

import httpx2
import pytest
from clinic_caller import everything, signed_in
from door_harness import Sandbox

from chartlift_sandbox.aeronaclinic.answers import encoded
from chartlift_sandbox.generator.entities import BY_NAME
from chartlift_sandbox.hostile import catalogue, families

ENVELOPES = sorted(catalogue()["envelopes"])
WHATS = [what for rows in catalogue()["envelopes"].values() for what, _ in rows if what != "B10_body"]


def planted(sandbox: Sandbox, **words: Any) -> list[dict[str, Any]]:
    sandbox.control.post("/reset")
    answer = sandbox.control.post("/clinic/hostile", json=words)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content)["planted"]


def test_every_family_is_there() -> None:
    assert families() == [f"B{number:02}" for number in range(1, 79)]
    assert sum(len(rows) for rows in catalogue()["values"].values()) > 200
    for rows in catalogue()["values"].values():
        for entity, _, _, expected, description in rows:
            assert entity in BY_NAME
            assert expected in {"pass", "normalise", "quarantine", "withhold", "hold"}
            assert description


def test_each_value_is_served_as_it_is_told(sandbox: Sandbox) -> None:
    values = sorted(catalogue()["values"])
    told = planted(sandbox, families=values)
    assert {one["family"] for one in told} == set(values) - {"B29", "B76"}
    with signed_in(sandbox) as client:
        served = {name: everything(client, BY_NAME[name].path) for name in {one["entity"] for one in told}}
    seen = 0
    for one in told:
        made = isinstance(one.get("value"), dict) and "make" in one["value"]
        rows = [row for row in served[one["entity"]] if row[BY_NAME[one["entity"]].key] == one["id"]]
        assert rows, one
        if one["field"] not in rows[0] or one["field"] == "content" or made:
            continue
        for row in rows:
            found = encoded(row[one["field"]])
            same = (
                hashlib.sha256(found).hexdigest() == one["sha256"]
                if "sha256" in one
                else json.loads(found) == one["value"]
            )
            seen += same
    assert seen > 230, seen


def test_no_record_holds_two_values(sandbox: Sandbox) -> None:
    told = planted(sandbox, families=["B46", "B47", "B57", "B63", "B64"])
    assert len({(one["entity"], one["id"]) for one in told}) == len(told)


def test_long_values_are_told_by_digest(sandbox: Sandbox) -> None:
    told = planted(sandbox, families=["B36"])
    assert len(told) == 5
    assert all("value" not in one and len(one["sha256"]) == 64 for one in told)


def test_spoilt_contents_are_downloaded(sandbox: Sandbox) -> None:
    told = [one for one in planted(sandbox, families=["B71", "B72", "B75"]) if one["field"] == "content"]
    with signed_in(sandbox) as client:
        for one in told:
            answer = client.get(f"/documents/{one['id']}/content")
            assert hashlib.sha256(answer.content).hexdigest() == one["value"], one


def test_large_values_come_on_request(sandbox: Sandbox) -> None:
    (one,) = planted(sandbox, families=["B29"], large=True)
    assert len(sandbox.estate.clinic.children("clinicalNote", one["value"])) >= 50_000
    longest = planted(sandbox, families=["B36"], large=True)[-1]
    assert len((sandbox.estate.clinic.record("clinicalNote", longest["id"]) or {})["text"]) == 10_000_000


def fetched(client: httpx2.Client, path: str) -> bytes:
    """The raw body, not unpacked."""
    with client.stream("GET", path, headers={"accept-encoding": "identity"}) as answer:
        assert answer.status_code == 200
        return b"".join(answer.iter_raw())


@pytest.mark.parametrize("what", WHATS)
def test_an_answer_is_wrong_once(sandbox: Sandbox, what: str) -> None:
    planted(sandbox, families=[what[:3]])
    faults = [one for one in sandbox.control.get("/faults").json()["faults"] if one["id"] == f"hostile-{what}"]
    path = faults[0]["path"].strip("^$")
    asked = (
        f"{path}?pageSize=3&includeArchived=true&embed=appointments" if path == "/patients" else f"{path}?pageSize=3"
    )
    with signed_in(sandbox) as client:
        bodies = [fetched(client, asked) for _ in range(8)]
    sound = bodies[-1]
    assert json.loads(sound)["items"]
    assert bodies.count(sound) == 8 - (len([w for w in WHATS if w[:3] == what[:3]]) if path == "/patients" else 1)


def test_a_persistent_answer_stays_wrong(sandbox: Sandbox) -> None:
    planted(sandbox, families=["B28"], persistent=True)
    with signed_in(sandbox) as client:
        assert [json.loads(client.get("/patients").content)["total"] for _ in range(3)] == [0, 0, 0]


def test_a_reset_takes_it_back(sandbox: Sandbox) -> None:
    before = planted(sandbox, families=[])
    first = sandbox.estate.clinic.record("patient", sandbox.estate.clinic.ids("patient")[1])
    planted(sandbox)
    sandbox.control.post("/reset")
    assert before == json.loads(sandbox.control.get("/clinic/hostile").content)["planted"] == []
    assert sandbox.estate.clinic.record("patient", sandbox.estate.clinic.ids("patient")[1]) == first


@pytest.mark.parametrize("words", [{"families": ["B99"]}, {"families": "B36"}, {"families": [1]}])
def test_unknown_families_are_refused(sandbox: Sandbox, words: dict[str, Any]) -> None:
    assert sandbox.control.post("/clinic/hostile", json=words).status_code == 400
