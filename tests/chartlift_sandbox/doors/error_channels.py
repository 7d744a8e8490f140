"""One record sent through every API of the org, and what came back as text: status and the part that tells the error."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx2
from door_harness import DATA, Sandbox

CLASSIC = "http://www.force.com/2009/06/asyncapi/dataload"
PARTNER = "urn:partner.soap.sforce.com"
_ID = re.compile(r"\b(?:[0-9A-Za-z]{3}5g[0-9A-Za-z]{10}(?:[0-9A-Za-z]{3})?)\b")
METHODS = {"insert": "POST", "update": "PATCH", "upsert": "PATCH", "delete": "DELETE", "hardDelete": "DELETE"}


@dataclass
class Attempt:
    """What is sent: an operation on one record of an object; `headers` of REST, `options` of collections."""

    op: str
    object: str
    values: dict[str, str] = field(default_factory=dict)
    id: str | None = None
    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    all_or_none: bool = False
    token: str | None = None


def plain(text: str) -> str:
    """Text without what differs from run to run: ids."""
    return _ID.sub("<id>", text.strip())


def _shown(answer: httpx2.Response) -> str:
    return f"{answer.status_code} {plain(answer.text)}".strip()


def _nested(values: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in values.items():
        parent, _, key = name.rpartition(".")
        if parent:
            record[parent] = {key: value}
        else:
            record[name] = value
    return record


def _headers(box: Sandbox, attempt: Attempt) -> dict[str, str]:
    token = attempt.token or box.estate.access_token
    return {"authorization": f"Bearer {token}", **attempt.headers}


def _single_request(attempt: Attempt) -> tuple[str, str, dict[str, Any] | None]:
    url, values = f"{DATA}/sobjects/{attempt.object}", dict(attempt.values)
    if attempt.op == "upsert":
        url += f"/{attempt.key}/{values.pop(attempt.key or '')}"
    elif attempt.op != "insert":
        url += f"/{attempt.id}"
    return METHODS[attempt.op], url, None if attempt.op in {"delete", "hardDelete"} else _nested(values)


def single(box: Sandbox, attempt: Attempt) -> str:
    """REST, one record."""
    method, url, body = _single_request(attempt)
    return _shown(box.org.request(method, url, json=body, headers=_headers(box, attempt)))


def collections(box: Sandbox, attempt: Attempt) -> str:
    """REST, composite/sobjects."""
    url, headers = f"{DATA}/composite/sobjects", _headers(box, attempt)
    if attempt.op in {"delete", "hardDelete"}:
        return _shown(box.org.request("DELETE", f"{url}?ids={attempt.id}", headers=headers))
    record = {"attributes": {"type": attempt.object}, **_nested(attempt.values)}
    records = [record | ({"Id": attempt.id} if attempt.op == "update" and attempt.id else {})]
    if attempt.all_or_none:
        records.insert(0, {"attributes": {"type": attempt.object}})
    if attempt.op == "upsert":
        url += f"/{attempt.object}/{attempt.key}"
    body = {"allOrNone": attempt.all_or_none, "records": records}
    return _shown(box.org.request(METHODS[attempt.op], url, json=body, headers=headers))


def composite(box: Sandbox, attempt: Attempt) -> str:
    """REST, one sub-request of composite."""
    method, url, body = _single_request(attempt)
    entry = {"method": method, "url": url, "referenceId": "one", **({"body": body} if body is not None else {})}
    entry |= {"httpHeaders": attempt.headers} if attempt.headers else {}
    whole = {"allOrNone": attempt.all_or_none, "compositeRequest": [entry]}
    return _shown(box.org.post(f"{DATA}/composite", json=whole, headers=_headers(box, attempt)))


def csv_of(attempt: Attempt) -> str:
    """The record as the CSV of a Bulk job."""
    values = dict(attempt.values)
    if attempt.op in {"update", "delete", "hardDelete"} and attempt.id:
        values = {"Id": attempt.id} | values
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerows([list(values), list(values.values())])
    return sink.getvalue()


def bulk2(box: Sandbox, attempt: Attempt) -> str:
    """Bulk API 2.0: the error cell, or the job's message."""
    headers = _headers(box, attempt)
    words = {"operation": attempt.op, "object": attempt.object}
    words |= {"externalIdFieldName": attempt.key} if attempt.op == "upsert" and attempt.key else {}
    opened = box.post("/jobs/ingest", json=words, headers=headers)
    if opened.status_code >= 400:
        return _shown(opened)
    job = opened.json()
    url = f"{DATA}/jobs/ingest/{job['id']}"
    box.org.put(f"/{job['contentUrl']}", content=csv_of(attempt), headers=headers | {"content-type": "text/csv"})
    closed = box.org.patch(url, json={"state": "UploadComplete"}, headers=headers)
    if closed.status_code >= 400:
        return _shown(closed)
    done = box.finished(job["id"])
    if done["state"] != "JobComplete":
        return plain(f"{done['state']} {done['errorMessage']}")
    rows = list(csv.DictReader(io.StringIO(box.org.get(f"{url}/failedResults").text)))
    return plain(f"sf__Error {rows[0]['sf__Error']}") if rows else f"{done['state']} without failed rows"


def _classic(box: Sandbox, token: str, path: str, body: str | None, kind: str = "application/xml") -> httpx2.Response:
    headers = {"X-SFDC-Session": token, "content-type": kind}
    url = f"{box.estate.addresses.org}/services/async/67.0/job{path}"
    return httpx2.request("GET" if body is None else "POST", url, content=(body or "").encode(), headers=headers)


def _word(answer: httpx2.Response, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", answer.text, re.DOTALL)
    return unescape(found.group(1)) if found else ""


def bulk1(box: Sandbox, attempt: Attempt) -> str:
    """Bulk API 1.0 with XML and CSV: the Error cell, the batch's message, or the refusal."""
    token = attempt.token or box.estate.access_token
    words = f"<operation>{attempt.op}</operation><object>{attempt.object}</object>"
    words += f"<externalIdFieldName>{attempt.key}</externalIdFieldName>" if attempt.op == "upsert" else ""
    opened = _classic(box, token, "", f'<jobInfo xmlns="{CLASSIC}">{words}<contentType>CSV</contentType></jobInfo>')
    if opened.status_code >= 400:
        return f"{opened.status_code} {_word(opened, 'exceptionCode')}: {plain(_word(opened, 'exceptionMessage'))}"
    job = _word(opened, "id")
    added = _classic(box, token, f"/{job}/batch", csv_of(attempt), "text/csv")
    if added.status_code >= 400:
        return f"{added.status_code} {_word(added, 'exceptionCode')}: {plain(_word(added, 'exceptionMessage'))}"
    batch = _word(added, "id")
    for _ in range(500):
        answer = _classic(box, box.estate.access_token, f"/{job}/batch/{batch}", None)
        if _word(answer, "state") not in {"Queued", "InProgress"}:
            break
        threading.Event().wait(0.005)
    if _word(answer, "state") != "Completed":
        return plain(f"{_word(answer, 'state')} {_word(answer, 'stateMessage')}")
    rows = list(csv.DictReader(io.StringIO(_classic(box, token, f"/{job}/batch/{batch}/result", None).text)))
    return plain(f"Error {rows[0]['Error']}")


def soap_call(box: Sandbox, body: str, token: str | None = None) -> httpx2.Response:
    """One call of the partner door."""
    text = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="{PARTNER}"><sessionId>{token or box.estate.access_token}</sessionId></SessionHeader>'
        f"</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    url = f"{box.estate.addresses.org}/services/Soap/u/67.0"
    return httpx2.post(url, content=text.encode(), headers={"content-type": "text/xml", "soapaction": '""'})


def told(answer: httpx2.Response) -> str:
    """The part of a SOAP answer that tells the error."""
    found = re.search(r"<errors>.*?</errors>|<\w*:?Fault>.*?</\w*:?Fault>|<faultcode>.*?</faultstring>", answer.text)
    return f"{answer.status_code} {plain(found.group(0) if found else answer.text)}"


def soap(box: Sandbox, attempt: Attempt) -> str:
    """SOAP partner API: delete and undelete."""
    op = attempt.op
    return told(soap_call(box, f'<{op} xmlns="{PARTNER}"><ids>{attempt.id}</ids></{op}>', attempt.token))


Channel = Callable[[Sandbox, Attempt], str]
CHANNELS: dict[str, Channel] = {
    "REST, one record": single,
    "REST, collections": collections,
    "REST, composite": composite,
    "Bulk API 1.0": bulk1,
    "Bulk API 2.0": bulk2,
    "SOAP": soap,
}
