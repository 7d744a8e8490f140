from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from chartlift.errors import CredentialsError, StopError, UsageError
from chartlift.store import keys, private

MASTER = bytes(range(32))


def test_keys_come_back_as_they_were_drawn(home: Path, ring: keys.Keys) -> None:
    again = keys.unlock(home, "smile", MASTER)
    assert again == ring
    assert again.data != again.audit
    assert (home / keys.FILE).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_every_store_gets_a_key_of_its_own(ring: keys.Keys) -> None:
    derived = [
        ring.for_staging(),
        ring.for_journal(),
        ring.for_files(),
        ring.for_audit(),
        ring.for_chain(),
        ring.for_record_keys(),
    ]
    assert len({*derived, ring.data, ring.audit}) == 8
    assert all(len(key) == 32 for key in derived)


def test_neither_file_nor_repr_shows_a_key(home: Path, ring: keys.Keys) -> None:
    text = (home / keys.FILE).read_text() + repr(ring)
    for key in (ring.data, ring.audit, MASTER):
        assert key is not None
        assert key.hex() not in text
        assert base64.b64encode(key).decode() not in text


def test_a_wrong_secret_is_refused_with_a_hint_and_writes_nothing(home: Path, ring: keys.Keys) -> None:
    before = (home / keys.FILE).read_bytes()
    for act in (keys.unlock, keys.destroy_data_key):
        with pytest.raises(CredentialsError, match="does not open this workspace") as caught:
            act(home, "smile", bytes(32))
        assert caught.value.hint
    assert (home / keys.FILE).read_bytes() == before
    assert [path.name for path in home.iterdir()] == [keys.FILE]


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(bytes(31)).decode(), "QUJD", bytes(32).hex()])
def test_a_malformed_secret_is_refused_with_a_hint(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_from_keyring", lambda _tenant: "")
    with pytest.raises(CredentialsError, match="CHARTLIFT_KEY") as caught:
        keys.master_key({"CHARTLIFT_KEY": text})
    assert "base64" in caught.value.hint
    assert not text or text not in str(caught.value)


def test_the_secret_comes_from_the_environment_or_else_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_from_keyring", lambda tenant: base64.b64encode(bytes(32)).decode() if tenant else "")
    assert keys.master_key({"CHARTLIFT_KEY": base64.b64encode(MASTER).decode() + "\n"}, tenant="smile") == MASTER
    assert keys.master_key({}, tenant="smile") == bytes(32)


def test_keys_are_bound_to_tenant_and_purpose(home: Path, ring: keys.Keys) -> None:
    path = home / keys.FILE
    with pytest.raises(StopError, match="another tenant"):
        keys.unlock(home, "other", MASTER)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"tenant": "other"}))
    with pytest.raises(CredentialsError):
        keys.unlock(home, "other", MASTER)
    swapped = {"data": content["keys"]["audit"], "audit": content["keys"]["data"]}
    path.write_text(json.dumps(content | {"keys": swapped}))
    with pytest.raises(CredentialsError):
        keys.unlock(home, "smile", MASTER)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"version": 1}', '{"version": 1, "tenant": "smile", "keys": {"audit": {}}}']
)
def test_a_damaged_key_file_stops(home: Path, ring: keys.Keys, body: str) -> None:
    (home / keys.FILE).write_text(body)
    with pytest.raises(StopError, match="damaged"):
        keys.unlock(home, "smile", MASTER)


def test_a_file_of_a_newer_version_is_refused(home: Path, ring: keys.Keys) -> None:
    path = home / keys.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    with pytest.raises(UsageError, match="newer"):
        keys.unlock(home, "smile", MASTER)


def test_keys_are_never_made_twice(home: Path, ring: keys.Keys) -> None:
    with pytest.raises(UsageError, match="already"):
        keys.create(home, "smile", MASTER)


def test_after_a_purge_only_the_audit_key_is_left(home: Path, ring: keys.Keys) -> None:
    keys.destroy_data_key(home, "smile", MASTER)
    keys.destroy_data_key(home, "smile", MASTER)
    left = keys.unlock(home, "smile", MASTER)
    assert left.purged
    assert left.audit == ring.audit
    for derive in (left.for_staging, left.for_journal, left.for_files):
        with pytest.raises(UsageError, match="purged"):
            derive()
    assert [path.name for path in home.iterdir()] == [keys.FILE]


def test_a_purge_that_was_cut_short_is_finished(home: Path, ring: keys.Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = json.loads((home / keys.FILE).read_text())["keys"]["data"]["wrapped"].encode()
    written: list[bytes] = []
    real = private.overwrite

    def kill(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(private, "overwrite", kill)
    with pytest.raises(KeyboardInterrupt):
        keys.destroy_data_key(home, "smile", MASTER)
    assert wrapped in (home / "keys.json.old").read_bytes()

    def watched(path: Path) -> None:
        real(path)
        written.append(path.read_bytes())

    monkeypatch.setattr(private, "overwrite", watched)
    assert keys.unlock(home, "smile", MASTER).purged
    assert len(written) == 1
    assert wrapped not in written[0]
    assert not (home / "keys.json.old").exists()
