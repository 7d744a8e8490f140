"""An org that was in use before: what was there, and what people do to it meanwhile, survives load, load and rollback."""

from __future__ import annotations

from dataclasses import dataclass

from journey_driver import KEY, World, changed

LOAD = ("load", "--go", "--without-sample")
OWN, WITH_OUR_KEY = 500, 100


@dataclass
class People:
    """Whom a person did something to."""

    edited: dict[str, tuple[str, str, str]]  # Id -> object, field, value
    deleted: str
    survivor: str
    loser: str


def fill(world: World) -> None:
    """Five hundred Contacts of the org's own; a hundred of them carry keys of real patients and other values."""
    world.admin_may_see_everything()
    account = world.edit("insert", "Account", Name="Walk-ins")
    keys = sorted(world.contents["Contact"])[:WITH_OUR_KEY]
    assert len(keys) == WITH_OUR_KEY
    for number in range(OWN):
        fields = {"LastName": "O'Brien" if number % 7 == 0 else f"Own {number}", "FirstName": f"N. {number}"}
        fields["Email"] = f"own{number}@example.org"
        if number % 3:
            fields["Phone"] = f"028 9000 {number:04}"
        if number % 2:
            fields["AccountId"] = account
        if number < WITH_OUR_KEY:
            fields |= {KEY: keys[number], "MailingCity": "Elsewhere", "Description": "known for years"}
        world.edit("insert", "Contact", **fields)


def act(world: World, before: dict[str, dict]) -> People:
    """Ten edits, a deletion and a merge, all by a person."""
    ours = {r[KEY]: r["Id"] for r in world.soql(f"SELECT Id, {KEY} FROM Contact WHERE {KEY} LIKE 'mill-%'")}
    made = [i for k, i in sorted(ours.items()) if i not in before]
    linked = [i for k, i in sorted(ours.items()) if i in before]
    visits = world.soql(f"SELECT Id, ContactId__c FROM Appointment__c WHERE {KEY} LIKE 'mill-%' ORDER BY {KEY}")
    edited = {made[0]: ("Contact", "MailingCity", "Ballyedit"), made[1]: ("Contact", "Description", "called us")}
    edited |= {made[2]: ("Contact", "Phone", ""), linked[0]: ("Contact", "LastName", "Newname")}
    edited |= {linked[1]: ("Contact", "MobilePhone", "07700 900001"), linked[2]: ("Contact", "Title", "Dame")}
    edited[linked[3]] = ("Contact", "MailingPostalCode", "BT1 1AA")
    kept = {made[0], made[1], made[2], made[3], made[4], made[5]}
    free = [v["Id"] for v in visits if v["ContactId__c"] not in kept]
    edited |= {i: ("Appointment__c", "Surgery__c", f"Moved {n}") for n, i in enumerate(free[:3])}
    for record, (name, field, value) in edited.items():
        world.edit("update", name, record, **{field: value})
    for visit in visits:
        if visit["ContactId__c"] == made[3]:
            world.edit("delete", "Appointment__c", visit["Id"])
    world.edit("delete", "Contact", made[3])
    world.edit("merge", "Contact", made[4], loser=made[5])
    return People(edited, made[3], made[4], made[5])


def test_an_org_with_records_of_its_own_gets_them_back(deployed: World) -> None:
    fill(deployed)
    before = {name: deployed.dump(name) for name in ("Account", "Contact", "Appointment__c")}
    first = deployed.ok(*LOAD)
    assert first.fates("contact")["update"] == WITH_OUR_KEY
    deployed.loaded("Contact")

    people = act(deployed, before["Contact"])
    seen = deployed.get("/org/writes")[-1]["n"]
    second = deployed.ok(*LOAD)
    assert deployed.writes(seen) == []  # nothing resurrected, nothing duplicated, no edit overwritten
    assert second.reasons("contact")["deleted_by_person"] == 1
    assert second.reasons("contact")["merged_by_person"] == 1
    for record, (name, field, value) in people.edited.items():
        assert (deployed.dump(name)[record][field] or "") == value
    assert not {people.deleted, people.loser} & deployed.dump("Contact").keys()
    compared = deployed.run("reconcile")
    assert compared.document["clean"], compared.document["units"]

    explained = deployed.ok("rollback")
    done = deployed.ok("rollback", "--go")
    assert explained.document["kept"] == done.document["kept"]
    assert explained.document["fingerprint"] == done.document["fingerprint"]
    kept = {row["id"]: row["reason"] for row in done.document["kept"]}
    assert set(people.edited) | {people.survivor} <= set(kept)
    assert_restored(deployed, before, kept, people)
    again = deployed.run("rollback", "--go")
    assert again.document.get("actions", {}) == {}
    assert_restored(deployed, before, kept, people)


def assert_restored(world: World, before: dict[str, dict], kept: dict[str, str], people: People) -> None:
    """Everything as before, but for the listed records; of those only what a person changed."""
    for name, old in before.items():
        differences = changed(old, world.dump(name))
        assert {i: what for i, what in differences.items() if i not in kept} == {}
        for record in differences.keys() & old.keys():
            assert set(differences[record]) == {people.edited[record][1]} | NAMES.get(people.edited[record][1], set())


NAMES = {"LastName": {"Name"}}  # the org derives a Contact's whole name
