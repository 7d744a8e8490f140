"""What a new platform or pack gets for free. Nothing of the product imports this room; it needs no test runner itself.

A new **source** is held to the port by one class and one fixture in its test module:

    class TestMyClinic(SourceContract):
        '''pytest finds the checks in the base class.'''

    @pytest.fixture(scope="module")
    def source_case() -> Iterator[SourceCase]: ...

The same goes for a new **destination** (`DestinationContract`, fixture `destination_case`) and a new **pack**
(`PackContract`, fixture `pack_case`). Checks are plain asserts; say `pytest.register_assert_rewrite("chartlift.testing")`
in the conftest to read what differed.

**Fakes** implement the ports in memory and are held to the same contracts: `FakeSource`, `FakeOrg`, `FakeClock`.
`workbench` puts them together with real books (journal, audit) into the `Tools` of a stage; `small` is a clinic of four
entities with its own little pack.
"""

from __future__ import annotations

from chartlift.testing.destination_contract import DestinationCase, DestinationContract
from chartlift.testing.fake_org import FakeOrg
from chartlift.testing.fakes import FakeClock, FakeSource, Silence
from chartlift.testing.pack_contract import PackCase, PackContract
from chartlift.testing.small import small_clinic, small_org, small_pack
from chartlift.testing.source_contract import SourceCase, SourceContract
from chartlift.testing.workbench import confirm_plan, extracted, workbench

__all__ = [
    "DestinationCase",
    "DestinationContract",
    "FakeClock",
    "FakeOrg",
    "FakeSource",
    "PackCase",
    "PackContract",
    "Silence",
    "SourceCase",
    "SourceContract",
    "confirm_plan",
    "extracted",
    "small_clinic",
    "small_org",
    "small_pack",
    "workbench",
]
