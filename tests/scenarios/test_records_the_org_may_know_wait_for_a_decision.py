"""A Contact without our key, but with a patient's birth date, surname and postcode, is a question for a person."""

from __future__ import annotations

from journey_driver import KEY, World

LOAD = ("load", "--go", "--without-sample")


def test_records_the_org_may_know_wait_for_a_decision(deployed: World) -> None:
    deployed.admin_may_see_everything()
    whole = [
        p for p in deployed.patients() if all(deployed.clinic["patient"][p][n] for n in ("dateOfBirth", "postcode"))
    ]
    known = {}
    for patient in whole[:2]:
        source = deployed.clinic["patient"][patient]
        fields = {"LastName": source["lastName"].upper(), "FirstName": "Known", "MailingPostalCode": source["postcode"]}
        known[patient] = deployed.edit("insert", "Contact", Birthdate=source["dateOfBirth"][:10], **fields)
    linked, new = known
    before = deployed.dump("Contact")

    done = deployed.ok(*LOAD)
    assert done.reasons("contact")["probable_match"] == 2
    assert {(m["key"], m["id"]) for m in done.document["matches"]} == {
        (deployed.key_of(patient), record) for patient, record in known.items()
    }
    assert not {deployed.key_of(linked), deployed.key_of(new)} & set(deployed.loaded("Contact"))
    assert deployed.dump("Contact")[known[linked]] == before[known[linked]]

    wrong = deployed.workspace.parent / "wrong.csv"
    wrong.write_text(f"key,choice\n{deployed.key_of(linked)},0035g00000099999AAA\n", encoding="utf-8")
    assert deployed.run("matches", "--decide", str(wrong)).code == 2
    assert deployed.run("matches", "--all", "perhaps").code == 2
    right = deployed.workspace.parent / "right.csv"
    right.write_text(f"key,choice\n{deployed.key_of(linked)},link\n", encoding="utf-8")
    deployed.ok("matches", "--decide", str(right))
    left = deployed.ok("matches", "--all", "new")
    assert left.document["matches"] == []

    deployed.ok(*LOAD)
    ours = deployed.loaded("Contact")
    assert ours[deployed.key_of(linked)]["Id"] == known[linked]
    assert ours[deployed.key_of(new)]["Id"] != known[new]
    deployed.fates_known()
    assert deployed.ok("rollback", "--go").document["kept"] == []
    assert deployed.dump("Contact").keys() == before.keys()
    assert deployed.dump("Contact")[known[linked]][KEY] is None
    assert deployed.dump("Contact")[known[linked]]["LastName"] == before[known[linked]]["LastName"]
