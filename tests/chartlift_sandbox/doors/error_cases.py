"""Every error code of a record, with the way to provoke it; and the codes of whole requests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from door_harness import Sandbox
from error_channels import Attempt

from chartlift_sandbox.salesforce.rulebook import Automation, DuplicateRule, MatchField, ValidationRule

Make = Callable[[Sandbox], Attempt]
NO_SOAP = "the SOAP door serves delete, undelete and merge only"


@dataclass
class Case:
    """A code, how it comes about, what is sent (made anew for each API), and why some APIs never give it."""

    code: str
    how: str
    make: Make
    cannot: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    rules: Callable[[Sandbox], None] | None = None

    @contextmanager
    def arranged(self, box: Sandbox) -> Generator[Attempt]:
        """The org as the case needs it."""
        org = box.estate.org
        before = {name: box.control.get("/org/settings").json()[name] for name in self.settings}
        try:
            attempt = self.make(box)
            if self.settings:
                box.control.post("/org/settings", json=self.settings)
            if self.rules is not None:
                self.rules(box)
            yield attempt
        finally:
            org.rules.clear()
            box.control.delete("/faults")
            if before:
                box.control.post("/org/settings", json=before)


def insert(**values: str) -> Make:
    return lambda _: Attempt("insert", "Visit__c", values)


def made(box: Sandbox, name: str, **values: str) -> str:
    """The id of a new record."""
    org = box.estate.org
    table = pa.table({key: pa.array([value], pa.string()) for key, value in values.items()})
    row = org.dml("insert", name, table, org.actor_for(org.people.integration)).to_pylist()[0]
    assert row["success"], row
    return row["id"]


def _remove(box: Sandbox, name: str, record_id: str) -> str:
    org = box.estate.org
    org.dml("delete", name, pa.table({"Id": [record_id]}), org.actor_for(org.people.integration))
    return record_id


def _duplicate_value(box: Sandbox) -> Attempt:
    number = box.estate.org.counters.get("a00", 0)
    made(box, "Visit__c", Key__c=f"twin{number}")
    return Attempt("insert", "Visit__c", {"Key__c": f"twin{number}"})


def _several(box: Sandbox) -> Attempt:
    for _ in range(2):
        made(box, "Visit__c", Loose__c="several")
    return Attempt("upsert", "Visit__c", {"Loose__c": "several", "Tooth__c": "1"}, key="Loose__c")


def _with_case(box: Sandbox) -> Attempt:
    contact = made(box, "Contact", LastName="With a case")
    made(box, "Case", ContactId=contact, Subject="s")
    return Attempt("delete", "Contact", id=contact)


def _as_front_desk(op: str, **values: str) -> Make:
    """Another user's private record."""

    def make(box: Sandbox) -> Attempt:
        token = box.estate.doors.sessions.begin(box.estate.org.people.front_desk)
        return Attempt(op, "Visit__c", values, id=made(box, "Visit__c", Short__c="theirs"), token=token)

    return make


def _inactive(box: Sandbox) -> Attempt:
    org = box.estate.org
    org.db.execute('UPDATE "User" SET "IsActive" = false WHERE "Id" = ?', [org.people.manager])
    return Attempt("insert", "Visit__c", {"OwnerId": org.people.manager})


def _unreading(box: Sandbox) -> Attempt:
    org = box.estate.org
    people = (row["Id"] for row in org.rows('SELECT "Id" FROM "User" WHERE "IsActive" ORDER BY "Id"'))
    blind = next(one for one in people if not org.readable(org.actor_for(one), "Visit__c"))
    return Attempt("insert", "Visit__c", {"OwnerId": blind})


def _rule(box: Sandbox) -> None:
    rule = ValidationRule("Visit__c", "", "Tooth: 1 to 85, please", "Tooth__c", "Tooth", "Tooth__c > 85")
    box.estate.org.rules.validation.append(rule)


def _twins(box: Sandbox) -> None:
    made(box, "Visit__c", Phone__c="0123")
    rule = DuplicateRule("Visit__c", "By_Phone", "By phone", (MatchField("Phone__c"),))
    box.estate.org.rules.duplicates.append(rule)


def _automation(action: str) -> Callable[[Sandbox], None]:
    def put(box: Sandbox) -> None:
        words = (("message", "Too many SOQL queries: 101"),)
        box.estate.org.rules.automations.append(Automation("Visit__c", "Audit", "after_save", action, words))

    return put


def _fault(code: str, message: str) -> Callable[[Sandbox], None]:
    def put(box: Sandbox) -> None:
        fault = {"kind": "rows", "share": 1.0, "when": "persistent", "code": code, "message": message}
        assert box.control.post("/faults", json=[fault]).status_code == 200

    return put


def _lock(box: Sandbox) -> None:
    rows = box.estate.org.rows('SELECT max("Id") AS id FROM "Visit__c" WHERE NOT "IsDeleted"')
    box.estate.org.rules.locked.append(rows[0]["id"])


def _private(box: Sandbox) -> None:
    box.estate.org.schema.objects["Visit__c"].sharing_model = "Private"


def _readable(box: Sandbox) -> None:
    box.estate.org.schema.objects["Visit__c"].sharing_model = "Read"


def _update(**values: str) -> Make:
    return lambda box: Attempt("update", "Visit__c", values, id=made(box, "Visit__c", Short__c="x"))


INSERTED = {"SOAP": NO_SOAP}
IN_URL = "the record's id is part of the URL"
CASES = (
    Case("REQUIRED_FIELD_MISSING", "A contact without a last name.",
         lambda _: Attempt("insert", "Contact", {"FirstName": "A"}), INSERTED),
    Case("FIELD_CUSTOM_VALIDATION_EXCEPTION", "An active validation rule is true.", insert(Tooth__c="99"), INSERTED,
         rules=_rule),
    Case("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "A value that a restricted picklist does not have.",
         insert(Status__c="Lost"), INSERTED),
    Case("STRING_TOO_LONG", "A last name of 81 characters.",
         lambda _: Attempt("insert", "Contact", {"LastName": "x" * 81}), INSERTED),
    Case("DUPLICATE_VALUE", "A unique value that another record has.", _duplicate_value, INSERTED),
    Case("DUPLICATES_DETECTED", "An active duplicate rule that alerts; the header `allowSave=true` is not sent.",
         insert(Phone__c="0123"), INSERTED, rules=_twins),
    Case("DUPLICATE_EXTERNAL_ID", "An upsert by an external id that two records have.", _several,
         INSERTED | {"REST, one record": "300 and the URLs of the records take its place",
                     "REST, composite": "300 and the URLs of the records take its place"}),
    Case("INVALID_FIELD", "A parent named by an external id that no record has.",
         insert(**{"Contact__r.Key__c": "nobody"}), INSERTED),
    Case("INVALID_CROSS_REFERENCE_KEY", "A lookup to a record that does not exist.",
         insert(Contact__c="0035g000000zzzzAAA"), INSERTED),
    Case("MALFORMED_ID", "A lookup to something that is no id.", insert(Contact__c="nonsense"), INSERTED),
    Case("INVALID_TYPE_ON_FIELD_IN_RECORD", "Letters in a number.", insert(Tooth__c="abc"), INSERTED),
    Case("NUMBER_OUTSIDE_VALID_RANGE", "More digits than the field has.", insert(Tooth__c="1000"), INSERTED),
    Case("INVALID_EMAIL_ADDRESS", "No domain.", insert(Mail__c="abc@"), INSERTED),
    Case("FIELD_INTEGRITY_EXCEPTION", "A day after the year 4000.", insert(Day__c="4100-01-01"), INSERTED),
    Case("INVALID_FIELD_FOR_INSERT_UPDATE", "A value for an auto-number.", insert(Name="V-1"), INSERTED),
    Case("INACTIVE_OWNER_OR_USER", "An owner who is inactive, and the caller lacks the permission.", _inactive,
         INSERTED),
    Case("TRANSFER_REQUIRES_READ", "An owner who may not read the object; switch `owner_needs_read` on.", _unreading,
         INSERTED, {"owner_needs_read": True}),
    Case("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "An Apex trigger throws.", insert(Tooth__c="1"), INSERTED,
         rules=_automation("fail_apex")),
    Case("CANNOT_EXECUTE_FLOW_TRIGGER", "An after-save flow fails.", insert(Tooth__c="1"), INSERTED,
         rules=_automation("fail_flow")),
    Case("STORAGE_LIMIT_EXCEEDED", "No data storage left.", insert(Tooth__c="1"), INSERTED,
         {"limits": {"DataStorageMB": 0}}),
    Case("MISSING_ARGUMENT", "An update without an id.",
         lambda _: Attempt("update", "Visit__c", {"Tooth__c": "1"}),
         INSERTED | {"REST, one record": IN_URL, "REST, composite": IN_URL}),
    Case("ENTITY_IS_DELETED", "A delete of a record that is in the recycle bin.",
         lambda box: Attempt("delete", "Visit__c", id=_remove(box, "Visit__c", made(box, "Visit__c", Short__c="x")))),
    Case("DELETE_FAILED", "A contact that a case needs.", _with_case),
    Case("UNABLE_TO_LOCK_ROW", "Another transaction holds the row (a planned fault, F32).",
         lambda box: Attempt("delete", "Visit__c", id=made(box, "Visit__c", Short__c="x")),
         rules=_fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: {id}")),
    Case("ENTITY_IS_LOCKED", "A record under approval.",
         lambda box: Attempt("delete", "Visit__c", id=made(box, "Visit__c", Short__c="x")), rules=_lock),
    Case("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "Somebody else's record of a Private object.",
         _as_front_desk("delete"), rules=_private),
    Case("INSUFFICIENT_ACCESS_OR_READONLY", "Somebody else's record of an object that is public read only.",
         _as_front_desk("delete"), rules=_readable),
    Case("ALL_OR_NONE_OPERATION_ROLLED_BACK", "A good record beside a bad one, all or none.",
         lambda _: Attempt("insert", "Visit__c", {"Tooth__c": "abc"}, all_or_none=True),
         INSERTED | {
             "REST, one record": "one record is a transaction of its own",
             "REST, composite": "the other sub-requests answer PROCESSING_HALTED instead",
             "Bulk API 1.0": "the API has no all-or-none", "Bulk API 2.0": "the API has no all-or-none"}),
    Case("UNDELETE_FAILED", "An undelete of a record that is not in the recycle bin.",
         lambda box: Attempt("undelete", "Visit__c", id=made(box, "Visit__c", Short__c="x")),
         dict.fromkeys(("REST, one record", "REST, collections", "REST, composite", "Bulk API 1.0", "Bulk API 2.0"),
                       "only SOAP and Apex undelete")),
)  # fmt: skip
NEVER = {
    "CIRCULAR_DEPENDENCY, SELF_REFERENCE_FROM_TRIGGER": "no Apex runs here, and hierarchies are not walked",
    "TXN_SECURITY_NO_ACCESS, TXN_SECURITY_METERING, TXN_SECURITY_RUNTIME_EXCEPTION": (
        "there are no transaction security policies; a `rows` fault can plan them"
    ),
    "SERVER_UNAVAILABLE, UNKNOWN_EXCEPTION, QUERY_TIMEOUT": "only planned: see the faults F10 and F12",
    "LIMIT_EXCEEDED (of Apex)": "no Apex runs here; an automation of the control door can say its words",
}
