"""aiosalesforce, as its users write it, on its way through an org: `task.json` in, what it saw as `saw.json` out."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow, JwtBearerFlow, SoapLogin
from aiosalesforce.bulk.v2.ingest import JobResult
from aiosalesforce.exceptions import DuplicatesDetectedError, SalesforceError

HOST = "clinic.my.salesforce.com"


class Doorway(httpx.AsyncHTTPTransport):
    """Leads the only kind of host name that the client takes to the sandbox."""

    def __init__(self, org: str) -> None:
        super().__init__()
        self.org = httpx.URL(org)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host in {HOST, self.org.host}, request.url  # the latter at a second try
        request.url = request.url.copy_with(scheme=self.org.scheme, host=self.org.host, port=self.org.port)
        return await super().handle_async_request(request)


async def refused(call: Awaitable[Any]) -> list[str | None]:
    """How the client tells a refusal: its own name for it, and the code."""
    try:
        await call
    except SalesforceError as wrong:
        return [type(wrong).__name__, wrong.error_code]
    raise AssertionError("was not refused")


async def listed(client: Salesforce, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
    return [row async for row in client.query(soql, include_all_records=deleted)]


async def way_in(http: httpx.AsyncClient, task: dict[str, Any], saw: dict[str, Any]) -> Salesforce:
    """Every way into the org that the client knows; the client that came in by its secret."""

    def by(auth: Any) -> Salesforce:
        return Salesforce(http, f"https://{HOST}", auth, version=task["version"])

    names = (task["client_id"], task["user"], task["key_file"])
    saw["wrong secret"] = await refused(by(ClientCredentialsFlow(task["client_id"], "wrong")).get_limits())
    saw["password"] = await refused(by(SoapLogin(task["user"], "secret", "token")).get_limits())
    saw["unknown key"] = await refused(by(JwtBearerFlow(*names)).get_limits())
    async with httpx.AsyncClient() as control:
        answer = await control.post(f"{task['control_url']}/org/jwt-key", json={"public_key": task["public_key"]})
        answer.raise_for_status()
    saw["assertion"] = await listed(by(JwtBearerFlow(*names)), "SELECT Id FROM Organization")

    client = by(ClientCredentialsFlow(task["client_id"], task["client_secret"]))
    saw["limits"] = await client.get_limits()
    first = await client.auth.get_access_token(client)
    await client.request("POST", f"{client.base_url}/services/oauth2/revoke", data={"token": first})
    saw["after revocation"] = await listed(client, "SELECT Id FROM Organization")
    saw["another token"] = first != await client.auth.get_access_token(client)
    return client


async def bulk(client: Salesforce, operation: Any, name: str, rows: list[Any], key: str | None = None) -> JobResult:
    """One job, waited for more closely than every five seconds."""
    ways = client.bulk_v2.ingest.perform_operation(operation, name, rows, external_id_field=key, polling_interval=0.1)
    [result] = [one async for one in ways]
    assert (result.job_info.state, result.unprocessed_records) == ("JobComplete", [])
    return result


async def load(client: Salesforce, task: dict[str, Any], saw: dict[str, Any]) -> None:
    parents = await bulk(client, "upsert", "Contact", task["contacts"], task["key"])
    saw["parents"] = [len(parents.successful_results), parents.failed_results]
    cards = await bulk(client, "insert", "Card__c", task["cards"])
    saw["cards"] = {row["Key__c"]: row for row in cards.successful_results}
    saw["refused"] = {row["Key__c"]: row["sf__Error"].partition(":")[0] for row in cards.failed_results}
    saw["rows"] = await listed(client, task["select"])
    anew = [{"Key__c": row["Key__c"], "Title__c": "anew"} for row in saw["rows"][:3000]]
    again = await bulk(client, "upsert", "Card__c", anew, "Key__c")
    saw["again"] = sorted({row["sf__Created"] for row in again.successful_results})
    saw["updated"] = len(await listed(client, "SELECT Id FROM Card__c WHERE Title__c = 'anew'"))


async def jobs(client: Salesforce, saw: dict[str, Any]) -> None:
    """A job by hand: opened, given up, removed."""
    doors = client.bulk_v2.ingest
    job = await doors.create_job("insert", "Card__c")
    saw["job"] = [job.state, (await doors.get_job(job.id)).state, (await doors.abort_job(job.id)).state]
    saw["job listed"] = job.id in {one.id async for one in doors.list_jobs()}
    await doors.delete_job(job.id)
    saw["job gone"] = await refused(doors.get_job(job.id))


async def singles(client: Salesforce, key: str, saw: dict[str, Any]) -> None:
    parent = await client.sobject.create("Contact", {"LastName": "Alone", key: "alone"})
    got = await client.sobject.get("Contact", "alone", external_id_field=key, fields=["Id", "LastName"])
    saw["single"] = [got["Id"] == parent, got["LastName"]]
    await client.sobject.update("Contact", parent, {"FirstName": "Ída"})
    saw["changed"] = (await client.sobject.get("Contact", parent))["FirstName"]
    card = {"Key__c": "one", "Title__c": "one", "Contact__r": {key: "alone"}}
    ways = [await client.sobject.upsert("Card__c", "one", external_id_field="Key__c", data=card) for _ in range(2)]
    saw["upserts"] = [ways[0].created, ways[1].created, ways[0].id == ways[1].id]
    saw["twice"] = await refused(client.sobject.create("Card__c", {"Key__c": "one"}))
    saw["no field"] = await refused(client.sobject.create("Card__c", {"Nope__c": 1}))
    saw["no grammar"] = await refused(listed(client, "SELECT FROM Card__c"))
    await client.sobject.delete("Card__c", "one", external_id_field="Key__c")
    saw["gone"] = await refused(client.sobject.get("Card__c", ways[0].id))
    await client.sobject.delete("Contact", parent)


async def refusals(client: Salesforce, task: dict[str, Any], saw: dict[str, Any]) -> None:
    """What the client has names of its own for."""
    person = {"FirstName": "Twin", "LastName": "Twin", "Email": "twin@example.org"}
    first = await client.sobject.create("Contact", person)
    try:
        await client.sobject.create("Contact", person)
    except DuplicatesDetectedError as twins:
        saw["twins"] = [[one["id"] == first, one["sobject"], one["rule"]] for one in twins.duplicates]
    await client.sobject.delete("Contact", first)
    async with httpx.AsyncClient(base_url=task["control_url"]) as control:
        most = (await control.get("/org/settings")).json()["limits"]["DailyApiRequests"]
        await control.post("/org/settings", json={"limits": {"DailyApiRequests": 1}})
        saw["no calls left"] = await refused(client.get_limits())
        await control.post("/org/settings", json={"limits": {"DailyApiRequests": most}})


async def composites(client: Salesforce, saw: dict[str, Any]) -> None:
    async with client.composite(all_or_none=True) as made:
        parent = made.sobject.create("Contact", {"LastName": "O'Reference & <Son>"})
        card = made.sobject.create("Card__c", {"Key__c": "ref", "Contact__c": str(parent.reference.id)})
        read = made.query("SELECT Contact__c, Contact__r.LastName FROM Card__c WHERE Key__c = 'ref'")
    saw["referenced"] = [read.records[0]["Contact__c"] == parent.id, read.records[0]["Contact__r"]["LastName"]]
    async with client.composite(all_or_none=True) as broken:
        good = broken.sobject.create("Card__c", {"Key__c": "rolled back"})
        bad = broken.sobject.create("Card__c", {"Key__c": "rolled back too", "Mail__c": "no mail"})
    saw["rolled back"] = [(one.status_code, one.response_body[0]["errorCode"]) for one in (good, bad)]
    async with client.composite.batch(halt_on_error=True) as batch:
        upserted = batch.sobject.upsert("Card__c", "batch", external_id_field="Key__c", data={"Title__c": "b"})
        read = batch.sobject.get("Card__c", card.id, fields=["Key__c"])
        wrong = batch.query("SELECT Nope FROM Card__c")
        halted = batch.sobject.delete("Card__c", card.id)
    saw["batch"] = [upserted.created, read.record["Key__c"], wrong.status_code, halted.status_code, halted.result]


async def collections(client: Salesforce, saw: dict[str, Any]) -> None:
    """By the client's own way of sending what it has no words for."""
    door = f"{client.base_url}/services/data/v{client.version}/composite/sobjects"

    async def call(method: str, records: list[dict[str, Any]], path: str = "") -> list[dict[str, Any]]:
        kind = {"attributes": {"type": "Card__c"}}
        body = {"allOrNone": False, "records": [kind | one for one in records]}
        return (await client.request(method, door + path, json=body)).json()

    made = await call("POST", [{"Key__c": f"many{n}"} for n in range(199)] + [{"Key__c": "many0"}])
    ids = [one["id"] for one in made if one["success"]]
    saw["many"] = [len(ids), [one["errors"][0]["statusCode"] for one in made if not one["success"]]]
    upserted = await call("PATCH", [{"Key__c": "many0"}, {"Key__c": "more"}], "/Card__c/Key__c")
    saw["many upserted"] = [(one["success"], one["created"]) for one in upserted]
    answer = await client.request("DELETE", door, params={"ids": ",".join(ids)})
    saw["many gone"] = sum(one["success"] for one in answer.json())


async def way_out(client: Salesforce, saw: dict[str, Any]) -> None:
    ids = [{"Id": row["Id"]} for row in await listed(client, "SELECT Id FROM Card__c")]
    gone = await bulk(client, "delete", "Card__c", ids[10:])
    saw["deleted"] = [len(gone.successful_results) - len(ids) + 10, gone.failed_results]
    hard = await bulk(client, "hardDelete", "Card__c", ids[:10])
    saw["hard"] = [len(hard.successful_results), hard.failed_results]
    saw["left"] = len(await listed(client, "SELECT Id FROM Card__c"))
    binned = {row["Id"] for row in await listed(client, "SELECT Id FROM Card__c WHERE IsDeleted = true", deleted=True)}
    saw["binned"] = [{one["Id"] for one in ids[10:]} <= binned, binned.isdisjoint(one["Id"] for one in ids[:10])]


async def main(task: dict[str, Any]) -> dict[str, Any]:
    """The whole way."""
    saw: dict[str, Any] = {}
    async with httpx.AsyncClient(transport=Doorway(task["org_url"]), timeout=60) as http:
        client = await way_in(http, task, saw)
        await load(client, task, saw)
        await jobs(client, saw)
        await singles(client, task["key"], saw)
        await refusals(client, task, saw)
        await composites(client, saw)
        await collections(client, saw)
        await way_out(client, saw)
    return saw


task_file, saw_file = map(Path, sys.argv[1:])
saw_file.write_text(json.dumps(asyncio.run(main(json.loads(task_file.read_text("utf-8"))))), encoding="utf-8")
