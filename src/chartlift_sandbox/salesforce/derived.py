"""Values that the platform works out itself: names of people, states of tasks, times of events."""

from __future__ import annotations

from dataclasses import dataclass

from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.store import quote

_PERSON = ("nullif(concat_ws(' ', \"FirstName\", \"LastName\"), '')", ("FirstName", "LastName"))
_ACCOUNT_SQL = (
    'CASE WHEN "WhatId" LIKE \'001%\' THEN "WhatId" WHEN "WhoId" LIKE \'003%\' THEN '
    '(SELECT c."AccountId" FROM "Contact" c WHERE c."Id" = "WhoId") END'
)
_ACCOUNT = (_ACCOUNT_SQL, ("WhatId", "WhoId"))
_GIVEN = 'coalesce("StartDateTime", "ActivityDateTime", CAST("ActivityDate" AS TIMESTAMP))'
_START = f"CASE WHEN \"IsAllDayEvent\" THEN date_trunc('day', {_GIVEN}) ELSE {_GIVEN} END"
_MINUTE = "INTERVAL 1 MINUTE"
# the end of an all-day event is the midnight at which its last day begins
_LAST = f'{_START} + greatest(coalesce("DurationInMinutes", 1440) - 1440, 0) * {_MINUTE}'
_END = (
    f'CASE WHEN "IsAllDayEvent" THEN date_trunc(\'day\', coalesce("EndDateTime", {_LAST})) '
    f'ELSE coalesce("EndDateTime", {_START} + "DurationInMinutes" * {_MINUTE}) END'
)
_LENGTH = (
    f"coalesce(\"DurationInMinutes\", date_diff('minute', {_START}, {_END}) + "
    'CASE WHEN "IsAllDayEvent" THEN 1440 ELSE 0 END)'
)
_TIMES = ("StartDateTime", "ActivityDateTime", "ActivityDate", "EndDateTime", "DurationInMinutes", "IsAllDayEvent")
_DERIVED: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "Contact": {"Name": _PERSON},
    "Lead": {"Name": _PERSON},
    "User": {"Name": _PERSON},
    "Task": {
        "IsClosed": ("coalesce(\"Status\" = 'Completed', false)", ("Status",)),
        "CompletedDateTime": (
            'CASE WHEN "Status" = \'Completed\' THEN coalesce("CompletedDateTime", "SystemModstamp") END',
            ("Status", "CompletedDateTime", "SystemModstamp"),
        ),
        "IsHighPriority": ("coalesce(\"Priority\" = 'High', false)", ("Priority",)),
        "AccountId": _ACCOUNT,
    },
    "Case": {
        "IsClosed": ("coalesce(\"Status\" = 'Closed', false)", ("Status",)),
        "ContactEmail": ('(SELECT c."Email" FROM "Contact" c WHERE c."Id" = "ContactId")', ("ContactId",)),
        "ContactPhone": ('(SELECT c."Phone" FROM "Contact" c WHERE c."Id" = "ContactId")', ("ContactId",)),
    },
    "Opportunity": {
        "IsClosed": ("coalesce(\"StageName\" LIKE 'Closed%', false)", ("StageName",)),
        "IsWon": ("coalesce(\"StageName\" = 'Closed Won', false)", ("StageName",)),
        "ExpectedRevenue": ('"Amount" * "Probability" / 100', ("Amount", "Probability")),
        "FiscalYear": ('year("CloseDate")', ("CloseDate",)),
        "FiscalQuarter": ('quarter("CloseDate")', ("CloseDate",)),
        "Fiscal": ('year("CloseDate") || \' \' || quarter("CloseDate")', ("CloseDate",)),
    },
    "Event": {
        "StartDateTime": (_START, _TIMES),
        "ActivityDateTime": (_START, _TIMES),
        "ActivityDate": (f"CAST({_START} AS DATE)", _TIMES),
        "EndDateTime": (_END, _TIMES),
        "EndDate": (f"CAST({_END} AS DATE)", _TIMES),
        "DurationInMinutes": (_LENGTH, _TIMES),
        "AccountId": _ACCOUNT,
    },
}


@dataclass(frozen=True, slots=True)
class Derivation:
    """One field, the SQL that gives its value, and the fields of the same record that it reads."""

    name: str
    sql: str
    reads: tuple[str, ...]


def derivations(sobject: SObject) -> list[Derivation]:
    """What the platform computes when a record of the object is saved."""
    rules = _DERIVED.get(sobject.name, {})
    return [Derivation(name, sql, reads) for name, (sql, reads) in rules.items() if name in sobject.fields]


def affected(sobject: SObject, changed: set[str]) -> list[Derivation]:
    """The derivations that read one of the changed fields."""
    return [rule for rule in derivations(sobject) if changed & set(rule.reads)]


def update_sql(sobject: SObject, rules: list[Derivation], rows: str) -> str:
    """Statement that recomputes derived fields of the rows whose rowid the relation `rows` lists as `rid`."""
    sets = ", ".join(f"{quote(rule.name)} = {rule.sql}" for rule in rules)
    return f"UPDATE {quote(sobject.name)} SET {sets} WHERE rowid IN (SELECT rid FROM {rows})"
