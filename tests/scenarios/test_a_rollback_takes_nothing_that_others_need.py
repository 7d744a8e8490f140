"""What people hung under our records stays with all above it; what cannot be undone yet is undone by the next try."""

from __future__ import annotations

from journey_driver import KEY, World, changed

LOAD = ("load", "--go", "--without-sample")


def test_a_person_s_visit_and_edit_keep_the_records_above_them(loaded: World) -> None:
    loaded.admin_may_see_everything()
    contacts = loaded.soql(f"SELECT Id, {KEY}, AccountId, Guardian__c FROM Contact WHERE {KEY} LIKE 'mill-%'")
    ward = next(row for row in contacts if row["Guardian__c"])
    host = next(row for row in contacts if not row["Guardian__c"] and row["AccountId"] != ward["AccountId"])
    loaded.edit("update", "Contact", ward["Id"], MailingCity="Ballyedit")
    when = {"Appointment_Date_Time__c": "2027-01-04T09:00:00Z", "Status__c": "Confirmed"}
    visit = loaded.edit("insert", "Appointment__c", ContactId__c=host["Id"], **when)

    explained = loaded.ok("rollback")
    done = loaded.ok("rollback", "--go")

    assert explained.document["kept"] == done.document["kept"]
    kept = {row["id"]: row["reason"] for row in done.document["kept"]}
    assert {ward["Id"], ward["Guardian__c"], host["Id"], ward["AccountId"], host["AccountId"]} <= set(kept)
    assert "Appointment__c" in kept[host["Id"]]
    assert "MailingCity" in kept[ward["Id"]]
    visits, people, sites = (loaded.dump(name) for name in ("Appointment__c", "Contact", "Account"))
    assert {i: row["ContactId__c"] for i, row in visits.items()} == {visit: host["Id"]}
    assert set(people) | set(sites) == set(kept)
    assert (people[ward["Id"]]["Guardian__c"], people[ward["Id"]]["AccountId"]) == (
        ward["Guardian__c"],
        ward["AccountId"],
    )


def test_what_could_not_be_restored_keeps_its_parents_and_is_restored_by_the_next_try(deployed: World) -> None:
    deployed.admin_may_see_everything()
    patient = deployed.patients()[0]
    before_hash = deployed.state_hash()
    record = deployed.edit("insert", "Contact", LastName="Here before", **{KEY: deployed.key_of(patient)})
    before = deployed.dump("Contact")
    deployed.ok(*LOAD)
    site = deployed.dump("Contact")[record]["AccountId"]
    rule = {"object": "Contact", "condition": "\"LastName\" = 'Here before'", "message": "not this name"}
    deployed.post("/org/settings", {"validation_rules": [rule]})

    refused = deployed.run("rollback", "--go")

    assert refused.code == 4
    assert [row["key"] for row in refused.document["failed"]] == [deployed.key_of(patient)]
    assert record in deployed.dump("Contact")
    assert site in deployed.dump("Account")

    deployed.post("/org/settings", {"validation_rules": []})
    done = deployed.ok("rollback", "--go")
    assert (done.document["kept"], done.document["failed"]) == ([], [])
    assert changed(before, deployed.dump("Contact")) == {}
    deployed.edit("delete", "Contact", record)
    assert deployed.state_hash() == before_hash


def test_what_the_org_s_automation_makes_of_a_value_is_ours(deployed: World) -> None:
    before = deployed.state_hash()
    shout = {"object": "Contact", "field": "MailingCity", "expression": 'upper("MailingCity")', "on_update": True}
    deployed.post("/org/settings", {"field_updates": [shout]})
    deployed.ok(*LOAD)
    seen = deployed.get("/org/writes")[-1]["n"]
    again = deployed.ok(*LOAD)
    assert deployed.writes(seen) == []
    assert set(again.fates("contact")) == {"unchanged", "skip", "hold"}
    patient = deployed.patients()[0]
    deployed.mutate("update", "patient", patient, town="Little Snoring", firstName="Renamed")
    deployed.ok("delta", "--go")
    found = deployed.soql(f"SELECT FirstName, MailingCity FROM Contact WHERE {KEY} = '{deployed.key_of(patient)}'")
    assert found == [{"FirstName": "Renamed", "MailingCity": "LITTLE SNORING"}]
    assert deployed.ok("rollback", "--go").document["kept"] == []
    assert deployed.state_hash() == before
