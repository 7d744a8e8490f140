"""Every error code is provoked through every API, and docs/sandbox-errors.md tells what came back, to the letter.

`CHARTLIFT_WRITE_PAGES=1 pytest tests/chartlift_sandbox/doors/test_errors_page.py` writes the page anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from door_harness import DATA, Sandbox
from door_packages import NS, field, field_grant, grant, manifest, permission_set, zipped
from error_cases import CASES, NEVER, Case
from error_channels import CHANNELS, PARTNER, Attempt, bulk1, bulk2, plain, soap_call, told

PAGE = Path(__file__).parents[3] / "docs" / "sandbox-errors.md"
LONGEST = 600
_INTRO = """# Errors of the sandbox org

Made by `tests/chartlift_sandbox/doors/test_errors_page.py`, which provokes each code through each API against a running
sandbox and fails when this page differs. Ids are shown as `<id>`. Bulk cells are the cell's text after CSV decoding.
The order of checks on a save, the rules and the switches are told in [sandbox/rules.md](sandbox/rules.md).

"""
Request = Callable[[Sandbox], str]


def _rest(method: str, path: str, **words: Any) -> Request:
    def call(box: Sandbox) -> str:
        answer = box.org.request(method, f"{DATA}{path}", **words)
        return f"{answer.status_code} {plain(answer.text)}"

    return call


def _limited(work: Request, **limits: int) -> Request:
    def call(box: Sandbox) -> str:
        before = dict(box.estate.doors.usage.maximum)
        box.estate.doors.usage.maximum |= limits
        try:
            return work(box)
        finally:
            box.estate.doors.usage.maximum |= before

    return call


INSERT = Attempt("insert", "Visit__c", {"Tooth__c": "1"})
DEAD = {"authorization": "Bearer 00D000000000000!dead"}
STAMP = f'<getServerTimestamp xmlns="{PARTNER}"/>'


def _as(op: str = "insert", name: str = "Visit__c", token: str | None = None, **values: str) -> Attempt:
    return Attempt(op, name, values or {"Tooth__c": "1"}, token=token)


def _without_hard_delete(work: Callable[[Sandbox, Attempt], str]) -> Request:
    def call(box: Sandbox) -> str:
        token = box.estate.doors.sessions.begin(box.estate.org.people.front_desk)
        return work(box, Attempt("hardDelete", "Visit__c", id="a005g0000000001AAA", token=token))

    return call


REQUESTS: dict[str, dict[str, Request]] = {
    "Session ended": {
        "REST": _rest("GET", "/limits", headers=DEAD),
        "Bulk API 1.0": lambda box: bulk1(box, _as(token="00D000000000000!dead")),
        "Bulk API 2.0": _rest("GET", "/jobs/ingest", headers=DEAD),
        "SOAP": lambda box: told(soap_call(box, STAMP, "00D000000000000!dead")),
    },
    "No API calls left for the day": {
        "REST": _limited(_rest("GET", "/sobjects"), DailyApiRequests=0),
        "Bulk API 1.0": _limited(lambda box: bulk1(box, INSERT), DailyApiRequests=0),
        "Bulk API 2.0": _limited(_rest("GET", "/jobs/ingest"), DailyApiRequests=0),
        "SOAP": _limited(lambda box: told(soap_call(box, STAMP)), DailyApiRequests=0),
    },
    "No bulk batches left for the day": {
        "Bulk API 1.0": _limited(lambda box: bulk1(box, INSERT), DailyBulkApiBatches=0),
        "Bulk API 2.0": _limited(lambda box: bulk2(box, INSERT), DailyBulkApiBatches=0),
    },
    "No query jobs left for the day": {
        "Bulk API 2.0": _limited(
            _rest("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Visit__c"}),
            DailyBulkV2QueryJobs=0,
        )
    },
    "Unknown object": {
        "REST": _rest("POST", "/sobjects/Nope__c", json={}),
        "Bulk API 1.0": lambda box: bulk1(box, _as(name="Nope__c")),
        "Bulk API 2.0": lambda box: bulk2(box, _as(name="Nope__c")),
    },
    "Unknown column": {
        "REST": _rest("POST", "/sobjects/Visit__c", json={"Nope__c": "1"}),
        "Bulk API 1.0": lambda box: bulk1(box, _as(Nope__c="1")),
        "Bulk API 2.0": lambda box: bulk2(box, _as(Nope__c="1")),
    },
    "hardDelete without the permission": {
        "Bulk API 1.0": _without_hard_delete(bulk1),
        "Bulk API 2.0": _without_hard_delete(bulk2),
    },
    "Unknown record": {"REST": _rest("GET", "/sobjects/Visit__c/a005g000000zzzzAAA")},
    "Broken JSON": {
        "REST": _rest("POST", "/sobjects/Visit__c", content=b"{", headers={"content-type": "application/json"}),
        "Bulk API 2.0": _rest("POST", "/jobs/ingest", content=b"{", headers={"content-type": "application/json"}),
    },
    "Wrong method": {"REST": _rest("PUT", "/sobjects/Visit__c")},
    "Broken query": {"REST": _rest("GET", "/query?q=SELECT")},
    "Unknown object in a query": {"REST": _rest("GET", "/query?q=SELECT Id FROM Nope__c")},
    "Unknown field in a query": {"REST": _rest("GET", "/query?q=SELECT Nope__c FROM Visit__c")},
    "Broken search": {"REST": _rest("GET", "/search", params={"q": "FIND {a-b} RETURNING Contact"})},
    "Search for one letter": {"REST": _rest("GET", "/search", params={"q": "FIND {a}"})},
    "Expired query locator": {"REST": _rest("GET", "/query/01g5g0000000009AAA-2000")},
    "Unknown operation": {"SOAP": lambda box: told(soap_call(box, f'<nope xmlns="{PARTNER}"/>'))},
    "Merge of what cannot be merged": {
        "SOAP": lambda box: told(soap_call(box, (
            f'<merge xmlns="{PARTNER}"><request><masterRecord><type>Visit__c</type><Id>a005g0000000001AAA</Id>'
            "</masterRecord><recordToMergeIds>a005g0000000002AAA</recordToMergeIds></request></merge>")))
    },
}  # fmt: skip


def _cell(text: str) -> str:
    short = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    mark = "``" if "`" in short else "`"
    spaced = short.replace("|", "\\|").replace("\r\n", "\n").replace("\n", "⏎")
    return f"{mark}{spaced}{mark}"


def _provoked(box: Sandbox, case: Case) -> dict[str, str]:
    found = {}
    for name, channel in CHANNELS.items():
        if name in case.cannot:
            continue
        sharing = box.estate.org.schema.objects["Visit__c"].sharing_model
        with case.arranged(box) as attempt:
            found[name] = channel(box, attempt)
        box.estate.org.schema.objects["Visit__c"].sharing_model = sharing
    return found


def _section(title: str, how: str, answers: dict[str, str], reasons: dict[str, str]) -> str:
    lines = [f"| {name} | {_cell(answer)} |" for name, answer in answers.items()]
    lines += [f"| {name} | never: {reason} |" for name, reason in reasons.items()]
    return f"### {title}\n\n{how}\n\n| API | answer |\n|---|---|\n" + "\n".join(lines) + "\n\n"


def _overview(found: dict[str, dict[str, str]]) -> str:
    names = list(CHANNELS)
    head = f"| code | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
    rows = [
        f"| [{code}](#{code.lower()}) | {' | '.join(answers[n].partition(' ')[0] if n in answers else '—' for n in names)} |"
        for code, answers in found.items()
    ]
    return head + "\n".join(rows) + "\n\n"


@pytest.fixture(scope="module")
def ready(sandbox: Sandbox) -> Sandbox:
    """The sandbox with an external id that is not unique, and objects that the front desk may use."""
    loose = "<label>Loose</label><type>Text</type><length>20</length><externalId>true</externalId>"
    inner = field_grant("Visit__c.Loose__c") + grant("Visit__c") + grant("Case")
    desk = grant("Visit__c").replace("<modifyAllRecords>true", "<modifyAllRecords>false")
    desk = desk.replace("<viewAllRecords>true", "<viewAllRecords>false")
    result = sandbox.deploy(
        zipped(
            {
                "package.xml": manifest({"CustomField": ["Visit__c.Loose__c"], "PermissionSet": ["Loose", "Desk"]}),
                "objects/Visit__c.object": f"<CustomObject {NS}>{field('Loose__c', loose)}</CustomObject>",
                "permissionsets/Loose.permissionset": permission_set("Loose", inner),
                "permissionsets/Desk.permissionset": permission_set("Desk", desk),
            }
        )
    )
    assert result["status"] == "Succeeded", result["details"]
    sandbox.assign("Loose")
    org = sandbox.estate.org
    sets = org.rows('SELECT "Id" FROM "PermissionSet" WHERE "Name" = \'Desk\'')
    org.rules.clear()
    row = {"AssigneeId": org.people.front_desk, "PermissionSetId": sets[0]["Id"]}
    answer = sandbox.post("/sobjects/PermissionSetAssignment", json=row)
    assert answer.status_code == 201, answer.text
    return sandbox


def test_the_page_tells_what_every_api_answers(ready: Sandbox) -> None:
    found, text = {}, ""
    for case in CASES:
        answers = found[case.code] = _provoked(ready, case)
        for name, answer in answers.items():
            assert case.code in answer, (case.code, name, answer)
        assert set(answers) | set(case.cannot) == set(CHANNELS), case.code
        text += _section(case.code, case.how, answers, case.cannot)
    requests = ""
    for title, calls in REQUESTS.items():
        answers = {name: call(ready) for name, call in calls.items()}
        for name, answer in answers.items():
            refused = answer[:1] in "4F" or (name == "SOAP" and ("<errors>" in answer or answer.startswith("500 ")))
            assert refused, (title, name, answer)
        requests += _section(title, "", answers, {}).replace("\n\n\n\n", "\n\n")
    never = "| code | why |\n|---|---|\n" + "".join(f"| {code} | {why} |\n" for code, why in NEVER.items())
    page = f"{_INTRO}## Codes of single records\n\n{_overview(found)}{text}## Refusals of whole requests\n\n{requests}"
    page += f"## Codes that the sandbox does not give by itself\n\n{never}"
    if os.environ.get("CHARTLIFT_WRITE_PAGES"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "write it anew: CHARTLIFT_WRITE_PAGES=1 pytest this file"
