"""A fault plan as data: what goes wrong, where and when. `fault_door` acts on the wire, `salesforce.injected` on rows.

A fault is one JSON object, raw (`kind` and its words, see `fault_words`) or by the name of the catalogue
(`{"fault": "F27", …}`, see `fault_catalogue`). `vendor`, `method`, `path` (a regular expression searched in the path),
or both as `endpoint` ("PUT /batches$"), and `object` say where; `when` says which of the matching calls are hit:
    once        the `nth` matching call (default the first)
    every       the `nth` and each `every`-th call after it
    persistent  the `nth` and all calls after it
    after       all calls after the `nth`
`times` bounds the number of hits, `for_s` the virtual seconds since the first one, `share` (0..1, drawn from `seed`;
`probability` is the same) hits only some of them; `armed_by` waits for the first hit of another fault.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chartlift_sandbox import fault_catalogue
from chartlift_sandbox.clock import Clock
from chartlift_sandbox.fault_words import (
    DEPLOY_KINDS,
    JOB_KINDS,
    ROW_KINDS,
    TLS_KINDS,
    WIRE_KINDS,
    Fault,
    FaultError,
    read,
)

__all__ = [
    "DEPLOY_KINDS", "JOB_KINDS", "ROW_KINDS", "TLS_KINDS", "WIRE_KINDS", "Fault", "FaultError", "FaultPlan",
]  # fmt: skip


class FaultPlan:
    """The faults in force, with their counters. Thread-safe.

    Attributes:
        clock: The virtual clock, for `for_s`.
        memory: What a fault has to keep in mind between hits, by fault id and purpose; gone with the plan.
    """

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = faults
        self._calls: dict[str, int] = {}
        self._hits: dict[str, int] = {}
        self._since: dict[str, datetime] = {}
        self._undo: list[Callable[[], object]] = []
        self.clock: Clock | None = None
        self.memory: dict[tuple[str, str], Any] = {}

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
            new = _read_all(data, old)
            self._faults = (*old, *new)
            undo: list[Callable[[], object]] = []
            if not add:
                self._calls, self._hits, self._since, self.memory = {}, {}, {}, {}
                undo, self._undo = self._undo, []
        for step in reversed(undo):
            step()

    def clear(self) -> None:
        """No faults; what the old ones changed for their duration is as before."""
        self.replace([])

    def on_clear(self, step: Callable[[], object]) -> None:
        """Remembers how to take back what a fault changed for its duration."""
        with self._lock:
            self._undo.append(step)

    def forget_undo(self) -> None:
        """Takes nothing back: the org itself goes back to its start."""
        with self._lock:
            self._undo = []

    def watches_objects(self) -> bool:
        """Whether any wire fault asks for an object, so that request bodies are worth a look."""
        return any(one.object and one.kind in WIRE_KINDS for one in self._faults)

    def has(self, kinds: frozenset[str]) -> bool:
        """Whether any fault of these kinds is in force."""
        return any(one.kind in kinds for one in self._faults)

    def take(
        self,
        kinds: frozenset[str],
        vendor: str,
        method: str | None,
        path: str,
        sobject: str | None,
        operation: str | None = None,
    ) -> list[Fault]:
        """Counts the call against every matching fault of these kinds and answers those that are due, in plan order."""
        if not self._faults:
            return []
        due: list[Fault] = []
        with self._lock:
            for one in self._faults:
                if one.kind not in kinds or not one.matches(vendor, method, path, sobject, operation):
                    continue
                if one.armed_by is not None and not self._hits.get(one.armed_by):
                    continue
                call = self._calls[one.id] = self._calls.get(one.id, 0) + 1
                if self._is_due(one, call):
                    self._hits[one.id] = self._hits.get(one.id, 0) + 1
                    due.append(one)
        return due

    def _is_due(self, fault: Fault, call: int) -> bool:
        if not fault.due(call, self._hits.get(fault.id, 0)):
            return False
        if fault.for_s is None or self.clock is None:
            return True
        now = self.clock.now()
        since = self._since.setdefault(fault.id, now)
        return (now - since).total_seconds() < fault.for_s

    def draw(self, fault: Fault, purpose: str) -> random.Random:
        """A source of repeatable draws for one fault and purpose."""
        return random.Random(f"{fault.seed}:{fault.id}:{purpose}")  # noqa: S311 - a repeatable draw, no secret

    def report(self) -> list[dict[str, Any]]:
        """Each fault with the number of matching calls and hits."""
        with self._lock:
            return [
                {"id": f.id, "fault": f.name, "kind": f.kind, "vendor": f.vendor, "method": f.method, "path": f.path}
                | {"object": f.object, "when": f.when}
                | {"calls": self._calls.get(f.id, 0), "hits": self._hits.get(f.id, 0)}
                for f in self._faults
            ]


def _read_all(data: list[Any], old: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """The faults of a plan, names replaced by what they stand for."""
    new: list[Fault] = []
    for number, one in enumerate(data, start=len(old) + 1):
        taken = {fault.id for fault in (*old, *new)}
        named = isinstance(one, dict) and "fault" in one
        parts = fault_catalogue.expand(one, taken) if named else [one]
        new += [read(part, number) for part in parts]
    ids = [fault.id for fault in (*old, *new)]
    if len(set(ids)) != len(ids):
        raise FaultError("every fault needs an id of its own")
    for fault in new:
        if fault.armed_by is not None and fault.armed_by not in ids:
            raise FaultError(f"fault {fault.id}: armed_by names no fault of this plan")
    return tuple(new)
