"""A note of ten million characters travels in parts that give the same text again."""

import hashlib
from pathlib import Path

import pytest
from clinic_wire import read_clinic
from evidence import NOTE, Clerk, by_note, read_planted
from journey import TENANT, Journey, sandbox, whole_load
from oracle_notes import part_faults
from oracle_values import text
from org_wire import Org

PIECE = (
    "Pt attended: 36 MOD, caf\u00e9 \U0001f9b7\U0001f44d\U0001f3fe q\u0301\r\n"
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 Fee £76.60; "
)
LENGTH = 10_000_000
PARTS = {"Note_Text__c", "Part_Number__c", "Part_Count__c", "Text_SHA256__c"}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, dict[str, dict[str, object]]]:
    """The key of the note, the text the clinic has, and the parts the org has."""
    home: Path = tmp_path_factory.mktemp("long")
    with sandbox(home / "sandbox", 40, 5) as place:
        clinic, clerk = read_clinic(place["clinic_url"], place["env"]), Clerk(place)
        flawed = {(defect["entity"], defect["id"]) for defect in read_planted(place)}
        one = next(
            one
            for one, note in clinic.rows["clinicalNote"].items()
            if not flawed & {("clinicalNote", one), ("patient", note["patientId"])}
        )
        body = (PIECE * (LENGTH // len(PIECE) + 1))[:LENGTH]
        clerk.update("clinicalNote", one, {"text": body, "format": "PLAIN", "noteType": "ADMIN"})
        whole_load(Journey(home / "workspace", place), place["fallback_email"], sampled=False)
        with Org(place) as org:
            found = by_note(org.records(NOTE, PARTS))
    key = f"{TENANT}-NOT-{one}"
    return key, text(body) or "", found[key]


def test_joining_its_parts_gives_the_text(parts: tuple[str, str, dict[str, dict[str, object]]]) -> None:
    key, body, records = parts

    assert len(body) > LENGTH * 9 // 10
    assert not part_faults(key, body, records)


def test_each_part_has_the_hash_of_the_whole(parts: tuple[str, str, dict[str, dict[str, object]]]) -> None:
    _, body, records = parts

    assert {record["Text_SHA256__c"] for record in records.values()} == {hashlib.sha256(body.encode()).hexdigest()}
