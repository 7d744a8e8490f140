"""A rejected sample leaves nothing; after a rollback a delta brings only what changed, and a load the same Ids as before."""

from __future__ import annotations

from journey_driver import KEY, OBJECTS, World

LOAD = ("load", "--go", "--without-sample")


def test_a_rejected_sample_is_rolled_back_and_comes_back_under_the_same_ids(deployed: World) -> None:
    before = deployed.state_hash()
    done = deployed.ok("sample", "--go", "--size", "100")
    assert done.document["clean"]
    ids = {name: {key: row["Id"] for key, row in deployed.loaded(name).items()} for name in OBJECTS}
    assert ids["Contact"]
    assert len(ids["Contact"]) < len(deployed.contents["Contact"])
    deployed.ok("sample", "--reject", "--by", "P. Manager")
    assert deployed.state_hash() == before
    assert deployed.run("load", "--go").code == 3
    deployed.ok(*LOAD)
    deployed.holds_everything()
    for name in OBJECTS:
        now = {key: row["Id"] for key, row in deployed.loaded(name).items()}
        assert {key: now[key] for key in ids[name]} == ids[name]
    assert deployed.ok("reconcile").document["clean"]


def test_after_a_rollback_a_delta_brings_what_changed_and_a_load_the_rest(loaded: World) -> None:
    ids = {name: {key: row["Id"] for key, row in loaded.loaded(name).items()} for name in OBJECTS}
    loaded.ok("rollback", "--go")
    patient, visits = loaded.patient_with_visits()
    loaded.mutate("update", "patient", patient, town="Little Snoring")
    loaded.ok("delta", "--go")
    contacts = loaded.loaded("Contact")
    assert set(contacts) == {loaded.key_of(patient)}
    assert set(loaded.loaded("Appointment__c")) == {f"mill-APT-{visit}" for visit in visits}
    site = loaded.soql(f"SELECT MailingCity, Account.{KEY} FROM Contact WHERE {KEY} = '{loaded.key_of(patient)}'")[0]
    assert site["MailingCity"] == "Little Snoring"
    assert site["Account"][KEY] in loaded.loaded("Account")
    loaded.ok(*LOAD)
    assert {name: {key: row["Id"] for key, row in loaded.loaded(name).items()} for name in OBJECTS} == ids
    loaded.fates_known()
    assert loaded.ok("reconcile").document["clean"]
