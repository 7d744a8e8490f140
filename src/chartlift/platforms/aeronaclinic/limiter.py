"""At most so many requests in any window, counted over all processes of a user that share a credential.

The count is one small file per credential. A request is written down before it is sent. Ages are measured by a clock
that no one can set (seconds since boot, sleep included), and by the waiting done through the port `Clock`; the wall
clock only decides whether a file from before the last boot still matters. So a jump of the wall clock frees nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from chartlift.model.ports import Clock

try:
    import fcntl
except ImportError:  # Windows has no fcntl; its runtime locks byte ranges instead
    fcntl = None

_SLACK = 10.0  # seconds by which a request may reach the clinic later than it was written down
_WALL_EVERY = 60.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the clinic allows: `requests` in `window` seconds, of which the share `safety` is used."""

    requests: int
    window: float
    safety: float = 0.95
    scope: str = "credential"  # or practice, tenant: who shares one count
    exceeded: tuple[int, ...] = (429,)  # statuses that say so
    codes: tuple[str, ...] = ("RATE_LIMIT",)  # and the clinic's own words for it

    @property
    def usable(self) -> int:
        """Requests used in any window."""
        return max(1, int(self.requests * self.safety))


def state_folder(environ: Mapping[str, str]) -> Path:
    """The user's state folder: `CHARTLIFT_STATE_DIR`, else XDG state, else `~/.local/state` (or `%LOCALAPPDATA%`)."""
    if own := environ.get("CHARTLIFT_STATE_DIR"):
        return Path(own)
    base = environ.get("XDG_STATE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".local" / "state") / "chartlift"


def uptime() -> float:
    """Seconds since boot, time asleep included where the system can tell."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boottime) if boottime is not None else time.monotonic()


def boot() -> str:
    """A name of this boot; '' where the system has none."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def credential_name(folder: Path, *parts: str) -> str:
    """A file name that tells nothing about the credential to someone without the user's own hashing key."""
    message = json.dumps(parts).encode()
    return hmac.new(_hashing_key(folder), message, hashlib.sha256).hexdigest()[:32]


def _hashing_key(folder: Path) -> bytes:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "limiter.key"
    if not path.exists():
        draft = folder / f"limiter.key.{secrets.token_hex(8)}"
        _write(draft, secrets.token_bytes(32))
        try:
            os.link(draft, path)  # whole or not at all, and only one process wins
        except FileExistsError:
            pass  # another process was faster; its key is the key
        finally:
            draft.unlink()
    return path.read_bytes()


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


class Limiter:
    """Reserves requests of one credential; `reserve` waits, through the clock, until one is free."""

    def __init__(self, folder: Path, name: str, allowance: Allowance, clock: Clock) -> None:
        """Keep the count in `folder / NAME.requests`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.allowance = allowance
        self._span = allowance.window + _SLACK
        self._clock = clock
        self._path = folder / f"{name}.requests"
        self._lock = folder / f"{name}.lock"
        self._wall = (-2 * _WALL_EVERY, 0.0)  # seconds since boot, wall time then

    def reserve(self) -> float:
        """Take one request; returns the seconds waited. The lock is held while waiting: who comes later is later."""
        waited = 0.0
        with self._locked():
            ages = self._load()
            while len(ages) >= self.allowance.usable:
                pause = self._span - sorted(ages)[-self.allowance.usable] + 0.01
                ages = self._grown(ages, self._wait(pause))
                waited += pause
            self._save([*ages, 0.0])
        return waited

    def exhausted(self) -> None:
        """The clinic says that its own count is full: nothing is free before a whole window has passed."""
        with self._locked():
            self._load()
            self._save([0.0] * self.allowance.usable)

    def used(self) -> int:
        """Requests counted in the present window."""
        with self._locked():
            return len(self._load())

    def _wait(self, pause: float) -> float:
        """Wait; returns the time that surely passed: real time, or what a virtual clock moved, at most as asked."""
        up, wall = uptime(), self._clock.now()
        self._clock.sleep(pause)
        return max(uptime() - up, min((self._clock.now() - wall).total_seconds(), pause))

    def _grown(self, ages: list[float], seconds: float) -> list[float]:
        return [age + seconds for age in ages if age + seconds < self._span]

    def _load(self) -> list[float]:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return []
        full = [0.0] * self.allowance.usable
        try:
            state = json.loads(text)
            ages = [float(age) for age in state["ages"]]
            same_boot, up, wall = state["boot"] == boot(), float(state["up"]), float(state["wall"])
        except (ValueError, KeyError, TypeError):
            return full  # unreadable: the safe reading is that everything was used just now
        passed = uptime() - up
        if same_boot and passed >= 0:
            return self._grown(ages, passed)
        away = self._clock.now().timestamp() - wall
        return [] if away >= self._span else full

    def _now(self) -> float:
        """Wall time, asked for once a minute: it matters after a reboot only, and a sandbox's clock costs a request."""
        if uptime() - self._wall[0] > _WALL_EVERY:
            self._wall = (uptime(), self._clock.now().timestamp())
        return self._wall[1] + uptime() - self._wall[0]

    def _save(self, ages: list[float]) -> None:
        state = {
            "boot": boot(),
            "up": uptime(),
            "wall": self._now(),
            "ages": [round(a, 3) for a in ages],
        }
        draft = self._path.with_suffix(".draft")
        _write(draft, json.dumps(state).encode())
        draft.replace(self._path)

    @contextmanager
    def _locked(self) -> Generator[None]:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)  # closing lets go of the lock, and so does the end of the process


def _lock(handle: int) -> None:
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    msvcrt: Any = import_module("msvcrt")  # only there on Windows
    while True:
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        except OSError:  # gives up after ten seconds; we do not
            continue
        return
