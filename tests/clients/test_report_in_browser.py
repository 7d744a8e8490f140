"""The report, opened in a real browser with hostile text in every place that comes from elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chartlift.cli.page import write_page

pytestmark = pytest.mark.more
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=3000",
)  # fmt: skip


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that notes every request."""
    asked: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def dom(page: Path, profile: Path) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def hostile(url: str) -> str:
    ran = f"document.title='RAN';new Image().src='{url}/ran'"
    return (
        f'"\'></td></table><script>{ran}</script><script src={url}/script></script><img src={url}/img onerror="{ran}">'
        f"<link rel=stylesheet href={url}/css><iframe src={url}/frame></iframe><style>@import '{url}/import';</style>{{{{7*7}}}}"
    )


def test_no_script_runs_and_nothing_is_asked_for(tmp_path: Path, listener: tuple[str, list[str]]) -> None:
    url, asked = listener
    bad = hostile(url)
    unit = {"unit": bad, "object": bad, "records": {"equal": 7, "held": 2}, "fields": {"equal": 41, "withheld": 3}}
    reasons = [{"fate": "hold", "reason": bad, "rows": 2}]
    finding = {"code": bad, "entity": bad, "text": bad, "count": 5, "severity": "error", "samples": [bad]}
    reports = {
        "reconcile": {"clean": True, "units": [unit]},
        "load": {"units": [{"unit": bad, "reasons": reasons, "withheld": [{"field": bad, "rows": 3}]}]},
        "profile": {"findings": [finding]},
        "rollback": {"kept": [{"object": bad, "key": bad, "reason": bad}]},
        "confirm": {"fingerprint": bad, "confirmed_by": bad},
        "hash before": {"hash": bad}, "hash loaded": {"hash": "b" * 64}, "hash after": {"hash": bad},
    }  # fmt: skip
    page = tmp_path / "report.html"
    write_page(page, reports, {"load": 1.5})
    text = dom(page, tmp_path / "profile")
    assert "Every field explained" in text
    assert "7 of 9" in text
    assert "Exactly as before" in text
    assert "<title>chartlift: report of a migration</title>" in text
    assert "{{7*7}}" in text
    for element in ("<script", "<img", "<iframe", "<link"):
        assert element not in text
    assert asked == []


def test_the_listener_would_notice(tmp_path: Path, listener: tuple[str, list[str]]) -> None:
    url, asked = listener
    page = tmp_path / "open.html"
    page.write_text(hostile(url), encoding="utf-8")
    assert "<title>RAN</title>" in dom(page, tmp_path / "profile")
    assert {"/script", "/ran"} <= set(asked)
