from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from chartlift.errors import JournalDamaged
from chartlift.model.ports import Audit
from chartlift.store import keys
from chartlift.store.audit import Trail

MASTER = bytes(range(32))


def tell(book: Trail, batch: int, names: list[str], *, code: str | None = None) -> None:
    count = len(names)
    rows = pa.table(
        {
            "key": names,
            "id": names,
            "outcome": ["failed" if code else "ok"] * count,
            "created": [not code] * count,
            "code": pa.array([code] * count, pa.string()),
            "fields": pa.array(["Email" if code else None] * count, pa.string()),
        }
    )
    book.outcomes(run="r1", batch=batch, object_name="Contact", fingerprint="f1", who="Ann", rows=rows)


def story(book: Trail) -> None:
    book.act("confirm", who="Ann", fingerprint="f1", detail={"org": "00D"})
    book.act("load started", who="Ann", run="r1", fingerprint="f1")
    tell(book, 1, ["smile-PAT-1", "smile-PAT-2"])
    tell(book, 2, ["smile-PAT-3"], code="INVALID_EMAIL_ADDRESS")
    book.act("load done", who="Ann", run="r1", fingerprint="f1")


def test_it_is_the_audit_that_stages_know(trail: Trail) -> None:
    offered: Audit = trail
    assert all(callable(getattr(offered, name)) for name in vars(Audit) if not name.startswith("_"))


def test_entries_tell_what_was_done_and_the_chain_holds(trail: Trail) -> None:
    assert trail.verify()[0]
    story(trail)
    entries = list(trail.entries())
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry["act"] for entry in entries] == ["confirm", "load started", "outcomes", "outcomes", "load done"]
    assert entries[0]["detail"] == {"org": "00D"}
    assert (entries[2]["batch"], entries[2]["rows"], entries[2]["detail"]) == (1, 2, {"outcomes": {"ok": 2}})
    assert [entry["previous"] for entry in entries[1:]] == [entry["mac"] for entry in entries[:-1]]
    assert trail.verify() == (True, f"5:{entries[-1]['mac']}")
    assert json.dumps(entries)


def test_record_keys_are_stored_as_hmacs_only(home: Path, ring: keys.Keys, trail: Trail) -> None:
    story(trail)
    records = trail.records(4)
    assert records is not None
    wanted = hmac.digest(ring.for_record_keys(), b"smile-PAT-3", hashlib.sha256)
    reason = {"record": wanted, "outcome": "failed", "reason": "INVALID_EMAIL_ADDRESS@Email"}
    assert records.to_pylist() == [reason]
    told = trail.history("smile-PAT-3")
    assert [(row["seq"], row["outcome"]) for row in told] == [(4, "failed")]
    assert trail.history("smile-PAT-9") == []
    rows = trail._db._sql.execute("SELECT * FROM entry").fetchall()
    assert b"smile-PAT" not in repr(rows).encode()
    trail.close()
    for path in home.iterdir():
        assert b"smile-PAT" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_batch_told_again_after_a_kill_is_kept_once(trail: Trail) -> None:
    tell(trail, 1, ["a"])
    tell(trail, 1, ["a"])
    assert trail.covered() == {1}
    assert len(list(trail.entries())) == 1


def test_the_trail_goes_on_where_it_stopped_and_survives_a_purge(home: Path, ring: keys.Keys, trail: Trail) -> None:
    story(trail)
    trail.close()
    keys.destroy_data_key(home, "smile", MASTER)
    again = Trail.open(home, keys.unlock(home, "smile", MASTER))
    again.act("purge", who="Ann")
    assert again.verify()[0]
    assert len(list(again.entries())) == 6
    again.close()


def sql(statement: str) -> Callable[[Trail, Path], object]:
    return lambda book, _home: book._db._sql.executescript(statement)


def forge(book: Trail, _home: Path) -> None:
    """Someone with the file's key but not the chain's changes an entry and recomputes everything after it."""
    stranger = Trail(book._db, book._head, keys.Keys("smile", None, bytes(32)), book._now)
    previous = bytes(32)
    for row in book._db.rows("page", 0):
        row = [*row[:11], previous]  # noqa: PLW2901 - the entry as the forger writes it
        if row[0] == 2:
            row[3] = "Mallory"
        mac = stranger._mac(row)
        change = "UPDATE entry SET who = ?, previous = ?, mac = ? WHERE seq = ?"
        book._db._sql.execute(change, (row[3], previous, mac, row[0]))
        previous = mac


def _older_anchor(book: Trail, _home: Path) -> None:
    book._head.set(1, bytes(32))


CLOSE_UP = """
DELETE FROM entry WHERE seq = 3; UPDATE entry SET seq = 3 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq > 4
"""
TAKE = """
UPDATE entry SET (body, sha256, rows) = (SELECT body, sha256, rows FROM entry WHERE seq = 3) WHERE seq = 4
"""
SWAP = """
UPDATE entry SET seq = -2 WHERE seq = 2;
UPDATE entry SET seq = 2 WHERE seq = 3;
UPDATE entry SET seq = 3 WHERE seq = -2;
"""
COPY = """
INSERT INTO entry SELECT 6, at, act, who, run, fingerprint, NULL, object, rows, detail, body, sha256, previous, mac
FROM entry WHERE seq = 5
"""
TAMPERING: dict[str, tuple[Callable[[Trail, Path], Any], str]] = {
    "last entry removed": (sql("DELETE FROM entry WHERE seq = 5"), "5 to 5 are missing"),
    "two last removed": (sql("DELETE FROM entry WHERE seq > 3"), "4 to 5 are missing"),
    "all removed": (sql("DELETE FROM entry"), "1 to 5 are missing"),
    "first removed": (sql("DELETE FROM entry WHERE seq = 1"), "entry 1 is missing"),
    "one in the middle removed": (sql("DELETE FROM entry WHERE seq = 3"), "entry 3 is missing"),
    "removed and closed up": (sql(CLOSE_UP), "entry 3 does not follow"),
    "two swapped": (sql(SWAP), "entry 2 does not follow"),
    "who changed": (sql("UPDATE entry SET who = 'Bob' WHERE seq = 2"), "entry 2 was changed"),
    "time changed": (sql("UPDATE entry SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 4"), "entry 4 was changed"),
    "detail changed": (sql("UPDATE entry SET detail = '{}' WHERE seq = 1"), "entry 1 was changed"),
    "number of rows changed": (sql("UPDATE entry SET rows = 3 WHERE seq = 3"), "entry 3 was changed"),
    "records changed": (sql("UPDATE entry SET body = zeroblob(length(body)) WHERE seq = 3"), "entry 3"),
    "records taken from another": (
        sql("UPDATE entry SET body = (SELECT body FROM entry WHERE seq = 3) WHERE seq = 4"),
        "entry 4",
    ),
    "records and hash taken from another": (sql(TAKE), "entry 4 was changed"),
    "records removed": (sql("UPDATE entry SET body = NULL WHERE seq = 3"), "entry 3"),
    "records added to an act": (sql("UPDATE entry SET body = x'00' WHERE seq = 2"), "entry 2 was changed"),
    "one copied to the end": (sql(COPY), "entry 6 does not follow"),
    "recomputed without the key": (forge, "entry 1 was changed"),
    "anchor removed": (lambda _book, home: (home / "audit.head").unlink(), "audit.head is missing"),
    "anchor emptied": (lambda _book, home: (home / "audit.head").write_bytes(b""), "audit.head"),
    "anchor of an earlier day": (_older_anchor, "entry 1 is not the one"),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_its_place_named(home: Path, trail: Trail, how: str) -> None:
    story(trail)
    act, place = TAMPERING[how]
    act(trail, home)
    sound, where = trail.verify()
    assert not sound
    assert place in where


@pytest.mark.parametrize("where", [0.0, 0.4, 0.99])
def test_a_damaged_file_is_found(home: Path, ring: keys.Keys, trail: Trail, where: float) -> None:
    story(trail)
    trail.close()
    path = home / "audit.db"
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(content)
    try:
        again = Trail.open(home, ring)
    except JournalDamaged:
        return
    assert not again.verify()[0]
    again.close()


def test_a_trail_that_is_gone_is_missed(home: Path, ring: keys.Keys, trail: Trail) -> None:
    story(trail)
    trail.close()
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        (home / name).unlink(missing_ok=True)
    with pytest.raises(JournalDamaged, match="missing"):
        Trail.open(home, ring)


def test_a_kill_between_entry_and_anchor_is_no_damage(home: Path, ring: keys.Keys, trail: Trail) -> None:
    story(trail)
    before = (home / "audit.head").read_bytes()
    trail.act("load done", who="Ann")
    (home / "audit.head").write_bytes(before)
    assert trail.verify()[0]
    trail.act("reconcile", who="Ann")
    assert trail.verify()[0]
