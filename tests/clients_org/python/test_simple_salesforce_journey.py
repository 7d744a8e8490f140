"""simple-salesforce, unchanged, over TLS: ways in, deployments, ten thousand rows by either bulk API, and out again."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cards import BAD, FIELDS, KEY, PARENTS, ROWS, bad_cards, card, contact, loadable, package, zipped
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed

NAMES = ", ".join(name for name in FIELDS if name != "Contact__c")
SELECT = f"SELECT Id, {NAMES}, Contact__r.{KEY} FROM Card__c"
MY_DOMAIN = "clinic.my"


class Doorway(HTTPAdapter):
    """Leads the one host name that the client makes up itself to the sandbox."""

    def __init__(self, org: str) -> None:
        super().__init__()
        self.org = org

    def send(self, request: PreparedRequest, *args: Any, **words: Any) -> Response:
        assert request.url is not None
        request.url = request.url.replace(f"https://{MY_DOMAIN}.salesforce.com", self.org)
        return super().send(request, *args, **words)


@pytest.fixture(scope="module")
def trusted(facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", facts["ca_file"])
        yield facts


@pytest.fixture
def doorway(trusted: dict[str, Any]) -> Iterator[Session]:
    with Session() as session:
        session.mount(f"https://{MY_DOMAIN}.salesforce.com", Doorway(trusted["org_tls_url"]))
        yield session


def app(facts: dict[str, Any]) -> dict[str, Any]:
    names = {"consumer_key": "CHARTLIFT_SF_CLIENT_ID", "consumer_secret": "CHARTLIFT_SF_CLIENT_SECRET"}
    return {word: facts["env"][name] for word, name in names.items()} | {"domain": MY_DOMAIN}


def test_client_credentials_open_the_org(trusted: dict[str, Any], doorway: Session) -> None:
    client = Salesforce(session=doorway, **app(trusted))
    assert client.sf_instance == trusted["org_tls_url"].removeprefix("https://")
    assert client.query("SELECT COUNT() FROM User")["totalSize"] > 0
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        Salesforce(session=doorway, **app(trusted) | {"consumer_secret": "wrong"})


def test_a_signed_assertion_opens_the_org_once_its_key_is_known(trusted: dict[str, Any], doorway: Session) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    words = {
        "username": "integration@clinic.example", "consumer_key": app(trusted)["consumer_key"], "privatekey": pem,
        "instance_url": MY_DOMAIN, "domain": "login", "session": doorway,
    }  # fmt: skip
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
        Salesforce(**words)
    httpx2.post(trusted["control_url"] + "/org/jwt-key", json={"public_key": public.decode()}).raise_for_status()
    assert Salesforce(**words).query("SELECT COUNT() FROM User")["totalSize"] > 0
    with pytest.raises(SalesforceAuthenticationFailed, match="user hasn't approved this consumer"):
        Salesforce(**words | {"username": "nobody@clinic.example"})
    assert jwt.get_unverified_header(jwt.encode({}, pem, algorithm="RS256"))["alg"] == "RS256"


def test_passwords_open_nothing_in_an_org_of_today(trusted: dict[str, Any], doorway: Session) -> None:
    who = {"username": "integration@clinic.example", "password": "secret", "session": doorway}
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
        Salesforce(**who, **app(trusted))
    for more in ({"security_token": "t"}, {"organizationId": trusted["access_token"][:15]}):
        with pytest.raises(SalesforceAuthenticationFailed, match="disabled by default"):
            Salesforce(**who, **more, domain=MY_DOMAIN)


def deploy(client: Salesforce, files: dict[str, str]) -> tuple[str | None, dict[str, Any]]:
    """Deploys, waits, and answers the state and what came of the components."""
    job, state = client.mdapi.deploy(io.BytesIO(zipped(files)), sandbox=False)
    assert state == "Queued"
    for _ in range(500):
        state, _, detail, _ = client.mdapi.check_deploy_status(str(job))
        if state not in {"Pending", "InProgress"}:
            return state, dict(detail or {})
    raise AssertionError("the deployment did not end")


@pytest.fixture(scope="module")
def client(trusted: dict[str, Any]) -> Iterator[Salesforce]:
    """A client of an org with the schema in it, whose user may see and do everything with it."""
    found = Salesforce(instance_url=trusted["org_tls_url"], session_id=trusted["access_token"])
    state, detail = deploy(found, package())
    assert (state, detail["failed_count"], detail["errors"]) == ("Succeeded", "0", [])
    assert int(detail["deployed_count"]) == int(detail["total_count"]) > len(FIELDS)
    [granted] = found.query("SELECT Id FROM PermissionSet WHERE Name = 'Cards'")["records"]
    [user] = found.query("SELECT Id FROM User WHERE Username = 'integration@clinic.example'")["records"]
    found.PermissionSetAssignment.create({"AssigneeId": user["Id"], "PermissionSetId": granted["Id"]})
    yield found
    found.session.close()


def test_a_broken_package_says_which_component_is_wrong(client: Salesforce) -> None:
    state, detail = deploy(client, package(broken=True))
    assert state == "Failed"
    assert int(detail["failed_count"]) == len(detail["errors"]) > 0
    assert any("Nowhere__c" in one["message"] and one["status"] == "Error" for one in detail["errors"])
    assert "Lost__c" not in {one["name"] for one in client.Card__c.describe()["fields"]}


def test_metadata_is_read_and_listed(client: Salesforce) -> None:
    read = client.mdapi.CustomObject.read(["Card__c"])
    assert {one.fullName for one in read.fields} == set(FIELDS)
    query = client.mdapi.ListMetadataQuery(type="CustomObject")
    assert "Card__c" in {one.fullName for one in client.mdapi.list_metadata([query])}
    assert "CustomObject" in {one.xmlName for one in client.mdapi.describe_metadata().metadataObjects}


def test_describe_knows_what_was_deployed(client: Salesforce) -> None:
    fields = {one["name"]: one for one in client.Card__c.describe()["fields"]}
    assert set(FIELDS) <= set(fields)
    assert fields["Contact__c"]["referenceTo"] == ["Contact"]
    assert fields["Key__c"]["externalId"]
    assert [one["value"] for one in fields["Colour__c"]["picklistValues"]] == ["Red", "Grün"]
    assert "Card__c" in {one["name"] for one in client.describe()["sobjects"]}


def told(client: Salesforce, jobs: list[str], which: str) -> list[dict[str, str]]:
    """Rows of one kind of result of bulk jobs."""
    texts = [getattr(client.bulk2.Card__c, f"get_{which}_records")(job) for job in jobs]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]


def compared(rows: list[dict[str, Any]], numbers: range) -> None:
    """Every field of every row is what was sent."""
    found = {row["Key__c"]: row for row in rows}
    assert len(found) == len(rows) == len(numbers)
    for wanted in map(card, numbers):
        row = found[wanted["Key__c"]]
        got = {name: row[name] for name in FIELDS if name != "Contact__c"}
        got["Contact__c"] = row["Contact__r"] and row["Contact__r"][KEY]
        assert got == wanted


def summed(jobs: list[dict[str, Any]], counter: str) -> int:
    return sum(job[counter] for job in jobs)


@pytest.fixture(scope="module")
def loaded(client: Salesforce) -> list[str]:
    """Parents, and cards with bad ones among them, by Bulk 2.0; the jobs of the cards, as the client cuts them."""
    parents = client.bulk2.Contact.upsert(records=[contact(n) for n in range(PARENTS)], external_id_field=KEY, wait=0)
    assert summed(parents, "numberRecordsProcessed") == PARENTS
    assert summed(parents, "numberRecordsFailed") == 0
    rows = [loadable(card(n)) for n in range(ROWS)]
    rows[ROWS // 2 : ROWS // 2] = map(loadable, bad_cards())
    jobs = client.bulk2.Card__c.insert(records=rows, wait=0)
    assert summed(jobs, "numberRecordsTotal") == summed(jobs, "numberRecordsProcessed") == len(rows)
    assert summed(jobs, "numberRecordsFailed") == len(BAD)
    return [str(job["job_id"]) for job in jobs]


def test_bulk2_tells_good_rows_from_bad_ones_and_echoes_them(client: Salesforce, loaded: list[str]) -> None:
    good = {row["Key__c"]: row for row in told(client, loaded, "successful")}
    assert set(good) == {f"k{n}" for n in range(ROWS)}
    assert {row["sf__Created"] for row in good.values()} == {"true"}
    for number in range(ROWS):
        sent = {name: "" if value is None else str(value) for name, value in loadable(card(number)).items()}
        row = good[f"k{number}"]
        assert {name: row[name] for name in sent} == sent
    bad = {row["Key__c"]: row["sf__Error"].partition(":")[0] for row in told(client, loaded, "failed")}
    assert bad == {key: code for key, (_, code) in BAD.items()}
    assert told(client, loaded, "unprocessed") == []


def test_every_field_comes_back_by_query_pages(client: Salesforce, loaded: list[str]) -> None:
    page = client.query(SELECT)
    rows = list(page["records"])
    pages = 1
    while not page["done"]:
        page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        rows += page["records"]
        pages += 1
    assert (page["totalSize"], pages) == (ROWS, ROWS // 2000)
    compared(rows, range(ROWS))
    assert [row["Id"] for row in client.query_all_iter(f"{SELECT} ORDER BY Id")] == sorted(row["Id"] for row in rows)


def test_every_field_comes_back_by_either_bulk_query(client: Salesforce, loaded: list[str], tmp_path: Path) -> None:
    rows = client.bulk.Card__c.query(SELECT, wait=0)
    assert {row["Key__c"] for row in rows} == {f"k{n}" for n in range(ROWS)}
    parts = client.bulk2.Card__c.download("SELECT Key__c, Note__c FROM Card__c", str(tmp_path), 4000, wait=0)
    texts = [Path(one["file"]).read_text(encoding="utf-8") for one in parts]
    notes = {row["Key__c"]: row["Note__c"] for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert len(texts) == 3
    assert notes == {one["Key__c"]: one["Note__c"] or "" for one in map(card, range(ROWS))}


@pytest.mark.parametrize("version", ["31.0", "48.0", "67.0"])
def test_old_and_new_versions_are_served(trusted: dict[str, Any], client: Salesforce, version: str) -> None:
    way = {"instance_url": trusted["org_tls_url"], "session_id": trusted["access_token"], "version": version}
    one = Salesforce(**way)
    made = one.bulk.Contact.insert([{"LastName": version}, {"FirstName": "Nameless"}])
    assert [row["success"] for row in made] == [True, False]
    assert made[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert one.Contact.get(made[0]["id"])["LastName"] == version
    found = one.bulk.Contact.query(f"SELECT Id FROM Contact WHERE LastName = '{version}'", wait=0)
    assert [row["Id"] for row in found] == [made[0]["id"]]
    listing = one.mdapi.ListMetadataQuery(type="CustomObject")
    assert "Card__c" in {found.fullName for found in one.mdapi.list_metadata([listing])}
    assert one.Contact.delete(made[0]["id"]) == 204


def test_several_requests_go_in_one(trusted: dict[str, Any], client: Salesforce) -> None:
    """With a client that has deployed nothing: after a deployment this one takes all it sends for XML."""
    assert client
    one = Salesforce(instance_url=trusted["org_tls_url"], session_id=trusted["access_token"])
    path = f"/services/data/v{one.sf_version}"
    asked = [
        {"method": "POST", "url": f"{path}/sobjects/Contact", "referenceId": "who", "body": {"LastName": "Both"}},
        {"method": "POST", "url": f"{path}/sobjects/Card__c", "referenceId": "what",
         "body": {"Key__c": "both", "Contact__c": "@{who.id}"}},
    ]  # fmt: skip
    made = one.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": asked})
    assert [part["httpStatusCode"] for part in made["compositeResponse"]] == [201, 201]
    again = one.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": asked})
    codes = [part["body"][0]["errorCode"] for part in again["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "DUPLICATE_VALUE"]
    assert one.query("SELECT COUNT() FROM Contact WHERE LastName = 'Both'")["totalSize"] == 1
    assert one.Card__c.delete("Key__c/both") == 204


HARD = 9_000
FEW = 200


def deleted(client: Salesforce, ids: list[str]) -> None:
    """By either bulk API, into the bin and past it; all succeed. Few by the old one: the client naps between looks."""
    rows = [{"Id": one} for one in ids]
    new, old = client.bulk2.Card__c, client.bulk.Card__c
    jobs = [new.delete(records=rows[FEW:HARD], wait=0), new.hard_delete(records=rows[HARD:-FEW], wait=0)]
    assert [summed(one, "numberRecordsProcessed") for one in jobs] == [HARD - FEW, ROWS - HARD - FEW]
    assert [summed(one, "numberRecordsFailed") for one in jobs] == [0, 0]
    done = old.delete(rows[:FEW]) + old.hard_delete(rows[-FEW:])
    assert [one["success"] for one in done] == [True] * 2 * FEW


def test_rows_leave_and_come_back_from_the_bin_only(client: Salesforce, loaded: list[str]) -> None:
    assert loaded
    rows = client.query_all("SELECT Id, Key__c FROM Card__c ORDER BY Id")["records"]
    ids = [row["Id"] for row in rows]
    assert len(ids) == ROWS
    deleted(client, ids)
    assert client.query("SELECT COUNT() FROM Card__c")["totalSize"] == 0
    binned = client.query_all(
        "SELECT Id FROM Card__c WHERE IsDeleted = true AND Key__c LIKE 'k%'", include_deleted=True
    )
    assert {row["Id"] for row in binned["records"]} == set(ids[:HARD])
    assert {row["Id"] for row in client.bulk.Card__c.query_all("SELECT Id FROM Card__c", wait=0)} >= set(ids[:HARD])

    asked = [*ids[:150], ids[HARD], ids[-1]]
    answer = undeleted(client, asked)
    assert answer.text.count("<success>true</success>") == 150
    assert answer.text.count("<success>false</success>") == 2
    assert "UNDELETE_FAILED" in undeleted(client, ids[:1]).text, "what is not in the bin cannot leave it"
    back = client.query_all(SELECT)["records"]
    assert {row["Id"] for row in back} == set(ids[:150])
    for row in back:
        parent = row["Contact__r"] and row["Contact__r"][KEY]
        assert {name: row[name] for name in FIELDS if name != "Contact__c"} | {"Contact__c": parent} == card(
            int(row["Key__c"][1:])
        )


def undeleted(client: Salesforce, ids: list[str]) -> Response:
    """What the client has no word for, by its own session."""
    body = "".join(f"<ids>{one}</ids>" for one in ids)
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="urn:partner.soap.sforce.com"><sessionId>{client.session_id}</sessionId></SessionHeader>'
        f'</e:Header><e:Body><undelete xmlns="urn:partner.soap.sforce.com">{body}</undelete></e:Body></e:Envelope>'
    )
    return client.session.post(
        f"https://{client.sf_instance}/services/Soap/u/{client.sf_version}", data=envelope,
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "undelete"},
    )  # fmt: skip
