"""A source of another kind is a profile, no code: it keeps the contract, and every way to page brings the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from dentally_like import HEADERS, KEY, Practice, rows

from chartlift.clock import SandboxClock
from chartlift.errors import CredentialsError, StopError, UsageError
from chartlift.platforms.aeronaclinic import connect
from chartlift.platforms.aeronaclinic.profile import Entity, load
from chartlift.platforms.aeronaclinic.renaming import renamed
from chartlift.testing import SourceCase, SourceContract
from chartlift.testing.source_contract import table

OWN = resources.files("chartlift.platforms.aeronaclinic").joinpath("dentally-like.toml").read_text("utf-8")
SECRETS = {"CHARTLIFT_AERONA_KEY": KEY}
_NUMBERED = 'next = ""\npages = "meta.total_pages"'
PAGINGS = {
    "page": ("", _NUMBERED),
    "offset": ('kind = "offset"\npage = "offset"', 'next = ""\npages = ""'),
    "cursor": ('kind = "cursor"\ncursor = "cursor"', 'next = "meta.next_cursor"\npages = ""'),
    "link": ('kind = "link"', 'next = "meta.next"\npages = ""'),
    "none": ('kind = "none"', _NUMBERED),
}


class TestDentallyLike(SourceContract):
    """The checks are those of every source."""


@pytest.fixture(scope="module")
def source_case(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceCase]:
    clock = SandboxClock(sandbox.told["control_url"])
    practice = Practice(rows(40), clock.now)
    source = connect(practice.url, secrets=SECRETS, clock=clock, state=tmp_path_factory.mktemp("s"), profile=OWN)

    def change(key: int, **fields: Any) -> tuple[str, str]:
        clock.sleep(3600)
        practice.touch("patients", key, **fields)
        return "patient", str(key)

    yield SourceCase(
        source,
        clock.now,
        edit=lambda: change(1, town="Newry"),
        remove=lambda: change(40, deleted_at="2026-01-01T00:00:00Z"),
        requests=lambda: practice.calls,
    )
    source.close()
    practice.close()


def reading(sandbox: Any, folder: Path, paging: str, auth: str = "bearer", key: str = KEY) -> dict[str, Any]:
    """Every row of every entity, read in this way."""
    clock = SandboxClock(sandbox.told["control_url"])
    practice = Practice(rows(40), clock.now, paging, auth)
    kind, following = PAGINGS[paging]
    own = "" if kind.endswith('"offset"') else 'page = "page"\n'
    words = OWN.replace('page = "page"\n', f"{own}{kind}\n").replace(_NUMBERED, following)
    words = words.replace(
        'kind = "bearer"\nheader = "Authorization"', f'kind = "{auth}"\nheader = "{HEADERS[auth][0]}"'
    )
    source = connect(practice.url, secrets={"CHARTLIFT_AERONA_KEY": key}, clock=clock, state=folder, profile=words)
    found: dict[str, Any] = {}
    try:
        for listing in source.listings(None):
            for page in source.pages(listing, since=None, cursor=None):
                for name, stream in page.tables.items():
                    found.setdefault(name, []).extend(table(stream).to_pylist())
    finally:
        source.close()
        practice.close()
    return found


@pytest.fixture(scope="module")
def numbered(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return reading(sandbox, tmp_path_factory.mktemp("numbered"), "page")


def test_names_and_words_of_the_source_become_ours(numbered: dict[str, Any]) -> None:
    assert len(numbered["patient"]) == len(numbered["invoiceLine"]) == 40
    first = min(numbered["patient"], key=lambda row: int(row["patientId"]))
    assert (first["firstName"], first["practiceId"], first["allowSms"]) == ("First1", "1", "false")
    assert '"colour":"red"' in first["_raw"]
    assert numbered["user"][0]["email"] == "ada@example.org"
    by_word = {row["appointmentStatus"]: row["appointmentStatusId"] for row in numbered["appointment"]}
    assert by_word == {
        "Pending": "1",
        "Confirmed": "2",
        "Completed": "5",
        "Did Not Attend": "7",
        "Somewhere Else": None,
    }
    assert {row["lineKey"] for row in numbered["invoiceLine"]} == {f"{n}-1" for n in range(1, 41)}


@pytest.mark.parametrize("paging", sorted(set(PAGINGS) - {"page"}))
def test_every_way_to_page_brings_the_same_rows(
    paging: str, sandbox: Any, numbered: dict[str, Any], tmp_path: Path
) -> None:
    assert reading(sandbox, tmp_path, paging) == numbered


@pytest.mark.parametrize("auth", ["basic", "header"])
def test_every_kind_of_key_is_sent_as_it_has_to_be(
    auth: str, sandbox: Any, numbered: dict[str, Any], tmp_path: Path
) -> None:
    assert reading(sandbox, tmp_path, "page", auth) == numbered


def test_a_refused_key_ends_at_once(sandbox: Any, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="refused the key"):
        reading(sandbox, tmp_path, "page", key="another")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[paging]\nkind = "guess"', "paging has no kind guess"),
        ('[login]\nkind = "magic"', "login has no kind magic"),
        ("[paging]\ncolour = 1", "paging has no colour"),
        ('[limit]\nrequests = "100"', "limit.requests has to be like 300"),
        ('[limit]\nscope = "ip"', "limit.scope is one of"),
        ("paging = 3", "paging has to be a table"),
        ("[entity.patient]\npath = 3", "entity.patient.path has to be like ''"),
        ("[entity.patient]\nnames = []", "entity.patient.names has to be like"),
        ("colour = 1", "unknown colour"),
        ('read = ["patients"]', "unknown patients"),
        ("[entity.patient]\ncolour = 1", "entity.patient has no colour"),
        ('[entity.user]\npaging = { kind = "guess" }', "paging has no kind guess"),
        ("entity = 3", "cannot be used"),
        ("[", "cannot be used"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(text)


def test_a_profile_of_ones_own_changes_what_it_names_only() -> None:
    own, changed = load(), load('[entity.patient]\npath = "/v2/people"\n[limit]\nrequests = 100')
    assert changed.entities["patient"].path == "/v2/people"
    assert changed.entities["patient"].columns == own.entities["patient"].columns
    assert (changed.limit.requests, changed.limit.window) == (100, own.limit.window)


def test_a_cursor_that_goes_in_circles_ends_with_an_error(sandbox: Any, tmp_path: Path) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    practice = Practice(rows(40), clock.now, "cursor")
    practice.circle = True
    kind, following = PAGINGS["cursor"]
    words = OWN.replace('page = "page"\n', f'page = "page"\n{kind}\n').replace(_NUMBERED, following)
    source = connect(practice.url, secrets=SECRETS, clock=clock, state=tmp_path, profile=words)
    with pytest.raises(StopError, match="leads back"):
        list(source.pages("patient", since=None, cursor=None))
    source.close()
    practice.close()


@pytest.mark.parametrize("section", ['[changes]\nkind = "full-rescan"', '[deletions]\nkind = "rescan"'])
def test_without_a_way_to_see_changes_everything_is_read_again(section: str, sandbox: Any, tmp_path: Path) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    practice = Practice(rows(12), clock.now)
    name = section.split("\n", maxsplit=1)[0]
    words = OWN.replace('kind = "flag"\n', "").replace(name, section)
    source = connect(practice.url, secrets=SECRETS, clock=clock, state=tmp_path, profile=words)
    assert source.rereads
    again = [p.tables["patient"].num_rows for p in source.pages("patient", since=clock.now(), cursor=None)]
    assert sum(again) == 12
    source.close()
    practice.close()


def test_a_member_that_has_the_name_of_another_column_is_kept() -> None:
    entity = Entity("treatment", ("name",), names={"name": "nomenclature"})
    assert renamed(entity, [{"nomenclature": "Filling", "name": "F"}]) == [{"name": "Filling", "_name": "F"}]


def test_check_says_what_is_assumed(sandbox: Any, tmp_path: Path) -> None:
    clock = SandboxClock(sandbox.told["control_url"])
    practice = Practice(rows(12), clock.now)
    source = connect(practice.url, secrets=SECRETS, clock=clock, state=tmp_path, profile=OWN)
    said = {probe.name: probe for probe in source.check()}
    source.close()
    practice.close()
    assert said["updated_since"].ok
    assert said["deletions"].detail == "a record that has deleted_at is deleted"
    assert said["patient"].rows == 12
