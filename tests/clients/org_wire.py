"""Reads the migrated org with simple-salesforce over TLS and puts it beside what the oracle expects."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

import requests
from oracle_row import Row
from simple_salesforce import Salesforce

KEY = "Source_System_ID__c"
LOOKUPS = {
    "Account": ("Parent",),
    "Contact": ("Account", "Referred_By__r", "Guardian__r", "Household_Head__r"),
    "Appointment__c": ("ContactId__r", "Location__r", "Rescheduled_To__r"),
    "Treatment__c": ("ContactId__r", "AppointmentId__r", "Location__r"),
    "Clinical_Note__c": ("ContactId__r", "AppointmentId__r", "TreatmentId__r", "Amends__r", "Parent_Note__r"),
    "Document__c": ("ContactId__r",),
    "Invoice__c": ("ContactId__r", "Location__r"),
    "Invoice_Line__c": ("InvoiceId__r", "TreatmentId__r"),
    "Payment_Plan__c": ("ContactId__r",),
}


class Org:
    """A signed-in official client; a context manager, as its connection has to be closed."""

    def __init__(self, sandbox: Mapping[str, Any]) -> None:
        session = requests.Session()
        session.trust_env = False
        session.verify = sandbox["ca_file"]
        self.client = Salesforce(
            instance_url=sandbox["org_tls_url"], session_id=sandbox["access_token"], session=session
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.session.close()

    def users(self) -> list[dict[str, Any]]:
        """Every User with its address."""
        return self._all("SELECT Id, Email, IsActive FROM User")

    def has(self, object_name: str) -> bool:
        """Whether the object exists and the integration user sees it."""
        described = self.client.describe() or {"sobjects": []}
        return any(found["name"] == object_name for found in described["sobjects"])

    def count(self, object_name: str) -> int:
        """Rows that carry a key of the migration."""
        return self.client.query(f"SELECT COUNT() FROM {object_name} WHERE {KEY} != null")["totalSize"]

    def types(self, object_name: str) -> dict[str, str]:
        """The describe type of every field the integration user sees."""
        described = getattr(self.client, object_name).describe()
        return {field["name"]: field["type"] for field in described["fields"]}

    def records(self, object_name: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """All records of the migration by key; lookups become the key of the record they point to."""
        types = self.types(object_name)
        parents = LOOKUPS[object_name]
        columns = [name for name in names if name in types] + [f"{parent}.{KEY}" for parent in parents]
        found = self._all(f"SELECT {KEY}, {', '.join(columns)} FROM {object_name} WHERE {KEY} != null")
        return {row[KEY]: self._plain(row, types, parents) for row in found}

    def _all(self, soql: str) -> list[dict[str, Any]]:
        return self.client.query_all(soql)["records"]

    def _plain(self, row: Mapping[str, Any], types: Mapping[str, str], parents: Iterable[str]) -> dict[str, Any]:
        values = {name: _read(value, types[name]) for name, value in row.items() if name in types}
        for parent in parents:
            values[parent.replace("__r", "__c")] = row[parent][KEY] if row[parent] else None
        return values


def _read(value: Any, kind: str) -> Any:
    """A value in the terms of the oracle."""
    if value is None or isinstance(value, bool):
        return value
    if kind in ("double", "currency", "int", "percent"):
        return Decimal(str(value))
    if kind == "datetime":
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    return date.fromisoformat(value) if kind == "date" else value


def differences(object_name: str, key: str, expected: Row, actual: Mapping[str, Any] | None) -> list[str]:
    """Each disagreement about one record in a line: who is absent, or which field holds what."""
    if actual is None or expected.fate != "send":
        agree = (actual is None) == (expected.fate != "send")
        return [] if agree else [f"{key}: expected {expected.fate} {expected.reason}, present {actual is not None}"]
    missing = object()
    return [
        f"{key}: {object_name}.{name} expected {value!r} {expected.withheld.get(name, '')}, holds "
        f"{'no such field' if actual.get(name, missing) is missing else repr(actual[name])}"
        for name, value in expected.fields.items()
        if actual.get(name, missing) != value
    ]
