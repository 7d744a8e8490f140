"""What REST's own reader of JSON refuses before a record is looked at, behind the switch `rest_parses_types`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.failures import Failures
from chartlift_sandbox.salesforce.schema import NUMBER_TYPES
from chartlift_sandbox.salesforce.values import Conversion, clean, convert

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org
    from chartlift_sandbox.salesforce.schema import SObject

_READ = frozenset({"date", "datetime", "time", "boolean", "int", "long", *NUMBER_TYPES})
_WRONG = "INVALID_TYPE_ON_FIELD_IN_RECORD"


def check_types(org: Org, sobject: SObject, record: dict[str, str]) -> None:
    """Raises OrgError JSON_PARSER_ERROR for the first cell that is not of its field's type."""
    if not org.settings.rest_parses_types:
        return
    for name, given in record.items():
        found = sobject.field(name)
        if found is None or found.type not in _READ:
            continue
        failures = Failures(1)
        convert(clean(pa.array([given], pa.string()))[0], Conversion(found, (), org.settings, failures))
        if (failures.error_texts()[0].as_py() or "").startswith(_WRONG):
            message = (
                f"Cannot deserialize instance of {found.type} from VALUE_STRING value {given} or request may be missing "
                "a required field at [line:1, column:1]"
            )
            raise OrgError("JSON_PARSER_ERROR", message)
