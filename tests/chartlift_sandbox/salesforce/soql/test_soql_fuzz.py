"""Whatever text comes in, the answer is rows or a refusal in the platform's words, never an internal error."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.errors import OrgError

CODES = {
    "MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE", "INVALID_QUERY_FILTER_OPERATOR", "QUERY_TOO_COMPLICATED",
    "NUMBER_OUTSIDE_VALID_RANGE", "EXCEEDED_ID_LIMIT",
}  # fmt: skip
WORDS = re.split(
    " ",
    "SELECT FROM WHERE AND OR NOT LIKE IN INCLUDES EXCLUDES GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT "
    "OFFSET FOR VIEW UPDATE TRACKING ALL ROWS USING SCOPE mine WITH SECURITY_ENFORCED TYPEOF WHEN THEN ELSE END COUNT "
    "COUNT() Id Name Contact Visit__c Account.Name Owner.Email Contacts Visits__r Birthdate CreatedDate Fee__c At__c "
    "HasOptedOutOfEmail Interests__c MailingAddress Description What Who.Name Task Group Nope__c Foo.Bar.Baz ROLLUP "
    "FIELDS(ALL) FIELDS(CUSTOM) SUM(Fee__c) MAX(Name) MIN(MailingAddress) CALENDAR_YEAR(CreatedDate) toLabel(Name) "
    "DAY_ONLY(convertTimezone(CreatedDate)) HOUR_IN_DAY(Birthdate) GROUPING(Name) CUBE(Name) TODAY LAST_N_DAYS:3 "
    "N_DAYS_AGO:99999999999 NEXT_N_FISCAL_YEARS:2 ( ) , = != <> < <= > >= 'a' '' '\\' '%' '_' '\\u0041' '\\ud800' "
    "null true false 1 -1.5 1e400 .5 9999999999999999999999 2026-01-01 2026-13-45 4001-01-01 2026-01-01T00:00:00Z "
    "2026-01-01T00:00:00+99:99 10:30:00 99:99:99Z USD5 :bind x.y. ; -- /*comment*/ \" ` $p0 ? é \x00 '\x00' "
    "('a','b') ('a',1) (1,null) 0035g0000000000AAA '0035g0000000000AAA' (SELECT Id FROM Contacts)",
)
SOUP = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
VALID = (
    "SELECT Id, Account.Owner.Name FROM Contact WHERE Name LIKE 'a%' AND Birthdate > 1990-01-01 ORDER BY Name LIMIT 5",
    "SELECT Status__c, COUNT(Id) n FROM Visit__c WHERE Fee__c > 1.5 GROUP BY Status__c HAVING SUM(Fee__c) > 2",
    "SELECT Id, (SELECT Id, Fee__c FROM Visits__r WHERE Status__c IN ('a','b') LIMIT 2) FROM Contact OFFSET 1",
    "SELECT TYPEOF What WHEN Account THEN Name ELSE Id END FROM Task WHERE Who.Name != null AND Owner.Type = 'User'",
    "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact WHERE CreatedDate = LAST_N_DAYS:5)",
    "SELECT FIELDS(ALL) FROM Contact WHERE (NOT Interests__c INCLUDES ('a;b')) OR HasOptedOutOfEmail = true LIMIT 200",
)
QUIET = {
    "deadline": None, "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}  # fmt: skip


def _ask(org: Any, ada: Any, text: str) -> None:
    refused = None
    try:
        soql.run(org, ada, text).to_records()
    except OrgError as error:
        refused = error
    assert refused is None or (refused.code in CODES and refused.status == 400), text


@settings(max_examples=300, **QUIET)
@given(
    text=st.one_of(SOUP, SOUP.map("SELECT Id FROM Contact WHERE {}".format), SOUP.map("SELECT {} FROM Visit__c".format))
)
def test_word_soup_is_answered_or_refused(org: Any, ada: Any, text: str) -> None:
    _ask(org, ada, text)


@settings(max_examples=150, **QUIET)
@given(data=st.data(), base=st.sampled_from(VALID))
def test_valid_statements_with_some_words_swapped_are_answered_or_refused(
    org: Any, ada: Any, data: st.DataObject, base: str
) -> None:
    words = base.split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] = data.draw(st.sampled_from(WORDS))
    _ask(org, ada, " ".join(words))


@settings(max_examples=100, **QUIET)
@given(text=st.text(max_size=40), wrap=st.booleans())
def test_any_text_is_answered_or_refused(org: Any, ada: Any, text: str, wrap: bool) -> None:
    _ask(org, ada, f"SELECT Id FROM Contact WHERE Name = '{text}'" if wrap else text)


LEFTS = re.split(
    " ",
    "Id Name Birthdate CreatedDate HasOptedOutOfEmail NumberOfVisits Interests__c MailingAddress Account.AnnualRevenue "
    "Account.Rating Owner.IsActive DAY_ONLY(CreatedDate) CALENDAR_YEAR(Birthdate) AccountId Source_System_ID__c",
)
RIGHTS = re.split(
    " ", "null 'a' '' 1 1.5 true 2026-01-01 2026-01-01T00:00:00Z 10:00:00Z TODAY LAST_N_DAYS:2 '0015g0000000000AAA'"
)


@pytest.mark.parametrize("left", LEFTS)
def test_every_kind_of_field_meets_every_kind_of_literal(org: Any, ada: Any, left: str) -> None:
    org.insert("Contact", "003", 1, Name="a", Birthdate=date(2026, 1, 1), HasOptedOutOfEmail=True)
    for operator in ("=", "!=", "<", ">=", "LIKE"):
        for right in RIGHTS:
            _ask(org, ada, f"SELECT Id FROM Contact WHERE {left} {operator} {right}")
            _ask(org, ada, f"SELECT Id FROM Contact WHERE (NOT {left} {operator} {right})")
    for right in RIGHTS:
        for word in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
            _ask(org, ada, f"SELECT Id FROM Contact WHERE {left} {word} ({right}, {right})")
    for call in ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "toLabel", "GROUPING", "DAY_IN_WEEK"):
        _ask(org, ada, f"SELECT {call}({left}) FROM Contact")
        _ask(org, ada, f"SELECT {left}, {call}({left}) FROM Contact GROUP BY {left} ORDER BY {left}")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Contact WHERE " + "(" * 30_000 + "Id = null" + ")" * 30_000,
        "SELECT Id FROM Contact WHERE " + "(NOT " * 5_000 + "Id = null" + ")" * 5_000,
        "SELECT Id FROM Contact WHERE " + " OR ".join(f"Name = 'n{n}'" for n in range(3_000)),
        "SELECT " + "f(" * 20_000 + "Id" + ")" * 20_000 + " FROM Contact",
        "SELECT Id, " + "(SELECT Id, " * 8_000 + "Id",
        "SELECT " + ".".join(["Account"] * 5_000) + " FROM Contact",
        "SELECT Id FROM Contact LIMIT " + "9" * 50_000,
        "SELECT Id FROM Contact WHERE NumberOfVisits = " + "9" * 400,
    ],
)
def test_enormous_statements_are_answered_or_refused(org: Any, ada: Any, text: str) -> None:
    _ask(org, ada, text)


def test_statements_of_more_than_100_000_characters_are_refused(org: Any, ada: Any) -> None:
    listed = ",".join(f"'{n:018d}'" for n in range(5_000))
    with pytest.raises(OrgError, match="QUERY_TOO_COMPLICATED"):
        soql.run(org, ada, f"SELECT Id FROM Contact WHERE Name IN ({listed})")


@pytest.mark.parametrize(
    "value", ['x\'; DROP TABLE "Contact"; --', "' OR 1=1 --", "$p0", "?", "\\' OR Name != \\'", "%"]
)
def test_values_never_reach_the_sql_text(org: Any, ada: Any, value: str) -> None:
    org.insert("Contact", "003", 1, Name=value)
    org.insert("Contact", "003", 2, Name="other")
    written = value.replace("\\", "\\\\").replace("'", "\\'")
    for condition in (f"Name = '{written}'", f"Name IN ('{written}', 'zzz')"):
        plan = soql.prepare(org, ada, f"SELECT Name FROM Contact WHERE {condition}")
        assert value not in plan.sql() or value in {"?", "%", "$p0"}
        assert soql.run(org, ada, f"SELECT Name FROM Contact WHERE {condition}").rows == [(value,)]
