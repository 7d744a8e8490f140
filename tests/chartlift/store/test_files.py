from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chartlift.errors import StopError
from chartlift.store import files
from chartlift.store.files import CHUNK, Files

KEY = bytes(range(32))
SEALED = CHUNK + 16
HEAD = 36


def pieces(content: bytes, size: int = 300_001) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_a_content_comes_back_whatever_its_size(home: Path, size: int) -> None:
    store, content = Files(home, KEY), os.urandom(size)
    sha256, length = store.put(pieces(content))
    assert (sha256, length) == (hashlib.sha256(content).hexdigest(), size)
    assert store.has(sha256)
    chunks = list(store.get(sha256))
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= CHUNK


def test_one_content_is_kept_once_under_a_name_that_tells_nothing(home: Path) -> None:
    store = Files(home, KEY)
    first, second = store.put([b"x-ray"]), store.put([b"x-", b"ray"])
    assert first == second
    stored = list((home / files.FOLDER).iterdir())
    assert len(stored) == 1
    assert stored[0].name != first[0]
    assert stored[0].stat().st_mode & 0o777 == 0o600
    assert (home / files.FOLDER).stat().st_mode & 0o777 == 0o700
    assert b"x-ray" not in stored[0].read_bytes()
    store.remove(first[0])
    store.remove(first[0])
    assert not store.has(first[0])


def _swap(content: bytes) -> bytes:
    first, second = content[HEAD : HEAD + SEALED], content[HEAD + SEALED : HEAD + 2 * SEALED]
    return content[:HEAD] + second + first + content[HEAD + 2 * SEALED :]


TAMPERING: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda c: c[:-5] + bytes([c[-5] ^ 1]) + c[-4:],
    "salt flipped": lambda c: c[:10] + bytes([c[10] ^ 1]) + c[11:],
    "magic": lambda c: b"CLF2" + c[4:],
    "last chunk cut off": lambda c: c[: HEAD + 2 * SEALED],
    "cut inside a chunk": lambda c: c[:-9],
    "first chunk taken out": lambda c: c[:HEAD] + c[HEAD + SEALED :],
    "two chunks swapped": _swap,
    "a chunk added": lambda c: c + c[-SEALED:],
    "emptied": lambda _c: b"",
    "head only": lambda c: c[:HEAD],
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_changed_file_is_never_taken_for_whole(home: Path, how: str) -> None:
    store = Files(home, KEY)
    sha256, _ = store.put(pieces(os.urandom(2 * CHUNK + 99)))
    path = store._path(sha256)
    path.write_bytes(TAMPERING[how](path.read_bytes()))
    with pytest.raises(StopError, match="damaged"):
        list(store.get(sha256))


def test_a_file_under_anothers_name_is_found(home: Path) -> None:
    store = Files(home, KEY)
    one, two = store.put([b"one"])[0], store.put([b"two"])[0]
    store._path(one).write_bytes(store._path(two).read_bytes())
    with pytest.raises(StopError, match="damaged"):
        list(store.get(one))


def test_a_stop_while_storing_leaves_nothing(home: Path) -> None:
    store = Files(home, KEY)

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put(broken())
    (home / files.FOLDER / "killed.new").write_bytes(b"")
    assert store.sweep() == 1
    assert list((home / files.FOLDER).iterdir()) == []
    with pytest.raises(StopError, match="not in the store"):
        list(store.get("00"))
