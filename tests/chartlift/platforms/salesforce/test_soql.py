from __future__ import annotations

from urllib.parse import quote

import pytest

from chartlift.errors import PlanError
from chartlift.model.ports import ByPrefix, ByValues, Everywhere
from chartlift.platforms.salesforce import soql


def test_quotes_and_backslashes_stay_inside_the_string() -> None:
    assert soql.literal("O'Brien \\ x\n") == "'O\\'Brien \\\\ x\\n'"
    assert soql.literal("' OR Name != '") == "'\\' OR Name != \\''"


def test_wildcards_in_a_prefix_are_plain_characters() -> None:
    assert soql.starts_with("c_1%-PAT'") == "'c\\_1\\%-PAT\\'%'"


def test_statements_for_each_condition() -> None:
    assert list(soql.statements("Id", "Contact", Everywhere(), in_uri=True)) == ["SELECT Id FROM Contact"]
    found = list(soql.statements("Id", "Contact", ByPrefix("Key__c", "a-"), in_uri=True))
    assert found == ["SELECT Id FROM Contact WHERE Key__c LIKE 'a-%'"]
    assert list(soql.statements("Id", "Contact", ByValues("Key__c", ()), in_uri=True)) == []
    found = list(soql.statements("Id", "Contact", ByValues("Key__c", ("a", "b", "a")), in_uri=True))
    assert found == ["SELECT Id FROM Contact WHERE Key__c IN ('a','b')"]


@pytest.mark.parametrize("in_uri", [True, False])
def test_long_lists_are_split_and_nothing_is_left_out(in_uri: bool) -> None:
    values = tuple(f"clinic-PAT-{i}é'" for i in range(9_000))
    parts = list(soql.statements("Id, Name", "Contact", ByValues("Key__c", values), in_uri=in_uri))
    assert sum(part.count("clinic-PAT-") for part in parts) == len(values)
    for part in parts:
        assert len(quote(part, safe="")) <= 16_000 if in_uri else len(part) <= 100_000
    assert len(parts) < (40 if in_uri else 4)


@pytest.mark.parametrize("name", ["Na me", "Name;", "", "1a", "A..B", "Name--"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(PlanError):
        soql.name(name)
