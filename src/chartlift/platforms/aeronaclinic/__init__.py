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
    profile: str = "",
) -> AeronaSource:
    """The source at `url`. Nothing is sent before the first reading.

    `secrets` holds the CHARTLIFT_AERONA_* names of the environment; `state` is where the request count is kept
    (default: the user's state folder); `profile` is the text of an endpoint profile of one's own.

    Raises:
        UsageError: the URL is not https and not on this machine, or the profile cannot be used.
        CredentialsError: a secret is missing.
    """
    from chartlift.platforms.aeronaclinic.limiter import Limiter, credential_name, state_folder
    from chartlift.platforms.aeronaclinic.profile import load
    from chartlift.platforms.aeronaclinic.session import Session, safe_url
    from chartlift.platforms.aeronaclinic.source import AeronaSource

    words, url = load(profile or None), safe_url(url)
    folder = (state or state_folder(secrets)) / "requests"
    sessions = []
    for one in credentials(secrets, words.login.kind):
        name = credential_name(folder, url, *_who_shares(words.limit.scope, one))
        limiter = Limiter(folder, name, words.limit, clock)
        sessions.append(Session(url, one, words, limiter, clock, ca_file=ca_file))
    return AeronaSource(sessions, words)


def check_profile(text: str) -> None:
    """Whether the text is an endpoint profile.

    Raises:
        UsageError: it is none.
    """
    from chartlift.platforms.aeronaclinic.profile import load

    load(text)


def _who_shares(scope: str, one: Credential) -> tuple[str, ...]:
    """What is the same for all that share a count of requests."""
    whole = (one.username, one.pin, *((one.password,) if not one.username else ()))
    return {"credential": whole, "practice": (one.pin,), "tenant": ()}[scope]


def credentials(secrets: Mapping[str, str], kind: str = "login") -> tuple[Credential, ...]:
    """One login, or one per practice where there is a CHARTLIFT_AERONA_PIN__<practice>; of other kinds the key.

    Raises:
        CredentialsError: a name is missing; the message says which.
    """
    from chartlift.platforms.aeronaclinic.session import Credential

    if kind != "login":
        if not secrets.get(_PREFIX + "KEY"):
            raise CredentialsError(f"AeronaClinic needs {_PREFIX}KEY", hint="set it in the environment")
        return (Credential("", secrets[_PREFIX + "KEY"], ""),)
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
