"""Progress on stderr: a moving line on a terminal, plain lines elsewhere, nothing where nobody asked."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self


class Quiet:
    """Says nothing. Base of the others: a `with` block in which progress is shown."""

    def __enter__(self) -> Self:
        """Start showing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Take a step without a word."""


class Lines(Quiet):
    """A line per new step, at most one a second for counts."""

    def __init__(self) -> None:
        """Start silent."""
        self._text, self._at = "", 0.0

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Print the step when it is new, or when a second has passed."""
        now = time.monotonic()
        if text == self._text and now - self._at < 1:
            return
        self._text, self._at = text, now
        counts = f" {done:,}" + (f" of {total:,}" if total else "") if done else ""
        print(text + counts, file=sys.stderr, flush=True)


class Bars(Quiet):
    """A bar on the terminal, drawn by rich."""

    def __init__(self) -> None:
        """Make the bar; it shows up with the first step."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bars: Any = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the bar."""
        self._bars.stop()

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Move the bar."""
        counts = f"{done:,}" + (f"/{total:,}" if total else "") if done else ""
        if self._task is None:
            self._task = self._bars.add_task(text, total=total, counts=counts)
        self._bars.update(self._task, description=text, completed=done, total=total, counts=counts)


def progress() -> Quiet:
    """What fits the place where stderr goes."""
    return Bars() if sys.stderr.isatty() else Lines()
