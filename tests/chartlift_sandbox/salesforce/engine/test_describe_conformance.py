"""Describe, attribute by attribute, against what real orgs were seen to answer.

`described_fields.tsv` is that table; `?` stands for what no source tells. `DEVIATIONS` lists every attribute in which we
differ and `NOT_SERVED` every field that we lack, each with its reason; an entry that is no longer needed fails too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.org_switches import set_switch
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.seed import seed_org

TABLE = Path(__file__).with_name("described_fields.tsv")
TARGETS = "lookups to records of many kinds point to the kinds that this org has"
CURRENCY = "exists only in an org with several currencies"
PORTAL = "exists only in an org with portals"
UNKNOWN = "no source tells whether it can be null or written"
DEVIATIONS: dict[tuple[str, str, str], str] = {
    ("Event", "WhatId", "referenceTo"): TARGETS,
}
NOT_SERVED: dict[tuple[str, str], str] = {
    ("User", "CurrencyIsoCode"): CURRENCY,
    ("User", "DefaultCurrencyIsoCode"): CURRENCY,
    ("Task", "CurrencyIsoCode"): CURRENCY,
    ("ContentVersion", "CurrencyIsoCode"): CURRENCY,
    ("User", "IsPartner"): PORTAL,
    ("User", "IsPortalEnabled"): PORTAL,
    ("User", "PortalRole"): PORTAL,
    ("EmailMessage", "EmailRoutingAddressId"): UNKNOWN,
    ("EmailMessage", "Source"): UNKNOWN,
    ("ContentVersion", "MalwareScanDate"): UNKNOWN,
    ("ContentVersion", "MalwareScanStatus"): UNKNOWN,
}


def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def described() -> Iterator[dict[str, dict[str, dict[str, Any]]]]:
    """Object to field to its describe, as the administrator sees them."""
    org = Org(Clock(), seed=3)
    seed_org(org, [], 3)
    actor = org.actor_for(org.people.admin)
    names = {row["object"] for row in _rows()}
    found = {name: {f["name"]: f for f in org.describe(actor, name)["fields"]} for name in names - {"PersonAccount"}}
    set_switch(org, (org.settings,), "person_accounts", value=True)
    found["PersonAccount"] = {f["name"]: f for f in org.describe(actor, "Account")["fields"]}
    yield found
    org.db.close()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "y" if value else "-"
    if isinstance(value, list):
        return ",".join(sorted(value)) or "-"
    return "-" if value is None else str(value)


def test_every_served_field_agrees_with_what_was_seen(described: dict[str, dict[str, dict[str, Any]]]) -> None:
    differ, missing, compared = {}, set(), 0
    for row in _rows():
        owner, name = row.pop("object"), row.pop("field")
        ours = described[owner].get(name)
        if ours is None:
            missing.add((owner, name))
            continue
        for attribute, theirs in row.items():
            if theirs == "?":
                continue
            compared += 1
            if _shown(ours[attribute]) != theirs:
                differ[owner, name, attribute] = f"{_shown(ours[attribute])}, seen {theirs}"
    assert differ.keys() == DEVIATIONS.keys(), {k: v for k, v in differ.items() if k not in DEVIATIONS}
    assert missing == NOT_SERVED.keys()
    assert compared > 4_600


def test_objects_say_what_real_ones_said(described: dict[str, dict[str, dict[str, Any]]]) -> None:
    org = Org(Clock(), seed=3)
    seed_org(org, [], 3)
    actor = org.actor_for(org.people.admin)
    seen = {name: org.describe(actor, name) for name in described if name != "PersonAccount"}
    scopes = {name: ",".join(scope["name"] for scope in one["supportedScopes"]) for name, one in seen.items()}
    assert scopes["Case"] == "everything,genericteam,mine,queue_owned,team_by_role,user_owned"
    assert scopes["Event"] == "delegated,everything,mine,scopingRule,team"
    assert scopes["OpportunityContactRole"] == "everything"
    flags = ("feedEnabled", "mruEnabled", "searchable", "mergeable", "undeletable", "deepCloneable", "layoutable")
    shown = {name: "".join("y" if one[flag] else "-" for flag in flags) for name, one in seen.items()}
    assert shown["Account"] == shown["Contact"] == shown["Lead"] == "yyyyy-y"
    assert shown["Event"] == "-yy-y-y"
    assert shown["Opportunity"] == "yyy-yyy"
    assert shown["OpportunityContactRole"] == "------y"
    assert shown["Case"] == "yyy-y-y"
    children = {(c["childSObject"], c["field"]): c for c in seen["Contact"]["childRelationships"]}
    assert children["Case", "ContactId"]["restrictedDelete"]
    assert children["OpportunityContactRole", "ContactId"]["cascadeDelete"]
    assert ("Contact", "MasterRecordId") not in children
    org.db.close()
