from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cards import FIELDS, KEY, PARENTS, ROWS, card, contact
from doors import opened, records
from node_run import CLIENTS, run

pytestmark = pytest.mark.more
SF = str(CLIENTS / "node_modules/@salesforce/cli/bin/run.js")
COLUMNS = ", ".join([*(one for one in FIELDS if one != "Contact__c"), f"Contact__r.{KEY}"])


@pytest.fixture(scope="module")
def org(facts: dict[str, Any]) -> httpx2.Client:
    return opened(facts)


def written(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        out = csv.DictWriter(sink, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\n")
        out.writeheader()
        out.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows)


def run_plan(
    home: Path, facts: dict[str, Any], objects: list[dict[str, Any]], *, to_file: bool = False, **words: Any
) -> str:
    """Runs SFDMU on a folder that holds CSV files and this plan."""
    orgs = [{"name": "sandbox", "instanceUrl": facts["org_url"], "accessToken": facts["access_token"]}]
    (home / "export.json").write_text(json.dumps({"orgs": orgs, "objects": objects} | words), encoding="utf-8")
    source, target = ("sandbox", "csvfile") if to_file else ("csvfile", "sandbox")
    command = ["sfdmu", "run", "--path", str(home), "-s", source, "-u", target, "--noprompt", "--apiversion", "64.0"]
    done = run([SF, *command], home)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


DOORS = {"2.0": "jobs/ingest", "1.0": "services/async", "rest": "composite/sobjects"}


def calls(facts: dict[str, Any], api: str) -> int:
    """How often SFDMU has used the door that belongs to the setting."""
    seen = httpx2.get(facts["control_url"] + "/stats").json()
    return sum(one["count"] for one in seen if DOORS[api] in one["path"] and one["method"] == "POST")


@pytest.mark.parametrize(("api", "count"), [("2.0", ROWS), ("1.0", 1000), ("rest", 150)])
def test_sfdmu_loads_updates_exports_and_deletes(
    org: httpx2.Client, facts: dict[str, Any], tmp_path: Path, api: str, count: int
) -> None:
    words = {"bulkThreshold": 100_000} if api == "rest" else {"bulkThreshold": 10, "bulkApiVersion": api}
    rows = [card(n) for n in range(count)]
    written(tmp_path / "Contact.csv", [contact(n) for n in range(min(count, PARENTS))])
    written(tmp_path / "Card__c.csv", [row | {f"Contact__r.{KEY}": row["Contact__c"]} for row in rows])
    plan = [
        {"query": f"SELECT LastName, {KEY} FROM Contact", "operation": "Upsert", "externalId": KEY},
        {"query": f"SELECT {', '.join(FIELDS)} FROM Card__c", "operation": "Upsert", "externalId": "Key__c"},
    ]
    before = calls(facts, api)
    said = run_plan(tmp_path, facts, plan, **words)
    assert calls(facts, api) > before, "the rows took another way"
    found = {row["Key__c"]: row for row in records(org, f"SELECT {COLUMNS} FROM Card__c")}
    assert len(found) == count, said[-2500:]
    for number in range(count):
        wanted, row = card(number), found[f"k{number}"]
        got = {name: row[name] for name in FIELDS if name != "Contact__c"}
        assert got | {"Contact__c": row["Contact__r"] and row["Contact__r"][KEY]} == wanted

    written(tmp_path / "Card__c.csv", [{"Key__c": row["Key__c"], "Title__c": "anew"} for row in rows])
    run_plan(
        tmp_path,
        facts,
        [{"query": "SELECT Key__c, Title__c FROM Card__c", "operation": "Update", "externalId": "Key__c"}],
        **words,
    )
    assert len(records(org, "SELECT Id FROM Card__c WHERE Title__c = 'anew'")) == count

    out = tmp_path / "out"
    out.mkdir()
    exported = {"query": "SELECT Key__c, Note__c FROM Card__c", "operation": "Readonly", "externalId": "Key__c"}
    run_plan(out, facts, [exported], to_file=True, **words)
    with (out / "Card__c.csv").open(encoding="utf-8", newline="") as source:
        read = {row["Key__c"]: row["Note__c"] for row in csv.DictReader(source)}
    assert read == {row["Key__c"]: row["Note__c"] or "" for row in rows}

    gone = [{"query": f"SELECT Id FROM {one}", "operation": "Delete", "deleteOldData": True} for one in ("Card__c",)]
    run_plan(tmp_path, facts, gone, **words)
    assert records(org, "SELECT Id FROM Card__c") == []
