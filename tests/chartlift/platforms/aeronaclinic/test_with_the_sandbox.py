"""The source and its stages against the sandbox, which shares no code with them."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chartlift.clock import SandboxClock
from chartlift.model.ports import Tools
from chartlift.platforms.aeronaclinic import connect
from chartlift.stages import extract


class Sandbox:
    def __init__(self, line: str) -> None:
        self.told = json.loads(line)

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.told["control_url"] + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def requests(self) -> Counter[str]:
        return Counter(
            {f"{row['method']} {row['path']}": row["count"] for row in self.ask("/stats") if row["vendor"] == "clinic"}
        )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("sandbox")
    command = [
        sys.executable,
        "-m",
        "chartlift_sandbox",
        "start",
        "--home",
        str(home),
        "--patients",
        "60",
        "--seed",
        "3",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Sandbox(process.stdout.readline())
        process.terminate()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One count of requests for all tests: the clinic counts on from one to the next."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def sandbox_tools(sandbox: Sandbox, reading_tools: Tools, state: Path) -> Tools:
    clock = SandboxClock(sandbox.told["control_url"])
    source = connect(sandbox.told["clinic_url"], secrets=sandbox.told["env"], clock=clock, state=state)
    return replace(reading_tools, source=source, clock=clock)


def test_a_whole_clinic_and_then_only_what_changed(sandbox: Sandbox, sandbox_tools: Tools) -> None:
    report = extract.run(sandbox_tools)
    assert report.complete
    rows = {count.entity: count.rows for count in report.entities}
    probes = {probe.name: probe.rows for probe in sandbox_tools.source.check()}
    assert {name: count for name, count in probes.items() if count is not None and name in rows} == {
        name: count for name, count in rows.items() if probes.get(name) is not None
    }
    assert all(rows[name] for name in ("course", "treatment", "clinicalNote", "document", "invoice", "invoiceLine"))
    unmapped = sum(1 for defect in sandbox.ask("/clinic/truth") if defect["rule"] == "R-UNMAPPED")
    assert unmapped == sum(finding.count for finding in report.findings if finding.code == "S-UNMAPPED")

    patient = int(sandbox_tools.staging.sql.execute("SELECT min(_id) FROM src_patient").fetchone()[0])
    sandbox_tools.clock.sleep(3600)
    sandbox.ask("/clinic/mutate", {"op": "update", "entity": "patient", "id": patient, "fields": {"town": "Newry"}})
    delta = extract.run(sandbox_tools, since="last")
    changed = {count.entity: (count.new, count.changed) for count in delta.entities if count.new or count.changed}
    assert changed == {"patient": (0, 1)}


def test_the_limit_is_kept_by_the_clinics_own_count(sandbox: Sandbox, sandbox_tools: Tools) -> None:
    source: Any = sandbox_tools.source
    before = sandbox.requests()
    for _ in range(330):
        source._sessions[0].get("/practices", {})
    spent = sandbox.requests() - before
    assert spent["GET /practices"] == 330  # none was refused, so none was asked for twice
    assert spent["POST /login"] == 1
