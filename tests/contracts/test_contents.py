"""Contents of documents come whole and are told apart, through the API and from files alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chartlift.clock import SandboxClock
from chartlift.errors import Unreachable
from chartlift.model.ports import Tools
from chartlift.model.source import Source
from chartlift.platforms import aeronaclinic
from chartlift.platforms.aeronaclinic import files
from chartlift.stages import contents, extract
from chartlift.testing import workbench

Rows = list[tuple[str, str | None, int | None, str]]
CONTENT = "^/documents/[0-9]+/content$"


@pytest.fixture
def connected(sandbox: Any, tmp_path: Path) -> Iterator[Callable[[], Source]]:
    """The clinic through its API, with faults cleared before and after."""
    clock, made = SandboxClock(sandbox.told["control_url"]), []

    def connect() -> Source:
        source = aeronaclinic.connect(
            sandbox.told["clinic_url"], secrets=sandbox.told["env"], clock=clock, state=tmp_path
        )
        made.append(source)
        return source

    sandbox.ask("/faults", [])
    yield connect
    sandbox.ask("/faults", [])
    for source in made:
        source.close()


def fetched(home: Path, source: Source, clock: Any, then: Callable[[Tools], None] = lambda _tools: None) -> Rows:
    """Everything, contents too: (id, SHA-256, bytes, what was found), and each stored content read back."""
    home.mkdir()
    nothing: Any = None
    with workbench(home, source, nothing, nothing, clock) as tools:
        report = contents.run(tools, extract.run(tools))
        rows = tools.staging.sql.execute("SELECT id, sha256, bytes, verdict FROM content ORDER BY id").fetchall()
        assert sum(report.contents.values()) == len(rows) > 100
        for _, sha256, size, _ in rows:
            if sha256:
                body = b"".join(tools.files.get(sha256))
                assert (hashlib.sha256(body).hexdigest(), len(body)) == (sha256, size)
        then(tools)
        return rows


def downloads(sandbox: Any) -> int:
    """Requests for contents that the clinic has seen."""
    return sum(line["count"] for line in sandbox.ask("/stats") if line["path"].endswith("/content"))


def test_the_same_contents_through_the_api_and_from_files(
    sandbox: Any, connected: Callable[[], Source], tmp_path: Path
) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    through = fetched(tmp_path / "api", connected(), clock)
    path = tmp_path / "export.zip"
    told = sandbox.ask(
        "/clinic/export", {"path": str(path), "password": "pässwort 1", "documents": True, "unencodable": "pass"}
    )
    assert told["documents"] > 100
    source = files.connect(str(path), secrets={"CHARTLIFT_AERONA_PASSWORD": "pässwort 1"}, clock=clock)
    assert fetched(tmp_path / "files", source, clock) == through
    source.close()
    planted = {row["note"] for row in sandbox.ask("/clinic/truth") if row["rule"] == "R-HASH"}
    assert {"ok"} < {row[3] for row in through}, planted


def test_each_content_is_asked_for_once(sandbox: Any, connected: Callable[[], Source], tmp_path: Path) -> None:
    clock, before = SandboxClock(sandbox.told["control_url"]), downloads(sandbox)

    def again(tools: Tools) -> None:
        seen = downloads(sandbox)
        doubted = tools.staging.sql.execute("SELECT count(*) FROM content WHERE verdict LIKE '% differs'").fetchone()
        held = tools.staging.sql.execute("SELECT count(*) FROM content").fetchone()
        assert doubted
        assert held
        assert seen - before == held[0] + doubted[0]
        contents.run(tools, extract.run(tools))
        assert downloads(sandbox) == seen

    fetched(tmp_path / "w", connected(), clock, again)


@pytest.mark.parametrize("variant", ["cut", "mime", "hash", "length"])
def test_a_content_that_is_wrong_once_is_fetched_again(
    sandbox: Any, connected: Callable[[], Source], tmp_path: Path, variant: str
) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    sound = fetched(tmp_path / "sound", connected(), clock)
    sandbox.ask("/faults", {"faults": [{"fault": "F69", "variant": variant, "when": "once"}]})
    assert fetched(tmp_path / "hurt", connected(), clock) == sound


def test_an_outage_pauses_and_the_next_run_goes_on(
    sandbox: Any, connected: Callable[[], Source], tmp_path: Path
) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    sound = fetched(tmp_path / "sound", connected(), clock)
    (tmp_path / "w").mkdir()
    nothing: Any = None
    with workbench(tmp_path / "w", connected(), nothing, nothing, clock) as tools:
        report = extract.run(tools)
        down = {"vendor": "clinic", "method": "GET", "path": CONTENT, "kind": "status", "status": 503}
        sandbox.ask("/faults", {"faults": [{**down, "when": "persistent"}]})
        with pytest.raises(Unreachable):
            contents.run(tools, report)
        sandbox.ask("/faults", [])
        contents.run(tools, report)
        assert (
            tools.staging.sql.execute("SELECT id, sha256, bytes, verdict FROM content ORDER BY id").fetchall() == sound
        )
