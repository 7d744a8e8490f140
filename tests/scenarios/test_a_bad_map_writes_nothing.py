"""A map that contradicts itself stops every step that would use it: exit 2, file and field named, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest
from journey_driver import World

EXTRA = """
object = "Extra__c"
source = "appointment"
key = "{key}"

[fields]
ContactId__c = {{ from = "patientId", type = "Lookup(Contact)", lookup = "Contact:PAT", required = true }}
Parent__c = {{ from = "practiceId", type = "Lookup({parent})", lookup = "{parent}:{code}" }}
"""
TWICE = (
    'LastName = { from = "lastName"',
    'LastName = { from = "firstName", type = "Text(80)" }\nLastName = { from = "lastName"',
)
OTHER_CASE = (TWICE[0], TWICE[1].replace("LastName", "lastname", 1))
CLASH = ('"No Show" = ["DNA"', '"Did Not Attend" = ["D.N.A."]\n"No Show" = ["DNA"')

BAD: dict[str, tuple[str, tuple[str, str] | str, tuple[str, ...]]] = {
    "a field twice": ("contact.toml", TWICE, ("contact.toml",)),
    "a field twice in other letters": ("contact.toml", OTHER_CASE, ("contact.toml", "LastName", "twice", "lastname")),
    "a word of a list twice": ("value_maps.toml", CLASH, ("value_maps.toml", "appointment_status", "No Show", "Did Not Attend")),
    "a parent that is not mapped": (
        "extra.toml", EXTRA.format(key="EXT", parent="Household__c", code="HOU"), ("extra.toml", "Parent__c", "Household__c:HOU"),
    ),
    "a parent of another object": (
        "extra.toml", EXTRA.format(key="EXT", parent="Account", code="PAT"), ("extra.toml", "Parent__c", "Account:PAT"),
    ),
    "a key twice": ("extra.toml", EXTRA.format(key="APT", parent="Account", code="PRA"), ("APT", "extra.toml", "appointment.toml")),
}  # fmt: skip


def spoil(world: World, name: str, change: tuple[str, str] | str) -> Path:
    """Change a file of the plan, or put a new one there."""
    path = world.workspace / "plan" / name
    if isinstance(change, str):
        path.write_text(change, encoding="utf-8")
        return path
    text = path.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    path.write_text(text.replace(*change), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "change", "named"), BAD.values(), ids=BAD)
def test_a_map_that_contradicts_itself(
    confirmed: World, name: str, change: tuple[str, str] | str, named: tuple[str, ...]
) -> None:
    spoil(confirmed, name, change)
    for words in (("load", "--go", "--without-sample"), ("confirm", "--by", "P. Manager"), ("schema", "--go")):
        done = confirmed.run(*words)
        assert (done.code, done.document["error"]["name"]) == (2, "PackError"), words
        assert [word for word in named if word not in done.message] == [], done.message
    assert confirmed.ok("status").document["unknown"] == 0
    confirmed.nothing_written()


def test_putting_it_right_is_enough(confirmed: World) -> None:
    path = spoil(confirmed, "extra.toml", EXTRA.format(key="EXT", parent="Household__c", code="HOU"))
    assert confirmed.run("load").code == 2
    path.unlink()
    done = confirmed.run("load")  # confirmed as before; the schema is all that is missing
    assert (done.code, done.document["error"]["name"]) == (3, "Conflict")
    spoil(confirmed, "value_maps.toml", CLASH)
    confirmed.ok("propose", "--renew")  # back to the shipped map, which is the one that was confirmed
    done = confirmed.run("load")
    assert (done.code, done.document["error"]["name"]) == (3, "Conflict")
    assert "Did Not Attend" not in (confirmed.workspace / "plan" / "value_maps.toml").read_text(encoding="utf-8")
    confirmed.nothing_written()
