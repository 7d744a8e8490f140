"""FORMAT and convertCurrency, scopes and the number of child sub-queries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.errors import OrgError


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
