"""Staging: the encrypted DuckDB file with what was extracted.

Nothing of it may reach the disk in the clear: the file and its log are AES-GCM, spill files too, and opening proves
it before any row comes in. The crypto that may write comes with DuckDB's signed `httpfs` extension, from a wheel of
exactly DuckDB's version; DuckDB's own can only read.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

from chartlift.errors import Busy, CredentialsError, StopError
from chartlift.store import private

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILE, SPILL = "staging.duckdb", "spill"
CATALOG = "staging"
MEMORY = "128MB"
"""What DuckDB may keep in memory. Measured with 500,000 rows of 12 columns and 320 characters of JSON each, one thread:
sorting them whole fails at 64 MB, although it spills, and works from 96 MB on (197 MB resident; 230 MB at 128). Wider
rows need about as much as the rows themselves, whatever is spilled: a stage sorts their keys and copies in ranges."""
COMPRESSION = "zstd"
"""Of text columns. Measured with 15,000 rows of 40 columns: DuckDB's own choice (DICT_FSST) takes 87 MB to read them, zstd 4,
and a third of the time; the file is larger by three quarters."""
_RESTORE = "extract again: remove staging.duckdb, or restore the whole workspace from a backup"
_NO_NETWORK = "HTTPFileSystem,S3FileSystem,HuggingFaceFileSystem"  # httpfs is here for its crypto only


class DuckStaging:
    """Implements model.ports.Staging: `sql` is the connection, with the encrypted catalog as its default.

    `sql.cursor()` is another connection, which starts in an empty database in memory: `USE staging` first.
    """

    def __init__(self, sql: DuckDBPyConnection) -> None:
        self.sql = sql

    @classmethod
    def open(cls, home: Path, key: bytes, *, memory_limit: str = MEMORY, threads: int = 1) -> Self:
        """Open the file, or make it.

        Raises:
            StopError: the crypto is not loaded, or the file is damaged or half made.
            CredentialsError: the key is not the one the file was made with.
            Busy: another process has it open.
        """
        private.narrow()
        private.folder(home)
        path, spill = home / FILE, home / SPILL
        shutil.rmtree(spill, ignore_errors=True)  # what a killed process left is unreadable and of no use
        private.folder(spill)
        sql = _connect(spill, memory_limit, threads)
        try:
            _load_crypto(sql)
            _attach(sql, path, key)
            _prove(sql)
        except BaseException:
            sql.close()
            raise
        path.chmod(private.FILE_MODE)
        return cls(sql)

    def close(self) -> None:
        """Write everything out and let go of the file; done twice it does nothing."""
        try:
            self.sql.execute(f"CHECKPOINT {CATALOG}")
        except duckdb.ConnectionException:  # closed already
            return
        except duckdb.Error:  # inside a transaction that failed: the log keeps what was committed
            pass
        self.sql.close()


def _connect(spill: Path, memory_limit: str, threads: int) -> DuckDBPyConnection:
    settings = {
        "threads": threads,
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "temp_file_encryption": True,
        "extension_directory": str(spill),  # nothing is ever installed; a user's own extensions do not count here
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_unsigned_extensions": False,
    }
    try:
        sql = duckdb.connect(":memory:", config=settings)
    except duckdb.Error:
        raise StopError(f"staging cannot start with memory_limit {memory_limit} and {threads} threads") from None
    sql.execute(f"SET force_compression = '{COMPRESSION}'")
    return sql


def _extension() -> Path:
    spec = importlib.util.find_spec("duckdb_extension_httpfs")
    places = spec.submodule_search_locations if spec else None
    found = Path(places[0], "extensions", f"v{duckdb.__version__}", "httpfs.duckdb_extension") if places else None
    if found is None or not found.is_file():
        hint = f"install duckdb-extension-httpfs=={duckdb.__version__}, the version of the installed duckdb"
        raise StopError("the crypto for staging is not installed, and patient data is never stored without", hint=hint)
    return found


def _load_crypto(sql: DuckDBPyConnection) -> None:
    path = str(_extension()).replace("'", "''")
    try:
        sql.execute(f"LOAD '{path}'")
        sql.execute(f"SET disabled_filesystems = '{_NO_NETWORK}'")
    except duckdb.Error:
        hint = "reinstall duckdb and duckdb-extension-httpfs in the same version"
        raise StopError("the crypto for staging cannot be loaded", hint=hint) from None


def _attach(sql: DuckDBPyConnection, path: Path, key: bytes) -> None:
    there = path.exists()
    target = str(path).replace("'", "''")
    try:
        # the key is text to DuckDB; 64 hexadecimal digits carry all 32 bytes
        sql.execute(f"ATTACH '{target}' AS {CATALOG} (ENCRYPTION_KEY '{key.hex()}', ENCRYPTION_CIPHER 'GCM')")
        sql.execute(f"USE {CATALOG}")
    except duckdb.Error as error:
        if not there:
            path.unlink(missing_ok=True)
        raise _refused(str(error), there=there) from None
    except UnicodeDecodeError:  # DuckDB quotes bytes of a damaged log
        raise StopError(f"{FILE} is damaged", hint=_RESTORE) from None


def _refused(text: str, *, there: bool) -> CredentialsError | StopError:
    """DuckDB's words sorted into ours; its text is not passed on."""
    if "Wrong encryption key" in text:
        return CredentialsError(
            "the data key does not open staging", hint="keys.json and staging.duckdb must be of one workspace"
        )
    if "lock on file" in text:
        return Busy("another process has staging open", hint="wait until it has ended")
    if "crypto module" in text:
        return StopError("the crypto for staging is not loaded", hint="reinstall duckdb-extension-httpfs")
    if "is not encrypted" in text:
        return StopError(f"{FILE} is not encrypted: another program made it", hint="remove it; see who could read it")
    if not there and re.search(r"No space|Permission|Read-only", text):
        return StopError(f"{FILE} cannot be made here", hint="look at the disk and its rights")
    return StopError(f"{FILE} is damaged or half made", hint=_RESTORE)


def _prove(sql: DuckDBPyConnection) -> None:
    """Refuse unless DuckDB itself says that file and spill are encrypted, and by the crypto that may write."""
    database = sql.execute(
        "SELECT encrypted, cipher FROM duckdb_databases() WHERE database_name = ?", [CATALOG]
    ).fetchone()
    wanted = {"temp_file_encryption": True, "force_mbedtls_unsafe": False}
    settings = {name: sql.execute("SELECT current_setting(?)", [name]).fetchone() for name in wanted}
    crypto = sql.execute("SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'httpfs'").fetchone()
    wrong = [name for name, value in wanted.items() if settings[name] != (value,)]
    if database != (True, "GCM") or crypto != (True,) or wrong:
        detail = ", ".join(wrong) or "the file"
        raise StopError(f"staging would not be encrypted ({detail}), and patient data is never stored so")
