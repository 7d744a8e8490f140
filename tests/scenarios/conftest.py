"""One sandbox for all scenarios; each scenario starts from a copy of a prepared workspace and a prepared org."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2
import pytest

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; journey_driver is shared
from journey_driver import HASH, OBJECTS, World, clean_environment, copied, read_clinic, start_sandbox, stop

PATIENTS, SEED = 125, 3
AHEAD = 3600.0  # seconds by which a scenario's clock runs before the one of its preparation


@dataclass
class Prepared:
    """Workspaces and the org as they were after some steps, and when that was."""

    world: World
    root: Path
    until: datetime
    contents: dict[str, dict[str, str]]
    took: float

    def again(self, stage: str, target: Path) -> World:
        """Everything as it was after `stage` (profiled, confirmed, deployed or loaded), an hour later, undisturbed."""
        world = self.world
        assert world.control.post("/reset").status_code == 200
        if (self.root / f"{stage}.org").exists():
            world.post("/org/restore", {"path": str(self.root / f"{stage}.org")})
        behind = (self.until - datetime.fromisoformat(world.get("/clock")["now"])).total_seconds()
        world.post("/clock", {"advance_s": max(0.0, behind) + AHEAD})
        state = target / "state"
        home = copied(self.root / stage, target / "workspace")
        environment = world.environment | {"XDG_STATE_HOME": str(state)}
        return World(world.facts, home, environment, world.control, world.org, world.clinic, self.contents, self.took)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A sandbox, and a workspace up to `confirm` and up to `schema`."""
    root = tmp_path_factory.mktemp("prepared")
    home = root / "sandbox"
    home.mkdir()
    process, facts = start_sandbox(home, patients=PATIENTS, seed=SEED)
    environment = clean_environment() | facts["env"] | {"XDG_STATE_HOME": str(root / "state")}
    bearer = {"authorization": f"Bearer {facts['access_token']}"}
    try:
        with (
            httpx2.Client(base_url=facts["control_url"], timeout=60) as control,
            httpx2.Client(base_url=facts["org_url"], headers=bearer, timeout=60) as org,
        ):
            world = World(
                facts, root / "making", environment, control, org, read_clinic(facts, "patient", "appointment")
            )
            took = _prepare(world, root)
            contents = {name: {key: row[HASH] for key, row in world.loaded(name).items()} for name in OBJECTS}
            yield Prepared(world, root, datetime.fromisoformat(world.get("/clock")["now"]), contents, took)
    finally:
        stop(process)


def _prepare(world: World, root: Path) -> float:
    """Make the workspaces; returns how many seconds the load took."""
    urls = ("--source-url", world.facts["clinic_url"], "--org-url", world.facts["org_url"])
    made = world.run("init", str(world.workspace), "--tenant", world.tenant, *urls, "--json", bare=True)
    assert made.code == 0, made.document
    # small batches give a load of a hundred patients several jobs, and so more places to stop at
    settings = world.workspace / "chartlift.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "batch_rows = 450\n", encoding="utf-8")
    world.ok("extract")
    world.ok("profile")
    copied(world.workspace, root / "profiled")
    world.ok("propose")
    world.ok("people", "--fallback", world.facts["fallback_email"])
    world.ok("confirm", "--by", "P. Manager")
    copied(world.workspace, root / "confirmed")
    world.ok("schema", "--go")
    copied(world.workspace, root / "deployed")
    world.post("/org/snapshot", {"path": str(root / "deployed.org")})
    started = time.monotonic()
    world.ok("load", "--go", "--without-sample")
    took = time.monotonic() - started
    copied(world.workspace, root / "loaded")
    world.post("/org/snapshot", {"path": str(root / "loaded.org")})
    return took


@pytest.fixture
def profiled(prepared: Prepared, tmp_path: Path) -> World:
    """A workspace in which nobody has decided anything yet, and an untouched org."""
    return prepared.again("profiled", tmp_path)


@pytest.fixture
def confirmed(prepared: Prepared, tmp_path: Path) -> World:
    """A workspace with a confirmed plan, and an org in which nothing has been done yet."""
    return prepared.again("confirmed", tmp_path)


@pytest.fixture
def deployed(prepared: Prepared, tmp_path: Path) -> World:
    """The same with the schema deployed: ready to load."""
    return prepared.again("deployed", tmp_path)


@pytest.fixture
def loaded(prepared: Prepared, tmp_path: Path) -> World:
    """The same after a load that nothing disturbed."""
    return prepared.again("loaded", tmp_path)
