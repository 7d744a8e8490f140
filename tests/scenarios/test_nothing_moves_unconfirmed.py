"""Without a confirmation, or after anything in a confirmed plan was changed, no record moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from journey_driver import World


def edited(world: World, name: str, old: str, new: str) -> Path:
    path = world.workspace / "plan" / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_a_load_without_a_confirmation_exits_3_and_writes_nothing(confirmed: World) -> None:
    fresh = confirmed.workspace.parent / "fresh"
    urls = ("--source-url", confirmed.facts["clinic_url"], "--org-url", confirmed.facts["org_url"])
    assert confirmed.run("init", str(fresh), *urls, "--json", bare=True).code == 0
    for words in (("load", "--go", "--without-sample"), ("delta", "--go"), ("schema", "--go")):
        done = confirmed.run(*words, workspace=fresh)
        assert done.code == 3, words
        assert "confirm" in done.message + done.document["error"]["hint"]
    confirmed.nothing_written()


CHANGES = [
    ("contact.toml", "Text(40)", "Text(41)"),
    ("value_maps.toml", "Female = ", "Femal = "),
    ("appointment.toml", 'on_bad = "hold"', 'on_bad = "withhold"'),
]


@pytest.mark.parametrize(("name", "old", "new"), CHANGES, ids=[name for name, _, _ in CHANGES])
def test_one_edited_value_of_a_confirmed_plan_voids_it(confirmed: World, name: str, old: str, new: str) -> None:
    edited(confirmed, name, old, new)
    done = confirmed.run("load", "--go", "--without-sample")
    assert (done.code, done.document["error"]["name"]) == (3, "NotConfirmed")
    confirmed.nothing_written()


def test_what_changes_no_value_leaves_the_confirmation_in_force(confirmed: World) -> None:
    path = edited(confirmed, "contact.toml", "Text(40)", "Text(41)")
    path.write_text(
        "# read and agreed\n" + path.read_text(encoding="utf-8").replace("Text(41)", "Text(40)"), encoding="utf-8"
    )
    done = confirmed.run("load")  # the schema is not deployed yet, and that is all it complains about
    assert (done.code, done.document["error"]["name"]) == (3, "Conflict")


def test_an_unknown_word_in_the_plan_exits_2_and_names_file_and_field(confirmed: World) -> None:
    edited(confirmed, "contact.toml", 'LastName = { from = "lastName"', 'LastName = { form = "x", from = "lastName"')
    for words in (("load", "--go", "--without-sample"), ("confirm", "--by", "P. Manager")):
        done = confirmed.run(*words)
        assert done.code == 2
        assert all(word in done.message for word in ("contact.toml", "LastName", "form"))
    confirmed.nothing_written()


def test_a_plan_file_that_is_no_toml_exits_2(confirmed: World) -> None:
    (confirmed.workspace / "plan" / "contact.toml").write_text("[fields\nLastName = ", encoding="utf-8")
    done = confirmed.run("load", "--go", "--without-sample")
    assert done.code == 2
    assert "contact.toml" in done.message
    confirmed.nothing_written()


def test_a_confirmed_plan_is_not_loaded_without_an_accepted_sample(deployed: World) -> None:
    before = len(deployed.writes())
    done = deployed.run("load", "--go")
    assert (done.code, done.document["error"]["name"]) == (3, "SampleNotAccepted")
    assert len(deployed.writes()) == before
