"""FORMAT and convertCurrency, scopes and the number of child sub-queries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import features, soql
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.seed import seed_org


def test_format_writes_values_as_the_british_locale_does(org: Any, ada: Any) -> None:
    at = datetime(2026, 7, 1, 12, 5, tzinfo=UTC).replace(tzinfo=None)
    org.insert("Account", "001", 1, Name="a", AnnualRevenue=-1234567.5)
    org.insert("Contact", "003", 1, Name="c", Birthdate=date(1990, 2, 3), CreatedDate=at, NumberOfVisits=4321)
    org.insert("Contact", "003", 2, Name="d")
    found = soql.run(
        org, ada, "SELECT FORMAT(AnnualRevenue) shown, FORMAT(convertCurrency(AnnualRevenue)) c FROM Account"
    )
    assert found.rows == [("-£1,234,568",) * 2]
    asked = "SELECT FORMAT(Birthdate) b, FORMAT(CreatedDate) t, FORMAT(NumberOfVisits), FORMAT(Name) FROM Contact"
    found = soql.run(org, ada, f"{asked} ORDER BY Name")
    assert found.rows[0] == ("03/02/1990", "01/07/2026, 13:05", "4,321", "c")
    assert found.rows[1][0] is None


def test_format_takes_aggregates(org: Any, ada: Any) -> None:
    org.insert("Contact", "003", 1, Name="c", NumberOfVisits=4000)
    org.insert("Contact", "003", 2, Name="c", NumberOfVisits=500)
    found = soql.run(org, ada, "SELECT Name, FORMAT(MAX(NumberOfVisits)) most FROM Contact GROUP BY Name")
    assert found.rows == [("c", "4,000")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT convertCurrency(Name) FROM Contact",
        "SELECT FORMAT() FROM Contact",
        "SELECT FORMAT(toLabel(Name)) FROM Contact",
        "SELECT Id FROM Contact USING SCOPE nonsense",
        "SELECT Id, " + ", ".join(["(SELECT Id FROM Visits__r)"] * 21) + " FROM Contact",
    ],
)
def test_what_has_no_meaning_is_refused(org: Any, ada: Any, text: str) -> None:
    with pytest.raises(OrgError, match=r"INVALID_FIELD|MALFORMED_QUERY"):
        soql.run(org, ada, text)


@pytest.fixture(scope="module")
def firm() -> Any:
    """A whole org with several currencies: three accounts of equal worth or nearly so, of several owners."""
    org = Org(Clock())
    seed_org(org, [])
    features.enable(org, "multi_currency")
    org.settings.multi_currency = True
    admin = org.actor_for(org.people.admin)
    rows = {"Name": ["g", "u", "e"], "AnnualRevenue": ["100", "132", "116"], "CurrencyIsoCode": ["GBP", "USD", "EUR"]}
    made = org.dml("insert", "Account", pa.table(rows), admin)["id"].to_pylist()
    org.db.execute('UPDATE "User" SET "DefaultCurrencyIsoCode" = \'EUR\' WHERE "Id" = ?', [org.people.admin])
    other = org.people.integration
    org.db.execute('UPDATE "Account" SET "OwnerId" = ? WHERE "Id" = ?', [other, made[1]])
    return org


def _rows(org: Any, text: str) -> list[Any]:
    return soql.run(org, org.actor_for(org.people.admin), text).rows


def test_amounts_are_converted_by_the_rates_of_the_currencies(firm: Any) -> None:
    found = _rows(firm, "SELECT Name, AnnualRevenue, convertCurrency(AnnualRevenue) own FROM Account ORDER BY Name")
    assert [(name, amount) for name, amount, _ in found] == [("e", 116.0), ("g", 100.0), ("u", 132.0)]
    assert [round(own, 6) for _, _, own in found] == [116.0, 117.0, round(132 / 1.31 * 1.17, 6)]
    assert _rows(firm, "SELECT Name FROM Account ORDER BY AnnualRevenue") == [("e",), ("g",), ("u",)]
    (sums,) = _rows(firm, "SELECT SUM(AnnualRevenue), MAX(AnnualRevenue) FROM Account")
    assert [round(amount, 6) for amount in sums] == [round(100 + 132 / 1.31 + 116 / 1.17, 6), round(132 / 1.31, 6)]


@pytest.mark.parametrize(
    ("condition", "names"),
    [("> GBP100", "u"), ("= USD131", "g"), ("< usd131", "e"), ("!= GBP100.0", "eu"), ("IN (GBP100, EUR116)", "eg"), ("> 120", "u")],
)  # fmt: skip
def test_a_literal_with_a_currency_compares_worth(firm: Any, condition: str, names: str) -> None:
    found = _rows(firm, f"SELECT Name FROM Account WHERE AnnualRevenue {condition} ORDER BY Name")
    assert "".join(name for (name,) in found) == names


@pytest.mark.parametrize(
    "text",
    ["SELECT Id FROM Account WHERE AnnualRevenue > JPY5", "SELECT Id FROM Account WHERE convertCurrency(AnnualRevenue) > 5",
     "SELECT Id FROM Account ORDER BY convertCurrency(AnnualRevenue)", "SELECT Id FROM Account WHERE Name = USD5",
     "SELECT Name FROM Account GROUP BY Name HAVING MAX(AnnualRevenue) > USD5"],
)  # fmt: skip
def test_where_currencies_have_no_place_they_are_refused(firm: Any, text: str) -> None:
    with pytest.raises(OrgError, match=r"INVALID_FIELD|MALFORMED_QUERY"):
        _rows(firm, text)


def test_scopes_read_whose_records_they_name(firm: Any) -> None:
    def names(scope: str) -> str:
        return "".join(name for (name,) in _rows(firm, f"SELECT Name FROM Account USING SCOPE {scope} ORDER BY Name"))

    assert (names("everything"), names("mine"), names("user_owned"), names("queue_owned")) == ("egu", "eg", "egu", "")
    assert (names("mine_and_my_groups"), names("delegated"), names("team"), names("My_Territory")) == (
        "eg",
        "u",
        "",
        "",
    )
    admin = firm.actor_for(firm.people.admin)
    account = _rows(firm, "SELECT Id FROM Account WHERE Name = 'u'")[0][0]
    member = pa.table({"AccountId": [account], "UserId": [firm.people.admin], "TeamMemberRole": ["Account Manager"]})
    assert firm.dml("insert", "AccountTeamMember", member, admin)["success"].to_pylist() == [True]
    assert names("team") == "u"
