"""AeronaClinic keeps the contract of a source, read from the sandbox's clinic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chartlift.clock import SandboxClock
from chartlift.platforms.aeronaclinic import connect
from chartlift.testing import SourceCase, SourceContract


class TestAeronaClinic(SourceContract):
    """The checks are those of every source."""


@pytest.fixture(scope="module")
def source_case(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceCase]:
    clock = SandboxClock(sandbox.told["control_url"])
    source = connect(
        sandbox.told["clinic_url"], secrets=sandbox.told["env"], clock=clock, state=tmp_path_factory.mktemp("s")
    )
    ids = [
        p.tables["patient"].column("patientId").to_pylist() for p in source.pages("patient", since=None, cursor=None)
    ]
    first, last = ids[0][0], ids[-1][-1]

    def change(op: str, key: str, **fields: str) -> tuple[str, str]:
        clock.sleep(3600)
        sandbox.ask("/clinic/mutate", {"op": op, "entity": "patient", "id": int(key), "fields": fields})
        return "patient", key

    def requests() -> list[tuple[str, str]]:
        return [(row["method"], row["path"]) for row in sandbox.ask("/stats") if row["vendor"] == "clinic"]

    yield SourceCase(
        source,
        clock.now,
        edit=lambda: change("update", first, town="Newry"),
        remove=lambda: change("delete", last),
        requests=requests,
        logins=("/login",),
    )
    source.close()
