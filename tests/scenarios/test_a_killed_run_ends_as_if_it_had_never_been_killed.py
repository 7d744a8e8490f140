"""SIGKILL at any moment, the same command again: nothing twice, nothing lost, every fate known."""

from __future__ import annotations

import random

from journey_driver import KEY, OBJECTS, World, changed

LOAD = ("load", "--go", "--without-sample")
SEED = 20_261
# method, path, which of such requests, and whether it has had its effect already when the process is killed
COLLECTION, JOBS, JOB = r"/composite/sobjects", r"/jobs/ingest/?$", r"/jobs/ingest/\w+/?$"
LOAD_STOPS = [
    ("POST", COLLECTION, 1, False),
    ("POST", COLLECTION, 1, True),
    ("POST", COLLECTION, 2, True),
    ("POST", JOBS, 1, True),
    ("PUT", r"/batches", 1, True),
    ("PATCH", JOB, 1, False),
    ("PATCH", JOB, 1, True),
    ("GET", r"/successfulResults", 1, True),
]
DELTA_STOPS = [
    ("GET", "/appointments", 1, False),
    ("POST", COLLECTION, 1, True),
    ("PATCH", COLLECTION, 1, True),
]
ROLLBACK_STOPS = [
    ("POST", JOBS, 1, True),
    ("PATCH", JOB, 1, True),
    ("GET", r"/successfulResults", 1, True),
    ("DELETE", COLLECTION, 1, True),
]


def test_a_load_killed_while_requests_are_on_their_way(deployed: World) -> None:
    killed = [deployed.kill_at(stop, *LOAD) for stop in LOAD_STOPS]
    assert sum(killed) >= 7, killed
    deployed.ok(*LOAD)
    deployed.holds_everything()
    deployed.inserts_once()
    assert deployed.ok("reconcile").document["clean"]


def test_a_load_killed_at_random_moments(deployed: World) -> None:
    draw = random.Random(SEED)
    # what is left to do shrinks, and the time a load takes depends on the machine: short draws, until a run outlives one
    killed = 0
    while killed < 10 and deployed.kill_after(0.6 + draw.random() * deployed.took / 8, *LOAD):
        killed += 1
    assert killed >= 3
    deployed.ok(*LOAD)
    deployed.holds_everything()
    deployed.inserts_once()
    assert deployed.ok("audit", "--verify").document


def test_a_delta_killed_while_requests_are_on_their_way(loaded: World) -> None:
    patient, visits = loaded.patient_with_visits()
    loaded.mutate("update", "patient", patient, town="Little Snoring")
    loaded.mutate("update", "appointment", visits[0], surgery="Surgery 9")
    like = loaded.clinic["appointment"][visits[0]]
    words = ("patientId", "practiceId", "userId", "appointmentTypeId", "appointmentStatusId", "appointmentStatus")
    booked = {name: like[name] for name in words} | {"appointmentTime": "2026-12-14T09:30:00", "duration": 20}
    new = loaded.mutate("create", "appointment", **booked)
    killed = [loaded.kill_at(stop, "delta", "--go") for stop in DELTA_STOPS]
    assert all(killed), killed
    loaded.ok("delta", "--go")
    assert f"{loaded.tenant}-APT-{new}" in loaded.loaded("Appointment__c")
    found = loaded.soql(f"SELECT MailingCity FROM Contact WHERE {KEY} = '{loaded.key_of(patient)}'")
    assert found == [{"MailingCity": "Little Snoring"}]
    loaded.inserts_once()
    loaded.fates_known()
    assert loaded.ok("reconcile").document["clean"]


def test_a_rollback_killed_while_requests_are_on_their_way(loaded: World) -> None:
    ids = {name: {key: row["Id"] for key, row in loaded.loaded(name).items()} for name in OBJECTS}
    killed = [loaded.kill_at(stop, "rollback", "--go") for stop in ROLLBACK_STOPS]
    assert sum(killed) >= 3, killed
    done = loaded.ok("rollback", "--go")
    assert (done.document["kept"], done.document["failed"]) == ([], [])
    assert {name: loaded.loaded(name) for name in OBJECTS} == {name: {} for name in OBJECTS}
    loaded.fates_known()
    # and everything comes back under the same Ids, killed again on the way
    assert loaded.kill_at(("POST", "/services/Soap", 2, True), *LOAD)
    loaded.ok(*LOAD)
    loaded.holds_everything()
    assert {name: {key: row["Id"] for key, row in loaded.loaded(name).items()} for name in OBJECTS} == ids


def test_a_rollback_restores_a_record_of_the_org_that_was_being_updated_at_a_kill(deployed: World) -> None:
    deployed.admin_may_see_everything()
    for patient in deployed.patients()[:3]:
        deployed.edit("insert", "Contact", LastName=f"Here before {patient}", **{KEY: deployed.key_of(patient)})
    before = deployed.dump("Contact")
    assert deployed.kill_at(("PATCH", COLLECTION, 1, True), *LOAD)
    deployed.ok(*LOAD)
    names = [deployed.dump("Contact")[record]["LastName"] for record in before]
    assert [name for name in names if name.startswith("Here before")] == []
    assert deployed.ok("rollback", "--go").document["kept"] == []
    assert changed(before, deployed.dump("Contact")) == {}
