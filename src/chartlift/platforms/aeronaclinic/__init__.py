"""AeronaClinic, a practice management system that is read through its rate-limited API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from chartlift.errors import CredentialsError
from chartlift.model.ports import Clock

if TYPE_CHECKING:
    from chartlift.platforms.aeronaclinic.session import Credential
    from chartlift.platforms.aeronaclinic.source import AeronaSource

_PREFIX = "CHARTLIFT_AERONA_"


def connect(
    url: str,
    *,
    secrets: Mapping[str, str],
    clock: Clock,
    ca_file: str = "",
    state: Path | None = None,
) -> AeronaSource:
    """The source at `url`. Nothing is sent before the first reading.

    `secrets` holds the CHARTLIFT_AERONA_* names of the environment; `state` is where the request count is kept
    (default: the user's state folder).

    Raises:
        UsageError: the URL is not https and not on this machine.
        CredentialsError: a secret is missing.
    """
    from chartlift.platforms.aeronaclinic.limiter import Limiter, credential_name, state_folder
    from chartlift.platforms.aeronaclinic.profile import load
    from chartlift.platforms.aeronaclinic.session import Session, safe_url
    from chartlift.platforms.aeronaclinic.source import AeronaSource

    profile, url = load(), safe_url(url)
    folder = (state or state_folder(secrets)) / "requests"
    sessions = []
    for one in credentials(secrets):
        name = credential_name(folder, url, one.username, one.pin)
        limiter = Limiter(folder, name, profile.limit, clock)
        sessions.append(Session(url, one, profile, limiter, clock, ca_file=ca_file))
    return AeronaSource(sessions, profile)


def credentials(secrets: Mapping[str, str]) -> tuple[Credential, ...]:
    """One login, or one per practice where there is a CHARTLIFT_AERONA_PIN__<practice>.

    Raises:
        CredentialsError: a name is missing; the message says which.
    """
    from chartlift.platforms.aeronaclinic.session import Credential

    missing = [name for name in ("USERNAME", "PASSWORD") if not secrets.get(_PREFIX + name)]
    own = {
        name.removeprefix(_PREFIX + "PIN__"): pin
        for name, pin in secrets.items()
        if name.startswith(_PREFIX + "PIN__") and pin
    }
    pins = dict(sorted(own.items())) or {"": secrets.get(_PREFIX + "PIN", "")}
    if "" in pins and not pins[""]:
        missing.append("PIN")
    if missing:
        names = ", ".join(_PREFIX + name for name in missing)
        raise CredentialsError(f"AeronaClinic needs {names}", hint="set it in the environment")
    username, password = secrets[_PREFIX + "USERNAME"], secrets[_PREFIX + "PASSWORD"]
    return tuple(Credential(username, password, pin, practice) for practice, pin in pins.items())
