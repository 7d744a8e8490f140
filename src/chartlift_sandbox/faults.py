"""A fault plan as data: what goes wrong, where and when. The middleware that acts on it is `fault_door`.

A fault is one JSON object. `vendor`, `method`, `path` (a regular expression searched in the path) and `object` say
where; `when` says which of the matching calls are hit:
    once        the `nth` matching call (default the first)
    every       the `nth` and each `every`-th call after it
    persistent  the `nth` and all calls after it
`times` bounds the number of hits, `share` (0..1, drawn from `seed`) hits only some of them.

Kinds on the wire: status, reset, drop, delay, truncate, expire_token.
Kinds inside a bulk job: rows, stall, fail_job, abort_job, purge_job.
"""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field, fields
from typing import Any

WIRE_KINDS = frozenset({"status", "reset", "drop", "delay", "truncate", "expire_token"})
JOB_KINDS = frozenset({"rows", "stall", "fail_job", "abort_job", "purge_job"})
VENDORS = frozenset({"org", "clinic", "any"})
WHEN = frozenset({"once", "every", "persistent"})


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "dict[str, str]": (dict,),
}


class FaultError(ValueError):
    """A fault that cannot be understood; the text names the fault and the word."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: What happens. `status` answers `status`/`body`/`headers` without an effect; `reset` resets the connection
            before any effect (after `bytes` of the request body); `drop` lets the effect commit, then resets; `delay`
            waits `seconds` and pushes the virtual clock by `clock_s` (before the effect, or with `late` between the
            effect and the answer); `truncate` cuts the answer's body;
            `expire_token` ends the caller's session first.
        object: API name of the object touched (bulk jobs, sobjects and collections paths); None for any.
        bytes: Length at which a body is cut; `fraction` says it relatively; `row_boundary` moves the cut back to a
            line end.
        clean: A truncated answer ends as if it were whole (no reset, matching length).
        code, message, columns: The row error of a `rows` fault; `keys` (a regular expression searched in the cells of
            a row) or `share` picks rows.
        rows: For `fail_job` and `abort_job`: records processed before it happens. For `stall`: number of status polls
            during which the job stays InProgress.
    """

    id: str
    kind: str
    vendor: str = "org"
    method: str | None = None
    path: str = ""
    object: str | None = None
    when: str = "once"
    nth: int = 1
    every: int = 1
    times: int | None = None
    share: float | None = None
    seed: int = 0
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    clock_s: float = 0.0
    late: bool = False
    bytes: int | None = None
    fraction: float | None = None
    row_boundary: bool = False
    clean: bool = False
    code: str = "UNABLE_TO_LOCK_ROW"
    message: str = "unable to obtain exclusive access to this record"
    columns: str = ""
    keys: str | None = None
    rows: int = 0

    @classmethod
    def from_json(cls, data: Any, number: int) -> Fault:
        """Checks one JSON object.

        Raises:
            FaultError: an unknown word, kind, vendor or schedule, or a path that is no regular expression.
        """
        if not isinstance(data, dict):
            raise FaultError(f"fault {number} is not an object")
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise FaultError(f"fault {number}: unknown word {', '.join(unknown)}")
        words: dict[str, Any] = {"id": f"fault-{number}", "kind": "", **data}
        fault = cls(**words)
        for one in fields(cls):
            if not isinstance(getattr(fault, one.name), _TYPES[str(one.type)]):
                raise FaultError(f"fault {fault.id}: {one.name} must be {one.type}")
        for word, allowed in (("kind", WIRE_KINDS | JOB_KINDS), ("vendor", VENDORS), ("when", WHEN)):
            if getattr(fault, word) not in allowed:
                raise FaultError(f"fault {fault.id}: {word} must be one of {', '.join(sorted(allowed))}")
        for pattern in (fault.path, fault.keys or ""):
            try:
                re.compile(pattern)
            except re.error as error:
                raise FaultError(f"fault {fault.id}: {pattern!r} is no regular expression: {error}") from error
        if fault.nth < 1 or fault.every < 1:
            raise FaultError(f"fault {fault.id}: nth and every start at 1")
        return fault

    def matches(self, vendor: str, method: str | None, path: str, sobject: str | None) -> bool:
        """Whether a call is at the place that this fault watches."""
        if self.vendor not in {vendor, "any"} or (self.method and (method or "").upper() != self.method.upper()):
            return False
        if self.object and (sobject or "").lower() != self.object.lower():
            return False
        return re.search(self.path, path) is not None

    def due(self, call: int, hits: int) -> bool:
        """Whether the `call`-th matching call (from 1) is hit, given `hits` so far."""
        if call < self.nth or (self.times is not None and hits >= self.times):
            return False
        if self.when == "once" and call != self.nth:
            return False
        if self.when == "every" and (call - self.nth) % self.every:
            return False
        if self.share is None or self.kind == "rows":
            return True
        draw = random.Random(f"{self.seed}:{self.id}:{call}").random()  # noqa: S311 - a repeatable draw, no secret
        return draw < self.share


class FaultPlan:
    """The faults in force, with their counters. Thread-safe."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = faults
        self._calls: dict[str, int] = {}
        self._hits: dict[str, int] = {}

    def replace(self, data: Any, *, add: bool = False) -> None:
        """Installs a plan: a list of faults, `{"faults": [...]}` or a single fault. Counters start at zero.

        Raises:
            FaultError: the plan cannot be understood; the old one stays.
        """
        if isinstance(data, dict):
            data = data.get("faults", [data])
        if not isinstance(data, list):
            raise FaultError("a fault plan is a list of faults")
        with self._lock:
            old = self._faults if add else ()
            new = tuple(Fault.from_json(one, len(old) + n) for n, one in enumerate(data, start=1))
            if len({one.id for one in (*old, *new)}) != len(old) + len(new):
                raise FaultError("every fault needs an id of its own")
            self._faults = (*old, *new)
            if not add:
                self._calls, self._hits = {}, {}

    def clear(self) -> None:
        """No faults."""
        self.replace([])

    def watches_objects(self) -> bool:
        """Whether any wire fault asks for an object, so that request bodies are worth a look."""
        return any(one.object and one.kind in WIRE_KINDS for one in self._faults)

    def take(
        self, kinds: frozenset[str], vendor: str, method: str | None, path: str, sobject: str | None
    ) -> list[Fault]:
        """Counts the call against every matching fault of these kinds and answers those that are due, in plan order."""
        if not self._faults:
            return []
        due: list[Fault] = []
        with self._lock:
            for one in self._faults:
                if one.kind not in kinds or not one.matches(vendor, method, path, sobject):
                    continue
                call = self._calls[one.id] = self._calls.get(one.id, 0) + 1
                if one.due(call, self._hits.get(one.id, 0)):
                    self._hits[one.id] = self._hits.get(one.id, 0) + 1
                    due.append(one)
        return due

    def report(self) -> list[dict[str, Any]]:
        """Each fault with the number of matching calls and hits."""
        with self._lock:
            return [
                {"id": f.id, "kind": f.kind, "vendor": f.vendor, "path": f.path, "object": f.object, "when": f.when}
                | {"calls": self._calls.get(f.id, 0), "hits": self._hits.get(f.id, 0)}
                for f in self._faults
            ]
