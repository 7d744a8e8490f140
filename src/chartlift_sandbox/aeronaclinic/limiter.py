"""Counts requests the way the service punishes them: one too many, and the token is dead."""

from collections import deque

from chartlift_sandbox.aeronaclinic.switches import Switches


class Limiter:
    """A counter for every credential (or whatever shares one). Refused requests count as well.

    Attributes:
        max_in_window: The most requests that any one counter saw within ``window_s``, refused ones included.
        exceeded: How often a request was one too many.
    """

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._log: dict[str, deque[float]] = {}
        self._fixed: dict[str, tuple[float, int]] = {}
        self._closed_until: dict[str, float] = {}
        self.max_in_window = 0
        self.exceeded = 0

    def counter_of(self, username: str, pin: str) -> str:
        """Name of the counter that a caller shares."""
        return {"credential": f"user:{username}", "practice": f"pin:{pin}", "tenant": "tenant"}[self._switches.scope]

    def hit(self, counter: str, now: float) -> bool:
        """Counts one request at ``now`` (seconds); False if it is one too many."""
        log = self._log.setdefault(counter, deque())
        log.append(now)
        while log[0] <= now - self._switches.window_s:
            log.popleft()
        self.max_in_window = max(self.max_in_window, len(log))
        used = len(log) if self._switches.window == "sliding" else self._in_fixed_window(counter, now)
        if now < self._closed_until.get(counter, 0.0):
            return False
        if used <= self._switches.requests:
            return True
        self.exceeded += 1
        self._closed_until[counter] = now + self._switches.cooldown_s
        return False

    def signed_in(self, counter: str, now: float) -> None:
        """A sign-in succeeded; where counters do not survive it, only the sign-in itself stays counted."""
        if not self._switches.counter_survives_login:
            self._log[counter] = deque([now])
            self._fixed[counter] = (now, 1)

    def _in_fixed_window(self, counter: str, now: float) -> int:
        began, used = self._fixed.get(counter, (now, 0))
        if now >= began + self._switches.window_s:
            began, used = now, 0
        self._fixed[counter] = (began, used + 1)
        return used + 1
