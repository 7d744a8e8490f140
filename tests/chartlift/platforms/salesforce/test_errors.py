from __future__ import annotations

import pyarrow as pa
import pytest

from chartlift.platforms.salesforce.errors import Remedy, remedy, row_errors

CELLS = {
    "REQUIRED_FIELD_MISSING:Required fields are missing: [Product__c, Broker__c]:Product__c,Broker__c --": (
        "REQUIRED_FIELD_MISSING",
        "Product__c,Broker__c",
    ),
    "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--": ("INVALID_CROSS_REFERENCE_KEY", ""),
    'FIELD_CUSTOM_VALIDATION_EXCEPTION:He said: "no",\nthen: left:Phone --': (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Phone",
    ),
    "DUPLICATE_VALUE:duplicate value found: NHS_Number__c duplicates value on record with id: 0035g000000AbCd:--": (
        "DUPLICATE_VALUE",
        "NHS_Number__c",
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:Too many retries of batch save in the presence of Apex triggers:--": (
        "TOO_MANY_RETRIES",
        "",
    ),
    "NUMBER_OUTSIDE_VALID_RANGE:Score: value outside of valid range on numeric field: 100.0:normalized_score__c --": (
        "NUMBER_OUTSIDE_VALID_RANGE",
        "normalized_score__c",
    ),
    "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record: Jane Smith --": ("UNABLE_TO_LOCK_ROW", ""),
    "Jane Smith": ("UNRECOGNISED", ""),
    "": ("UNRECOGNISED", ""),
}


def test_row_errors_keep_code_and_fields() -> None:
    code, fields = row_errors(pa.chunked_array([list(CELLS)]))
    assert dict(zip(CELLS, zip(code.to_pylist(), fields.to_pylist(), strict=True), strict=True)) == CELLS


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", Remedy.RETRY),
        ("TooManyLockFailure", Remedy.RETRY),
        ("STORAGE_LIMIT_EXCEEDED", Remedy.QUOTA),
        ("DUPLICATE_VALUE", Remedy.DUPLICATE),
        ("INACTIVE_OWNER_OR_USER", Remedy.PERMISSION),
        ("STRING_TOO_LONG", Remedy.FIX),
        ("NEVER_SEEN", Remedy.FIX),
    ],
)
def test_what_helps(code: str, expected: Remedy) -> None:
    assert remedy(code) is expected
