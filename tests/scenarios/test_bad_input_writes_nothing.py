"""Wrong secrets, wrong addresses, a second instance, half a workspace: a clear message, the agreed exit code, no write."""

from __future__ import annotations

import base64
import shutil
import time
from pathlib import Path

import pytest
from journey_driver import Done, World, stop

LOAD = ("load", "--go", "--without-sample")


def refused(done: Done, code: int, name: str) -> None:
    error = done.document["error"]
    assert (done.code, error["name"]) == (code, name), done.document
    assert len(error["message"]) > 20
    assert "Bug" not in done.out


def test_wrong_secrets_of_either_side_exit_2(confirmed: World) -> None:
    refused(confirmed.run("extract", "--full", env={"CHARTLIFT_AERONA_PASSWORD": "wrong"}), 2, "CredentialsError")
    refused(confirmed.run(*LOAD, env={"CHARTLIFT_SF_CLIENT_SECRET": "wrong"}), 2, "CredentialsError")
    none = {"CHARTLIFT_SF_CLIENT_ID": "", "CHARTLIFT_SF_CLIENT_SECRET": ""}
    refused(confirmed.run(*LOAD, env=none), 2, "CredentialsError")
    refused(confirmed.run(*LOAD, env=none | {"CHARTLIFT_SF_ACCESS_TOKEN": "00Dxx!wrong"}), 2, "CredentialsError")
    confirmed.nothing_written()


def test_a_wrong_or_missing_key_exits_2(confirmed: World) -> None:
    other = base64.b64encode(bytes(32)).decode()
    for key in (other, "short", ""):
        refused(confirmed.run("status", env={"CHARTLIFT_KEY": key}), 2, "CredentialsError")
    confirmed.nothing_written()


@pytest.mark.parametrize("side", ["org_url", "clinic_url"])
def test_a_wrong_address_is_never_a_bug(confirmed: World, side: str) -> None:
    settings = confirmed.workspace / "chartlift.toml"
    text = settings.read_text(encoding="utf-8")
    real = {"CHARTLIFT_CLOCK": ""}
    step = LOAD if side == "org_url" else ("extract", "--full")
    settings.write_text(text.replace(confirmed.facts[side], "http://127.0.0.1:9"), encoding="utf-8")
    refused(confirmed.run(*step), 2, "UsageError")  # the sandbox whose clock is given does not serve that address
    if side == "org_url":
        assert confirmed.run(*step, env=real).code == 5
    settings.write_text(text.replace(confirmed.facts[side], "http://clinic.example"), encoding="utf-8")
    refused(confirmed.run(*step, env=real), 2, "UsageError")
    settings.write_text(text.replace(confirmed.facts[side], confirmed.facts["control_url"]), encoding="utf-8")
    assert confirmed.run(*step, env=real).code in (2, 3, 5)
    confirmed.nothing_written()


def test_half_a_workspace_exits_2(confirmed: World, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(confirmed.run(*LOAD, workspace=empty), 2, "UsageError")
    refused(confirmed.run(*LOAD, workspace=tmp_path / "nowhere"), 2, "UsageError")
    keyless = shutil.copytree(confirmed.workspace, tmp_path / "keyless")
    for path in keyless.glob("*key*"):
        path.unlink()
    assert confirmed.run(*LOAD, workspace=keyless).code == 2
    cut = shutil.copytree(confirmed.workspace, tmp_path / "cut")
    (cut / "chartlift.toml").write_text('tenant = "mill"\n', encoding="utf-8")
    refused(confirmed.run(*LOAD, workspace=cut), 2, "UsageError")
    urls = ("--source-url", confirmed.facts["clinic_url"], "--org-url", confirmed.facts["org_url"])
    assert confirmed.run("init", str(confirmed.workspace), *urls, "--json", bare=True).code == 2
    confirmed.nothing_written()


def test_a_second_instance_exits_3_while_status_answers(deployed: World) -> None:
    stall = {"kind": "delay", "path": "/composite/sobjects", "seconds": 8.0, "id": "stall"}
    deployed.post("/faults", [stall])
    first = deployed.start(*LOAD)
    try:
        until = time.monotonic() + 60
        while not deployed.get("/faults")["faults"][0]["hits"] and time.monotonic() < until:
            time.sleep(0.02)
        refused(deployed.run(*LOAD), 3, "Busy")
        assert deployed.ok("status").document["unknown"] >= 1
        first.communicate(timeout=120)
        assert first.returncode == 0
    finally:
        stop(first)
    deployed.holds_everything()


def test_a_static_token_that_ends_pauses_the_load(deployed: World) -> None:
    static = {"CHARTLIFT_SF_CLIENT_ID": "", "CHARTLIFT_SF_CLIENT_SECRET": ""}
    static["CHARTLIFT_SF_ACCESS_TOKEN"] = deployed.facts["access_token"]
    assert deployed.run("load", env=static).code == 0
    token = deployed.org.post("/services/oauth2/token", data=_client(deployed)).json()["access_token"]
    static["CHARTLIFT_SF_ACCESS_TOKEN"] = token
    deployed.post("/faults", [{"kind": "expire_token", "method": "PATCH", "path": "/jobs/ingest/", "id": "end"}])
    refused(deployed.run(*LOAD, env=static), 5, "SessionExpired")
    refused(deployed.run(*LOAD, env=static), 2, "CredentialsError")
    deployed.clear_faults()
    deployed.ok(*LOAD)
    deployed.holds_everything()
    deployed.inserts_once()


def _client(world: World) -> dict[str, str]:
    env = world.environment
    names = {"client_id": "CHARTLIFT_SF_CLIENT_ID", "client_secret": "CHARTLIFT_SF_CLIENT_SECRET"}
    return {"grant_type": "client_credentials"} | {word: env[name] for word, name in names.items()}


def test_practitioners_without_a_user_stop_the_confirmation(profiled: World) -> None:
    done = profiled.run("people")
    assert done.code == 3
    assert done.document["unmatched"]
    refused(profiled.run("confirm", "--by", "P. Manager"), 3, "Unmatched")
    refused(profiled.run("people", "--fallback", "nobody@clinic.example"), 2, "UsageError")
    refused(profiled.run("confirm", "--by", "P. Manager"), 3, "Unmatched")
    refused(profiled.run(*LOAD), 3, "NotConfirmed")
    profiled.nothing_written()


def test_an_org_without_the_mapped_fields_exits_3_and_names_them(confirmed: World) -> None:
    done = confirmed.run(*LOAD)
    refused(done, 3, "Conflict")
    assert "Contact.Source_System_ID__c" in done.message
    confirmed.nothing_written()
