"""Time and waiting: the real clock, and the one of a sandbox on this machine, whose waits cost no time."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from chartlift.errors import Unreachable, UsageError
from chartlift.settings import LOOPBACK

SHORTEST = 0.02  # real seconds given to a sandbox's worker for every virtual wait


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        time.sleep(max(0.0, seconds))


class SandboxClock:
    """The clock of a sandbox: waiting moves it on."""

    def __init__(self, url: str) -> None:
        """Take the address of the sandbox's control door."""
        self._url = url.rstrip("/") + "/clock"

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromisoformat(self._ask({})["now"])

    def sleep(self, seconds: float) -> None:
        """Advance the sandbox by these seconds."""
        self._ask({"advance_s": max(0.0, seconds)})
        time.sleep(SHORTEST)

    def _ask(self, body: dict[str, float]) -> dict[str, str]:
        request = urllib.request.Request(self._url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - loopback http only
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - same
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise Unreachable("The sandbox's clock does not answer.", hint="Is the sandbox still up?") from error


def open_clock(url: str, origins: Sequence[str]) -> RealClock | SandboxClock:
    """The sandbox's clock if `url` is given and its door serves exactly the clinic and the org of this workspace.

    Raises:
        UsageError: the door, the clinic or the org is not on this machine, or belongs to another sandbox.
    """
    if not url:
        return RealClock()
    wrong = UsageError(
        "CHARTLIFT_CLOCK is set, but the clinic and the org of this workspace are not those of that sandbox.",
        hint="Unset CHARTLIFT_CLOCK, or start the sandbox that chartlift.toml names.",
    )
    if not all(origins):
        raise UsageError("chartlift.toml names no address for the clinic or for the org.", hint="Write both into it.")
    if any(urlsplit(address).hostname not in LOOPBACK for address in (url, *origins)):
        raise wrong
    try:
        with urllib.request.urlopen(url.rstrip("/") + "/whoami", timeout=10) as answer:  # noqa: S310 - loopback, checked above
            served = set(json.load(answer)["origins"])
    except (OSError, KeyError, ValueError) as error:
        raise wrong from error
    if not {_origin(address) for address in origins} <= {_origin(address) for address in served}:
        raise wrong
    return SandboxClock(url)


def _origin(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    return parts.scheme, host, parts.port or {"https": 443}.get(parts.scheme, 80)
