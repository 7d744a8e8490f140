"""A whole sandbox on free ports of the loopback, in a thread of the test process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from chartlift_sandbox.estate import build_estate

sys.path.append(str(Path(__file__).parent))  # test folders are no packages; door_harness and door_packages are shared
from door_harness import Sandbox, run_in_thread
from door_packages import package


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for a test module, with the test object deployed and granted."""
    home: Path = tmp_path_factory.mktemp("sandbox")
    estate = build_estate(home, patients=20, seed=3)
    thread, loop, stop = run_in_thread(estate)
    bearer = {"authorization": f"Bearer {estate.access_token}"}
    with (
        httpx2.Client(base_url=estate.addresses.org, headers=bearer, timeout=30) as org,
        httpx2.Client(base_url=estate.addresses.control, timeout=30) as control,
    ):
        box = Sandbox(estate, org, control)
        result = box.deploy(package())
        assert result["status"] == "Succeeded", result
        box.assign("Visit_Access")
        yield box
    loop.call_soon_threadsafe(stop.set)
    thread.join(15)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def without_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves faults to the next one."""
    yield
    if "sandbox" in request.fixturenames:
        request.getfixturevalue("sandbox").control.delete("/faults")
