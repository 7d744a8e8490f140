"""The process: one JSON line when ready, loopback only, TLS, a clean stop on SIGTERM."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2


def start(*words: str) -> tuple[subprocess.Popen[str], dict[str, object]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "chartlift_sandbox", "start", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return process, json.loads(line)


def test_one_line_everything_up_and_a_clean_stop(tmp_path: Path) -> None:
    plan = tmp_path / "faults.json"
    plan.write_text('[{"kind": "status", "path": "/limits$", "status": 504}]', encoding="utf-8")
    process, line = start("--patients", "5", "--seed", "9", "--faults", str(plan))
    try:
        assert set(line) == {
            "org_url", "org_tls_url", "ca_file", "clinic_url", "control_url", "access_token", "fallback_email", "env",
        }  # fmt: skip
        env = line["env"]
        assert isinstance(env, dict)
        assert set(env) == {
            "CHARTLIFT_AERONA_USERNAME", "CHARTLIFT_AERONA_PASSWORD", "CHARTLIFT_AERONA_PIN", "CHARTLIFT_SF_CLIENT_ID",
            "CHARTLIFT_SF_CLIENT_SECRET", "CHARTLIFT_CA_FILE", "CHARTLIFT_KEY", "CHARTLIFT_CLOCK",
        }  # fmt: skip
        ca_file = Path(str(line["ca_file"]))
        context = ssl.create_default_context(cafile=str(ca_file))
        headers = {"authorization": f"Bearer {line['access_token']}"}
        for host in ("localhost", "127.0.0.1"):
            url = str(line["org_tls_url"]).replace("localhost", host)
            assert httpx2.get(f"{url}/services/data", verify=context).status_code == 200
        limits = f"{line['org_url']}/services/data/v66.0/limits"
        assert [httpx2.get(limits, headers=headers).status_code for _ in range(2)] == [504, 200]
        origins = httpx2.get(f"{line['control_url']}/whoami").json()["origins"]
        assert set(origins) == {line[name] for name in ("org_url", "org_tls_url", "clinic_url", "control_url")}
        assert httpx2.get(f"{line['clinic_url']}/patients").status_code in {401, 403}
        port = int(str(line["org_url"]).rpartition(":")[2])
        with socket.socket() as other:
            other.settimeout(1)
            assert other.connect_ex(("127.0.0.2", port)) != 0, "only 127.0.0.1 is served"
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=15)
    assert (process.returncode, out, err) == (0, "", "")
    assert not ca_file.exists(), "a temporary home goes away with the process"


def test_ids_and_secrets_repeat_with_the_seed_and_ports_can_be_given(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lines, before = [], os.times().children_user
    for turn in range(2):
        process, line = start(
            "--seed", "4", "--patients", "3", "--home", str(tmp_path / "home"), "--org-port", str(port)
        )
        lines.append({**line, "env": {k: v for k, v in dict(line["env"]).items() if "KEY" not in k}})  # ty: ignore[no-matching-overload]
        process.terminate()
        process.communicate(timeout=15)
        assert process.returncode == 0, turn
    assert (os.times().children_user - before) / 2 < 2.5, "a start takes about 1.2 s of processor time"
    assert lines[0]["access_token"] == lines[1]["access_token"]
    assert lines[0]["org_url"] == lines[1]["org_url"] == f"http://127.0.0.1:{port}"
    assert (tmp_path / "home" / "ca.pem").exists()
    assert (tmp_path / "home" / "server.pem").stat().st_mode & 0o077 == 0


def test_a_broken_fault_file_is_a_usage_error(tmp_path: Path) -> None:
    plan = tmp_path / "faults.json"
    plan.write_text('[{"kind": "explode"}]', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "chartlift_sandbox", "start", "--faults", str(plan)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    )
    assert done.returncode == 2
    assert "kind must be one of" in done.stderr
