"""AeronaClinic, read from the files of an export instead of its API: the platform `aeronaclinic-files`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from chartlift.errors import UsageError
from chartlift.model.ports import Clock

if TYPE_CHECKING:
    from chartlift.platforms.aeronaclinic.export.source import ExportSource

_PASSWORD = "CHARTLIFT_AERONA_PASSWORD"  # noqa: S105 - the name of a variable


def check_profile(text: str) -> None:
    """Whether the text is an export profile.

    Raises:
        UsageError: it is none.
    """
    from chartlift.platforms.aeronaclinic.export import words

    words.load(text)


def connect(
    url: str, *, secrets: Mapping[str, str], clock: Clock, ca_file: str = "", profile: str = ""
) -> ExportSource:
    """The export at the path `url`, a ZIP or a folder. Nothing is opened before the first reading.

    A ZIP with a password takes it from CHARTLIFT_AERONA_PASSWORD. `profile`: text of an export profile of one's own.

    Raises:
        UsageError: it is no path, or the profile cannot be used.
    """
    from chartlift.platforms.aeronaclinic import profile as endpoints
    from chartlift.platforms.aeronaclinic.export import words
    from chartlift.platforms.aeronaclinic.export.source import ExportSource

    del ca_file  # files have no certificate
    if "://" in url or not url:
        raise UsageError("aeronaclinic-files reads the path of an export, not an address", hint="--source-url PATH")
    return ExportSource(Path(url), secrets.get(_PASSWORD, ""), words.load(profile or None), endpoints.load(), clock)
