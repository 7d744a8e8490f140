"""Features that an administrator turns on for good: Person Accounts, several currencies, State and Country picklists.

Each adds fields (and objects) to the org. As on the platform they cannot be turned off again; a reset of the sandbox
takes them away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce import places, store
from chartlift_sandbox.salesforce.catalogue import feature_fields, feature_object
from chartlift_sandbox.salesforce.grants import insert_rows
from chartlift_sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

NAMES = ("person_accounts", "multi_currency", "state_country_picklists")
CORPORATE = "GBP"
_WITHOUT_CURRENCY = frozenset(
    {
        "ContentDocument",
        "ContentDocumentLink",
        "EmailMessageRelation",
        "EventRelation",
        "Attachment",
        "Note",
        "ContentNote",
        "Folder",
    }
)
_WIDE = ("Type", "Industry", "Ownership", "Rating", "AccountSource")
_CODE_LENGTH = 10


def enable(org: Org, name: str) -> None:
    """Add what the feature brings."""
    with org.lock:
        {
            "person_accounts": _person_accounts,
            "multi_currency": _multi_currency,
            "state_country_picklists": _places,
        }[name](org)
        org.access.invalidate()


def on_new_field(org: Org, object_name: str, found: Field) -> None:
    """A custom field of Contact is a field of person accounts too: `X__c` there, `X__pc` on Account."""
    if org.settings.person_accounts and object_name == "Contact" and _is_shared(found):
        _add(org, "Account", _of_person(found))


def on_dropped_field(org: Org, object_name: str, found: Field) -> None:
    """It goes with the contact's field."""
    twin = org.schema.field("Account", _of_person(found).name) if object_name == "Contact" else None
    if twin is not None:
        store.drop_column(org.db, "Account", twin)
        org.schema.remove_field("Account", twin.name)


def _is_shared(found: Field) -> bool:
    return found.custom and found.auto_number is None and not found.calculated


def _of_person(found: Field) -> Field:
    relation = found.relationship_name and found.relationship_name.removesuffix("__r") + "__pr"
    return replace(
        found,
        name=found.name.removesuffix("__c") + "__pc",
        relationship_name=relation,
        child_relationship_name=None,
        required=False,
        nillable=found.type != "boolean",
    )


def on_new_object(org: Org, sobject: SObject) -> None:
    """Give a new custom object what the features that are on bring to every object."""
    if org.settings.multi_currency:
        sobject.fields.update(feature_fields("multi_currency")["every"])


def _add(org: Org, object_name: str, found: Field) -> None:
    if org.schema.field(object_name, found.name) is None:
        store.add_column(org.db, object_name, found)
    org.schema.add_field(object_name, found)


def _person_accounts(org: Org) -> None:
    for object_name, fields in feature_fields("person_accounts").items():
        for found in fields.values():
            _add(org, object_name, found)
    for found in filter(_is_shared, list(org.schema.objects["Contact"].fields.values())):
        _add(org, "Account", _of_person(found))
    account = org.schema.objects["Account"].fields
    org.schema.add_field("Account", replace(account["Name"], nillable=True, required=False))
    for name in _WIDE:
        org.schema.add_field("Account", replace(account[name], length=255))
    kinds = (("Business Account", "Business_Account", False), ("Person Account", "PersonAccount", True))
    rows = [
        {"Name": name, "DeveloperName": api, "SobjectType": "Account", "IsActive": True, "IsPersonType": person}
        for name, api, person in kinds
    ]
    insert_rows(org, "RecordType", rows)


def _multi_currency(org: Org) -> None:
    fields = feature_fields("multi_currency")
    for sobject in list(org.schema.objects.values()):
        if not sobject.setup and sobject.name not in _WITHOUT_CURRENCY:
            for found in fields["every"].values():
                _add(org, sobject.name, found)
                org.db.execute(f"UPDATE {store.quote(sobject.name)} SET {store.quote(found.name)} = '{CORPORATE}'")
    for found in fields["User"].values():
        _add(org, "User", found)
    for name in ("CurrencyType", "DatedConversionRate"):
        made = feature_object(name)
        store.create_table(org.db, made)
        org.schema.add_object(made)
    rates = ((CORPORATE, 1.0), ("EUR", 1.17), ("USD", 1.31))
    rows = [
        {"IsoCode": code, "ConversionRate": rate, "DecimalPlaces": 2, "IsActive": True, "IsCorporate": rate == 1.0}
        for code, rate in rates
    ]
    insert_rows(org, "CurrencyType", rows)


def _places(org: Org) -> None:
    for sobject in list(org.schema.objects.values()):
        for prefix in places.prefixes(sobject):
            for part, values in (("State", places.state_values()), ("Country", places.country_values())):
                text = sobject.fields[prefix + part]
                name, label = f"{prefix}{part}Code", f"{text.label} Code"
                code = Field(
                    name, label, "picklist", length=_CODE_LENGTH, restricted=True, picklist=values,
                    compound=text.compound, always_visible=True,
                )  # fmt: skip
                _add(org, sobject.name, code)
