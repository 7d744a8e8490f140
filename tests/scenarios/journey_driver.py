"""A sandbox in one process, the command line in others, and what both left behind, for the scenarios."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

COMMAND = str(Path(sys.executable).parent / "chartlift")
DATA = "/services/data/v67.0"
KEY, RUN, HASH = "Source_System_ID__c", "Migration_Run__c", "Migration_Hash__c"
OBJECTS = (
    *("Account", "Contact", "Appointment__c", "Treatment__c", "Clinical_Note__c", "Document__c", "Invoice__c"),
    *("Invoice_Line__c", "Payment_Plan__c"),
)
MANAGED = ("SystemModstamp", "LastModifiedDate", "LastModifiedById", "LastViewedDate", "LastReferencedDate")
IDS = {"clinicalNote": "noteId", "paymentLink": "providerLinkId"}  # where it is not the entity's name with Id
PATHS = {"paymentLink": "/paymentProviders"}  # where it is not the entity's name with s
PATIENCE = 120.0  # seconds for anything on a machine that is busy with other things

Row = dict[str, Any]


@dataclass
class Done:
    """A command that has ended: its exit code, its one document, and all it said."""

    words: tuple[str, ...]
    code: int
    document: dict[str, Any]
    out: str
    err: str

    def fates(self, unit: str) -> Counter[str]:
        """Rows of a unit by fate, of a sample, load or delta."""
        body = self.document.get("carry") or self.document
        return Counter(next((u["fates"] for u in body["units"] if u["unit"] == unit), {}))

    def reasons(self, unit: str) -> Counter[str]:
        body = self.document.get("carry") or self.document
        found = next((u["reasons"] for u in body["units"] if u["unit"] == unit), [])
        return Counter({line["reason"]: line["rows"] for line in found})

    @property
    def message(self) -> str:
        return self.document.get("error", {}).get("message", "")


def start_sandbox(home: Path, *, patients: int, seed: int) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """The sandbox through its own command, and the line it prints when it is ready."""
    words = [COMMAND, "sandbox", "start", "--home", str(home), "--patients", str(patients), "--seed", str(seed)]
    with (home / "sandbox.err").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=clean_environment())
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def stop(process: subprocess.Popen[str]) -> None:
    """End a process that a test started; whatever state it is in."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
    if process.stdout is not None:
        process.stdout.close()


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that belongs to chartlift."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CHARTLIFT_")}


@dataclass
class World:
    """A workspace, the org and the clinic it talks to."""

    facts: dict[str, Any]
    workspace: Path
    environment: dict[str, str]
    control: httpx2.Client
    org: httpx2.Client
    clinic: dict[str, dict[int, Row]]  # what the clinic's API tells: entity -> id -> record
    contents: dict[str, dict[str, str]] = field(default_factory=dict)  # an undisturbed load: object -> key -> hash
    took: float = 0.0  # seconds that load took
    said: list[Done] = field(default_factory=list)

    # ------------------------------------------------------------ the command line

    def command(self, *words: str, workspace: Path | None = None) -> list[str]:
        return [COMMAND, *words, "--workspace", str(workspace or self.workspace), "--json"]

    def run(
        self, *words: str, workspace: Path | None = None, env: dict[str, str] | None = None, bare: bool = False
    ) -> Done:
        """One step in a process of its own; its answer must be one document that agrees with the exit code."""
        line = [COMMAND, *words] if bare else self.command(*words, workspace=workspace)
        settled = {name: value for name, value in (self.environment | (env or {})).items() if value}
        ended = subprocess.run(line, capture_output=True, text=True, env=settled, timeout=PATIENCE, check=False)
        document = json.loads(ended.stdout) if ended.stdout.startswith("{") else {}
        done = Done(words, ended.returncode, document, ended.stdout, ended.stderr)
        self.said.append(done)
        if not bare:
            assert document.get("exit_code") == ended.returncode, (words, ended.returncode, ended.stdout, ended.stderr)
            assert document["step"] == words[0]
        assert "Traceback" not in ended.stdout + ended.stderr
        return done

    def ok(self, *words: str) -> Done:
        """A step that must end well."""
        done = self.run(*words)
        assert done.code == 0, (words, done.code, done.document.get("error"), _short(done.document))
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A step that goes on while the test does something else."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.environment,
        )

    def kill_after(self, seconds: float, *words: str) -> bool:
        """SIGKILL a step after so many seconds; False if it had ended before."""
        process = self.start(*words)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate(timeout=PATIENCE)
        return process.returncode == -signal.SIGKILL

    def kill_at(self, stop: tuple[str, str, int, bool], *words: str) -> bool:
        """SIGKILL a step at the nth request of a method and path; False if the step ended without making it.

        The last word of `stop` says when: False = before the request has had its effect (then it never has one),
        True = after that, while the answer is on its way.
        """
        method, path, nth, late = stop
        fault = {"id": "kill", "kind": "delay", "vendor": "any", "method": method, "path": path, "nth": nth}
        self.post("/faults", [fault | {"seconds": 1.0 if late else 0.5, "late": late}])
        process = self.start(*words)
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            if self.get("/faults")["faults"][0]["hits"]:
                time.sleep(0.4 if late else 0.0)
                process.kill()
                break
            time.sleep(0.01)
        process.communicate(timeout=PATIENCE)
        time.sleep(0.6)
        self.clear_faults()
        return process.returncode == -signal.SIGKILL

    # ------------------------------------------------------------ the control door

    def get(self, path: str) -> Any:
        answer = self.control.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self.control.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def clear_faults(self) -> None:
        assert self.control.delete("/faults").status_code == 200

    def edit(self, op: str, name: str, record: str | None = None, user: str | None = None, **fields: Any) -> str:
        """A person changes a record of the org (the administrator, unless `user` says who)."""
        return self.post("/org/edit", {"op": op, "object": name, "id": record, "fields": fields, "user": user})["id"]

    def mutate(self, op: str, entity: str, record: int | None = None, **fields: Any) -> int:
        """The clinic's staff change something."""
        return self.post("/clinic/mutate", {"op": op, "entity": entity, "id": record, "fields": fields})["id"]

    def writes(self, since: int = 0) -> list[Row]:
        """Rows that DML touched in business objects, failed ones included."""
        return [row for row in self.get(f"/org/writes?since={since}") if row["object"] in OBJECTS]

    def read(self, entity: str) -> dict[int, Row]:
        """What the clinic's API tells of an entity now, by id."""
        return read_clinic(self.facts, entity)[entity]

    def state_hash(self) -> str:
        return self.get("/org/state-hash")["hash"]

    # ------------------------------------------------------------ the org, asked directly

    def soql(self, text: str, *, every: bool = False) -> list[Row]:
        """All rows of a query, as the integration user sees them."""
        answer = self.org.get(DATA + ("/queryAll" if every else "/query"), params={"q": text})
        rows: list[Row] = []
        while True:
            assert answer.status_code == 200, answer.text
            body = answer.json()
            rows += [{k: v for k, v in row.items() if k != "attributes"} for row in body["records"]]
            if body["done"]:
                return rows
            answer = self.org.get(body["nextRecordsUrl"])

    def fields_of(self, name: str) -> list[str]:
        found = self.org.get(f"{DATA}/sobjects/{name}/describe").json()["fields"]
        return [one["name"] for one in found if one["type"] not in ("address", "location")]

    def dump(self, name: str) -> dict[str, Row]:
        """Every live record of an object with every field, by Id."""
        return {row["Id"]: row for row in self.soql(f"SELECT {', '.join(self.fields_of(name))} FROM {name}")}

    def loaded(self, name: str) -> dict[str, Row]:
        """Live records of ours by key; a key must not be there twice."""
        rows = self.soql(
            f"SELECT Id, {KEY}, {RUN}, {HASH} FROM {name} WHERE {KEY} LIKE '{self.tenant}-%' ORDER BY {KEY}"
        )
        counts = Counter(row[KEY] for row in rows)
        assert [key for key, count in counts.items() if count > 1] == []
        return {row[KEY]: row for row in rows}

    # ------------------------------------------------------------ the clinic, asked directly

    tenant = "mill"

    def key_of(self, patient: int) -> str:
        return f"{self.tenant}-PAT-{patient}"

    def survivor_key(self, patient: int) -> str:
        """The key of the Contact that a record of this patient hangs under, after merges at the clinic."""
        while (after := self.clinic["patient"][patient]["mergedIntoPatientId"]) is not None:
            patient = after
        return self.key_of(patient)

    def belongings(self, patient: int) -> set[str]:
        """Keys of everything in the org that hangs under the patient's Contact, and of the Contact."""
        key, found = self.key_of(patient), {self.key_of(patient)}
        for name in OBJECTS[2:]:
            parent = "InvoiceId__r.ContactId__r" if name == "Invoice_Line__c" else "ContactId__r"
            found |= {row[KEY] for row in self.soql(f"SELECT {KEY} FROM {name} WHERE {parent}.{KEY} = '{key}'")}
        return found

    def patients(self) -> list[int]:
        """Patients that move and stand alone (active, no guardian, no merged record behind them), by id."""
        moved = {key.rsplit("-", 1)[1] for key in self.contents["Contact"]}
        survivors = {row["mergedIntoPatientId"] for row in self.clinic["patient"].values()}
        odd = ("guardianPatientId", "referredByPatientId")
        return [
            key
            for key, row in sorted(self.clinic["patient"].items())
            if str(key) in moved
            and key not in survivors
            and row["status"] == "ACTIVE"
            and not any(row[name] for name in odd)
        ]

    def visits(self, patient: int) -> list[int]:
        """The patient's appointments that move too."""
        moved = (int(key.rsplit("-", 1)[1]) for key in self.contents["Appointment__c"])
        return sorted(visit for visit in moved if self.clinic["appointment"][visit]["patientId"] == patient)

    def patient_with_visits(self) -> tuple[int, list[int]]:
        """The last one by id with at least two of them."""
        return next((p, self.visits(p)) for p in reversed(self.patients()) if len(self.visits(p)) > 1)

    # ------------------------------------------------------------ people of the org

    def admin_may_see_everything(self) -> None:
        """The administrator gets the permission set that the schema brought, as an administrator would do."""
        person = self.soql("SELECT Id FROM User WHERE Username = 'admin@clinic.example'")[0]["Id"]
        granted = self.soql("SELECT Id FROM PermissionSet WHERE Name = 'Chartlift_Integration'")[0]["Id"]
        self.edit("insert", "PermissionSetAssignment", AssigneeId=person, PermissionSetId=granted)

    # ------------------------------------------------------------ what must hold after anything

    def nothing_written(self) -> None:
        assert self.get("/org/writes") == []

    def holds_everything(self) -> None:
        """No key twice, none missing, none too many, each as an undisturbed load leaves it; each row stamped; each fate known."""
        for name in OBJECTS:
            found = self.loaded(name)
            assert _difference(set(found), set(self.contents[name])) == {}, name
            assert [key for key, row in found.items() if row[HASH] != self.contents[name][key]] == []
            assert [key for key, row in found.items() if not row[RUN]] == []
        self.fates_known()

    def fates_known(self) -> None:
        assert self.ok("status").document["unknown"] == 0

    def inserts_once(self) -> None:
        """Of every key exactly one insert went through, and none was sent again to be refused as a duplicate."""
        inserted = Counter(
            (row["object"], row["new"][KEY]) for row in self.writes() if row["op"] == "insert" and row["ok"]
        )
        assert {key: n for key, n in inserted.items() if n > 1} == {}
        assert [row["error"] for row in self.writes() if not row["ok"]] == []


def read_clinic(facts: dict[str, Any], *entities: str) -> dict[str, dict[int, Row]]:
    """Entities as the clinic's API gives them, read by code of the tests' own; by id."""
    env = facts["env"]
    names = {"username": "USERNAME", "password": "PASSWORD", "practicePin": "PIN"}
    body = {name: env[f"CHARTLIFT_AERONA_{word}"] for name, word in names.items()}
    found: dict[str, dict[int, Row]] = {}
    with httpx2.Client(base_url=facts["clinic_url"], timeout=60) as client:
        client.headers["AERONA-AUTH-TOKEN"] = client.post("/login", json=body).headers["AERONA-AUTH-TOKEN"]
        for entity in entities:
            found[entity], page = {}, 1
            while page is not None:
                every = {"includeArchived": "true", "includeDeceased": "true"} if entity == "patient" else {}
                got = client.get(
                    PATHS.get(entity, f"/{entity}s"), params=every | {"page": page, "pageSize": 200, "sort": "id"}
                )
                assert got.status_code == 200, (entity, page, got.status_code, got.text)
                answer = got.json()
                found[entity] |= {row[IDS.get(entity, f"{entity}Id")]: row for row in answer["items"]}
                page = answer["nextPage"]
    return found


def changed(before: dict[str, Row], after: dict[str, Row]) -> dict[str, Any]:
    """What differs between two dumps of an object apart from what an org stamps by itself; {} if nothing does."""
    found: dict[str, Any] = {i: "gone" for i in before if i not in after} | {i: "new" for i in after if i not in before}
    for record in before.keys() & after.keys():
        old, new = before[record], after[record]
        fields = {name: (old[name], new[name]) for name in old if name not in MANAGED and old[name] != new[name]}
        if fields:
            found[record] = fields
    return found


def _difference(found: set[str], wanted: set[str]) -> dict[str, list[str]]:
    both = {"missing": sorted(wanted - found)[:5], "too many": sorted(found - wanted)[:5]}
    return {word: keys for word, keys in both.items() if keys}


def _short(document: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in document.items() if k in ("units", "kept", "failed", "lines")})[:3000]


def copied(template: Path, target: Path) -> Path:
    """A workspace as it was after the steps that made it."""
    shutil.copytree(template, target)
    return target
