"""The clinic's export files keep the contract of a source, and bring the same staging as its API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chartlift.clock import SandboxClock
from chartlift.model.source import Source
from chartlift.platforms import aeronaclinic
from chartlift.platforms.aeronaclinic import files
from chartlift.stages import extract
from chartlift.testing import SourceCase, SourceContract, workbench
from chartlift.testing.export_files import Way, rows_of, write

PASSWORD = "pässwort 1"


class TestAeronaClinicFiles(SourceContract):
    """The checks are those of every source."""


def staged(home: Path, source: Source, clock: Any, rows: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Extract everything: a hash of each table in staging; what came by the API also goes to `rows` as exports have it."""
    home.mkdir()
    nothing: Any = None  # neither org nor pack is asked
    with workbench(home, source, nothing, nothing, clock) as tools:
        report = extract.run(tools)
        assert report.complete
        sql = tools.staging.sql
        names = [name for (name,) in sql.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        prints = {}
        for name in sorted(n for n in names if n.startswith("src_")):
            kept = [row[0] for row in sql.execute(f'DESCRIBE "{name}"').fetchall() if row[0] != "_raw"]
            cells = ", ".join('"' + column + '"' for column in kept)
            body = sql.execute(f'SELECT {cells} FROM "{name}" ORDER BY ALL').fetchall()
            prints[name] = f"{len(body)} {hashlib.sha256(json.dumps(body).encode()).hexdigest()}"
        if not source.rereads:
            rows |= rows_of(sql)
        return prints


@pytest.fixture(scope="module")
def through_the_api(
    sandbox: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], dict[str, list[dict[str, Any]]]]:
    home, clock = tmp_path_factory.mktemp("api"), SandboxClock(sandbox.told["control_url"])
    env = sandbox.told["env"]
    source = aeronaclinic.connect(sandbox.told["clinic_url"], secrets=env, clock=clock, state=home)
    try:
        rows: dict[str, list[dict[str, Any]]] = {}
        return staged(home / "w", source, clock, rows), rows
    finally:
        source.close()


@pytest.fixture(scope="module")
def source_case(sandbox: Any, through_the_api: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceCase]:
    path, clock = tmp_path_factory.mktemp("export") / "export.zip", SandboxClock(sandbox.told["control_url"])
    rows = {name: [dict(row) for row in body] for name, body in through_the_api[1].items()}
    write(path, rows, Way(password=PASSWORD))

    def change(place: int, **fields: str) -> tuple[str, str]:
        row = rows["patient"][place] if fields else rows["patient"].pop(place)
        row.update(fields)
        write(path, rows, Way(password=PASSWORD))
        source.now()  # a reading begins with it, and looks at the file anew
        return "patient", str(row["patientId"])

    source = files.connect(str(path), secrets={"CHARTLIFT_AERONA_PASSWORD": PASSWORD}, clock=clock)
    yield SourceCase(source, clock.now, edit=lambda: change(0, town="Newry"), remove=lambda: change(-1))
    source.close()


@pytest.mark.parametrize(
    "way",
    [
        Way(
            encoding="utf-16-le",
            mark=b"\xff\xfe",
            delimiter="\t",
            line_end="\r\n",
            head=lambda name: {"lastName": "Surname"}.get(name, name.upper()),
            password=PASSWORD,
        ),
        Way(as_json=True),
    ],
    ids=["csv", "json"],
)
def test_files_bring_the_staging_that_the_api_brings(
    sandbox: Any, through_the_api: Any, tmp_path: Path, way: Way
) -> None:
    prints, rows = through_the_api
    path, clock = write(tmp_path / "export.zip", rows, way), SandboxClock(sandbox.told["control_url"])
    source = files.connect(str(path), secrets={"CHARTLIFT_AERONA_PASSWORD": way.password}, clock=clock)
    found = staged(tmp_path / "w", source, clock, {})
    source.close()
    assert found == prints
    assert sum(int(said.split()[0]) for said in prints.values()) > 1000


@pytest.mark.parametrize(
    "wishes",
    [
        {"format": "json"},
        {"format": "csv", "unencodable": "pass"},
        {"format": "csv", "unencodable": "pass", "encoding": "utf-16le", "delimiter": ";", "password": PASSWORD},
    ],
    ids=["json", "csv", "csv in UTF-16 with a password"],
)
def test_the_clinics_own_export_brings_the_staging_that_its_api_brings(
    sandbox: Any, through_the_api: Any, tmp_path: Path, wishes: dict[str, Any]
) -> None:
    """Written by the clinic, not by us: a misreading of ours cannot stand on both sides."""
    path, clock = tmp_path / "export.zip", SandboxClock(sandbox.told["control_url"])
    sandbox.ask("/clinic/export", {"path": str(path), "documents": False, **wishes})
    source = files.connect(str(path), secrets={"CHARTLIFT_AERONA_PASSWORD": wishes.get("password", "")}, clock=clock)
    found = staged(tmp_path / "w", source, clock, {})
    source.close()
    assert found == through_the_api[0]
