"""The only place that wires: opens keys, stores and platforms of a workspace and fills Tools."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
from collections.abc import Callable, Generator, Mapping
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from chartlift import settings as files
from chartlift.clock import open_clock
from chartlift.errors import UsageError
from chartlift.model.ports import Progress, Tools
from chartlift.settings import Settings

SOURCE_PROFILE = "source.toml"  # what is otherwise at this source than the platform assumes
PLAN = "plan"  # the folder with the map a person may edit
MEMORY = "320MB"  # texts of some million characters need it; the long stages take less (stages/memory.py)


class Lazy:
    """A port that is opened when it is first used, so that a command needs no more than it uses."""

    def __init__(self, opening: Callable[[], Any]) -> None:
        """Keep how to open it."""
        self._opening = opening
        self._port: Any = None

    def __getattr__(self, name: str) -> Any:
        """Hand on to the port."""
        if self._port is None:
            self._port = self._opening()
        return getattr(self._port, name)

    def shut(self) -> None:
        """Close the port if it was opened."""
        if self._port is not None and hasattr(self._port, "close"):
            self._port.close()
        self._port = None


def make(
    home: Path,
    *,
    tenant: str,
    pack: str,
    source: str,
    source_url: str,
    org_url: str,
    environ: Mapping[str, str],
    source_profile: str = "",
) -> Settings:
    """Make a workspace: the folder, its keys and chartlift.toml, in this order; half of it is never left behind.

    Raises:
        UsageError: the folder is a workspace already, or a name cannot be used.
        CredentialsError: CHARTLIFT_KEY is missing or malformed.
    """
    from chartlift.store import keys

    if source_url and "://" not in source_url and Path(source_url).exists():
        source_url = str(Path(source_url).resolve())  # it is read from other folders, too
    made = Settings(home, tenant or files.slug(home.resolve().name), pack, source, source_url, "salesforce", org_url)
    load_pack(home, pack)
    platform(source)
    if (home / files.FILE).exists():
        raise UsageError(f"{home} is a workspace already.", hint="Choose another folder.")
    files.check(made)
    profile = _profile(source, source_profile)
    master = keys.master_key(environ, tenant=made.tenant)
    keys.create(home, made.tenant, master)
    try:
        if profile:
            (home / SOURCE_PROFILE).write_text(profile, "utf-8")
        files.write(made)
    except BaseException:
        (home / keys.FILE).unlink(missing_ok=True)
        if profile:
            (home / SOURCE_PROFILE).unlink(missing_ok=True)
        raise
    return made


def _profile(source: str, given: str) -> str:
    """The text of a source profile: a file, or one that comes along, by its name. '' = the platform's own."""
    if not given:
        return ""
    reached = platform(source)
    along = resources.files(reached.__package__).joinpath(f"{given}.toml")
    path = Path(given)
    if not path.is_file() and not (re.fullmatch("[a-z][a-z-]*", given) and along.is_file()):
        raise UsageError(f"There is no source profile {given}.", hint="Give a TOML file; see docs/source-profile.md.")
    try:
        text = path.read_text("utf-8") if path.is_file() else along.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{given} is not UTF-8.", hint="Save the profile as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{given} cannot be read: {type(error).__name__}.", hint="Give a readable file.") from None
    reached.check_profile(text)
    return text


def platform(name: str) -> Any:
    """The vendor's folder under platforms, found by its name; VENDOR-WAY is one of several ways to reach a vendor."""
    try:
        return import_module(f"chartlift.platforms.{name.replace('-', '.')}")
    except ModuleNotFoundError as error:
        raise UsageError(f"There is no platform {name}.", hint="See the folders in chartlift/platforms.") from error


def load_pack(home: Path, name: str) -> Any:
    """The pack, as edited in the workspace if `propose` has put it there."""
    from chartlift import packs

    edited = home / PLAN
    return packs.load(name, folder=edited if edited.is_dir() else None)


@contextlib.contextmanager
def opened(
    home: Path, progress: Progress, *, exclusive: bool = True, anchored: bool = False, who: str = ""
) -> Generator[Tools]:
    """Open a workspace; `exclusive` for everything that may touch staging or write.

    `anchored`: only the org of the confirmed plan may answer, at every login.

    Raises:
        UsageError: it is no workspace, or half of one.
        CredentialsError: CHARTLIFT_KEY does not open it.
        Busy: another process works on it.
    """
    environ = dict(os.environ)
    known = files.read(home)
    with contextlib.ExitStack() as stack:
        ring, vault = _keys(home, known, environ)
        if exclusive:
            from chartlift.store.lease import Lease

            stack.enter_context(Lease(home))
        clock = open_clock(environ.get("CHARTLIFT_CLOCK", ""), _origins(known))
        ports: dict[str, Any] = _ports(home, ring, sole=exclusive)
        journal = ports["journal"]
        ports["source"] = Lazy(lambda: _source(known, environ, clock))
        ports["destination"] = Lazy(lambda: _destination(known, environ, clock, _anchor(journal) if anchored else ""))
        for port in ports.values():
            stack.callback(port.shut)
        yield Tools(
            home=home,
            tenant=known.tenant,
            who=who or environ.get("CHARTLIFT_WHO", "") or getpass.getuser(),
            progress=progress,
            clock=clock,
            pack=Lazy(lambda: load_pack(home, known.pack)),
            options=known.options,
            vault=vault,
            advisor=Lazy(lambda: import_module("chartlift.advisor")),
            **ports,
        )


def _origins(known: Settings) -> tuple[str, ...]:
    """The addresses of both sides; an export on this machine has none."""
    is_path = known.source_url and "://" not in known.source_url
    return (known.org_url,) if is_path else (known.source_url, known.org_url)


def _keys(home: Path, known: Settings, environ: Mapping[str, str]) -> tuple[Any, Any]:
    """The unwrapped keys, and who can destroy them; a wrong CHARTLIFT_KEY stops everything before a file is opened."""
    from chartlift.store import keys, vault

    master = keys.master_key(environ, tenant=known.tenant)
    return keys.unlock(home, known.tenant, master), vault.KeyVault(home, known.tenant, master)


def _ports(home: Path, ring: Any, *, sole: bool) -> dict[str, Lazy]:
    """Staging, journal, audit and contents, each opened when it is first used."""

    def staging() -> Any:
        from chartlift.store.staging import DuckStaging

        return DuckStaging.open(home, ring.for_staging(), memory_limit=MEMORY)

    def journal() -> Any:
        from chartlift.store.journal import SqlJournal

        return SqlJournal.open(home, ring.for_journal(), sole=sole)

    def audit() -> Any:
        from chartlift.store.audit import Trail

        return Trail.open(home, ring)

    def contents() -> Any:
        from chartlift.store.files import Files

        return Files(home, ring.for_files())

    return {"staging": Lazy(staging), "journal": Lazy(journal), "audit": Lazy(audit), "files": Lazy(contents)}


def _source(known: Settings, environ: Mapping[str, str], clock: Any) -> Any:
    own = known.home / SOURCE_PROFILE
    return platform(known.source).connect(
        known.source_url,
        secrets=environ,
        clock=clock,
        ca_file=environ.get("CHARTLIFT_CA_FILE", ""),
        profile=own.read_text("utf-8") if own.is_file() else "",
    )


def _anchor(journal: Any) -> str:
    """The org of the confirmed plan; '' before there is one."""
    return (journal.get("plan") or {}).get("org_id", "")


def _destination(known: Settings, environ: Mapping[str, str], clock: Any, expected: str) -> Any:
    return platform(known.destination).connect(known.org_url, secrets=environ, clock=clock, expected_org_id=expected)
