"""A workspace of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartlift.store import keys
from chartlift.store.audit import Trail
from chartlift.store.journal import SqlJournal

MASTER = bytes(range(32))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    before = os.umask(0)  # the worst a shell can ask for
    yield tmp_path / "clinic"
    os.umask(before)


@pytest.fixture
def ring(home: Path) -> keys.Keys:
    return keys.create(home, "smile", MASTER)


@pytest.fixture
def journal(home: Path, ring: keys.Keys) -> Iterator[SqlJournal]:
    book = SqlJournal.open(home, ring.for_journal())
    yield book
    book.close()


@pytest.fixture
def trail(home: Path, ring: keys.Keys) -> Iterator[Trail]:
    book = Trail.open(home, ring)
    yield book
    book.close()
