from __future__ import annotations

import base64
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from chartlift.errors import Busy, CredentialsError, StopError
from chartlift.store import staging
from chartlift.store.staging import DuckStaging

KEY = bytes(range(32))
CANARY = "Zyxwvut-Quillfeather"


def spellings(text: str) -> list[bytes]:
    raw = text.encode()
    encoded = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [
        raw,
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        *encoded,
    ]


def found_in(folder: Path) -> list[str]:
    hits = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            hits += [f"{path.name}: {word[:12]!r}" for word in spellings(CANARY) if word in content]
    return hits


def test_the_search_for_canaries_finds_them_in_a_plain_file(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "plain.duckdb")) as sql:
        sql.execute("CREATE TABLE note AS SELECT ? AS text", [CANARY])
    (tmp_path / "base64").write_bytes(base64.b64encode(b"x" + CANARY.encode() + b"abc"))
    (tmp_path / "utf16").write_bytes(CANARY.encode("utf-16"))
    assert {hit.split(":")[0] for hit in found_in(tmp_path)} == {"plain.duckdb", "base64", "utf16"}


def test_neither_file_nor_log_nor_spill_ever_holds_a_value_in_the_clear(home: Path) -> None:
    store = DuckStaging.open(home, KEY, memory_limit="64MB")
    noise = "md5(i::VARCHAR) || md5((i + 1)::VARCHAR)"
    rows = f"SELECT i, '{CANARY}' || i AS name, {noise} || '{CANARY}' AS text FROM range({{}}) AS t(i)"
    store.sql.execute(
        f"CREATE TEMP TABLE larger_than_memory AS {rows.format(1_200_000)}"
    )  # lies in spill files as long as it lives
    store.sql.execute("SET wal_autocheckpoint = '1TB'")
    store.sql.execute(f"CREATE TABLE wide AS {rows.format(100_000)}")
    store.sql.execute("CREATE TABLE sorted AS SELECT name, text FROM wide ORDER BY text")
    store.sql.execute(f"INSERT INTO wide VALUES (-1, '{CANARY}', '{CANARY}')")  # stays in the log
    assert (home / "staging.duckdb.wal").stat().st_size > 0
    assert sum(path.stat().st_size for path in (home / staging.SPILL).iterdir()) > 10_000_000, (
        "nothing spilled, nothing proved"
    )
    assert not found_in(home)
    assert {path.stat().st_mode & 0o777 for path in home.rglob("*") if path.is_file()} == {0o600}
    store.close()
    assert not found_in(home)


def test_files_are_private_whatever_the_umask(home: Path) -> None:
    store = DuckStaging.open(home, KEY)
    store.sql.execute("CREATE TABLE a AS SELECT 1 AS x")
    store.sql.execute("INSERT INTO a VALUES (2)")
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    store.close()
    assert modes == {"staging.duckdb": 0o600, "staging.duckdb.wal": 0o600, "spill": 0o700}


def test_rows_are_there_again_and_the_encrypted_catalog_is_the_default(home: Path) -> None:
    store = DuckStaging.open(home, KEY)
    store.sql.register("incoming", pa.table({"id": ["1", "2"]}))
    store.sql.execute("CREATE TABLE src_patient AS SELECT * FROM incoming")
    store.close()
    store.close()
    store = DuckStaging.open(home, KEY)
    assert store.sql.execute("SELECT count(*) FROM staging.main.src_patient").fetchone() == (2,)
    assert store.sql.execute("SELECT current_catalog()").fetchone() == ("staging",)
    assert store.sql.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchone() == (
        1,
        "122.0 MiB",
    )
    store.close()


def test_a_wrong_key_is_a_credentials_error(home: Path) -> None:
    DuckStaging.open(home, KEY).close()
    with pytest.raises(CredentialsError, match="does not open staging"):
        DuckStaging.open(home, bytes(32))
    DuckStaging.open(home, KEY).close()


@pytest.mark.parametrize("how", ["empty", "garbage", "half", "head", "plain", "log"])
def test_a_damaged_or_half_made_file_is_named_and_kept(home: Path, how: str) -> None:
    store = DuckStaging.open(home, KEY)
    store.sql.execute("CREATE TABLE a AS SELECT i, md5(i::VARCHAR) AS text FROM range(50000) AS t(i)")
    store.sql.execute("CHECKPOINT")
    store.sql.execute("INSERT INTO a VALUES (-1, 'x')")
    log = (home / "staging.duckdb.wal").read_bytes()
    store.close()
    path = home / staging.FILE
    content = path.read_bytes()
    changed = {
        "empty": b"",
        "garbage": bytes(range(256)) * 100,
        "half": content[:6000],
        "head": content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        "plain": b"",
        "log": content,
    }[how]
    path.write_bytes(changed)
    if how == "plain":
        path.unlink()
        duckdb.connect(str(path)).close()
        changed = path.read_bytes()
    if how == "log":
        (home / "staging.duckdb.wal").write_bytes(log[:-20] + bytes([log[-20] ^ 1]) + log[-19:])
    with pytest.raises(StopError, match=r"damaged|half made|not encrypted") as caught:
        DuckStaging.open(home, KEY)
    assert caught.value.hint
    assert path.read_bytes() == changed


def test_what_was_committed_survives_a_kill(home: Path) -> None:
    code = f"""
        import os, pathlib
        from chartlift.store.staging import DuckStaging
        store = DuckStaging.open(pathlib.Path({str(home)!r}), bytes(range(32)))
        store.sql.execute("CREATE TABLE a AS SELECT i FROM range(1000) AS t(i)")
        store.sql.execute("BEGIN; INSERT INTO a VALUES (-1)")
        os.kill(os.getpid(), 9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode == -9
    store = DuckStaging.open(home, KEY)
    assert store.sql.execute("SELECT count(*), min(i) FROM a").fetchone() == (1000, 0)
    store.close()


def test_another_process_is_told_to_wait(home: Path) -> None:
    store = DuckStaging.open(home, KEY)
    code = f"""
        import pathlib
        from chartlift.errors import Busy
        from chartlift.store.staging import DuckStaging
        try:
            DuckStaging.open(pathlib.Path({str(home)!r}), bytes(range(32)))
        except Busy:
            raise SystemExit(7)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode == 7
    store.close()
    assert issubclass(Busy, StopError)


def test_without_the_crypto_it_refuses_and_makes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_load_crypto", lambda _sql: None)
    with pytest.raises(StopError, match="crypto"):
        DuckStaging.open(home, KEY)
    assert not (home / staging.FILE).exists()
    monkeypatch.undo()
    DuckStaging.open(home, KEY).close()
    monkeypatch.setattr(staging, "_load_crypto", lambda sql: sql.execute("SET force_mbedtls_unsafe = 'true'"))
    with pytest.raises(StopError, match="would not be encrypted"):
        DuckStaging.open(home, KEY)


@pytest.mark.parametrize("setting", ["temp_file_encryption = false", "force_mbedtls_unsafe = true"])
def test_a_setting_that_would_leak_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    real = staging._load_crypto

    def loosened(sql: duckdb.DuckDBPyConnection) -> None:
        real(sql)
        sql.execute(f"SET {setting}")

    monkeypatch.setattr(staging, "_load_crypto", loosened)
    with pytest.raises(StopError, match=setting.split(" ", maxsplit=1)[0]):
        DuckStaging.open(home, KEY)


def test_an_extension_of_another_version_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging.duckdb, "__version__", "1.5.4")
    with pytest.raises(StopError, match="not installed") as caught:
        DuckStaging.open(home, KEY)
    assert "duckdb-extension-httpfs==1.5.4" in caught.value.hint


def test_sql_cannot_reach_the_network(home: Path) -> None:
    store = DuckStaging.open(home, KEY)
    with pytest.raises(duckdb.Error, match="disabled"):
        store.sql.execute("SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')")
    store.close()
    assert "httpfs" not in [path.name for path in (home / staging.SPILL).iterdir()]
