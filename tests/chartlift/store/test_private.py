from __future__ import annotations

from pathlib import Path

import pytest

from chartlift.errors import StopError
from chartlift.store import private


def test_a_file_is_replaced_in_one_step(home: Path) -> None:
    path = private.folder(home) / "note"
    path.write_bytes(b"old")
    path.chmod(0o644)
    private.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in home.iterdir()] == ["note"]


def test_a_disk_that_refuses_stops_the_work(home: Path) -> None:
    with pytest.raises(StopError, match="cannot be written"):
        private.write(home / "there" / "note", b"")


def test_overwriting_leaves_nothing_of_the_content(home: Path) -> None:
    path = private.folder(home) / "secret"
    path.write_bytes(b"secret" * 1000)
    private.overwrite(path)
    assert path.stat().st_size == 6000
    assert b"secret" not in path.read_bytes()


def test_a_whole_folder_goes(home: Path) -> None:
    inner = private.folder(home / "a" / "b")
    (inner / "f").write_bytes(b"12345")
    (home / "a" / "link").symlink_to(home)
    assert private.remove(home / "a") >= 5
    assert home.exists()
    assert private.remove(home / "a") == 0
