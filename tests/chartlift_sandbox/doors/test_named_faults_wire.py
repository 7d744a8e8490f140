"""Faults by name that are seen on the wire: connections, answers, pages, certificates, tokens, deployments."""

import gzip
import re
import socket
import ssl
import time
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
import pytest
from door_harness import DATA, Sandbox
from door_packages import FIELDS, custom_object, field, field_grant, grant, manifest, permission_set, zipped

CSV = {"content-type": "text/csv"}


def plan(sandbox: Sandbox, *faults: dict[str, object]) -> None:
    answer = sandbox.control.post("/faults", json=list(faults))
    assert answer.status_code == 200, answer.text


def opened(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()


def results_of(sandbox: Sandbox, mark: str, rows: int = 300) -> str:
    lines = "".join(f"{mark}-{n},note {n}\n" for n in range(rows))
    job = sandbox.ingest("insert", "Visit__c", f"Key__c,Note__c\n{lines}")["id"]
    return f"/jobs/ingest/{job}/successfulResults"


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """What comes back on a bare socket; ConnectionResetError for a RST."""
    at = urlsplit(sandbox.estate.addresses.org)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=10) as line:
        line.sendall(request)
        parts = []
        while piece := line.recv(65_536):
            parts.append(piece)
    return b"".join(parts)


def received(line: socket.socket) -> bytes:
    """What has come when nothing more comes; fails if the other side closes."""
    parts: list[bytes] = []
    try:
        while piece := line.recv(4096):
            parts.append(piece)
    except TimeoutError:
        return b"".join(parts)
    raise AssertionError("the answer has ended")


def head(sandbox: Sandbox, path: str, more: str = "", method: str = "GET") -> bytes:
    words = f"{method} {DATA}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return f"{words}Authorization: Bearer {sandbox.estate.access_token}\r\n{more}\r\n".encode()


def test_f01_resets_with_a_rst_before_anything_happens(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F01", "endpoint": "POST /sobjects/Visit__c$", "nth": 2})
    assert sandbox.post("/sobjects/Visit__c", json={"Key__c": "f01-a"}).status_code == 201
    body = b'{"Key__c":"f01-b"}'
    more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with pytest.raises(ConnectionResetError):
        raw(sandbox, head(sandbox, "/sobjects/Visit__c", more, "POST") + body)
    kept = sandbox.estate.org.rows("""SELECT "Key__c" FROM "Visit__c" WHERE "Key__c" LIKE 'f01-%'""")
    assert kept == [{"Key__c": "f01-a"}]


def test_f02_loses_the_answer_and_leaves_an_open_job(sandbox: Sandbox) -> None:
    before = {job["id"] for job in sandbox.get("/jobs/ingest").json()["records"]}
    plan(sandbox, {"fault": "F02", "object": "Visit__c"})
    with pytest.raises(httpx2.TransportError):
        opened(sandbox)
    [orphan] = [job for job in sandbox.get("/jobs/ingest").json()["records"] if job["id"] not in before]
    assert (orphan["state"], orphan["object"]) == ("Open", "Visit__c")


def test_f03_and_f05_lose_the_answers_to_upload_and_close(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F03"}, {"fault": "F05"})
    job = opened(sandbox)
    with pytest.raises(httpx2.TransportError):
        sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\nf03-1\n", headers=CSV)
    again = sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\nf03-1\n", headers=CSV)
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    with pytest.raises(httpx2.TransportError):
        sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert sandbox.finished(job["id"])["numberRecordsProcessed"] == 1
    repeated = sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert repeated.status_code == 400


def test_f04_cuts_an_upload(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F04", "bytes": 50_000})
    job = opened(sandbox)
    with pytest.raises(httpx2.TransportError):
        sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\n" + b"x" * 3_000_000, headers=CSV)
    assert sandbox.estate.doors.jobs.get(job["id"]).uploaded is False
    assert sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\nf04-1\n", headers=CSV).status_code == 201


def test_f06_ends_at_a_row_boundary_without_a_length(sandbox: Sandbox) -> None:
    path = results_of(sandbox, "f06")
    whole = sandbox.get(path).text
    plan(sandbox, {"fault": "F06"})
    cut = sandbox.get(path)
    assert (cut.status_code, cut.headers.get("content-length"), cut.text[-1]) == (200, None, "\n")
    assert whole.startswith(cut.text)
    assert 100 < cut.text.count("\n") < 200
    plan(sandbox, {"fault": "F06", "variant": "with_length"})
    assert sandbox.get(path).headers["content-length"]
    plan(sandbox, {"fault": "F06", "variant": "reset"})
    with pytest.raises(httpx2.TransportError):
        sandbox.get(path)
    assert sandbox.get(path).text == whole


def test_f07_is_a_gzip_that_unpacks_to_nothing(sandbox: Sandbox) -> None:
    path = results_of(sandbox, "f07")
    plan(sandbox, {"fault": "F07"})
    answer = sandbox.get(path)
    assert (answer.status_code, answer.headers["content-encoding"], answer.content) == (200, "gzip", b"")
    plan(sandbox, {"fault": "F07", "variant": "half"})
    body = raw(sandbox, head(sandbox, path, "Accept-Encoding: gzip\r\n")).partition(b"\r\n\r\n")[2]
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_f08_ends_inside_a_quoted_cell(sandbox: Sandbox) -> None:
    path = results_of(sandbox, "f08")
    plan(sandbox, {"fault": "F08"})
    last = sandbox.get(path).text.rpartition("\n")[2]
    assert last.startswith('"')
    assert last.count('"') % 2 == 1


def query_pages(sandbox: Sandbox, most: int = 8) -> tuple[list[str], int]:
    """Keys seen while following the locators of a query job, and the number of pages fetched."""
    words = {"operation": "query", "query": "SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'f09-%' ORDER BY Key__c"}
    job = sandbox.post("/jobs/query", json=words).json()["id"]
    sandbox.get(f"/jobs/query/{job}")
    seen, locator, pages = [], "", 0
    while pages < most:
        asked = {"maxRecords": "100"} | ({"locator": locator} if locator else {})
        answer = sandbox.get(f"/jobs/query/{job}/results", params=asked)
        seen += answer.text.splitlines()[1:]
        pages += 1
        locator = answer.headers.get("sforce-locator", "")
        if locator in {"", "null"}:
            break
    return seen, pages


def test_f09_loses_doubles_and_loops_pages(sandbox: Sandbox) -> None:
    path = results_of(sandbox, "f09", 400)
    assert len(query_pages(sandbox)[0]) == 400
    for words, rows, pages in (
        ({}, 300, 3),
        ({"variant": "twice", "nth": 2}, 500, 5),
        ({"variant": "loop", "nth": 2}, 800, 8),
        ({"variant": "null", "nth": 2}, 200, 2),
        ({"variant": "absent", "nth": 2}, 200, 2),
    ):
        plan(sandbox, {"fault": "F09", **words})
        seen, fetched = query_pages(sandbox)
        assert (len(seen), fetched) == (rows, pages), words
    plan(sandbox, {"fault": "F09", "path": "/successfulResults$"})
    lost = sandbox.get(path).text
    plan(sandbox, {"fault": "F09", "variant": "twice", "path": "/successfulResults$"})
    assert lost.count("\n") < 401 < sandbox.get(path).text.count("\n")


def test_f09_and_f58_at_the_pages_of_rest(sandbox: Sandbox) -> None:
    lines = "".join(f"f58-{n}\n" for n in range(700))
    sandbox.ingest("insert", "Visit__c", f"Key__c\n{lines}")
    ask = {"q": "SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'f58-%'"}
    small = {"sforce-query-options": "batchSize=200"}

    def walk() -> list[int]:
        answer, sizes = sandbox.get("/query", params=ask, headers=small).json(), []
        while len(sizes) < 6:
            sizes.append(len(answer["records"]))
            if "nextRecordsUrl" not in answer:
                break
            answer = sandbox.org.get(answer["nextRecordsUrl"], headers=small).json()
        return sizes

    assert walk() == [200, 200, 200, 100]
    plan(sandbox, {"fault": "F09"})
    assert walk() == [200, 200, 100]
    plan(sandbox, {"fault": "F09", "variant": "loop", "nth": 2})
    assert walk() == [200] * 6
    plan(sandbox, {"fault": "F09", "variant": "null", "nth": 2})
    assert walk() == [200, 200]
    plan(sandbox, {"fault": "F58"})
    first = sandbox.get("/query", params=ask, headers=small).json()
    gone = sandbox.org.get(first["nextRecordsUrl"])
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(("variant", "status"), [(None, 503), ("502", 502), ("504", 504)])
def test_f10_answers_html(sandbox: Sandbox, variant: str | None, status: int) -> None:
    words = {"variant": variant} if variant else {}
    plan(sandbox, {"fault": "F10", "endpoint": "GET /limits$", **words})
    answer = sandbox.get("/limits")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")
    plan(sandbox, {"fault": "F10", "variant": "committed", "endpoint": "POST /sobjects/Visit__c$"})
    key = f"f10-{variant}"
    assert sandbox.post("/sobjects/Visit__c", json={"Key__c": key}).status_code == 503
    assert sandbox.get(f"/sobjects/Visit__c/Key__c/{key}").status_code == 200


def test_f11_says_when_to_come_back(sandbox: Sandbox) -> None:
    seen = {}
    for variant in ("", "date", "garbage", "absent"):
        words = {"variant": variant} if variant else {}
        plan(sandbox, {"fault": "F11", "endpoint": "/limits$", **words})
        answer = sandbox.get("/limits")
        assert answer.status_code == 429
        seen[variant] = answer.headers.get("retry-after")
    assert (seen[""], seen["garbage"], seen["absent"]) == ("30", "soon, perhaps", None)
    wait = parsedate_to_datetime(seen["date"] or "") - sandbox.estate.clock.now()
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)


def test_f12_trickles_and_never_ends(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F12", "path": "/query$", "seconds": 0.005})
    start = time.monotonic()
    answer = sandbox.get("/query", params={"q": "SELECT count() FROM User"})
    assert answer.json()["done"] is True
    assert time.monotonic() - start > 0.005 * len(answer.content) * 0.9
    for variant, seen in (("endless", True), ("silent", False)):
        plan(sandbox, {"fault": "F12", "variant": variant, "path": "/limits$"})
        at = urlsplit(sandbox.estate.addresses.org)
        with socket.create_connection((at.hostname or "", at.port or 0), timeout=0.5) as line:
            line.sendall(head(sandbox, "/limits"))
            got = received(line)
        assert got.startswith(b"HTTP/1.1 200") is seen


@pytest.mark.parametrize(
    ("variant", "words"),
    [(None, "expired"), ("wrong_host", "mismatch"), ("self_signed", "unable to get local issuer|self.signed")],
)
def test_f13_shows_a_certificate_that_nobody_may_trust(sandbox: Sandbox, variant: str | None, words: str) -> None:
    at = sandbox.estate.addresses
    context = ssl.create_default_context(cafile=at.ca_file)
    assert httpx2.get(f"{at.org_tls}/services/data", verify=context).status_code == 200
    plan(sandbox, {"fault": "F13"} | ({"variant": variant} if variant else {}))
    with pytest.raises(httpx2.ConnectError, match=words):
        httpx2.get(f"{at.org_tls}/services/data", verify=context)
    assert sandbox.get("/limits").status_code == 200, "the plain door has no certificate"
    sandbox.control.delete("/faults")
    assert httpx2.get(f"{at.org_tls}/services/data", verify=context).status_code == 200


def test_f14_redirects_away(sandbox: Sandbox) -> None:
    for variant, status, scheme in (("", 302, "https"), ("http", 302, "http"), ("307", 307, "https")):
        plan(sandbox, {"fault": "F14", "path": "/limits$"} | ({"variant": variant} if variant else {}))
        answer = sandbox.get("/limits", follow_redirects=False)
        assert answer.status_code == status
        assert answer.headers["location"].startswith(f"{scheme}://elsewhere.example/")


def test_the_catalogue_is_told(sandbox: Sandbox) -> None:
    told = sandbox.control.get("/faults?catalogue=1").json()["catalogue"]
    # the sandbox sends no webhooks, so there is nothing that F63 could disturb
    assert [one["fault"] for one in told] == [f"F{number:02}" for number in range(1, 70) if number != 63]


def test_f15_answers_nobody_for_a_minute(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F15"})
    for _ in range(2):
        with pytest.raises(httpx2.TransportError):
            sandbox.get("/limits")
    sandbox.control.post("/clock", json={"advance_s": 61})
    assert sandbox.get("/limits").status_code == 200


def test_f16_sets_the_clock_wrong_and_right_again(sandbox: Sandbox) -> None:
    def shown() -> datetime:
        return parsedate_to_datetime(sandbox.get("/limits").headers["date"])

    right = sandbox.estate.clock.now()  # the header may be a second old, and that second before a jump
    for variant, low, high in ((None, 590, 610), ("behind", -610, -590)):
        plan(sandbox, {"fault": "F16"} | ({"variant": variant} if variant else {}))
        made = sandbox.post("/sobjects/Visit__c", json={"Key__c": f"f16-{variant}"}).json()["id"]
        stamp = sandbox.get(f"/sobjects/Visit__c/{made}").json()["CreatedDate"]
        assert low < (datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z") - right).total_seconds() < high
        time.sleep(1.1)  # the Date header is made once a second
        assert low < (shown() - right).total_seconds() < high
        sandbox.control.delete("/faults")
    assert abs((sandbox.estate.clock.now() - right).total_seconds()) < 30


def test_f17_is_a_success_that_is_none(sandbox: Sandbox) -> None:
    for variant, kind in (("", "text/html"), ("type", "text/plain"), ("empty", "application/json")):
        plan(sandbox, {"fault": "F17", "path": "/limits$"} | ({"variant": variant} if variant else {}))
        answer = sandbox.get("/limits")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)


def test_f18_answers_from_a_cache_unless_told_not_to(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F18", "path": "/jobs/ingest/"})
    job = opened(sandbox)["id"]
    assert sandbox.get(f"/jobs/ingest/{job}").json()["state"] == "Open"
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job}", json={"state": "Aborted"})
    stale = sandbox.get(f"/jobs/ingest/{job}")
    assert (stale.json()["state"], "age" in stale.headers) == ("Open", True)
    fresh = sandbox.get(f"/jobs/ingest/{job}", headers={"cache-control": "no-cache"})
    assert (fresh.json()["state"], "age" in fresh.headers) == ("Aborted", False)


def signed_in(sandbox: Sandbox) -> httpx2.Client:
    app = sandbox.estate.doors.sessions.app
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    base = sandbox.estate.addresses.org
    token = httpx2.post(f"{base}/services/oauth2/token", data=form).json()["access_token"]
    return httpx2.Client(base_url=base, headers={"authorization": f"Bearer {token}", "x-sfdc-session": token})


def test_f19_ends_a_session_in_the_middle_of_a_job(sandbox: Sandbox) -> None:
    with signed_in(sandbox) as client:
        plan(sandbox, {"fault": "F19", "nth": 2})
        assert client.get(f"{DATA}/jobs/ingest").status_code == 200
        answer = client.get(f"{DATA}/jobs/ingest")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    with signed_in(sandbox) as client:
        plan(sandbox, {"fault": "F19"})
        answer = client.get("/services/async/67.0/job/750000000000001")
        assert answer.status_code == 400
        assert "InvalidSessionId" in answer.text


def test_f20_locks_the_app_out_until_the_faults_are_cleared(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F20", "nth": 1})
    with signed_in(sandbox) as client:
        assert client.get(f"{DATA}/jobs/ingest").status_code == 401
    app = sandbox.estate.doors.sessions.app
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    refused = httpx2.post(f"{sandbox.estate.addresses.org}/services/oauth2/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    sandbox.control.delete("/faults")
    with signed_in(sandbox) as client:
        assert client.get(f"{DATA}/jobs/ingest").status_code == 200
    assert sandbox.get("/limits").status_code == 200, "the preset token is good again"


def test_f22_answers_as_another_org_after_a_new_login(sandbox: Sandbox) -> None:
    right = sandbox.get("/query", params={"q": "SELECT Id FROM Organization"}).json()["records"][0]["Id"]
    plan(sandbox, {"fault": "F22"})
    with signed_in(sandbox) as client:
        other = client.get("/services/oauth2/userinfo").json()["organization_id"]
        asked = client.get(f"{DATA}/query", params={"q": "SELECT Id FROM Organization"}).json()["records"][0]["Id"]
        assert other == asked != right
        assert str(client.headers["x-sfdc-session"]).startswith(other[:15])
    assert sandbox.get("/limits").status_code == 401, "sessions of the old org have ended"
    sandbox.control.delete("/faults")
    back = sandbox.get("/query", params={"q": "SELECT Id FROM Organization"}).json()["records"][0]["Id"]
    assert back == right


def clinic_login(sandbox: Sandbox) -> httpx2.Response:
    env = sandbox.estate.environment()
    words = {"username": "CHARTLIFT_AERONA_USERNAME", "password": "CHARTLIFT_AERONA_PASSWORD"}
    body = {key: env[name] for key, name in (words | {"practicePin": "CHARTLIFT_AERONA_PIN"}).items()}
    return httpx2.post(f"{sandbox.estate.addresses.clinic}/login", json=body)


def test_f23_and_f24_end_the_clinics_token_and_password(sandbox: Sandbox) -> None:
    base = sandbox.estate.addresses.clinic

    def asked(token: str) -> int:
        return httpx2.get(f"{base}/patients", headers={"AERONA-AUTH-TOKEN": token}).status_code

    token = clinic_login(sandbox).headers["AERONA-AUTH-TOKEN"]
    plan(sandbox, {"fault": "F23", "nth": 2})
    assert [asked(token) for _ in range(2)] == [200, 401]
    token = clinic_login(sandbox).headers["AERONA-AUTH-TOKEN"]
    plan(sandbox, {"fault": "F23", "variant": "limit"})
    assert [asked(token) for _ in range(3)] == [200, 200, 429]
    plan(sandbox, {"fault": "F24", "nth": 2})
    token = clinic_login(sandbox).headers["AERONA-AUTH-TOKEN"]
    assert [asked(token) for _ in range(2)] == [200, 401]
    refused = clinic_login(sandbox)
    assert (refused.status_code, refused.json()["error"]) == (401, "LOGIN_FAILED")
    sandbox.control.delete("/faults")
    assert clinic_login(sandbox).status_code == 200


def test_f47_is_read_only_for_ten_virtual_minutes(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F47"})
    refused = sandbox.post("/sobjects/Visit__c", json={"Key__c": "f47"})
    assert refused.status_code == 503
    assert refused.json()[0]["errorCode"] == "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
    assert sandbox.get("/query", params={"q": "SELECT count() FROM Visit__c"}).status_code == 200
    sandbox.control.post("/clock", json={"advance_s": 601})
    assert sandbox.post("/sobjects/Visit__c", json={"Key__c": "f47"}).status_code == 201


def small_package(name: str) -> bytes:
    inner = "".join(field(one, FIELDS[one]) for one in ("Key__c", "Short__c", "Phone__c", "Mail__c"))
    fields = ("Short__c", "Phone__c", "Mail__c")
    granted = grant(name) + "".join(field_grant(f"{name}.{one}") for one in fields)
    return zipped(
        {
            "package.xml": manifest({"CustomObject": [name], "PermissionSet": [f"{name[:-3]}_Access"]}),
            f"objects/{name}.object": custom_object(name[:-3], inner),
            f"permissionsets/{name[:-3]}_Access.permissionset": permission_set("x", granted),
        }
    )


def test_f49_deploys_in_part_or_not_at_all_or_for_nobody(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F49"})
    package = small_package("Half__c")
    part = sandbox.deploy(package, rollbackOnError=False)
    assert part["status"] == "SucceededPartial"
    half = sandbox.estate.org.schema.objects["Half__c"].fields
    assert 0 < len([name for name in half if name in FIELDS]) < 4
    again = sandbox.deploy(small_package("Half__c"))
    assert again["status"] == "Succeeded", again["details"]["componentFailures"]
    plan(sandbox, {"fault": "F49", "variant": "canceled"})
    assert sandbox.deploy(small_package("Never__c"))["status"] == "Canceled"
    assert sandbox.estate.org.schema.object("Never__c") is None
    plan(sandbox, {"fault": "F49", "variant": "in_progress"})
    parts = {
        "json": (None, '{"deployOptions":{}}', "application/json"),
        "file": ("deploy.zip", package, "application/zip"),
    }
    job = sandbox.post("/metadata/deployRequest", files=parts).json()["id"]
    time.sleep(0.3)
    shown = sandbox.get(f"/metadata/deployRequest/{job}").json()["deployResult"]
    assert (shown["status"], shown["done"]) == ("InProgress", False)
    plan(sandbox, {"fault": "F49", "variant": "no_fls"})
    assert sandbox.deploy(small_package("Unseen__c"))["status"] == "Succeeded"
    sandbox.assign("Unseen_Access")
    names = {one["name"] for one in sandbox.get("/sobjects/Unseen__c/describe").json().get("fields", [])}
    assert "Short__c" in sandbox.estate.org.schema.objects["Unseen__c"].fields
    assert "Short__c" not in names


def test_faults_of_one_name_twice_and_by_address(sandbox: Sandbox) -> None:
    plan(
        sandbox,
        {"fault": "f10", "endpoint": "GET /limits$", "when": "after", "nth": 2},
        {"fault": "F10", "path": "/query$", "when": "every", "every": 2},
        {"fault": "F10", "path": "/recent$", "id": "mine", "when": "persistent", "probability": 0.5, "seed": 7},
    )
    assert [sandbox.get("/limits").status_code for _ in range(4)] == [200, 200, 503, 503]
    ask = {"q": "SELECT count() FROM User"}
    assert [sandbox.get("/query", params=ask).status_code for _ in range(3)] == [503, 200, 503]
    drawn = [sandbox.get("/recent").status_code == 503 for _ in range(20)]
    assert 2 < sum(drawn) < 18
    report = sandbox.control.get("/faults").json()["faults"]
    assert [(one["id"], one["fault"], one["hits"]) for one in report] == [
        ("F10", "F10", 2), ("F10-2", "F10", 2), ("mine", "F10", sum(drawn)),
    ]  # fmt: skip
    sandbox.control.delete("/faults")
    plan(sandbox, {"fault": "F10", "path": "/recent$", "id": "mine", "when": "persistent", "share": 0.5, "seed": 7})
    assert [sandbox.get("/recent").status_code == 503 for _ in range(20)] == drawn


def test_a_named_fault_that_cannot_be_understood_is_refused(sandbox: Sandbox) -> None:
    for words, said in (
        ({"fault": "F99"}, "no fault named F99"),
        ({"fault": "F10", "variant": "507"}, "variant must be one of"),
        ({"fault": "F10", "colour": 1}, "unknown word colour"),
        ({"fault": "F10", "effect": "never"}, "effect must be before or after"),
        ({"fault": "F10", "share": 2}, "between 0 and 1"),
        ({"fault": "F09", "what": "odd"}, "what must be one of"),
        ({"kind": "status", "armed_by": "nobody"}, "armed_by names no fault"),
        ({"kind": "status", "headers": {"a": 1}}, "headers must be texts"),
        ({"kind": "status", "nth": True}, "nth must be int"),
    ):
        answer = sandbox.control.post("/faults", json=words)
        assert answer.status_code == 400
        assert re.search(said, answer.json()["error"]), answer.text
