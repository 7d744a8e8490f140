"""The sandbox's one clock: real time plus an offset that the control door may push forward."""

import threading
from datetime import UTC, datetime, timedelta

MAX_ADVANCE_S = 20 * 366 * 86_400
"""One call may not push the clock further than this; a larger step is a slip of the caller."""
MAX_SKEW_S = 86_400


class Clock:
    """Virtual time: runs with the machine's clock and can be moved forward; only a planned skew sets it back.

    Attributes:
        started: The instant (aware UTC) at which the sandbox came up; `reset` returns to real time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self.started = datetime.now(UTC)

    def now(self) -> datetime:
        """The virtual instant, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> datetime:
        """Moves the clock forward and answers the new instant.

        Raises:
            ValueError: the step is negative, not a number or longer than twenty years.
        """
        if not 0 <= seconds <= MAX_ADVANCE_S:
            raise ValueError(f"advance_s must lie between 0 and {MAX_ADVANCE_S}")
        with self._lock:
            self._offset += timedelta(seconds=seconds)
        return self.now()

    def skew(self, seconds: float) -> None:
        """Sets the clock forward or back, as a wrong clock would be; up to a day.

        Raises:
            ValueError: the step is longer.
        """
        if not -MAX_SKEW_S <= seconds <= MAX_SKEW_S:
            raise ValueError(f"a clock may be wrong by {MAX_SKEW_S} s at most")
        with self._lock:
            self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Back to real time, as at start-up."""
        with self._lock:
            self._offset = timedelta(0)
        self.started = datetime.now(UTC)
