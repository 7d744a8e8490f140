from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cards import BAD, FIELDS, KEY, PARENTS, ROWS, bad_cards, card, contact
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doors import opened
from python_run import run

pytestmark = pytest.mark.more
NAMES = [name for name in FIELDS if name != "Contact__c"]


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the client takes it: the parent by its external id, nested."""
    row = dict(row)
    row["Contact__r"] = {KEY: row.pop("Contact__c")}
    return row


@pytest.fixture(scope="module")
def saw(facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What aiosalesforce saw on its way through a fresh org with the schema in it."""
    opened(facts).close()
    home = tmp_path_factory.mktemp("aiosalesforce")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (home / "key.pem").write_bytes(key.private_bytes(*private))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    rows = [card(n) for n in range(ROWS)]
    rows[ROWS // 2 : ROWS // 2] = bad_cards()
    task = {
        "org_url": facts["org_url"], "control_url": facts["control_url"], "version": "64.0",
        "client_id": facts["env"]["CHARTLIFT_SF_CLIENT_ID"], "user": "integration@clinic.example",
        "client_secret": facts["env"]["CHARTLIFT_SF_CLIENT_SECRET"], "key_file": str(home / "key.pem"),
        "public_key": public.decode(), "key": KEY, "contacts": [contact(n) for n in range(PARENTS)],
        "cards": [nested(row) for row in rows],
        "select": f"SELECT {', '.join(NAMES)}, Contact__r.{KEY} FROM Card__c",
    }  # fmt: skip
    (home / "task.json").write_text(json.dumps(task), encoding="utf-8")
    script = Path(__file__).with_name("aiosalesforce_journey.py")
    done = run("aiosalesforce", ["python", str(script), "task.json", "saw.json"], home)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((home / "saw.json").read_text(encoding="utf-8"))


def test_aiosalesforce_comes_in_by_secret_and_by_assertion_and_comes_back(saw: dict[str, Any]) -> None:
    assert saw["wrong secret"] == ["AuthenticationError", "invalid_client"]
    assert saw["password"] == ["AuthenticationError", "INVALID_OPERATION"]
    assert saw["unknown key"] == ["AuthenticationError", "invalid_grant"]
    assert len(saw["assertion"]) == len(saw["after revocation"]) == 1
    assert saw["another token"]
    assert saw["limits"]["DailyApiRequests"]["Max"] > 0


def test_aiosalesforce_loads_rows_and_reads_them_back_verbatim(saw: dict[str, Any]) -> None:
    assert saw["parents"] == [PARENTS, []]
    assert set(saw["cards"]) == {f"k{n}" for n in range(ROWS)}
    assert saw["refused"] == {key: code for key, (_, code) in BAD.items()}
    found = {row["Key__c"]: row for row in saw["rows"]}
    assert len(found) == len(saw["rows"]) == ROWS
    for number in range(ROWS):
        wanted = card(number)
        row, echo = found[wanted["Key__c"]], saw["cards"][wanted["Key__c"]]
        got = {name: row[name] for name in NAMES}
        assert got | {"Contact__c": row["Contact__r"] and row["Contact__r"][KEY]} == wanted
        assert (echo["sf__Created"], echo["Title__c"]) == ("true", wanted["Title__c"] or "")
    assert (saw["again"], saw["updated"]) == (["false"], 3000)


def test_aiosalesforce_opens_and_gives_up_jobs(saw: dict[str, Any]) -> None:
    assert saw["job"] == ["Open", "Open", "Aborted"]
    assert saw["job listed"]
    assert saw["job gone"] == ["NotFoundError", "NOT_FOUND"]


def test_aiosalesforce_writes_single_records(saw: dict[str, Any]) -> None:
    assert (saw["single"], saw["changed"], saw["upserts"]) == ([True, "Alone"], "Ída", [True, False, True])
    assert saw["twice"] == ["SalesforceError", "DUPLICATE_VALUE"]
    assert saw["no field"] == ["SalesforceError", "INVALID_FIELD"]
    assert saw["no grammar"] == ["SalesforceError", "MALFORMED_QUERY"]
    assert saw["gone"][0] == "NotFoundError"


def test_aiosalesforce_knows_twins_and_the_end_of_its_allowance(saw: dict[str, Any]) -> None:
    assert saw["twins"] == [[True, "Contact", "Standard_Contact_Match_Rule_v1_1"]]
    assert saw["no calls left"] == ["RequestLimitExceededError", "REQUEST_LIMIT_EXCEEDED"]


def test_aiosalesforce_sends_several_requests_in_one(saw: dict[str, Any]) -> None:
    assert saw["referenced"] == [True, "O'Reference & <Son>"]
    assert saw["rolled back"] == [[400, "PROCESSING_HALTED"], [400, "INVALID_EMAIL_ADDRESS"]]
    assert saw["batch"][:4] == [True, "ref", 400, 412]
    assert saw["batch"][4][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert saw["many"] == [199, ["DUPLICATE_VALUE"]]
    assert saw["many upserted"] == [[True, False], [True, True]]
    assert saw["many gone"] == 199


def test_aiosalesforce_deletes_all_softly_and_hard(saw: dict[str, Any]) -> None:
    assert (saw["deleted"], saw["hard"], saw["left"]) == ([0, []], [10, []], 0)
    assert saw["binned"] == [True, True]
