"""One SQLCipher file: opened with a raw key, durable at every commit, its statements named in a .sql file."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlite

from chartlift.errors import Busy, ChartliftError, JournalDamaged, StopError, UsageError
from chartlift.store import private

PAGE = 16384  # measured: a blob a batch costs a third less than with pages of 4096
RESTORE = "restore the whole workspace from a backup; single files of it do not fit together"


def statements(file: str) -> Mapping[str, str]:
    """The named statements of a .sql file beside this module: `-- name: NAME` starts one."""
    text = files("chartlift.store").joinpath(file).read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)[^\n]*\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


def script(file: str) -> str:
    """A whole .sql file beside this module."""
    return files("chartlift.store").joinpath(file).read_text("utf-8")


class Database:
    """An open SQLCipher file. Only this class knows how the driver spells its errors.

    Raises (from every call):
        JournalDamaged: a page or the structure is not as it was written, or the key is another one.
        StopError: the disk refuses.
        Busy: another process kept the file locked for half a minute.
    """

    def __init__(self, path: Path, key: bytes, *, application: int, version: int, schema: str) -> None:
        self._path, self._name, self._depth = path, path.name, 0
        self._named: Mapping[str, str] = {}
        private.touch(path)
        with self._translated():
            self._sql = sqlite.connect(str(path), isolation_level=None, check_same_thread=False)
            try:
                self._open(key, application, version, schema)
            except BaseException:
                self._sql.close()
                raise

    def name_statements(self, named: Mapping[str, str]) -> None:
        """Make these statements callable by `rows` and `do`."""
        self._named = named

    def _open(self, key: bytes, application: int, version: int, schema: str) -> None:
        ask = self._sql.execute
        ask("PRAGMA cipher_log_level = NONE")  # it writes to stderr, in the middle of our own lines
        ask(f"PRAGMA key = \"x'{key.hex()}'\"")
        ask(f"PRAGMA cipher_page_size = {PAGE}")
        ask("PRAGMA busy_timeout = 30000")
        found = ask("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise UsageError(f"a newer chartlift wrote {self._name}", hint="install that version or a later one")
        ask("PRAGMA journal_mode = WAL")
        ask("PRAGMA synchronous = FULL")
        ask("PRAGMA foreign_keys = ON")
        ask("PRAGMA temp_store = MEMORY")
        ask("PRAGMA journal_size_limit = 67108864")
        self.made = found == 0
        if self.made:
            with self.transaction():
                for statement in filter(None, (part.strip() for part in schema.split(";\n"))):
                    ask(statement)
                ask(f"PRAGMA application_id = {application}")
                ask(f"PRAGMA user_version = {version}")
        elif ask("PRAGMA application_id").fetchone()[0] != application:
            raise JournalDamaged(f"{self._name} is another kind of file", hint=RESTORE)

    def rows(self, name: str, *values: Any, **named: Any) -> list[Any]:
        """All rows of a named statement."""
        with self._translated():
            return self._sql.execute(self._named[name], named or values).fetchall()

    def do(self, name: str, *values: Any, **named: Any) -> int:
        """Run a named statement that changes something; returns the row id of an insert."""
        with self._translated():
            return self._sql.execute(self._named[name], named or values).lastrowid

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing; inside another one, a part of it that can fail alone."""
        depth = self._depth
        begin, keep, undo = (
            (f"SAVEPOINT s{depth}", f"RELEASE s{depth}", f"ROLLBACK TO s{depth}")
            if depth
            else ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        )
        with self._translated():
            self._sql.execute(begin)
        self._depth += 1
        try:
            yield
            with self._translated():
                self._sql.execute(keep)
        except BaseException:
            if self._sql.in_transaction:  # a full disk has rolled back by itself
                self._sql.execute(undo)
            raise
        finally:
            self._depth -= 1

    @property
    def inside(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    def size(self) -> int:
        """Bytes of the file, its log left out."""
        return self._path.stat().st_size

    def damaged_pages(self) -> int:
        """Pages of the file whose MAC is wrong. It reads everything.

        A page that another process is just writing may look damaged, so what looks so is looked at again.
        """
        bad: list[Any] = []
        for pause in (0.0, 0.05, 0.5):
            time.sleep(pause)
            with self._translated():
                bad = self._sql.execute("PRAGMA cipher_integrity_check").fetchall()
            if not bad:
                break
        return len(bad)

    def close(self) -> None:
        """Let go of the file."""
        with self._translated():
            self._sql.close()

    @contextmanager
    def _translated(self) -> Generator[None]:
        """The driver's errors as ours, without its text: a message may quote what was bound."""
        try:
            yield
        except ChartliftError:
            raise
        except sqlite.OperationalError as error:
            raise self._operational(error) from None
        except sqlite.IntegrityError:
            raise StopError(f"{self._name}: an entry contradicts what is already written", hint=RESTORE) from None
        except sqlite.DatabaseError:
            raise JournalDamaged(f"{self._name} is damaged or belongs to another workspace", hint=RESTORE) from None

    def _operational(self, error: sqlite.OperationalError) -> StopError:
        code = getattr(error, "sqlite_errorname", "") or str(error)
        if "BUSY" in code or "locked" in code:
            return Busy(f"another process keeps {self._name} locked", hint="wait until it has ended")
        if "FULL" in code or "full" in code:
            return StopError(f"the disk is full: {self._name} cannot be written", hint="free space, then run it again")
        return StopError(
            f"{self._name} cannot be read or written ({_word(code)})", hint="look at the disk and its rights"
        )


def _word(code: str) -> str:
    return code if re.fullmatch(r"SQLITE_[A-Z_]+", code) else "the driver refused"


def json_list(values: Sequence[Any]) -> str:
    """A JSON list for `IN (SELECT value FROM json_each(?))`: one bound value, however many there are."""
    return json.dumps(list(values))
