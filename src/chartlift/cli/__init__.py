"""The command line: thin doors over the stages. They print, ask and draw; stages never do."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `chartlift` command."""
    from chartlift.cli.app import app

    sys.exit(app(standalone_mode=False) or 0)
