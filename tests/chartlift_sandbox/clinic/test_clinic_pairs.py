"""Pairs of records: the truth names both, one person shares what one person would, and look-alikes are no duplicates."""

from collections import Counter
from typing import Any

import pytest

from chartlift_sandbox.clinic import Clinic

Row = dict[str, Any]
PATIENTS = 4000
REACH = ("homePhone", "mobilePhone", "email", "addressLine1")
FIELDS = (
    "title", "firstName", "middleName", "lastName", "previousLastName", "preferredName", "dateOfBirth", "homePhone",
    "mobilePhone", "email", "addressLine1", "postcode", "practiceId",
)  # fmt: skip
KINDS = {
    "surname mistyped", "forename mistyped", "married, former name kept", "married, former name lost", "initial only",
    "day and month turned", "two sites, another phone", "two sites, another address", "nickname",
    "no phone or e-mail in one",
}  # fmt: skip


@pytest.fixture(scope="module", params=[7, 12])
def clinic(request: pytest.FixtureRequest, lasting_desk: Any) -> tuple[dict[int, Row], list[Row]]:
    one: Clinic = lasting_desk(patients=PATIENTS, seed=request.param, signed_in=False).clinic
    patients = {row["patientId"]: row for row in one.records("patient", one.ids("patient"))}
    return patients, [row for row in one.truth() if row["rule"] in {"R-DUP", "NOT-DUP"}]


def shared(one: Row, two: Row, fields: tuple[str, ...]) -> set[str]:
    return {name for name in fields if one[name] and one[name] == two[name]}


def test_every_pair_is_listed_once_at_each_record(clinic: tuple[dict[int, Row], list[Row]]) -> None:
    patients, truth = clinic
    listed = Counter((row["id"], row["other"], row["rule"], row["note"]) for row in truth)
    assert set(listed.values()) == {1}
    assert all((two, one, rule, note) in listed for one, two, rule, note in listed)
    assert all(row["id"] in patients and row["row"] == "send" for row in truth)


def test_the_share_and_the_mix_are_as_specified(clinic: tuple[dict[int, Row], list[Row]]) -> None:
    _, truth = clinic
    second = [row for row in truth if row["other"] < row["id"]]
    kinds = Counter(row["note"] for row in second if row["rule"] == "R-DUP")
    assert set(kinds) == KINDS
    assert 0.018 < kinds.total() / PATIENTS < 0.034
    assert max(kinds.values()) < kinds.total() / 3
    apart = Counter(row["note"] for row in second if row["rule"] == "NOT-DUP")
    assert set(apart) == {"twins", "parent and child of one name", "one house, phone and mailbox"}
    assert apart.total() > PATIENTS / 200


def test_one_person_shares_something_and_differs_in_several_fields(clinic: tuple[dict[int, Row], list[Row]]) -> None:
    patients, truth = clinic
    for row in truth:
        one, two = patients[row["id"]], patients[row["other"]]
        if row["rule"] != "R-DUP" or row["id"] < row["other"]:
            continue
        assert shared(one, two, REACH), row["note"]
        differ = {name for name in FIELDS if (one[name] or None) != (two[name] or None)}
        assert len(differ) >= 2, (row["note"], differ)
        turned = "-".join(two["dateOfBirth"].split("-")[at] for at in (0, 2, 1))
        assert one["dateOfBirth"] == (turned if row["note"] == "day and month turned" else two["dateOfBirth"])


def test_look_alikes_share_as_much_and_are_other_people(clinic: tuple[dict[int, Row], list[Row]]) -> None:
    patients, truth = clinic
    for row in truth:
        one, two = patients[row["id"]], patients[row["other"]]
        if row["rule"] == "NOT-DUP":
            assert {"homePhone", "addressLine1"} <= shared(one, two, REACH)
            assert (one["firstName"], one["dateOfBirth"]) != (two["firstName"], two["dateOfBirth"])
            assert (one["firstName"] != two["firstName"]) == (row["note"] != "parent and child of one name")
            assert (one["dateOfBirth"] == two["dateOfBirth"]) == (row["note"] == "twins")
