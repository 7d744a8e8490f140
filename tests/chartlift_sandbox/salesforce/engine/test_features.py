"""Org features: Person Accounts, several currencies, State and Country picklists, archived activities."""

from __future__ import annotations

import pytest
from engine_bench import Bench

from chartlift_sandbox.org_switches import SwitchError, set_switch
from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.schema import Field, SObject, system_fields

DAY = 86_400


def _turn_on(bench: Bench, name: str) -> None:
    set_switch(bench.org, (bench.org.settings,), name, value=True)


def _person_type(bench: Bench) -> str:
    return bench.org.rows('SELECT "Id" FROM "RecordType" WHERE "IsPersonType"')[0]["Id"]


def test_a_person_account_has_a_contact_that_follows(fresh: Bench) -> None:
    _turn_on(fresh, "person_accounts")
    kind = _person_type(fresh)
    made = fresh.insert("Account", RecordTypeId=kind, FirstName="Ada", LastName="King", PersonEmail="Ada@x.example")
    account = fresh.one("Account", made)
    assert (account["Name"], account["IsPersonAccount"]) == ("Ada King", True)
    contact = fresh.one("Contact", account["PersonContactId"])
    assert (contact["Name"], contact["Email"], contact["AccountId"]) == ("Ada King", "ada@x.example", made)
    fresh.dml("update", "Account", [{"Id": made, "LastName": "Byron", "PersonTitle": "Countess"}])
    contact = fresh.one("Contact", account["PersonContactId"])
    assert (contact["Name"], contact["Title"]) == ("Ada Byron", "Countess")
    assert fresh.one("Account", made)["Name"] == "Ada Byron"
    fresh.dml("delete", "Account", [{"Id": made}])
    assert fresh.one("Contact", account["PersonContactId"])["IsDeleted"]


def test_record_type_decides_between_person_and_business(fresh: Bench) -> None:
    _turn_on(fresh, "person_accounts")
    kind = _person_type(fresh)
    wrong = fresh.error("insert", "Account", RecordTypeId=kind, LastName="King", Name="King")
    assert (wrong[0], wrong[2]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", "Name")
    assert fresh.error("insert", "Account", RecordTypeId=kind)[2] == "LastName"
    assert fresh.error("insert", "Account", Name="Firm", LastName="King")[2] == "LastName"
    assert fresh.error("insert", "Account", Phone="1")[0] == "REQUIRED_FIELD_MISSING"
    firm = fresh.one("Account", fresh.insert("Account", Name="Firm"))
    assert (firm["IsPersonAccount"], firm["PersonContactId"]) == (False, None)
    with pytest.raises(SwitchError):
        set_switch(fresh.org, (fresh.org.settings,), "person_accounts", value=False)
    infos = fresh.org.describe(fresh.actor, "Account")["recordTypeInfos"]
    assert [one["developerName"] for one in infos] == ["Business_Account", "PersonAccount", "Master"]


def test_custom_fields_of_contacts_are_fields_of_persons(fresh: Bench) -> None:
    fresh.insert("Account", Name="Before")
    _turn_on(fresh, "person_accounts")
    described = {one["name"]: one for one in fresh.org.describe(fresh.actor, "Account")["fields"]}
    assert (described["Source_System_ID__pc"]["externalId"], described["Source_System_ID__pc"]["length"]) == (True, 64)
    person = {"RecordTypeId": _person_type(fresh), "LastName": "King", "Source_System_ID__pc": "p1"}
    made = fresh.insert("Account", **person)
    contact = fresh.one("Account", made)["PersonContactId"]
    assert fresh.one("Contact", contact)["Source_System_ID__c"] == "p1"
    rows = [{"Source_System_ID__pc": "p1", "LastName": "Byron"}]
    assert fresh.dml("upsert", "Account", rows, external_id="Source_System_ID__pc")[0]["id"] == made
    fresh.org.create_field("Contact", Field("Tooth__c", "Tooth", "double", precision=3, custom=True))
    admin = fresh.org.actor_for(fresh.org.people.admin)
    hidden = {one["name"] for one in fresh.org.describe(admin, "Account")["fields"]}
    assert "Tooth__pc" not in hidden
    assert "Tooth__pc" in fresh.org.schema.objects["Account"].fields
    fresh.org.drop_field("Contact", "Tooth__c")
    assert "Tooth__pc" not in fresh.org.schema.objects["Account"].fields


def test_a_record_type_is_one_of_the_object_and_the_first_is_the_default(fresh: Bench) -> None:
    _turn_on(fresh, "person_accounts")
    other = fresh.insert("RecordType", Name="Urgent", DeveloperName="Urgent", SobjectType="Contact")
    refused = fresh.error("insert", "Account", Name="Firm", RecordTypeId=other)
    assert (refused[0], refused[2]) == ("INVALID_CROSS_REFERENCE_KEY", "RecordTypeId")
    kind = fresh.one("Account", fresh.insert("Account", Name="Firm"))["RecordTypeId"]
    assert fresh.one("RecordType", kind)["DeveloperName"] == "Business_Account"


def test_every_object_has_a_currency_in_an_org_with_several(fresh: Bench) -> None:
    before = fresh.insert("Account", Name="Old")
    _turn_on(fresh, "multi_currency")
    assert fresh.one("Account", before)["CurrencyIsoCode"] == "GBP"
    assert fresh.one("Visit__c", fresh.insert("Visit__c", CurrencyIsoCode="EUR"))["CurrencyIsoCode"] == "EUR"
    assert fresh.one("Contact", fresh.insert("Contact", LastName="X"))["CurrencyIsoCode"] == "GBP"
    refused = fresh.error("insert", "Contact", LastName="Y", CurrencyIsoCode="ZZZ")
    assert refused[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    new = SObject("New__c", "New", "News", "a09", custom=True, fields={f.name: f for f in system_fields("")})
    fresh.org.create_object(new)
    assert "CurrencyIsoCode" in fresh.org.schema.objects["New__c"].fields
    corporate = fresh.org.rows('SELECT "IsoCode" FROM "CurrencyType" WHERE "IsCorporate"')
    assert corporate == [{"IsoCode": "GBP"}]


def test_addresses_take_listed_places_only(fresh: Bench) -> None:
    free = fresh.insert("Contact", LastName="Free", MailingCountry="Narnia")
    _turn_on(fresh, "state_country_picklists")
    made = fresh.insert("Contact", LastName="A", MailingCountry="united kingdom")
    row = fresh.one("Contact", made)
    assert (row["MailingCountry"], row["MailingCountryCode"]) == ("United Kingdom", "GB")
    row = fresh.one("Contact", fresh.insert("Contact", LastName="B", MailingCountryCode="IE", MailingStateCode="D"))
    assert (row["MailingCountry"], row["MailingState"]) == ("Ireland", "Dublin")
    refused = fresh.error("insert", "Contact", LastName="C", MailingCountry="Narnia")
    assert (refused[0], refused[2]) == ("FIELD_INTEGRITY_EXCEPTION", "MailingCountry")
    county = fresh.error("update", "Contact", Id=made, MailingState="Kent")
    assert (county[0], county[2]) == ("FIELD_INTEGRITY_EXCEPTION", "MailingState")
    assert fresh.one("Contact", free)["MailingCountry"] == "Narnia"


def test_old_activities_are_archived_overnight(fresh: Bench) -> None:
    closed = fresh.insert("Task", Subject="Old", Status="Completed", ActivityDate="2020-01-01")
    opened = fresh.insert("Task", Subject="Open", ActivityDate="2020-01-01")
    event = {"StartDateTime": "2020-01-01T10:00:00Z", "DurationInMinutes": "30"}
    past = fresh.insert("Event", Subject="Past", **event)

    def seen(name: str, *, everything: bool = False) -> list[str]:
        result = soql.run(fresh.org, fresh.actor, f"SELECT Id FROM {name} ORDER BY Id", everything)
        return [row[0] for row in result.rows]

    assert (seen("Task"), seen("Event")) == ([closed, opened], [past])
    before = fresh.org.state_hash()
    fresh.org.clock.advance(DAY)
    assert (seen("Task"), seen("Event")) == ([opened], [])
    assert (seen("Task", everything=True), seen("Event", everything=True)) == ([closed, opened], [past])
    assert fresh.org.state_hash() == before


def test_values_that_the_platform_works_out(fresh: Bench) -> None:
    contact = fresh.insert("Contact", LastName="X", Email="x@x.example")
    first, second = (fresh.one("Case", fresh.insert("Case", Subject="S", ContactId=contact)) for _ in range(2))
    assert (first["CaseNumber"], second["CaseNumber"]) == ("00000001", "00000002")
    assert (first["Status"], first["IsClosed"], first["ContactEmail"]) == ("New", False, "x@x.example")
    fresh.dml("update", "Case", [{"Id": first["Id"], "Status": "Closed"}])
    assert fresh.one("Case", first["Id"])["IsClosed"]
    given = {"Name": "Deal", "CloseDate": "2026-05-01", "StageName": "Closed Won", "Amount": "10", "Probability": "50"}
    deal = fresh.one("Opportunity", fresh.insert("Opportunity", **given))
    assert (deal["IsClosed"], deal["IsWon"], deal["ExpectedRevenue"], deal["FiscalQuarter"]) == (True, True, 5.0, 2)
    assert fresh.error("delete", "Contact", Id=contact)[0] == "DELETE_FAILED"
