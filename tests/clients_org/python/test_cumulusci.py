from __future__ import annotations

import csv
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cards import BAD, FIELDS, KEY, PARENTS, ROWS, card
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cumulusci_project import LOST, NAMES, write
from doors import records
from python_run import run

pytestmark = pytest.mark.more
USER = "integration@clinic.example"


class Cci:
    """The command line in a project of its own, connected to a fresh org by what the environment says."""

    def __init__(self, home: Path, facts: dict[str, Any]) -> None:
        self.home = home
        url, token = facts["org_tls_url"], facts["access_token"]
        self.door = httpx2.Client(
            base_url=facts["org_url"] + "/services/data/v64.0", headers={"Authorization": f"Bearer {token}"}
        )
        user = self.door.get(facts["org_url"] + "/services/oauth2/userinfo").json()["user_id"]
        org = {"instance_url": url, "access_token": token, "id": f"{url}/id/{token.partition('!')[0]}/{user}"}
        self.org = org | {"username": USER}
        self.facts = facts
        self.by_token = {"CUMULUSCI_ORG_sandbox": json.dumps(org), "CUMULUSCI_DISABLE_REFRESH": "1"}
        self.environment = {
            "CUMULUSCI_KEYCHAIN_CLASS": "cumulusci.core.keychain.EnvironmentProjectKeychain",
            "CUMULUSCI_KEY": "0123456789abcdef", "REQUESTS_CA_BUNDLE": facts["ca_file"], "COLUMNS": "1000",
        }  # fmt: skip
        # asks nobody for a newer version of itself within this hour
        (home / ".cumulusci").mkdir()
        (home / ".cumulusci/cumulus_timestamp").write_text(str(time.time()), encoding="utf-8")

    def __call__(self, *words: str, code: int = 0, way: dict[str, str] | None = None) -> str:
        """Runs a command and answers what it said, in one line."""
        done = run("cumulusci", ["cci", *words], self.home, self.environment | (way or self.by_token))
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == code, said[-4000:]
        return said

    def by_assertion(self) -> dict[str, str]:
        """What the environment says to have every command sign in by a key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        known = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        public = key.public_key().public_bytes(*known).decode()
        httpx2.post(f"{self.facts['control_url']}/org/jwt-key", json={"public_key": public}).raise_for_status()
        app = {"SFDX_CLIENT_ID": self.app()["client_id"], "SFDX_HUB_KEY": key.private_bytes(*kind).decode()}
        return app | {"CUMULUSCI_ORG_keyed": json.dumps(self.org | {"access_token": "none"})}

    def by_refresh(self) -> dict[str, str]:
        """What the environment says to have every command sign in as after a login in the browser."""
        answer = httpx2.post(f"{self.facts['control_url']}/org/refresh-token", json={"user": USER}).json()
        service = self.app() | {"callback_url": "http://localhost:8080/callback", "login_url": self.org["instance_url"]}
        org = self.org | {"access_token": "none", "connected_app": "env"} | answer
        return {"CUMULUSCI_SERVICE_connected_app": json.dumps(service), "CUMULUSCI_ORG_kept": json.dumps(org)}

    def app(self) -> dict[str, str]:
        """The connected app of the sandbox."""
        names = {"client_id": "CHARTLIFT_SF_CLIENT_ID", "client_secret": "CHARTLIFT_SF_CLIENT_SECRET"}
        return {word: self.facts["env"][name] for word, name in names.items()}


@pytest.fixture(scope="module")
def cci(facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Cci:
    home = tmp_path_factory.mktemp("cumulusci")
    write(home)
    return Cci(home, facts)


@pytest.fixture(scope="module")
def said(cci: Cci) -> str:
    """What the client said about its deployment and its loads."""
    return cci("flow", "run", "load", "--org", "sandbox")


def test_cumulusci_deploys_loads_and_tells_bad_rows(cci: Cci, facts: dict[str, Any], said: str) -> None:
    assert "[Success]: Succeeded" in said
    bad = {key: code for key, (_, code) in BAD.items() if key != LOST}
    assert said.count("Error on record with id ") == len(bad)
    for number, code in enumerate(bad.values(), ROWS // 2):
        assert f"Error on record with id Card-{number}: {code}:" in said
    assert f"Row failure: {len(bad)} Errors" in said
    seen = httpx2.get(facts["control_url"] + "/stats").json()
    sent = {one["path"]: one["count"] for one in seen if one["method"] == "POST"}
    assert sum(count for path, count in sent.items() if path.startswith("/services/async/")) > 8, sent
    assert not [path for path in sent if "/jobs/" in path], "the rows took another way"
    assert records(cci.door, "SELECT COUNT(Id) n FROM Card__c")[0]["n"] == ROWS


def test_cumulusci_extracts_every_field(cci: Cci, said: str) -> None:
    assert f"Done! (Total: {ROWS})" in said
    with sqlite3.connect(cci.home / "out.db") as base:
        parents = dict(base.execute("SELECT id, key FROM contact"))
        rows = base.execute(f"SELECT {', '.join(NAMES)}, contact_id FROM card").fetchall()
    base.close()
    assert len(parents) == PARENTS
    found = {row[0]: dict(zip([*NAMES, "Contact__c"], row, strict=True)) for row in rows}
    assert len(found) == len(rows) == ROWS
    for wanted in map(card, range(ROWS)):
        row = {name: value or None for name, value in found[wanted["Key__c"]].items()}
        row["Contact__c"] = parents.get(row["Contact__c"])
        row["Done__c"] = row["Done__c"] == "true"
        row["Amount__c"] = row["Amount__c"] and float(row["Amount__c"])
        row["At__c"] = row["At__c"] and row["At__c"].replace("Z", "+0000")
        assert row == wanted


def test_cumulusci_upserts_by_external_id_and_queries_in_bulk(cci: Cci, said: str) -> None:
    assert said
    with (cci.home / "q.csv").open(encoding="utf-8", newline="") as source:
        titles = {row["Key__c"]: row["Title__c"] for row in csv.DictReader(source)}
    assert len(titles) == ROWS
    for number in range(ROWS):
        assert titles[f"k{number}"] == ("anew" if number < 300 else card(number)["Title__c"] or "")


def test_cumulusci_stops_at_what_an_org_refuses(cci: Cci, said: str) -> None:
    assert said
    broken = cci("task", "run", "deploy", "--path", "broken", "--org", "sandbox", code=1)
    assert "CustomField Card__c.Lost__c" in broken
    assert "Nowhere__c" in broken
    words = ("--mapping", "single.yml", "--database_url", "sqlite:///bad.db", "--ignore_row_errors")
    rows = cci("task", "run", "load_dataset", *words, "True", "--org", "sandbox")
    assert "Error on record with id Card-1: STRING_TOO_LONG: Title: data value too large: " in rows
    assert "Error on record with id Card-4: INVALID_EMAIL_ADDRESS: Mail: invalid email address: not mail (Mail" in rows
    twice = cci("task", "run", "load_dataset", *words, "False", "--org", "sandbox", code=1)
    assert "Error on record with id Card-0: DUPLICATE_VALUE: duplicate value found: Key__c" in twice


def test_cumulusci_signs_in_by_a_key_and_reads_the_org(cci: Cci, said: str) -> None:
    assert said
    looked = cci("flow", "run", "look", "--org", "keyed", way=cci.by_assertion())
    assert "GetInstalledPackages returned" in looked
    got = {str(path.relative_to(cci.home / "got")) for path in (cci.home / "got").rglob("*.*")}
    assert {"package.xml", "objects/Card__c.object", "permissionsets/Cards.permissionset"} <= got
    made = (cci.home / "made.yml").read_text(encoding="utf-8")
    assert all(name in made for name in FIELDS)
    soql = "SELECT Title__c, Contact__r.LastName FROM Card__c WHERE Key__c = 'both'"
    assert [(row["Title__c"], row["Contact__r"]["LastName"]) for row in records(cci.door, soql)] == [
        ("updated", "Both")
    ]


def test_cumulusci_signs_in_by_its_refresh_token_and_deletes_all(cci: Cci, said: str) -> None:
    assert said
    before = {row["Id"] for row in records(cci.door, f"SELECT Id FROM Contact WHERE {KEY} LIKE 'p%'")}
    cci("flow", "run", "clean", "--org", "kept", way=cci.by_refresh())
    for name in ("Card__c", "Contact"):
        assert records(cci.door, f"SELECT Id FROM {name}") == []
    soql = "SELECT COUNT(Id) n FROM Card__c WHERE IsDeleted = true AND Key__c IN ('k0', 'k1', 'k2')"
    binned = cci.door.get("/queryAll", params={"q": soql}).json()["records"][0]["n"]
    assert (len(before), binned) == (PARENTS, 2)


def test_cumulusci_loads_persons_who_are_their_own_contacts(cci: Cci, said: str) -> None:
    """Last, for the org has accounts of two kinds from then on."""
    assert said
    httpx2.post(f"{cci.facts['control_url']}/switches", json={"person_accounts": True}).raise_for_status()
    cci("flow", "run", "persons", "--org", "sandbox")
    soql = "SELECT Subject, Contact.LastName, Contact.IsPersonAccount, Contact.Account.Name FROM Case"
    found = {row["Subject"]: row["Contact"] for row in records(cci.door, soql)}
    assert len(found) == 10
    for n in range(10):
        who = found[f"About {n}"]
        assert (who["LastName"], who["IsPersonAccount"]) == (f"Who {n}", n % 2 == 1)
        assert who["Account"]["Name"] == (f"Who {n}" if n % 2 else f"Firm {n}")
    with sqlite3.connect(cci.home / "persons_out.db") as base:
        rows = base.execute("SELECT name, last_name, IsPersonAccount FROM account").fetchall()
    base.close()
    wanted = [("", f"Who {n}", "true") if n % 2 else (f"Firm {n}", "", "false") for n in range(10)]
    assert sorted(rows) == sorted(wanted)
