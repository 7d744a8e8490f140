"""Person Accounts: an account that is a person, with a contact that the platform keeps in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

NAME_PARTS = ("LastName", "FirstName", "Salutation")
SUFFIX = "__pc"
_OWN = frozenset({"PersonContactId"})


def contact_field(name: str) -> str:
    """The contact's own field behind a custom field that a person account shows."""
    return name.removesuffix(SUFFIX) + "__c"


def _pairs(call: Call) -> dict[str, str]:
    """Account field to contact field: `PersonEmail` is `Email`, name parts are the same on both."""
    account, contact = call.org.schema.objects["Account"], call.org.schema.objects["Contact"]
    found = {name: name for name in NAME_PARTS}
    for one in account.fields.values():
        if one.custom and one.name.endswith(SUFFIX) and (theirs := contact_field(one.name)) in contact.fields:
            found[one.name] = theirs
        name = one.name.removeprefix("Person")
        if name != one.name and one.name not in _OWN and one.stored and name in contact.fields:
            found[one.name] = name
    return found


def complete(call: Call, staged: dict[str, pa.Array]) -> None:
    """Tell persons from businesses by their record type; name, contact and refusals follow."""
    _choose_type(call, staged)
    if not call.org.settings.person_accounts:
        return
    kinds = call.org.query('SELECT "Id" AS v FROM "RecordType" WHERE "IsPersonType"')
    nothing = pa.nulls(call.count, pa.string())
    person = pc.is_in(staged.get("RecordTypeId", nothing), value_set=column_of(kinds, "v"))
    business = pc.invert(person)
    last, name = staged.get("LastName", nothing), staged.get("Name", nothing)
    _refuse(call, pc.and_(person, pc.is_valid(name)), "Name")
    for part in (part for part in NAME_PARTS if part in staged):
        _refuse(call, pc.and_(business, pc.is_valid(staged[part])), part)
    for rows, value, field in ((person, last, "LastName"), (business, name, "Name")):
        lacking = pc.and_(rows, pc.is_null(value))
        call.failures.add(lacking, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field}]", field)
    full = pc.coalesce(pc.binary_join_element_wise(staged.get("FirstName", nothing), last, " "), last)
    staged["Name"] = pc.if_else(person, full, name)
    staged["IsPersonAccount"] = person
    contacts = call.org.take_ids("003", call.count) if pc.any(person).as_py() else nothing
    staged["PersonContactId"] = pc.if_else(person, contacts, nothing)


def _choose_type(call: Call, staged: dict[str, pa.Array]) -> None:
    """A record type is an active one of the object; the first is the default."""
    found = call.org.query(
        'SELECT "Id" AS v FROM "RecordType" WHERE "SobjectType" = \'Account\' AND "IsActive" ORDER BY "Id"'
    )
    kinds, given = column_of(found, "v"), staged.get("RecordTypeId", pa.nulls(call.count, pa.string()))
    if given.null_count < len(given):
        strange = pc.and_(pc.is_valid(given), pc.invert(pc.is_in(given, value_set=kinds)))
        label = "Record Type ID: this ID value isn't valid for the user: "
        message = pc.binary_join_element_wise(label, given, "")
        call.failures.add(strange, "INVALID_CROSS_REFERENCE_KEY", message, "RecordTypeId")
    if len(kinds):
        staged["RecordTypeId"] = pc.fill_null(given, kinds[0])


def _refuse(call: Call, rows: pa.Array, name: str) -> None:
    message = (
        f"Unable to create/update fields: {name}. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set"
    )
    call.failures.add(rows, "INVALID_FIELD_FOR_INSERT_UPDATE", message, name)


def make_contacts(call: Call, incoming: pa.Table) -> None:
    """The contacts of new persons."""
    if not call.org.settings.person_accounts:
        return
    given = {ours: theirs for ours, theirs in _pairs(call).items() if ours in incoming.column_names}
    stamps = ("OwnerId", "CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate", "SystemModstamp")
    same = [quote(name) for name in ("Name", *stamps)]
    targets = ", ".join(['"Id"', '"AccountId"', '"IsPersonAccount"', *same, *(quote(name) for name in given.values())])
    sources = ", ".join(['"PersonContactId"', '"Id"', "true", *same, *(quote(name) for name in given)])
    call.org.query_with(
        {"_persons": incoming},
        f'INSERT INTO "Contact" ({targets}) SELECT {sources} FROM _persons WHERE "IsPersonAccount"',
    )


def keep_in_step(call: Call, names: list[str], incoming: pa.Table) -> None:
    """After an update: name of the account, and the same values on the contact."""
    if not call.org.settings.person_accounts:
        return
    changed = {ours: theirs for ours, theirs in _pairs(call).items() if ours in names}
    rows = {"_rows": incoming.select(["_rid"])}
    if set(changed) & set(NAME_PARTS):
        call.org.query_with(
            rows,
            'UPDATE "Account" SET "Name" = concat_ws(\' \', "FirstName", "LastName") '
            'WHERE "IsPersonAccount" AND rowid IN (SELECT _rid FROM _rows)',
        )
        changed["Name"] = "Name"
    if changed:
        sets = ", ".join(f"{quote(theirs)} = a.{quote(ours)}" for ours, theirs in changed.items())
        call.org.query_with(
            rows,
            f'UPDATE "Contact" AS c SET {sets}, "LastModifiedDate" = $now, "SystemModstamp" = $now FROM "Account" a '
            'WHERE a."PersonContactId" = c."Id" AND a.rowid IN (SELECT _rid FROM _rows)',
            {"now": call.org.now()},
        )
