from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cards import BAD, FIELDS, PARENTS, ROWS, bad_cards, card, contact, loadable, package, removal, zipped
from node_run import CLIENTS, run

pytestmark = pytest.mark.more


@pytest.fixture(scope="module")
def saw(facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What jsforce saw on its way through a fresh org."""
    home = tmp_path_factory.mktemp("jsforce")
    rows = [card(n) for n in range(ROWS)] + bad_cards()
    zips = {"good": package(), "broken": package(broken=True), "removal": removal()}
    task = {
        "url": facts["org_url"], "token": facts["access_token"], "version": "64.0", "fields": list(FIELDS),
        "contacts": [contact(n) for n in range(PARENTS)], "cards": [loadable(row) for row in rows],
        "zips": {name: base64.b64encode(zipped(files)).decode() for name, files in zips.items()},
    }  # fmt: skip
    (home / "task.json").write_text(json.dumps(task), encoding="utf-8")
    script = Path(__file__).with_name("journey.mjs")
    done = run([str(script), str(home / "task.json"), str(home / "saw.json"), str(CLIENTS)], home)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((home / "saw.json").read_text(encoding="utf-8"))


def test_jsforce_knows_who_it_is(saw: dict[str, Any], facts: dict[str, Any]) -> None:
    assert (
        saw["identity"][:15] == facts["access_token"].partition("!")[0][:15] == saw["userinfo"]["organization_id"][:15]
    )
    assert saw["stranger"] == "INVALID_SESSION_ID"
    assert {"Account", "Contact", "User"} <= set(saw["objects"])


def test_jsforce_deploys_as_soap_and_rest_do(saw: dict[str, Any]) -> None:
    for name in ("checked", "deployed", "again", "removed"):
        assert (saw[name]["status"], saw[name]["success"], saw[name]["failures"]) == ("Succeeded", True, [])
    assert saw["absent"] == "NOT_FOUND", "a validation deploys nothing"
    assert (saw["broken"]["status"], saw["broken"]["success"]) == ("Failed", False)
    failures = dict(saw["broken"]["failures"])
    assert "Nowhere__c" in failures["Card__c.Lost__c"]
    assert {"CustomObject", "PermissionSet"} <= set(saw["kinds"])
    assert "Card__c" in saw["listed"]
    assert {one["fullName"] for one in saw["read"]["fields"]} == set(FIELDS)
    assert saw["retrieved"]["success"]
    assert set(FIELDS) <= set(saw["described"])


def test_jsforce_loads_rows_and_reads_them_back_verbatim(saw: dict[str, Any]) -> None:
    assert saw["parents"] == [PARENTS, []]
    assert saw["cards"] == [ROWS, ROWS, 0]
    assert {key: error.partition(":")[0] for key, error in saw["refused"]} == {
        key: code for key, (_, code) in BAD.items()
    }
    found = {row["Key__c"]: row for row in saw["rows"]}
    assert len(found) == ROWS == saw["count"] == saw["streamed"]
    assert saw["pages"] == ROWS // 2000
    for number in range(ROWS):
        wanted = card(number)
        got = {name: found[wanted["Key__c"]][name] for name in FIELDS if name != "Contact__c"}
        parent = found[wanted["Key__c"]]["Contact__r"]
        got["Contact__c"] = parent and parent["Card_Key__c"]
        assert got == wanted


def test_jsforce_counts_groups_and_walks_to_children(saw: dict[str, Any]) -> None:
    colours = [card(n)["Colour__c"] for n in range(ROWS)]
    groups = {row["colour"]: row["n"] for row in saw["groups"]}
    assert groups == {one: colours.count(one) for one in set(colours)}
    assert saw["children"] == sum(card(n)["Contact__c"] == "p1" for n in range(ROWS))


def test_jsforce_writes_single_records_and_deletes_all(saw: dict[str, Any]) -> None:
    assert saw["single"] == [True, True, "two"]
    assert saw["upserted"]["success"]
    assert saw["many"] == [True, True, False]
    assert saw["twice"] == "DUPLICATE_VALUE"
    assert (saw["classic"], saw["gone"], saw["binned"], saw["remaining"]) == (300, ROWS, ROWS, 3)
