"""The compiler from pack to SQL: what it refuses, and what its statements say about rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chartlift.errors import PackError
from chartlift.model.plan import Condition, FieldRule, ObjectMap
from chartlift.stages.statement import text_limit
from chartlift.testing import PackCase, small_pack
from chartlift.testing.pack_contract import empty_staging
from chartlift.testing.small import SHAPES

FALLBACK = "005000000000001AAA"


@dataclass
class Compiled:
    """Statements of the small pack over tables that a test fills."""

    case: PackCase
    sql: Any

    def unit(self, name: str) -> ObjectMap:
        return next(unit for unit in self.case.pack.maps if unit.name == name)

    def put(self, entity: str, key: str, **cells: Any) -> None:
        columns = {**cells, "_id": key, "_patient": cells.get("patientId"), "_seq": cells.pop("seq", 1)}
        columns |= {"_conflict": cells.pop("conflict", False), "_extraction": 1}
        columns = {name: value for name, value in columns.items() if name not in ("seq", "conflict")}
        names = ", ".join(f'"{name}"' for name in columns)
        self.sql.execute(
            f"INSERT INTO src_{entity} ({names}) VALUES ({', '.join('?' * len(columns))})", list(columns.values())
        )

    def row(self, unit: ObjectMap | str, key: str = "1") -> dict[str, Any]:
        chosen = self.unit(unit) if isinstance(unit, str) else unit
        answer = self.sql.execute(self.case.compiled(chosen)).to_arrow_table().to_pylist()
        return next(row for row in answer if row["source_id"] == key)


@pytest.fixture
def compiled(tmp_path: Path) -> Iterator[Compiled]:
    case = PackCase(small_pack(tmp_path), SHAPES, {}, tmp_path)
    sql = empty_staging(case)
    yield Compiled(case, sql)
    sql.close()


def patient(compiled: Compiled, **more: Any) -> dict[str, Any]:
    usual = {"practiceId": "1", "userId": "7", "lastName": "Byrne", "email": "A@b.ie", "born": "1980-02-01"}
    compiled.sql.execute("INSERT INTO people VALUES ('7', '005000000000009AAA', 'email')")
    compiled.put("patient", "1", patientId="1", **(usual | more))
    return compiled.row("person")


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (FieldRule("A__c", ("ghost",), "Text(8)"), "no column ghost in patient"),
        (FieldRule("A__c", ("appointment.note",), "Text(8)"), "join appointment is not declared"),
        (FieldRule("A__c", ("practice.ghost",), "Text(8)"), "no column ghost in practice"),
        (FieldRule("A__c", ("lastName",), "Text(8)", transform="magic"), "no transform magic"),
        (FieldRule("A__c", ("headId",), "Lookup(Account)", lookup="Account:XYZ"), "parent Account:XYZ is not mapped"),
        (FieldRule("A__c", ("lastName",), "Text(8)", "age", ("ghost",)), "no transform age"),
    ],
)
def test_what_is_not_there_is_refused_by_name(compiled: Compiled, rule: FieldRule, says: str) -> None:
    person = compiled.unit("person")
    with pytest.raises(PackError, match=says):
        compiled.case.compiled(replace(person, fields=(*person.fields, rule)))


def test_a_statement_holds_no_value_of_a_record(compiled: Compiled) -> None:
    before = compiled.case.compiled(compiled.unit("person"))
    patient(compiled, lastName="Canary'); DROP TABLE people; --")
    assert compiled.case.compiled(compiled.unit("person")) == before
    assert compiled.row("person")["fate"] == "hold"  # too long for its field
    assert compiled.sql.execute("SELECT count(*) FROM people").fetchone() == (1,)


def test_names_of_a_pack_are_quoted(compiled: Compiled) -> None:
    site = compiled.unit("site")
    odd = replace(site, fields=(*site.fields, FieldRule('Odd"; DROP__c', const="it's", type="Text(8)")))
    compiled.put("practice", "1", practiceId="1", name="Lagan")
    assert compiled.row(odd)['Odd"; DROP__c'] == "it's"


# ---------------------------------------------------------------- rows


def test_an_ordinary_row_goes(compiled: Compiled) -> None:
    row = patient(compiled)
    assert (row["fate"], row["reason"], row["key"], row["withheld"]) == ("ok", None, "t-PAT-1", [])
    assert (row["LastName"], row["Email"], row["Birthdate"]) == ("Byrne", "a@b.ie", "1980-02-01")
    assert (row["key:AccountId"], row["OwnerId"]) == ("t-PRA-1", "005000000000009AAA")


@pytest.mark.parametrize(
    ("cells", "fate", "reason"),
    [
        ({"conflict": True}, "hold", "R-KEY"),
        ({"isDeleted": "true"}, "skip", "source_deleted"),
        ({"isDeleted": "false"}, "ok", None),
        ({"onHold": "a note"}, "hold", "on_hold"),
        ({"onHold": ""}, "ok", None),
        ({"onHold": "0"}, "ok", None),
        ({"isDeleted": "true", "onHold": "yes"}, "skip", "source_deleted"),  # gates count in the order of the pack
        ({"lastName": "  "}, "hold", "R-REQ@LastName"),
        ({"lastName": "x" * 21}, "hold", "R-LEN@LastName"),
        ({"lastName": "\U0001f600" * 11}, "hold", "R-LEN@LastName"),  # the org counts UTF-16 units
        ({"lastName": "\U0001f600" * 10}, "ok", None),
        ({"born": "2999-01-01"}, "hold", "R-DOB-RANGE@Birthdate"),
        ({"practiceId": None}, "hold", "R-REQ@AccountId"),
        ({"userId": "99"}, "hold", "R-USER-EMAIL@OwnerId"),
        ({"userId": None}, "ok", None),  # nobody named: the fallback User owns it
        ({"isDeleted": "true", "lastName": None}, "skip", "source_deleted"),  # a row's own gate comes first
    ],
)
def test_gates_and_holds(compiled: Compiled, cells: dict[str, Any], fate: str, reason: str | None) -> None:
    row = patient(compiled, **cells)
    assert (row["fate"], row["reason"]) == (fate, reason)


def test_a_merge_and_a_deletion_at_the_clinic_come_before_the_packs_gates(compiled: Compiled) -> None:
    compiled.sql.execute("INSERT INTO src_merged VALUES ('patient', '1', '2', NULL)")
    assert patient(compiled, onHold="yes")["reason"] == "merged"
    compiled.sql.execute("UPDATE src_merged SET survivor = NULL, problem = 'cycle'")
    assert compiled.row("person")["reason"] == "merged_cycle"
    compiled.sql.execute("DELETE FROM src_merged; INSERT INTO src_deleted VALUES ('patient', '1', NULL, 1)")
    assert (compiled.row("person")["fate"], compiled.row("person")["reason"]) == ("skip", "source_deleted")


# ---------------------------------------------------------------- fields


def test_a_bad_contact_detail_is_withheld_and_listed(compiled: Compiled) -> None:
    row = patient(compiled, email="nonsense")
    assert (row["fate"], row["Email"], row["withheld"]) == ("ok", None, ["Email:R-EMAIL"])
    assert patient_hash(compiled, email=None) != row["h0"], "withheld and empty are not the same row"


def patient_hash(compiled: Compiled, **cells: Any) -> str:
    sets = ", ".join(f'"{name}" = ?' for name in cells)
    compiled.sql.execute(f"UPDATE src_patient SET {sets}", list(cells.values()))
    return str(compiled.row("person")["h0"])


def test_the_hash_is_of_what_would_be_sent(compiled: Compiled) -> None:
    first = patient(compiled)["h0"]
    assert patient_hash(compiled, email=" a@B.ie ") == first
    assert patient_hash(compiled, lastName="O'Byrne") != first
    assert patient_hash(compiled, lastName="Byrne") == first
    assert patient_hash(compiled, headId="2") == first, "lookups into the own unit are hashed when their parents landed"
    assert patient_hash(compiled, headId=None, practiceId="2") != first


def test_a_value_map_knows_words_whatever_their_case(compiled: Compiled) -> None:
    compiled.sql.execute("INSERT INTO value_map VALUES ('state', fold('DNA'), 'No Show')")
    compiled.put("appointment", "1", appointmentId="1", patientId="1", state=" d.n.a ")
    assert compiled.row("visit")["State__c"] == "No Show"
    compiled.sql.execute("UPDATE src_appointment SET state = 'WHAT'")
    assert (compiled.row("visit")["fate"], compiled.row("visit")["reason"]) == ("hold", "R-PICK@State__c")
    compiled.sql.execute("UPDATE src_appointment SET state = NULL")
    assert (compiled.row("visit")["fate"], compiled.row("visit")["State__c"]) == ("ok", None)


def test_a_child_follows_the_survivor_of_a_merge(compiled: Compiled) -> None:
    compiled.put("appointment", "1", appointmentId="1", patientId="5")
    assert compiled.row("visit")["key:Contact__c"] == "t-PAT-5"
    compiled.sql.execute("INSERT INTO src_merged VALUES ('patient', '5', '9', NULL)")
    assert compiled.row("visit")["key:Contact__c"] == "t-PAT-9"


def test_only_owners_may_be_the_fallback(compiled: Compiled) -> None:
    """Somebody who stands in is no practitioner: only an owner may be one."""
    compiled.sql.execute("INSERT INTO people VALUES ('8', ?, 'fallback')", [FALLBACK])
    assert patient(compiled, userId="8")["OwnerId"] == FALLBACK
    compiled.put("appointment", "1", appointmentId="1", patientId="1", userId="8")
    row = compiled.row("visit")
    assert (row["fate"], row["Practitioner__c"], row["withheld"]) == ("ok", None, ["Practitioner__c:R-USER-EMAIL"])


def test_a_constant_is_in_every_row(compiled: Compiled) -> None:
    compiled.put("appointment", "1", appointmentId="1", patientId="1", cost="12.50")
    row = compiled.row("visit")
    assert (row["Origin__c"], row["Cost__c"]) == ("migrated", "12.5")


def test_a_joined_entity_that_is_not_there_leaves_the_field_empty(compiled: Compiled) -> None:
    assert patient(compiled)["Site_Name__c"] is None
    compiled.put("practice", "1", practiceId="1", name="Lagan")
    assert compiled.row("person")["Site_Name__c"] == "Lagan"


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("Text(40)", 40),
        ("Text(64) ExternalId Unique", 64),
        ("LongTextArea(32768)", 32768),
        ("Picklist restricted", 255),
        ("Email", 80),
        ("Date", None),
        ("Currency(16,2)", None),
    ],
)
def test_the_length_of_a_type(words: str, limit: int | None) -> None:
    assert text_limit(words) == limit


# ---------------------------------------------------------------- what belongs to another patient, long texts, empty rows


def linked(compiled: Compiled) -> ObjectMap:
    """Visits that name an earlier visit."""
    visit = compiled.unit("visit")
    rule = FieldRule("Earlier__c", ("note",), "Lookup(Visit__c)", lookup="Visit__c:APT")
    return replace(visit, fields=(*visit.fields[:-2], rule))


@pytest.mark.parametrize(
    ("owner", "merged", "fate", "reason"),
    [
        ("1", None, "ok", None),
        ("2", None, "hold", "R-REF@Earlier__c"),
        ("2", ("2", "1"), "ok", None),  # merged into the same patient
        ("1", ("1", "2"), "ok", None),  # both moved on
        ("9", None, "ok", None),  # nobody's: the link is lost, the row is not a stranger's
        (None, None, "ok", None),
    ],
)
def test_a_row_that_points_at_another_patients_record_is_held(
    compiled: Compiled, owner: str | None, merged: tuple[str, str] | None, fate: str, reason: str | None
) -> None:
    for key in ("1", "2"):
        compiled.put("patient", key, patientId=key, lastName="Byrne")
    if merged:
        compiled.sql.execute("INSERT INTO src_merged VALUES ('patient', ?, ?, NULL)", list(merged))
    compiled.put("appointment", "5", appointmentId="5", patientId=owner)
    compiled.put("appointment", "6", appointmentId="6", patientId="1", note="5")
    row = compiled.row(linked(compiled), "6")
    assert (row["fate"], row["reason"], row["key:Earlier__c"]) == (fate, reason, "t-APT-5")


def noted(compiled: Compiled) -> ObjectMap:
    """Visits whose note is what they are about."""
    visit = compiled.unit("visit")
    fields = (
        visit.fields[0],
        FieldRule("Part__c", ("_part",), "Number(3,0)"),
        FieldRule("Parts__c", ("_parts",), "Number(3,0)"),
        FieldRule("Whole__c", ("_whole",), "Lookup(Visit__c)", lookup="Visit__c:APT"),
        FieldRule("Sum__c", ("_sha256",), "Text(64)"),
        FieldRule("Note__c", ("note",), "LongTextArea(1000)", "note_text", ("state",), on_bad="hold"),
        FieldRule("Owner__c", ("_owner",), "Text(20)"),
    )
    return replace(visit, when=(*visit.when, Condition("skip", "empty", unless="Note__c")), fields=fields)


def test_a_short_note_is_one_row_with_its_sum(compiled: Compiled) -> None:
    compiled.sql.execute("INSERT INTO src_merged VALUES ('patient', '1', '4', NULL)")
    compiled.put("appointment", "5", appointmentId="5", patientId="1", note="Seen.", state="PLAIN", seq=3)
    row = compiled.row(noted(compiled), "5")
    assert (row["key"], row["Part__c"], row["Parts__c"], row["key:Whole__c"]) == ("t-APT-5", "1", "1", None)
    assert (row["Note__c"], row["Sum__c"]) == ("Seen.", hashlib.sha256(b"Seen.").hexdigest())
    assert row["Owner__c"] == "4"


def test_a_long_note_is_as_many_rows_as_it_has_parts(compiled: Compiled) -> None:
    unit = noted(compiled)
    compiled.put("appointment", "5", appointmentId="5", patientId="1", note="not read", state="PLAIN", seq=3)
    compiled.put("appointment", "6", appointmentId="6", patientId="1", note="after it", state="PLAIN", seq=4)
    for number, text in enumerate(("one", "two", "three"), 1):
        row = ["5", number, 3, text, None, False, "ab" * 32]
        compiled.sql.execute("INSERT INTO parts_visit VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    answer = compiled.sql.execute(compiled.case.compiled(unit) + " ORDER BY seq").to_arrow_table().to_pylist()
    assert [(r["key"], r["Note__c"], r["Part__c"], r["key:Whole__c"]) for r in answer] == [
        ("t-APT-5", "one", "1", None),
        ("t-APT-5-2", "two", "2", "t-APT-5"),
        ("t-APT-5-3", "three", "3", "t-APT-5"),
        ("t-APT-6", "after it", "1", None),
    ]
    assert {r["Sum__c"] for r in answer[:3]} == {"ab" * 32}
    assert {r["source_id"] for r in answer[:3]} == {"5"}


@pytest.mark.parametrize(("note", "fate"), [("", "skip"), (" \r\n ", "skip"), (None, "skip"), ("x", "ok")])
def test_a_row_whose_field_comes_out_empty_meets_its_condition(compiled: Compiled, note: str | None, fate: str) -> None:
    compiled.put("appointment", "5", appointmentId="5", patientId="1", note=note, state="PLAIN")
    row = compiled.row(noted(compiled), "5")
    assert (row["fate"], row["reason"]) == (fate, "empty" if fate == "skip" else None)


def test_a_note_that_cannot_be_used_is_held_not_skipped(compiled: Compiled) -> None:
    compiled.put("appointment", "5", appointmentId="5", patientId="1", note="x", state="PLAIN")
    compiled.sql.execute("INSERT INTO parts_visit VALUES ('5', 1, 1, NULL, 'R-LONG', true, NULL)")
    row = compiled.row(noted(compiled), "5")
    assert (row["fate"], row["reason"]) == ("hold", "R-LONG@Note__c")


def test_an_empty_constant_is_an_empty_field(compiled: Compiled) -> None:
    site = compiled.unit("site")
    compiled.put("practice", "1", practiceId="1", name="Lagan")
    row = compiled.row(replace(site, fields=(*site.fields, FieldRule("Later__c", const="", type="Text(8)"))))
    assert row["Later__c"] is None


@pytest.mark.parametrize("name", ["_part", "_whole", "_other"])
def test_places_of_parts_need_a_text_that_has_parts(compiled: Compiled, name: str) -> None:
    site = compiled.unit("site")
    with pytest.raises(PackError, match=f"no column {name}"):
        compiled.case.compiled(replace(site, fields=(*site.fields, FieldRule("A__c", (name,), "Text(8)"))))


@pytest.mark.parametrize(
    ("type_words", "value", "sent"),
    [
        ("Number(3,0)", "999", True),
        ("Number(3,0)", "1000", False),
        ("Number(3,0)", "-999", True),
        ("Number(6,2)", "9999.99", True),
        ("Number(6,2)", "10000", False),
        ("Currency(5,2)", "999.9", True),
        ("Currency(5,2)", "1000", False),
    ],
)
def test_a_number_that_has_too_many_digits_for_its_field_is_withheld(
    compiled: Compiled, type_words: str, value: str, sent: bool
) -> None:
    visit = compiled.unit("visit")
    unit = replace(visit, fields=(visit.fields[0], FieldRule("Cost__c", ("cost",), type_words, "money")))
    compiled.put("appointment", "5", appointmentId="5", patientId="1", cost=value)
    row = compiled.row(unit, "5")
    assert (row["fate"], row["Cost__c"], row["withheld"]) == (
        ("ok", value, []) if sent else ("ok", None, ["Cost__c:R-NUMBER"])
    )


@pytest.mark.parametrize(
    ("cost", "on_bad", "fate"),
    [
        ("free", "hold_unreadable", "hold"),
        ("1.005", "hold_unreadable", "ok"),
        ("1.005", "hold", "hold"),
        ("free", "withhold", "ok"),
    ],
)
def test_what_only_has_more_decimals_need_not_hold(compiled: Compiled, cost: str, on_bad: str, fate: str) -> None:
    visit = compiled.unit("visit")
    rule = FieldRule("Cost__c", ("cost",), "Currency(16,2)", "money", on_bad=on_bad)
    compiled.put("appointment", "5", appointmentId="5", patientId="1", cost=cost)
    row = compiled.row(replace(visit, fields=(visit.fields[0], rule)), "5")
    assert (row["fate"], row["Cost__c"]) == (fate, None)


def test_what_a_quick_macro_leaves_over_is_answered_by_the_whole_one(compiled: Compiled) -> None:
    """Usual and rare forms of two fields, each in its own rows, and both levels of a unit with more fields than one takes."""
    visit = compiled.unit("visit")
    names = FieldRule("File_Name__c", ("note",), "Text(255)", "file_name")
    more = tuple(FieldRule(f"More_{n}__c", ("note",), "Text(255)") for n in range(20))
    unit = replace(visit, fields=(*visit.fields[:-2], names, *more, replace(names, target="Again__c")))
    compiled.put("patient", "1", patientId="1", lastName="Byrne")
    for key, note in (("1", "x.pdf"), ("2", "a/b:c.pdf"), ("3", None), ("4", "d*.pdf")):
        compiled.put("appointment", key, appointmentId=key, patientId="1", note=note)
    rows = [compiled.row(unit, key) for key in "1234"]
    assert [row["File_Name__c"] for row in rows] == ["x.pdf", "a_b_c.pdf", None, "d_.pdf"]
    assert [row["Again__c"] for row in rows] == ["x.pdf", "a_b_c.pdf", None, "d_.pdf"]
    told = ["File_Name__c:R-FILENAME", "Again__c:R-FILENAME"]
    assert [row["notes"] for row in rows] == [[], told, [], told]
    assert [row["withheld"] for row in rows] == [[], [], [], []]
    assert len({row["h0"] for row in rows}) == 4
