from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from cards import BAD, FIELDS, KEY, PARENTS, ROWS, bad_cards, card, contact, loadable, package, removal
from node_run import CLIENTS, run

pytestmark = pytest.mark.more
SF = str(CLIENTS / "node_modules/@salesforce/cli/bin/run.js")
REST = {"SF_ORG_METADATA_REST_DEPLOY": "true"}


class Sf:
    """The command line, logged in to a fresh org with the cards deployed."""

    def __init__(self, home: Path, facts: dict[str, Any]) -> None:
        self.home, self.facts = home, facts

    def __call__(self, *words: str, code: int | None = 0, more: dict[str, str] | None = None) -> Any:
        """Runs a command with `--json` and answers the result, or the whole answer of one that fails."""
        done = run([SF, *words, "--json"], self.home, more)
        assert code is None or done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        found = json.loads(done.stdout)
        return found["result"] if done.returncode == 0 else found

    def deploy(self, files: dict[str, str], *words: str, code: int = 0, more: dict[str, str] | None = None) -> Any:
        """Deploys a folder in metadata format."""
        folder = self.home / f"deploy{len(list(self.home.iterdir()))}"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        command = ("project", "deploy", "start", "--metadata-dir", str(folder), "--single-package", "-o", "org")
        return self(*command, "--wait", "2", *words, code=code, more=more)

    def query(self, soql: str, *words: str) -> Any:
        """The records of a query."""
        return self("data", "query", "-q", soql, "-o", "org", *words)["records"]


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    """A CSV file as the command line takes it."""
    with path.open("w", encoding="utf-8", newline="") as sink:
        out = csv.DictWriter(sink, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows)
    return str(path)


@pytest.fixture(scope="module")
def sf(facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Sf:
    """Logged in, deployed, permission set assigned."""
    found = Sf(tmp_path_factory.mktemp("sf"), facts)
    login = ("org", "login", "access-token", "--instance-url", facts["org_url"], "--alias", "org", "--no-prompt")
    found(*login, more={"SF_ACCESS_TOKEN": facts["access_token"]})
    done = found.deploy(package(), more=REST)
    assert (done["status"], done["success"]) == ("Succeeded", True)
    found("org", "assign", "permset", "-n", "Cards", "-o", "org")
    return found


@pytest.fixture(scope="module")
def loaded(sf: Sf) -> Sf:
    """With parents and ten thousand cards."""
    parents = written(sf.home / "contacts.csv", [contact(n) for n in range(PARENTS)])
    sf("data", "import", "bulk", "-s", "Contact", "-f", parents, "-o", "org", "--wait", "2")
    rows = [loadable(row) for row in [card(n) for n in range(ROWS)] + bad_cards()]
    file = written(sf.home / "cards.csv", rows)
    answer = sf(
        "data", "upsert", "bulk", "-s", "Card__c", "-i", "Key__c", "-f", file, "-o", "org", "--wait", "2", code=None
    )
    job = answer["data"]["jobId"] if "data" in answer else answer["jobInfo"]["id"]
    results = sf("data", "bulk", "results", "--job-id", job, "-o", "org", code=None)
    results = results.get("result", results)
    assert (results["processedRecords"], results["failedRecords"]) == (ROWS + len(BAD), len(BAD))
    with (sf.home / results["failedFilePath"]).open(encoding="utf-8", newline="") as source:
        failed = {row["Key__c"]: row["sf__Error"].partition(":")[0] for row in csv.DictReader(source)}
    assert failed == {key: code for key, (_, code) in BAD.items()}
    return sf


def test_sf_shows_the_org(sf: Sf) -> None:
    shown = sf("org", "display", "-o", "org")
    assert shown["connectedStatus"] == "Connected"
    assert shown["id"][:15] == sf.facts["access_token"].partition("!")[0][:15]
    described = sf("sobject", "describe", "-s", "Card__c", "-o", "org")
    assert set(FIELDS) <= {one["name"] for one in described["fields"]}


def test_sf_deploys_by_soap_and_by_rest(sf: Sf) -> None:
    for more in ({"SF_ORG_METADATA_REST_DEPLOY": "false"}, REST):
        good = sf.deploy(package(), "--dry-run", more=more)
        assert (good["status"], good["checkOnly"]) == ("Succeeded", True)
        bad = sf.deploy(package(broken=True), code=1, more=more)
        result = bad.get("result", bad.get("data", bad))
        failures = {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}
        assert result["status"] == "Failed"
        assert "Nowhere__c" in failures["Card__c.Lost__c"]


def test_sf_loads_rows_and_reads_them_back_verbatim(loaded: Sf) -> None:
    names = ", ".join([*(one for one in FIELDS if one != "Contact__c"), f"Contact__r.{KEY}"])
    rows = {row["Key__c"]: row for row in loaded.query(f"SELECT {names} FROM Card__c")}
    assert len(rows) == ROWS
    for number in range(ROWS):
        wanted = card(number)
        found = rows[wanted["Key__c"]]
        got = {name: found[name] for name in FIELDS if name != "Contact__c"}
        got["Contact__c"] = found["Contact__r"] and found["Contact__r"][KEY]
        assert got == wanted


def test_sf_exports_in_bulk_and_counts(loaded: Sf) -> None:
    file = loaded.home / "out.csv"
    soql = "SELECT Key__c, Note__c FROM Card__c"
    loaded("data", "export", "bulk", "-q", soql, "--output-file", str(file), "--wait", "2", "-o", "org")
    with file.open(encoding="utf-8", newline="") as source:
        found = {row["Key__c"]: row["Note__c"] or None for row in csv.DictReader(source)}
    assert found == {card(n)["Key__c"]: card(n)["Note__c"] for n in range(ROWS)}
    nested = loaded.query(f"SELECT Id, (SELECT Key__c FROM Cards__r) FROM Contact WHERE {KEY} = 'p1'")
    assert nested[0]["Cards__r"]["totalSize"] == sum(card(n)["Contact__c"] == "p1" for n in range(ROWS))
    counted = loaded.query("SELECT Done__c, COUNT(Id) n FROM Card__c GROUP BY Done__c")
    assert {row["Done__c"]: row["n"] for row in counted} == {
        done: sum(card(n)["Done__c"] == done for n in range(ROWS)) for done in (False, True)
    }


def test_sf_writes_single_records(loaded: Sf) -> None:
    made = loaded("data", "create", "record", "-s", "Card__c", "-v", "Key__c=single Title__c='one two'", "-o", "org")
    at = ("-s", "Card__c", "-i", made["id"], "-o", "org")
    loaded("data", "update", "record", *at, "-v", "Title__c=three")
    assert loaded("data", "get", "record", *at)["Title__c"] == "three"
    loaded("data", "delete", "record", *at)
    assert loaded.query("SELECT Id FROM Card__c WHERE Key__c = 'single'") == []
    binned = loaded.query("SELECT Id FROM Card__c WHERE Key__c = 'single' AND IsDeleted = true", "--all-rows")
    assert [row["Id"] for row in binned] == [made["id"]]


def test_sf_updates_and_deletes_in_bulk(loaded: Sf) -> None:
    ids = [row["Id"] for row in loaded.query("SELECT Id FROM Card__c")]
    titles = written(loaded.home / "titles.csv", [{"Id": one, "Title__c": "anew"} for one in ids])
    done = loaded("data", "update", "bulk", "-s", "Card__c", "-f", titles, "-o", "org", "--wait", "2")
    assert done["processedRecords"] - done["failedRecords"] == len(ids)
    assert loaded.query("SELECT COUNT(Id) n FROM Card__c WHERE Title__c = 'anew'")[0]["n"] == len(ids)
    file = written(loaded.home / "gone.csv", [{"Id": one} for one in ids])
    loaded("data", "delete", "bulk", "-s", "Card__c", "-f", file, "-o", "org", "--wait", "2")
    assert loaded.query("SELECT COUNT(Id) n FROM Card__c")[0]["n"] == 0
    done = loaded.deploy(removal())
    assert done["status"] == "Succeeded"
