"""An org that makes another field unique refuses the second patient; nobody's record gets the other one's data."""

from __future__ import annotations

from journey_driver import KEY, World

NUMBER = "Medical_Record_Number__c"


def test_two_patients_sharing_a_unique_number_are_never_grafted(deployed: World) -> None:
    second, visits = deployed.patient_with_visits()
    first = deployed.patients()[0]
    assert first < second
    number = deployed.clinic["patient"][first]["patientNumber"]
    deployed.mutate("update", "patient", second, patientNumber=number)
    deployed.post("/org/settings", {"unique": {f"Contact.{NUMBER}": True}})
    deployed.ok("extract", "--full")

    done = deployed.run("load", "--go", "--without-sample")

    assert done.code == 4
    contact = next(unit for unit in done.document["units"] if unit["unit"] == "contact")
    # within one call the org does not say which field it is about
    assert [(row["key"], row["reason"].split("@")[0]) for row in contact["failed"]] == [
        (deployed.key_of(second), "DUPLICATE_VALUE")
    ]
    found = deployed.soql(f"SELECT {KEY}, LastName, FirstName FROM Contact WHERE {NUMBER} = '{number}'")
    source = deployed.clinic["patient"][first]
    assert found == [{KEY: deployed.key_of(first), "LastName": source["lastName"], "FirstName": source["firstName"]}]
    # every Contact still is its own patient
    for row in deployed.soql(f"SELECT {KEY}, {NUMBER}, MailingCity FROM Contact WHERE {KEY} LIKE 'mill-PAT-%'"):
        patient = deployed.clinic["patient"][int(row[KEY].rsplit("-", 1)[1])]
        assert row[NUMBER] in (patient["patientNumber"], str(patient["patientId"]))
    assert deployed.key_of(second) not in deployed.loaded("Contact")
    assert not {f"mill-APT-{visit}" for visit in visits} & set(deployed.loaded("Appointment__c"))
    assert done.reasons("appointment")["parent:failed:DUPLICATE_VALUE"] == len(visits)
    deployed.fates_known()

    # once the clinic has put it right, the rest arrives and nothing else is sent
    deployed.mutate("update", "patient", second, patientNumber=f"{number}-B")
    seen = deployed.get("/org/writes")[-1]["n"]
    deployed.ok("delta", "--go")
    assert deployed.key_of(second) in deployed.loaded("Contact")
    sent = {row["new"][KEY] for row in deployed.writes(seen) if row["ok"]}
    assert sent == deployed.belongings(second)
    assert {f"mill-APT-{visit}" for visit in visits} < sent
