"""Rows for the small org and what its names mean, told a second time: nothing here comes from the compiler."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from chartlift_sandbox.salesforce import ids

Row = dict[str, Any]
TODAY = date(2026, 11, 25)
PREFIXES = {"Account": "001", "Contact": "003", "Visit__c": "a00", "Payment__c": "a01", "Task": "00T"}
PEOPLE = {"User": "005", "Group": "00G"}
RATINGS = ("Hot", "Warm", "Cold")

KINDS: dict[str, dict[str, str]] = {
    "Account": {
        "Id": "id", "Name": "text", "Rating": "picklist", "AnnualRevenue": "number", "ParentId": "id", "OwnerId": "id",
        "CreatedDate": "moment", "IsDeleted": "box",
    },
    "Contact": {
        "Id": "id", "Name": "text", "Email": "text", "Birthdate": "day", "HasOptedOutOfEmail": "box",
        "NumberOfVisits": "number", "Interests__c": "set", "Source_System_ID__c": "exact", "AccountId": "id",
        "OwnerId": "id", "CreatedDate": "moment", "IsDeleted": "box",
    },
    "Visit__c": {
        "Id": "id", "Name": "text", "Start__c": "moment", "Day__c": "day", "Status__c": "picklist", "At__c": "clock",
        "Fee__c": "number", "Share__c": "number", "Contact__c": "id", "OwnerId": "id", "IsDeleted": "box",
    },
    "Payment__c": {"Id": "id", "Name": "text", "Amount__c": "number", "Visit__c": "id", "CreatedDate": "moment"},
    "Task": {"Id": "id", "Subject": "text", "ActivityDate": "day", "WhoId": "id", "WhatId": "id", "OwnerId": "id"},
    "User": {"Id": "id", "Name": "text", "Email": "text", "IsActive": "box"},
    "Group": {"Id": "id", "Name": "text", "Email": "text"},
}  # fmt: skip
ANYONE = {"Id": "id", "Name": "text", "Type": "text"}
PARENTS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("Account", "Parent"): ("ParentId", ("Account",)),
    ("Account", "Owner"): ("OwnerId", ("User",)),
    ("Contact", "Account"): ("AccountId", ("Account",)),
    ("Contact", "Owner"): ("OwnerId", ("Group", "User")),
    ("Visit__c", "Contact__r"): ("Contact__c", ("Contact",)),
    ("Visit__c", "Owner"): ("OwnerId", ("Group", "User")),
    ("Payment__c", "Visit__r"): ("Visit__c", ("Visit__c",)),
    ("Task", "Who"): ("WhoId", ("Contact", "Lead")),
    ("Task", "What"): ("WhatId", ("Account", "Visit__c")),
    ("Task", "Owner"): ("OwnerId", ("Group", "User")),
}
CHILDREN = {
    "Account": {"Contacts": ("Contact", "AccountId"), "ChildAccounts": ("Account", "ParentId")},
    "Contact": {"Visits__r": ("Visit__c", "Contact__c")},
    "Visit__c": {"Payments__r": ("Payment__c", "Visit__c")},
    "Payment__c": {},
    "Task": {},
}
PATHS: dict[str, dict[str, str]] = {
    entity: KINDS[entity] | more
    for entity, more in {
        "Account": {"Parent.Name": "text", "Parent.Parent.Rating": "picklist", "Owner.Name": "text",
                    "Owner.IsActive": "box", "Parent.AnnualRevenue": "number"},
        "Contact": {"Account.Name": "text", "Account.Rating": "picklist", "Account.AnnualRevenue": "number",
                    "Account.Parent.Name": "text", "Account.Owner.IsActive": "box", "Account.CreatedDate": "moment",
                    "Owner.Name": "text", "Owner.Type": "text", "Account.ParentId": "id"},
        "Visit__c": {"Contact__r.Name": "text", "Contact__r.Birthdate": "day", "Contact__r.Account.Name": "text",
                     "Contact__r.Account.Parent.Owner.Name": "text", "Contact__r.HasOptedOutOfEmail": "box",
                     "Owner.Type": "text", "Contact__r.CreatedDate": "moment"},
        "Payment__c": {"Visit__r.Contact__r.Account.Parent.Name": "text", "Visit__r.Fee__c": "number",
                       "Visit__r.Start__c": "moment", "Visit__r.Status__c": "picklist"},
        "Task": {"Who.Name": "text", "What.Name": "text", "What.Type": "text", "Owner.Name": "text"},
    }.items()
}  # fmt: skip

TEXTS = (
    None,
    "",
    "a",
    "A",
    "ab",
    "aB",
    "AB",
    "b",
    "é",
    "É",
    "éa",
    "ß",
    "%",
    "_",
    "a%",
    "a_b",
    "b'",
    "\\",
    "a\\b",
    "b a",
    "z",
)
NUMBERS = (None, 0, 1, -1, 2, 3, -3, 0.25, 2.5, -2.25, 1e6, 99999999.5)
DAYS = (
    None, date(1700, 1, 1), date(1999, 12, 31), date(2024, 2, 29), date(2025, 11, 25), date(2025, 12, 31), date(2026, 1, 1),
    date(2026, 3, 31), date(2026, 9, 30), date(2026, 10, 1), date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24),
    TODAY, date(2026, 11, 26), date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 1), date(2028, 6, 15), date(4000, 12, 31),
)  # fmt: skip
_INSTANTS = (
    "2025-12-31T23:59:59", "2026-01-01T00:00:00", "2026-03-29T00:59:59", "2026-03-29T01:00:00", "2026-06-30T22:59:59",
    "2026-06-30T23:00:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-11-24T23:59:59", "2026-11-25T00:00:00",
    "2026-11-25T12:00:00", "2026-11-25T23:59:59", "2026-11-26T00:00:00", "2026-12-31T23:59:59", "2027-01-01T00:00:00",
)  # fmt: skip
MOMENTS = tuple(datetime.fromisoformat(text) for text in _INSTANTS)
CLOCKS = (None, time(0), time(9, 5), time(10, 30), time(23, 59, 59))
SETS = (None, "Aa", "Bb", "Aa;Bb", "Aa;Cc", "Aa;Bb;Cc")
_COUNTS = {"Account": 5, "Contact": 14, "Visit__c": 16, "Payment__c": 12, "Task": 10}


@dataclass
class World:
    """Every row of the small org, by object, in the order of their ids."""

    rows: dict[str, list[Row]]
    every: bool = False
    """Whether deleted rows count in the statement at hand."""

    def __post_init__(self) -> None:
        self._found = {row["Id"]: (entity, row) for entity, rows in self.rows.items() for row in rows}

    def find(self, key: str | None) -> tuple[str, Row] | None:
        """The object and the row of an id."""
        return self._found.get(key or "")

    def value(self, entity: str, row: Row | None, path: str) -> Any:
        """What a path of names means for a row; None when a parent is missing."""
        *relations, name = path.split(".")
        for relation in relations:
            key, targets = PARENTS[entity, relation]
            found = self.find(row[key]) if row else None
            if found is None or found[0] not in targets:
                return None
            entity, row = found
        assert row is not None
        if name == "Type" and relations:
            return entity
        if name == "Name" and entity == "Task":
            return row["Subject"]
        return row[name]


def _value(rnd: random.Random, kind: str) -> Any:
    pool: tuple[Any, ...] = {
        "text": TEXTS, "exact": TEXTS, "picklist": (None, *RATINGS, "Odd", "hot"), "number": NUMBERS, "day": DAYS,
        "moment": (None, *MOMENTS), "clock": CLOCKS, "set": SETS, "box": (True, False),
    }[kind]  # fmt: skip
    # an empty text is stored as null
    chosen = rnd.choice(pool)
    return None if chosen == "" else chosen


def make_world(seed: int) -> World:
    """The world of a seed: few values for many rows, so that keys are equal, nulls common and edges met."""
    rnd = random.Random(seed)
    keys = {name: [ids.make(PREFIXES[name], n) for n in range(count)] for name, count in _COUNTS.items()}
    people = {"User": [ids.make("005", 1), ids.make("005", 2)], "Group": [ids.make("00G", 1)]}
    rows: dict[str, list[Row]] = {
        "User": [
            {"Id": people["User"][0], "Name": "Ada Admin", "Email": "ada@clinic.example", "IsActive": True},
            {"Id": people["User"][1], "Name": "Ben Dentist", "Email": "ben@clinic.example", "IsActive": False},
        ],
        "Group": [{"Id": people["Group"][0], "Name": "Reception", "Email": None}],
    }
    for entity, made in keys.items():
        rows[entity] = []
        for key in made:
            row: Row = {name: _value(rnd, kind) for name, kind in KINDS[entity].items() if kind != "id"}
            row |= {"Id": key, "IsDeleted": rnd.random() < 0.15}
            for (owner, _), (field, targets) in PARENTS.items():
                if owner == entity:
                    choices = [None, *(one for t in targets for one in (keys | people).get(t, []) if one != key)]
                    row[field] = rnd.choice(choices)
            if entity == "Contact" and row["NumberOfVisits"] is not None:
                row["NumberOfVisits"] = int(row["NumberOfVisits"])
            rows[entity].append(row)
    return World(rows)


def load(org: Any, world: World) -> None:
    """Put a world into the tables of the small org in place of what was there."""
    for entity in PREFIXES:
        fields = org.schema.objects[entity].fields
        org.db.execute(f'DELETE FROM "{entity}"')
        rows = world.rows[entity]
        columns = [name for name in (*KINDS[entity], "IsDeleted") if name in fields]
        casts = ", ".join(f'CAST("{name}" AS {fields[name].sql_type}) AS "{name}"' for name in dict.fromkeys(columns))
        table = pa.table({name: pa.array([row.get(name) for row in rows]) for name in dict.fromkeys(columns)})
        org.db.register("given", table)
        org.db.execute(f'INSERT INTO "{entity}" BY NAME SELECT {casts} FROM given')
        org.db.unregister("given")
