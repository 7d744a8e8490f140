"""Counts requests by vendor, method and path pattern for the control door's `/stats`."""

import re
import threading
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

_SEGMENTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[0-9a-zA-Z]{2}[0-9][0-9a-zA-Z]{12}(?:[A-Z0-5]{3})?-\d+$"), "{locator}"),
    (re.compile(r"^(?=.*\d)[0-9a-zA-Z]{15}(?:[A-Z0-5]{3})?$"), "{id}"),
    (re.compile(r"^\d+$"), "{id}"),
    (re.compile(r"^v\d+\.\d$"), "v{version}"),
    (re.compile(r"^\d+\.\d$"), "{version}"),
    (re.compile(r"^[0-9a-fA-F-]{32,36}$"), "{id}"),
)
_KEY_AFTER_FIELD = 8
"""Parts of `/services/data/vX/sobjects/Object/Field/Value`: the last is a record's key and may name a patient."""


def path_pattern(path: str) -> str:
    """The path with record ids, query locators, versions and external keys replaced by their kind."""
    parts = [part for part in path.split("/") if part]
    out = [next((name for pattern, name in _SEGMENTS if pattern.match(part)), part) for part in parts]
    is_sobject = len(parts) >= _KEY_AFTER_FIELD - 1 and parts[3:4] == ["sobjects"]
    if is_sobject and out[5] != "{id}" and out[5] not in {"describe", "deleted", "updated"}:
        out[6] = "{key}"
    return "/" + "/".join(out)


class Traffic:
    """Thread-safe request counters; one instance per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, vendor: str, method: str, path: str) -> None:
        """Adds one request."""
        key = (vendor, method, path_pattern(path))
        with self._lock:
            self._counts[key] += 1

    def rows(self) -> list[dict[str, str | int]]:
        """`{"vendor","method","path","count"}`, sorted by vendor, path and method."""
        with self._lock:
            items = sorted(self._counts.items(), key=lambda item: (item[0][0], item[0][2], item[0][1]))
        return [{"vendor": v, "method": m, "path": p, "count": n} for (v, m, p), n in items]

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._counts.clear()


class TrafficMeter:
    """ASGI middleware that counts every HTTP request that reached a vendor's door, faults included."""

    def __init__(self, app: ASGIApp, traffic: Traffic, vendor: str) -> None:
        self._app, self._traffic, self._vendor = app, traffic, vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts, then passes on."""
        if scope["type"] == "http":
            self._traffic.count(self._vendor, scope["method"], scope["path"])
        await self._app(scope, receive, send)
