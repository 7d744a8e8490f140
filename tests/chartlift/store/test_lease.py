from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from chartlift.errors import Busy
from chartlift.store.lease import FILE, Lease

HOLD = """
    import pathlib, sys, time
    from chartlift.store.lease import Lease
    lease = Lease(pathlib.Path(sys.argv[1]))
    print("held", flush=True)
    time.sleep(60)
"""


def holder(home: Path) -> subprocess.Popen[str]:
    code = [sys.executable, "-c", textwrap.dedent(HOLD), str(home)]
    process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_who_has_it(home: Path) -> None:
    first = holder(home)
    try:
        with pytest.raises(Busy, match=f"process {first.pid} on .+ since ") as caught:
            Lease(home)
        assert caught.value.exit_code == 3
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert first.stdout is not None
        first.stdout.close()
    with Lease(home):
        assert str(os.getpid()) in (home / FILE).read_text()


def test_a_note_of_a_dead_process_is_no_lock(home: Path) -> None:
    Lease(home).close()
    (home / FILE).write_text('{"pid": 1, "host": "elsewhere", "since": "2020"}')
    lease = Lease(home)
    lease.close()
    lease.close()
    assert (home / FILE).stat().st_mode & 0o777 == 0o600


def test_one_process_cannot_take_it_twice_either(home: Path) -> None:
    with Lease(home), pytest.raises(Busy):
        Lease(home)
