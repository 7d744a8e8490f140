"""OAuth, identity and sessions on the virtual clock."""

import time

import httpx2
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from door_harness import DATA, Sandbox


def token(sandbox: Sandbox, **form: str) -> httpx2.Response:
    return httpx2.post(f"{sandbox.estate.addresses.org}/services/oauth2/token", data=form)


def client(sandbox: Sandbox) -> dict[str, str]:
    app = sandbox.estate.doors.sessions.app
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def test_client_credentials_give_a_session_without_an_expiry(sandbox: Sandbox) -> None:
    answer = token(sandbox, grant_type="client_credentials", **client(sandbox))
    body = answer.json()
    assert answer.status_code == 200
    assert "expires_in" not in body
    assert "refresh_token" not in body
    org_id = sandbox.estate.org.org_id
    assert body["access_token"].startswith(f"{org_id[:15]}!")
    assert body["instance_url"] == sandbox.estate.addresses.org
    assert body["id"] == f"{body['instance_url']}/id/{org_id}/{sandbox.estate.org.people.integration}"
    assert len(body["issued_at"]) == 13
    basic = httpx2.post(
        f"{sandbox.estate.addresses.org}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(client(sandbox)["client_id"], client(sandbox)["client_secret"]),
    )
    assert basic.status_code == 200


def test_wrong_clients_and_grants_are_refused(sandbox: Sandbox) -> None:
    wrong = token(sandbox, grant_type="client_credentials", client_id="x", client_secret="y")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client_id")
    secret = token(sandbox, grant_type="client_credentials", **(client(sandbox) | {"client_secret": "no"}))
    assert secret.json()["error"] == "invalid_client"
    assert token(sandbox, grant_type="magic").json()["error"] == "unsupported_grant_type"
    old = token(sandbox, grant_type="password", username="a", password="b", **client(sandbox))
    assert old.json() == {"error": "invalid_grant", "error_description": "authentication failure"}


def test_a_session_ends_two_hours_after_its_last_use(sandbox: Sandbox) -> None:
    bearer = token(sandbox, grant_type="client_credentials", **client(sandbox)).json()["access_token"]
    headers = {"authorization": f"Bearer {bearer}"}
    url = f"{sandbox.estate.addresses.org}{DATA}/limits"
    for _ in range(3):
        sandbox.control.post("/clock", json={"advance_s": 7000})
        assert httpx2.get(url, headers=headers).status_code == 200
    sandbox.control.post("/clock", json={"advance_s": 7300})
    ended = httpx2.get(url, headers=headers)
    assert ended.status_code == 401
    assert ended.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert "sforce-limit-info" in ended.headers
    assert sandbox.get("/limits").status_code == 200, "the preset token stays"


def test_introspection_and_revocation(sandbox: Sandbox) -> None:
    bearer = token(sandbox, grant_type="client_credentials", **client(sandbox)).json()["access_token"]
    base = sandbox.estate.addresses.org + "/services/oauth2"
    found = httpx2.post(f"{base}/introspect", data={"token": bearer, **client(sandbox)}).json()
    assert (found["active"], found["username"]) == (True, "integration@clinic.example")
    assert found["exp"] - found["iat"] == 7200
    assert httpx2.post(f"{base}/revoke", data={"token": bearer}).status_code == 200
    assert httpx2.post(f"{base}/introspect", data={"token": bearer, **client(sandbox)}).json() == {"active": False}
    assert httpx2.post(f"{base}/revoke", data={"token": bearer}).status_code == 400
    dead = httpx2.get(f"{base}/userinfo", headers={"authorization": f"Bearer {bearer}"})
    assert (dead.status_code, dead.text) == (403, "Bad_OAuth_Token")


def test_a_refresh_token_opens_sessions_until_it_is_revoked(sandbox: Sandbox) -> None:
    who = "integration@clinic.example"
    kept = sandbox.control.post("/org/refresh-token", json={"user": who}).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": kept}
    answers = [
        token(sandbox, **form, **client(sandbox)),
        token(sandbox, **form, client_id=client(sandbox)["client_id"]),
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert "refresh_token" not in answers[0].json(), "it is not given again"
    bearer = answers[0].json()["access_token"]
    found = httpx2.get(answers[0].json()["id"], headers={"authorization": f"Bearer {bearer}"}).json()
    assert found["username"] == who
    assert token(sandbox, **form, **(client(sandbox) | {"client_secret": "no"})).json()["error"] == "invalid_client"
    assert token(sandbox, **form, client_id="x").json()["error"] == "invalid_client_id"
    revoked = httpx2.post(f"{sandbox.estate.addresses.org}/services/oauth2/revoke", data={"token": kept})
    assert revoked.status_code == 200
    late = token(sandbox, **form, **client(sandbox)).json()
    assert late == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert sandbox.control.post("/org/refresh-token", json={"user": "nobody"}).status_code == 400


def test_identity_and_userinfo_say_who_is_calling(sandbox: Sandbox) -> None:
    info = sandbox.org.get("/services/oauth2/userinfo").json()
    assert info["preferred_username"] == "integration@clinic.example"
    assert info["user_id"] == sandbox.estate.org.people.integration
    assert info["organization_id"] == sandbox.estate.org.org_id
    url = f"{sandbox.estate.addresses.org}/id/{info['organization_id']}/{info['user_id']}"
    asked = httpx2.get(url, params={"oauth_token": sandbox.estate.access_token}).json()
    assert asked["username"] == "integration@clinic.example"
    assert "{version}" in asked["urls"]["rest"]


def test_a_signed_assertion_is_taken_from_a_registered_key_only(sandbox: Sandbox) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    now = int(sandbox.estate.clock.now().timestamp())
    claims = {
        "iss": client(sandbox)["client_id"],
        "sub": "integration@clinic.example",
        "aud": sandbox.estate.addresses.org,
        "exp": now + 180,
    }
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assertion = jwt.encode(claims, key, algorithm="RS256")
    assert token(sandbox, grant_type=grant, assertion=assertion).json()["error"] == "invalid_grant"
    sandbox.control.post("/org/jwt-key", json={"public_key": public.decode()})
    body = token(sandbox, grant_type=grant, assertion=assertion).json()
    assert sorted(body) == ["access_token", "id", "instance_url", "scope", "token_type"]
    late = jwt.encode(claims | {"exp": now - 3600}, key, algorithm="RS256")
    assert token(sandbox, grant_type=grant, assertion=late).json()["error_description"] == "assertion is not valid"
    other = jwt.encode(claims | {"aud": "https://elsewhere.example"}, key, algorithm="RS256")
    assert token(sandbox, grant_type=grant, assertion=other).json()["error_description"] == "audience is invalid"


def test_versions_are_open_to_all_and_ascend(sandbox: Sandbox) -> None:
    for path in ("/services/data", "/services/data/", "//services//data/"):
        listed = httpx2.get(sandbox.estate.addresses.org + path).json()
        numbers = [float(one["version"]) for one in listed]
        assert numbers == sorted(numbers)
        assert listed[-1] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}
    retired = sandbox.org.get("/services/data/v29.0/limits")
    assert (retired.status_code, retired.json()[0]["errorCode"]) == (410, "GONE")
    assert sandbox.org.get("/services/data/v99.0/limits").status_code == 404


def test_refusals_have_the_platforms_shape(sandbox: Sandbox) -> None:
    missing = sandbox.get("/nothing/here")
    assert missing.status_code == 404
    assert missing.json() == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    wrong = sandbox.org.delete(f"{DATA}/limits")
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["sforce-limit-info"].startswith("api-usage=")
    assert httpx2.get(f"{sandbox.estate.addresses.org}{DATA}/limits").status_code == 401
    long = sandbox.get("/limits", params={"q": "x" * 17_000})
    assert (long.status_code, long.json()[0]["errorCode"]) == (414, "URI_TOO_LONG")


def test_the_daily_allowance_of_calls_runs_out(sandbox: Sandbox) -> None:
    before = sandbox.get("/limits").json()["DailyApiRequests"]
    assert sandbox.get("/limits").json()["DailyApiRequests"]["Remaining"] == before["Remaining"] - 1
    used = sandbox.estate.doors.usage.used("DailyApiRequests")
    sandbox.control.post("/org/settings", json={"limits": {"DailyApiRequests": used}})
    refused = sandbox.get("/limits")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    sandbox.control.post("/clock", json={"advance_s": 86_400 + 60})
    assert sandbox.get("/limits").status_code == 200
    sandbox.control.post("/org/settings", json={"limits": {"DailyApiRequests": 100_000}})


def test_a_request_is_answered_fast(sandbox: Sandbox) -> None:
    start = time.monotonic()
    for _ in range(20):
        sandbox.get("/limits")
    assert (time.monotonic() - start) / 20 < 0.2
