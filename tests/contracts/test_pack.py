"""The pack that comes with chartlift keeps the contract of a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from chartlift import packs
from chartlift.platforms.aeronaclinic.profile import load as load_profile
from chartlift.testing import PackCase, PackContract

NAME = "aeronaclinic_to_salesforce"


class TestAeronaClinicToSalesforce(PackContract):
    """The checks are those of every pack."""


@pytest.fixture
def pack_case(tmp_path: Path) -> PackCase:
    return PackCase(
        packs.load(NAME),
        load_profile().shapes(),
        packs.coverage(NAME),
        tmp_path,
        derived={
            "practice.groupName": "groupSlug",
            "patient.practiceName": "siteKey",
            "invoiceLine.invoiceLineId": "lineKey",
        },
        made=("practiceGroup", "practiceNamed"),
        copied={"invoiceLine": frozenset({"invoiceId", "patientId", "isDeleted"})},
    )
