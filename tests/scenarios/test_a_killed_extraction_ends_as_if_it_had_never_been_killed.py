"""SIGKILL while the clinic is read: the staging is that of a reading nobody disturbed, and hardly a request is repeated."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey_driver import World

from chartlift.store import keys
from chartlift.store.staging import DuckStaging

EXTRACT = ("extract", "--contents")
SEED = 20_261
# wire trouble that a reading has to take up again
TROUBLE = [
    {"fault": "F69", "variant": "cut", "when": "every", "nth": 40},
    {"kind": "reset", "vendor": "clinic", "method": "GET", "path": "/patients", "nth": 2, "when": "once"},
    {"kind": "status", "status": 503, "vendor": "clinic", "method": "GET", "path": "/clinicalNotes", "when": "once"},
    {"kind": "truncate", "vendor": "clinic", "method": "GET", "path": "/communications", "when": "once"},
]


def fresh(world: World, home: Path) -> World:
    """The same clinic and org with an empty workspace."""
    urls = ("--source-url", world.facts["clinic_url"], "--org-url", world.facts["org_url"])
    assert world.run("init", str(home), "--tenant", world.tenant, *urls, "--json", bare=True).code == 0
    return World(world.facts, home, world.environment, world.control, world.org, world.clinic)


def asked(world: World) -> int:
    """Requests of the clinic so far, logins left out."""
    lines = [line for line in world.get("/stats") if line["vendor"] == "clinic" and line["method"] == "GET"]
    return sum(line["count"] for line in lines)


def prints(world: World) -> dict[str, str]:
    """A hash of each table that was read, contents included."""
    ring = keys.unlock(world.workspace, world.tenant, keys.master_key(world.environment, tenant=world.tenant))
    store = DuckStaging.open(world.workspace, ring.for_staging(), memory_limit="1GB")
    try:
        names = [name for (name,) in store.sql.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        found = {}
        for name in sorted(one for one in names if one.startswith("src_") or one == "content"):
            rows = store.sql.execute(f'FROM "{name}" ORDER BY ALL').fetchall()
            found[name] = f"{len(rows)} {hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()}"
        return found
    finally:
        store.close()


@pytest.fixture
def narrow(profiled: World) -> Iterator[World]:
    """The clinic serves pages of 20 rows at most, so that most kills come in the middle of a listing."""
    usual = next(one["value"] for one in profiled.get("/switches")["switches"] if one["name"] == "max_page_size")
    profiled.post("/switches", {"max_page_size": 20})
    yield profiled
    profiled.post("/switches", {"max_page_size": usual})


@pytest.mark.parametrize(
    ("kills", "faults"),
    [(12, []), pytest.param(50, [], marks=pytest.mark.more), pytest.param(50, TROUBLE, marks=pytest.mark.more)],
    ids=["12 kills", "50 kills", "50 kills and trouble"],
)
def test_an_extraction_killed_at_random_moments(
    narrow: World, tmp_path: Path, kills: int, faults: list[dict[str, object]]
) -> None:
    calm, rough, draw = fresh(narrow, tmp_path / "calm"), fresh(narrow, tmp_path / "rough"), random.Random(SEED)
    before, started = asked(narrow), time.monotonic()
    calm.ok("extract")
    took = time.monotonic() - started
    calm.ok(*EXTRACT)
    whole = asked(narrow) - before
    if faults:
        narrow.post("/faults", [fault | {"id": f"f{number}"} for number, fault in enumerate(faults)])
    before, killed = asked(narrow), 0
    for words in (EXTRACT[:1], EXTRACT):  # first while listings are read, then while contents are
        until = killed + kills // 2
        while killed < until and rough.kill_after(0.6 + draw.random() * took / 6, *words):
            killed += 1
    assert killed >= kills // 2
    narrow.clear_faults()
    rough.ok(*EXTRACT)
    assert prints(rough) == prints(calm)
    if not faults:  # the page in flight, and the count of deletions beside a listing
        assert asked(narrow) - before <= whole + 3 * killed
