"""What the org has used of its daily allowances, on the virtual clock."""

import threading
import tomllib
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from chartlift_sandbox.clock import Clock

DAY = timedelta(hours=24)
_ALLOWANCES = Path(__file__).with_name("limits.toml")


class Usage:
    """Counters over a rolling 24 hours. Thread-safe.

    Attributes:
        maximum: Allowance by key, changeable by the control door.
        constant: Allowances that nothing in the sandbox uses up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: dict[str, deque[tuple[float, int]]] = {}
        self._total: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Nothing used, allowances as shipped."""
        shipped = tomllib.loads(_ALLOWANCES.read_text(encoding="utf-8"))
        self.maximum: dict[str, int] = dict(shipped["counted"])
        self.constant: dict[str, int] = dict(shipped["constant"])
        with self._lock:
            self._spent.clear()
            self._total.clear()

    def used(self, key: str) -> int:
        """Units used within the last 24 hours."""
        with self._lock:
            return self._used(key)

    def _used(self, key: str) -> int:
        spent = self._spent.setdefault(key, deque())
        start = (self._clock.now() - DAY).timestamp()
        while spent and spent[0][0] <= start:
            self._total[key] -= spent.popleft()[1]
        return self._total.get(key, 0)

    def remaining(self, key: str) -> int:
        """Units left, never below zero."""
        return max(self.maximum[key] - self.used(key), 0)

    def take(self, key: str, units: int = 1) -> bool:
        """Uses units up; False (and nothing used) when the allowance does not hold that many."""
        with self._lock:
            if self._used(key) + units > self.maximum[key]:
                return False
            self._add(key, units)
            return True

    def _add(self, key: str, units: int) -> float:
        """Notes units as used; answers the minute under which they stand."""
        spent = self._spent[key]
        self._total[key] = self._total.get(key, 0) + units
        minute = self._clock.now().timestamp() // 60 * 60
        if spent and spent[-1][0] == minute:
            spent[-1] = (minute, spent[-1][1] + units)
        else:
            spent.append((minute, units))
        return minute

    def use_up(self, key: str, left: int = 0) -> Callable[[], None]:
        """Others use all but `left` units up; what is answered gives them back, unless their day has gone by."""
        with self._lock:
            units = max(self.maximum[key] - self._used(key) - left, 0)
            minute = self._add(key, units)

        def give_back() -> None:
            with self._lock:
                self._used(key)
                for place, (when, spent) in enumerate(self._spent[key]):
                    if when == minute:
                        back = min(units, spent)
                        self._spent[key][place] = (when, spent - back)
                        self._total[key] -= back

        return give_back

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps."""
        with self._lock:
            spent = {key: list(one) for key, one in self._spent.items()}
            return {"maximum": dict(self.maximum), "spent": spent, "total": dict(self._total)}

    def put_back(self, kept: dict[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        with self._lock:
            self.maximum = kept["maximum"]
            self._spent = {key: deque(one) for key, one in kept["spent"].items()}
            self._total = kept["total"]
