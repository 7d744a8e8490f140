from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chartlift.errors import CredentialsError, PlanError, SessionExpired, StopError, Unreachable, UsageError, WrongOrg
from chartlift.platforms.salesforce.credentials import Secrets, audience
from chartlift.platforms.salesforce.errors import NoAnswer, Refused
from chartlift.platforms.salesforce.origins import checked_origin, same_org
from chartlift.platforms.salesforce.session import Repeat

Connect = Callable[..., Any]
LIMITS = "/services/data/v67.0/limits"


def get(destination: Any, path: str = LIMITS) -> Any:
    return destination._session.call("GET", path, repeat=Repeat.ALWAYS)


def serve(org: Any, *answers: httpx2.Response | Exception) -> None:
    """/limits gives these answers, the last one again and again."""
    left = list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found

    org.answers["/limits$"] = answer


@pytest.mark.parametrize(
    "url",
    [
        "http://clinic.my.salesforce.com",
        "https://clinic.example.com",
        "https://salesforce.com.evil.example",
        "https://user:pw@clinic.my.salesforce.com",
        "https://clinic.my.salesforce.com/path",
        "ftp://localhost",
        "http://127.0.0.1.evil.example",
        "clinic",
        "https://clinic.my.salesforce.com:99999999",
    ],
)
def test_other_servers_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        checked_origin(url)


def test_origins_that_are_taken() -> None:
    assert checked_origin("https://Clinic.my.salesforce.com/") == "https://clinic.my.salesforce.com"
    assert checked_origin("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert checked_origin("https://localhost:8443/") == "https://localhost:8443"


def test_another_instance_url_is_taken_for_the_same_my_domain_only() -> None:
    ours = "https://clinic.my.salesforce.com"
    assert same_org(ours, "https://clinic.my.salesforce.com/")
    assert same_org(ours, "https://CLINIC.lightning.force.com")
    assert not same_org(ours, "https://other.my.salesforce.com")
    assert not same_org(ours, "https://clinic.example.com")
    assert not same_org(ours, "http://clinic.my.salesforce.com")
    assert same_org("http://127.0.0.1:8080", "http://localhost:8080")
    assert not same_org("http://127.0.0.1:8080", "http://127.0.0.1:8081")
    assert not same_org("http://127.0.0.1:8080", ours)


def test_a_login_that_points_elsewhere_stops(connect: Connect, org: Any, faults: Any) -> None:
    elsewhere = {"access_token": "t", "instance_url": "https://other.my.salesforce.com"}
    org.answers["/token$"] = lambda _: faults.json_answer(200, elsewhere)
    with pytest.raises(WrongOrg):
        get(connect())
    assert not any("limits" in what for what in org.requests)


def test_another_org_than_expected_stops(connect: Connect, org: Any) -> None:
    with pytest.raises(WrongOrg):
        connect(expected_org_id="00D5g000004Other").identity()
    assert connect(expected_org_id="00D5g000004XyzA")._session.who()["organization_id"] == org.org_id


def test_another_org_after_a_renewal_stops(connect: Connect, org: Any, faults: Any) -> None:
    serve(org, faults.error(401, "INVALID_SESSION_ID"), faults.json_answer(200, {}))
    destination = connect()
    destination._session.who()
    org.org_id = "00D5g000009ElseEAE"
    with pytest.raises(WrongOrg):
        get(destination)
    assert [what for what in org.requests if "limits" in what] == ["GET " + LIMITS]


def test_a_bare_token_cannot_be_renewed(connect: Connect, org: Any, faults: Any) -> None:
    serve(org, faults.error(401, "INVALID_SESSION_ID"))
    with pytest.raises(SessionExpired):
        get(connect(secrets=Secrets(access_token="00D!abc")))
    assert org.logins == 0


def test_a_login_withdrawn_in_mid_run_pauses(connect: Connect, org: Any, faults: Any) -> None:
    serve(org, faults.error(401, "INVALID_SESSION_ID"))
    destination = connect()
    destination._session.who()
    org.answers["/token$"] = lambda _: faults.json_answer(400, {"error": "invalid_grant", "error_description": "x"})
    with pytest.raises(SessionExpired, match="invalid_grant"):
        get(destination)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client_id", "inactive_user"])
def test_a_refused_login(connect: Connect, org: Any, faults: Any, code: str) -> None:
    org.answers["/token$"] = lambda _: faults.json_answer(400, {"error": code, "error_description": "for jane@x.test"})
    with pytest.raises(CredentialsError, match=code) as caught:
        get(connect())
    assert "jane" not in str(caught.value)


def test_no_credentials_at_all(connect: Connect, org: Any) -> None:
    with pytest.raises(CredentialsError) as caught:
        get(connect(secrets=Secrets()))
    assert "CHARTLIFT_SF_CLIENT_ID" in caught.value.hint
    assert not org.requests


def test_secrets_do_not_show() -> None:
    environ = {
        "CHARTLIFT_SF_CLIENT_SECRET": "hush",
        "CHARTLIFT_SF_ACCESS_TOKEN": "hush",
        "CHARTLIFT_SF_CLIENT_ID": "hush",
    }
    assert "hush" not in repr(Secrets.of(environ))


def test_the_jwt_is_signed_for_three_minutes(clock: Any, tmp_path: Path) -> None:
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    secrets = Secrets(client_id="app", jwt_key_file=str(tmp_path / "key.pem"), username="int@x.test")
    form = secrets.form("https://clinic.my.salesforce.com", clock.now())
    claims = jwt.decode(
        form["assertion"],
        key.public_key(),
        ["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert (claims["iss"], claims["sub"]) == ("app", "int@x.test")
    assert claims["exp"] == int(clock.now().timestamp()) + 180
    (tmp_path / "key.pem").write_text("not a key")
    with pytest.raises(CredentialsError):
        secrets.form("https://clinic.my.salesforce.com", clock.now())


def test_the_audience_follows_the_host() -> None:
    assert audience("https://clinic--dev.sandbox.my.salesforce.com") == "https://test.salesforce.com"
    assert audience("http://localhost:1") == "http://localhost:1"


def test_a_redirect_is_not_followed(connect: Connect, org: Any) -> None:
    serve(org, httpx2.Response(302, headers={"Location": "https://evil.example/"}))
    with pytest.raises(StopError, match="redirect"):
        get(connect())
    assert all(what.split()[1].startswith("/services") for what in org.requests)


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 504])
def test_a_busy_server_is_waited_for(connect: Connect, org: Any, faults: Any, clock: Any, status: int) -> None:
    html = httpx2.Response(status, headers={"Content-Type": "text/html"}, content=b"<html>busy</html>")
    serve(org, html, html, faults.json_answer(200, {}))
    assert get(connect()).status == 200
    assert 0.5 < sum(clock.slept) < 5


@pytest.mark.parametrize(
    ("header", "waited"),
    [("7", 7.0), ("Wed, 25 Nov 2026 12:00:30 GMT", 30.0), ("Wed, 25 Nov 2020 12:00:30 GMT", 0.0), ("99999", 900.0)],
)
def test_the_servers_wish_to_wait_is_honoured(
    connect: Connect, org: Any, faults: Any, clock: Any, header: str, waited: float
) -> None:
    serve(org, httpx2.Response(503, headers={"Retry-After": header}), faults.json_answer(200, {}))
    get(connect())
    assert clock.slept == [waited]


def test_a_wish_that_cannot_be_read_is_passed_over(connect: Connect, org: Any, faults: Any, clock: Any) -> None:
    serve(org, httpx2.Response(503, headers={"Retry-After": "soon"}), faults.json_answer(200, {}))
    get(connect())
    assert 0 < sum(clock.slept) < 1


def test_an_html_page_with_status_200_is_no_answer(connect: Connect, org: Any) -> None:
    serve(org, httpx2.Response(200, headers={"Content-Type": "text/html"}, content=b"<html>Jane Smith</html>"))
    with pytest.raises(Unreachable, match="text/html") as caught:
        get(connect())
    assert "Jane" not in str(caught.value)


def test_a_minute_without_a_network_is_bridged(connect: Connect, org: Any, faults: Any, clock: Any) -> None:
    destination = connect()
    destination._session.who()
    serve(org, *[httpx2.ConnectError("no such host")] * 7, faults.json_answer(200, {}))
    get(destination)
    assert sum(clock.slept) > 45


def test_a_server_that_never_answered_is_given_up_soon(connect: Connect, org: Any, clock: Any, faults: Any) -> None:
    org.fault(".*", before=faults.reset, times=99)
    with pytest.raises(Unreachable):
        get(connect())
    assert sum(clock.slept) < 10


def test_what_may_have_been_done_is_not_said_twice(connect: Connect, org: Any) -> None:
    serve(org, httpx2.ReadTimeout("slow"))
    destination = connect()
    with pytest.raises(NoAnswer) as caught:
        destination._session.call("POST", LIMITS, repeat=Repeat.UNSENT)
    assert caught.value.unsent is False
    assert org.requests.count("POST " + LIMITS) == 1


def test_an_error_keeps_code_and_fields_only(connect: Connect, org: Any, faults: Any) -> None:
    answer = [{"errorCode": "INVALID_FIELD", "message": "Jane Smith", "fields": ["Name", "Jane Smith"]}]
    serve(org, faults.json_answer(400, answer))
    with pytest.raises(Refused) as caught:
        get(connect())
    assert (caught.value.code, caught.value.fields, caught.value.status) == ("INVALID_FIELD", "Name", 400)
    assert "Jane" not in str(caught.value) + caught.value.hint


def test_a_free_text_for_a_code_is_dropped(connect: Connect, org: Any, faults: Any) -> None:
    serve(org, faults.json_answer(400, [{"errorCode": "O'Hara, 1980-01-02"}]))
    with pytest.raises(Refused, match="UNRECOGNISED"):
        get(connect())


def test_the_newest_version_that_both_know(connect: Connect, org: Any, faults: Any) -> None:
    assert connect()._rest.version == "67.0"
    org.answers["GET /services/data$"] = lambda _: faults.json_answer(200, [{"version": "30.0"}, {"version": "99.0"}])
    with pytest.raises(PlanError, match="API version"):
        _ = connect()._rest.version
