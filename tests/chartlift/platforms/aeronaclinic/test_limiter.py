from __future__ import annotations

import json
import multiprocessing
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chartlift.platforms.aeronaclinic import limiter as room
from chartlift.platforms.aeronaclinic.limiter import Allowance, Limiter, credential_name, state_folder

ALLOWANCE = Allowance(300, 900)


class SharedClock:
    """A clock that several processes share: waiting in one moves it for all."""

    def __init__(self, seconds: Any) -> None:
        self.seconds = seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds.value)

    def sleep(self, seconds: float) -> None:
        with self.seconds.get_lock():
            self.seconds.value += seconds


def take(folder: Path, seconds: Any, log: Any, times: int) -> None:
    clock = SharedClock(seconds)
    limiter = Limiter(folder, "one", ALLOWANCE, clock)
    for _ in range(times):
        limiter.reserve()
        log.put(seconds.value)


def most_in_a_window(stamps: Sequence[float], window: float) -> int:
    ordered, most, start = sorted(stamps), 0, 0
    for end, at in enumerate(ordered):
        while ordered[start] <= at - window:
            start += 1
        most = max(most, end - start + 1)
    return most


def test_two_processes_together_never_pass_the_limit(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")  # a spawned one could not import a test module
    seconds, log = context.Value("d", 0.0), context.Queue()
    workers = [context.Process(target=take, args=(tmp_path, seconds, log, 320)) for _ in range(2)]
    for worker in workers:
        worker.start()
    stamps = [log.get(timeout=60) for _ in range(640)]
    for worker in workers:
        worker.join()
    assert most_in_a_window(stamps, 900) <= 285 + 2  # at most one of each process is under way while the clock moves
    assert max(stamps) >= 1820  # 640 requests need three windows


def test_the_first_285_are_free_and_the_next_waits_a_whole_window(tmp_path: Path, clock: Any) -> None:
    limiter = Limiter(tmp_path, "one", ALLOWANCE, clock)
    assert sum(limiter.reserve() for _ in range(285)) == 0
    assert limiter.reserve() == pytest.approx(910, abs=1)
    assert limiter.used() < 285


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=400)])
def test_a_jump_of_the_wall_clock_frees_nothing_and_blocks_nothing(tmp_path: Path, clock: Any, jump: timedelta) -> None:
    limiter = Limiter(tmp_path, "one", ALLOWANCE, clock)
    for _ in range(285):
        limiter.reserve()
    clock.time += jump
    assert limiter.used() == 285
    assert limiter.reserve() == pytest.approx(910, abs=1)


def test_a_refusal_by_the_clinic_empties_the_whole_window(tmp_path: Path, clock: Any) -> None:
    limiter = Limiter(tmp_path, "one", ALLOWANCE, clock)
    limiter.exhausted()
    assert limiter.reserve() == pytest.approx(910, abs=1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"ages": ["x"], "boot": "", "up": 1, "wall": 1}'])
def test_a_count_that_cannot_be_read_counts_as_used_up(tmp_path: Path, clock: Any, content: str) -> None:
    (tmp_path / "one.requests").write_text(content)
    assert Limiter(tmp_path, "one", ALLOWANCE, clock).used() == 285


def test_after_a_reboot_the_wall_clock_decides_and_doubt_means_used_up(
    tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = Limiter(tmp_path, "one", ALLOWANCE, clock)
    limiter.reserve()
    monkeypatch.setattr(room, "boot", lambda: "another boot")
    clock.time += timedelta(seconds=60)
    assert limiter.used() == 285
    clock.time += timedelta(seconds=900)
    assert limiter.used() == 0


def test_the_file_tells_nothing_about_the_credential_and_is_the_users_alone(tmp_path: Path, clock: Any) -> None:
    name = credential_name(tmp_path, "https://clinic.example", "jane", "1234")
    Limiter(tmp_path, name, ALLOWANCE, clock).reserve()
    assert name == credential_name(tmp_path, "https://clinic.example", "jane", "1234")
    assert name != credential_name(tmp_path, "https://clinic.example", "jane", "1235")
    assert name != credential_name(tmp_path / "other", "https://clinic.example", "jane", "1234")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert b"jane" not in file.read_bytes()
    assert set(json.loads((tmp_path / f"{name}.requests").read_text())) == {"boot", "up", "wall", "ages"}


def test_the_state_folder_is_chosen_by_the_environment(tmp_path: Path) -> None:
    assert state_folder({"CHARTLIFT_STATE_DIR": str(tmp_path)}) == tmp_path
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "chartlift"
    assert state_folder({}).name == "chartlift"
