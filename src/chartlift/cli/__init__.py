"""The command line: thin doors over the stages. They print, ask and draw; stages never do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper


def main() -> None:
    """Entry point of the `chartlift` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows a question mark, not a traceback
    sys.exit(called(sys.argv[1:]))


def called(words: Sequence[str]) -> int:
    """Run one command line; returns its exit code. A word it does not know ends as an error of the house, exit 2."""
    from chartlift.cli.app import app

    try:
        return int(app(args=list(words), prog_name="chartlift", standalone_mode=False) or 0)
    except Exception as error:
        if not hasattr(error, "format_message"):  # only the parser's own errors have it
            raise
        from chartlift.cli.door import misused

        return misused(error, as_json="--json" in words)
