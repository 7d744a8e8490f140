"""The whole destination against the sandbox in a process of its own, over TLS, with faults on its wire."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from chartlift.errors import ChartliftError, StopError, UsageError, WrongOrg
from chartlift.model.ports import (
    NULL_CELL,
    ByPrefix,
    ByValues,
    Everywhere,
    JobGone,
    JobUnsent,
    Step,
)
from chartlift.model.schema import DesiredField, DesiredObject, DesiredSchema
from chartlift.platforms import salesforce

KEY = "Source_System_ID__c"
OBJECTS = (
    DesiredObject("Appointment__c", "Appointment", "Appointments", "APT-{00000000}"),
    DesiredObject("Invoice__c", "Invoice", "Invoices", "INV-{00000000}"),
    DesiredObject("Invoice_Line__c", "Invoice Line", "Invoice Lines", "INL-{00000000}"),
)
WANTED = DesiredSchema(
    objects=OBJECTS,
    fields=(
        *(
            DesiredField(name, KEY, "Source System ID", "Text(64)", external_id=True, unique=True)
            for name in ("Account", "Contact", *(item.name for item in OBJECTS))
        ),
        DesiredField("Appointment__c", "ContactId__c", "Contact", "Lookup(Contact)", required=True),
        DesiredField("Appointment__c", "Practitioner__c", "Practitioner", "Lookup(User)"),
        DesiredField(
            "Appointment__c", "Status__c", "Status", "Picklist", values=("Booked", "No Show"), restricted=True
        ),
        DesiredField("Appointment__c", "Starts__c", "Starts", "DateTime"),
        DesiredField("Appointment__c", "Cost__c", "Cost", "Currency(16,2)"),
        DesiredField("Appointment__c", "Minutes__c", "Minutes", "Number(6,0)"),
        DesiredField("Appointment__c", "Emergency__c", "Emergency", "Checkbox"),
        DesiredField("Appointment__c", "Notes__c", "Notes", "LongTextArea(32768)"),
        DesiredField("Invoice_Line__c", "InvoiceId__c", "Invoice", "MasterDetail(Invoice__c)"),
        DesiredField("Contact", "Site__c", "Site", "Url"),
        DesiredField("Contact", "Second_Email__c", "Second Email", "Email"),
        DesiredField("Contact", "Second_Phone__c", "Second Phone", "Phone"),
        DesiredField("Contact", "Address__c", "Address", "TextArea"),
        DesiredField("Contact", "Died__c", "Died", "Date"),
    ),
    value_sets={"LeadSource": ("Google Ads", "Friend")},
    standard_fields=("Contact.Birthdate", "Contact.HasOptedOutOfEmail", "Contact.MailingStreet", "Contact.FirstName"),
)


@dataclass
class Sandbox:
    info: dict[str, Any]

    def post(self, path: str, document: object) -> Any:
        request = urllib.request.Request(
            self.info["control_url"] + path, json.dumps(document).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def now(self) -> datetime:
        return datetime.fromisoformat(self.post("/clock", {})["now"])

    def sleep(self, seconds: float) -> None:
        self.post("/clock", {"advance_s": seconds})

    def faults(self, *plan: dict[str, Any]) -> None:
        self.post("/faults", {"faults": list(plan)})

    def hits(self) -> int:
        with urllib.request.urlopen(self.info["control_url"] + "/faults") as answer:
            return sum(fault["hits"] for fault in json.load(answer)["faults"])

    def connect(self, **more: Any) -> Any:
        more.setdefault("url", self.info["org_tls_url"])
        return salesforce.connect(secrets=self.info["env"], clock=self, **more)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("sandbox")
    command = [
        sys.executable,
        "-m",
        "chartlift_sandbox",
        "start",
        "--patients",
        "5",
        "--seed",
        "3",
        "--home",
        str(home),
    ]
    with (Path(home) / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (Path(home) / "errors.txt").read_text()
        box = Sandbox(json.loads(line))
        org = box.connect()
        org.deploy(WANTED, list[Step]().append)
        org.close()
        yield box
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def org(sandbox: Sandbox) -> Iterator[Any]:
    sandbox.faults()
    connected = sandbox.connect()
    yield connected
    connected.close()
    sandbox.faults()


def contacts(prefix: str, count: int) -> pa.Table:
    return pa.table(
        {
            KEY: [f"{prefix}-PAT-{i}" for i in range(count)],
            "LastName": [f'O\'Hara "{i}", Ñ' for i in range(count)],
            "Address__c": [f"line {i}\n2nd" if i % 2 else None for i in range(count)],
        }
    )


def insert(org: Any, rows: pa.Table, steps: Any, object_name: str = "Contact", wire: str = "bulk") -> dict[str, Any]:
    result = org.write(object_name, "insert", rows, key_column=KEY, wire=wire, on_step=steps)
    return {row["key"]: row for row in pa.table(result.rows).to_pylist()}


def test_the_deployed_schema_is_whole_and_a_second_deployment_does_nothing(org: Any, steps: Any) -> None:
    assert org.missing(WANTED) == DesiredSchema()
    assert org.deploy(WANTED, steps) == []
    assert not steps
    assert org.schema_package(WANTED) == org.schema_package(WANTED)


def test_who_answers(org: Any, sandbox: Sandbox) -> None:
    found = org.identity()
    assert len(found.org_id) == len(found.user_id) == 18
    assert found.url == sandbox.info["org_tls_url"]
    with pytest.raises(WrongOrg):
        sandbox.connect(expected_org_id="00D000000000001").identity()


def test_a_certificate_nobody_vouches_for_stops_at_once(sandbox: Sandbox) -> None:
    secrets = {**sandbox.info["env"], "CHARTLIFT_CA_FILE": ""}
    stranger = salesforce.connect(sandbox.info["org_tls_url"], secrets=secrets, clock=sandbox)
    with pytest.raises(StopError, match="certificate"):
        stranger.identity()


def test_plain_http_is_for_this_machine(sandbox: Sandbox) -> None:
    assert sandbox.connect(url=sandbox.info["org_url"]).identity().org_id
    with pytest.raises(UsageError):
        sandbox.connect(url="http://clinic.my.salesforce.com")


def test_the_check_finds_room_and_names_what_is_there(org: Any) -> None:
    found = {probe.name: probe for probe in org.check()}
    assert found["login"].ok
    assert found["limit DailyBulkApiBatches"].rows
    assert {"permissions", "audit fields", "duplicate rules", "triggers", "flows", "dedicated user"} <= set(found)


def test_the_same_rows_by_rest_and_by_job(org: Any, sandbox: Sandbox, steps: Any) -> None:
    contact = insert(org, contacts("same", 1), steps)["same-PAT-0"]["id"]
    rows = pa.table(
        {
            KEY: [f"same-APT-{i}" for i in range(30)],
            "ContactId__c": [contact] * 30,
            "Status__c": ["Booked", "No Show"] * 15,
            "Starts__c": [f"2024-03-31T01:{i:02}:00.000Z" for i in range(30)],
            "Cost__c": [f"{i}.{i:02}" for i in range(30)],
            "Minutes__c": [str(i) for i in range(30)],
            "Emergency__c": ["true", "false"] * 15,
            "Notes__c": [None, 'a "quoted"\nnote, é'] * 15,
        }
    )
    insert(org, rows, steps, "Appointment__c")
    names = ["Id", *rows.column_names, "SystemModstamp"]
    where = ByPrefix(KEY, "same-APT-")
    by_rest = org.read("Appointment__c", names, where)
    by_job = sandbox.connect(rest_rows=1, page_rows=7).read("Appointment__c", names, where)
    assert by_rest.sort_by(KEY).equals(by_job.sort_by(KEY))
    assert by_rest.select(rows.column_names).sort_by(KEY).column("Minutes__c").to_pylist()[1:3] == ["1", "10"]
    assert org.count("Appointment__c", where) == 30
    found = org.read("Appointment__c", [KEY], ByValues(KEY, ("same-APT-3", "same-APT-4", "no'such")))
    assert sorted(found.column(KEY).to_pylist()) == ["same-APT-3", "same-APT-4"]


def test_a_rows_life_on_both_wires(org: Any, steps: Any) -> None:
    made = insert(org, contacts("life", 2), steps, wire="rows")
    ids = [row["id"] for row in made.values()]
    again = insert(org, contacts("life", 2), steps, wire="bulk")
    assert {(row["outcome"], row["code"]) for row in again.values()} == {("failed", "DUPLICATE_VALUE")}
    for wire in ("bulk", "rows"):
        change = pa.table({"Id": ids, "Address__c": [NULL_CELL, "new"], "FirstName": [None, "Ann"]})
        org.write("Contact", "update", change, key_column="Id", wire=wire, on_step=steps)
    where = ByValues("Id", tuple(ids))
    found = {row["Id"]: row for row in org.read("Contact", ["Id", "Address__c", "FirstName"], where).to_pylist()}
    assert [found[i]["Address__c"] for i in ids] == [None, "new"]
    for wire in ("bulk", "rows"):
        gone = org.write("Contact", "delete", pa.table({"Id": ids}), key_column="Id", wire=wire, on_step=steps)
        assert set(pa.table(gone.rows).column("outcome").to_pylist()) == {"ok"}
        assert org.read("Contact", ["Id"], where).num_rows == 0
        assert org.read("Contact", ["Id", "IsDeleted"], where, deleted=True).num_rows == 2
        back = org.write("Contact", "undelete", pa.table({"Id": ids}), key_column="Id", wire="rows", on_step=steps)
        assert set(pa.table(back.rows).column("outcome").to_pylist()) == {"ok"}
    assert org.read("Contact", ["Id"], where).num_rows == 2


def test_a_literal_clear_mark_survives_the_rows_wire(org: Any, steps: Any) -> None:
    row = pa.table({KEY: ["mark-PAT-0"], "LastName": ["#N/A"]})
    insert(org, row, steps, wire="rows")
    assert org.read("Contact", ["LastName"], ByPrefix(KEY, "mark-")).to_pylist() == [{"LastName": "#N/A"}]


WIRE_FAULTS = [
    {"kind": "reset"},
    {"kind": "drop"},
    {"kind": "expire_token"},
    {"kind": "status", "status": 503, "body": "<html>busy</html>"},
    {"kind": "truncate", "fraction": 0.5},
    {"kind": "truncate", "fraction": 0.6, "clean": True, "row_boundary": True},
]
PLACES = [
    {"method": "POST", "path": "/jobs/ingest/?$"},
    {"method": "PUT", "path": "/batches"},
    {"method": "PATCH", "path": "/jobs/ingest/"},
    {"method": "GET", "path": "/jobs/ingest/[^/]+$"},
    {"method": "GET", "path": "/successfulResults"},
]


@pytest.mark.parametrize("place", PLACES, ids=lambda p: f"{p['method']} {p['path']}")
def test_no_fault_on_the_wire_doubles_or_loses_a_row(sandbox: Sandbox, org: Any, steps: Any, place: Any) -> None:
    for number, fault in enumerate(WIRE_FAULTS):
        prefix = f"wire{PLACES.index(place)}{number}"
        sandbox.faults({**fault, **place})
        found = insert(org, contacts(prefix, 40), steps)
        assert sandbox.hits() == 1, fault
        assert {row["outcome"] for row in found.values()} == {"ok"}, fault
        there = org.read("Contact", ["Id", KEY], ByPrefix(KEY, f"{prefix}-"))
        assert sorted(there.column(KEY).to_pylist()) == sorted(found), fault
        assert {row[KEY]: row["Id"] for row in there.to_pylist()} == {k: row["id"] for k, row in found.items()}, fault


def test_job_faults_end_with_every_row_accounted_for(sandbox: Sandbox, org: Any, steps: Any) -> None:
    plans = {
        "stall": {"kind": "stall", "rows": 6},
        "part": {"kind": "fail_job", "rows": 25},
        "stop": {"kind": "abort_job", "rows": 10},
        "lock": {"kind": "rows", "share": 0.5, "seed": 4},
        "gone": {"kind": "purge_job"},
    }
    for prefix, fault in plans.items():
        sandbox.faults(fault)
        found = insert(org, contacts(prefix, 40), steps)
        sandbox.faults()
        there = set(org.read("Contact", [KEY], ByPrefix(KEY, f"{prefix}-")).column(KEY).to_pylist())
        landed = {key for key, row in found.items() if row["outcome"] == "ok"}
        unsure = {key for key, row in found.items() if row["outcome"] == "unknown"}
        assert len(found) == 40
        assert landed <= there <= landed | unsure, prefix
        assert bool(unsure) is (prefix == "gone")


@pytest.mark.parametrize("stop", ["created", "uploaded", "closing", "closed", "polled"])
def test_a_dead_process_is_continued(sandbox: Sandbox, org: Any, steps: Any, stop: str) -> None:
    steps.stop = stop
    with pytest.raises(KeyboardInterrupt):
        insert(org, contacts(f"dead-{stop}", 30), steps)
    job = steps[-1].job_id
    steps.stop = ""
    try:
        rows = pa.table(sandbox.connect().settle(job, key_column=KEY, on_step=steps).rows)
    except JobUnsent:
        rows = None
    there = org.read("Contact", [KEY], ByPrefix(KEY, f"dead-{stop}-")).num_rows
    assert there == (30 if stop in {"closed", "polled"} else 0)
    assert (rows.num_rows if rows else 0) == there


def test_a_job_that_was_never_there(org: Any, steps: Any) -> None:
    with pytest.raises(JobGone):
        org.settle("7505g0000999999AAA", key_column=KEY, on_step=steps)


def test_errors_do_not_carry_values(org: Any, steps: Any) -> None:
    with pytest.raises(ChartliftError) as caught:
        org.read("Contact", ["Id", "Ghost__c"], ByPrefix(KEY, "Canary-7731"))
    assert "7731" not in str(caught.value) + caught.value.hint
    long = pa.table({KEY: ["canary-1"], "LastName": ["Canary7731" * 20]})
    assert "7731" not in str([insert(org, long, steps), *steps])


def test_users_come_with_all_their_columns(org: Any) -> None:
    found = org.users()
    assert found.column_names == ["Id", "Name", "Email", "Username", "IsActive", "UserType"]
    assert found.num_rows > 3
    assert set(found.column("IsActive").to_pylist()) <= {"true", "false"}
    assert org.read("Organization", ["Id"], Everywhere()).num_rows == 1
