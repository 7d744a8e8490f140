"""Field-level security, object access and what describe shows of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_bench import PERSON, Bench, WebBench

from chartlift_sandbox.salesforce.access import FieldGrant, ObjectGrant
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Actor
from chartlift_sandbox.salesforce.schema import Field

FIELD_KEYS = 57


def _admin(bench: Bench) -> Actor:
    return bench.org.actor_for(bench.org.people.admin)


def _fields(bench: Bench, actor: Actor, name: str) -> dict[str, dict[str, Any]]:
    return {f["name"]: f for f in bench.org.describe(actor, name)["fields"]}


def test_a_new_custom_field_is_invisible_even_to_an_administrator(bench: Bench) -> None:
    bench.org.create_field("Contact", Field("Fresh__c", "Fresh", "string", length=10, custom=True))
    admin = _admin(bench)
    assert "Fresh__c" not in _fields(bench, admin, "Contact")
    with pytest.raises(OrgError, match="No such column 'Fresh__c'"):
        bench.dml("insert", "Contact", [{"LastName": "x", "Fresh__c": "y"}], actor=admin)
    set_id = bench.org.put_permission_set("Fresh", "Fresh", objects={}, fields={"Contact.Fresh__c": FieldGrant()})
    bench.insert("PermissionSetAssignment", AssigneeId=admin.user_id, PermissionSetId=set_id)
    assert _fields(bench, admin, "Contact")["Fresh__c"]["createable"] is True
    assert bench.dml("insert", "Contact", [{"LastName": "x", "Fresh__c": "y"}], actor=admin)[0]["success"]


def test_a_field_granted_for_reading_is_read_only(bench: Bench) -> None:
    bench.org.create_field("Account", Field("Seen__c", "Seen", "string", length=10, custom=True))
    set_id = bench.org.put_permission_set(
        "Seen", "Seen", objects={}, fields={"Account.Seen__c": FieldGrant(read=True, edit=False)}
    )
    bench.insert("PermissionSetAssignment", AssigneeId=bench.org.people.admin, PermissionSetId=set_id)
    shown = _fields(bench, _admin(bench), "Account")["Seen__c"]
    assert (shown["createable"], shown["updateable"], shown["permissionable"]) == (False, False, True)
    row = bench.dml("insert", "Account", [{"Name": "x", "Seen__c": "y"}], actor=_admin(bench))[0]
    assert (row["code"], row["fields"]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", "Seen__c")


def test_objects_need_a_grant_unless_all_data_may_be_modified(bench: Bench) -> None:
    desk = bench.org.actor_for(bench.org.people.front_desk)
    assert bench.org.readable(_admin(bench), "Visit__c")
    assert not bench.org.readable(desk, "Visit__c")
    with pytest.raises(OrgError, match="INVALID_TYPE"):
        bench.dml("insert", "Visit__c", [{"Name": "x"}], actor=desk)
    set_id = bench.org.put_permission_set("Look", "Look", objects={"Visit__c": ObjectGrant(read=True)}, fields={})
    bench.insert("PermissionSetAssignment", AssigneeId=desk.user_id, PermissionSetId=set_id)
    refused = bench.dml("insert", "Visit__c", [{"Name": "x"}], actor=desk)[0]
    assert refused["code"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert bench.org.describe(desk, "Visit__c")["createable"] is False


def test_a_person_in_the_clinics_screens_is_not_held_back_by_missing_grants(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Note__c="before")
    row: dict[str, str | None] = {"Id": visit, "Note__c": "after"}
    with pytest.raises(OrgError, match="No such column"):
        bench.dml("update", "Visit__c", [row], actor=_admin(bench))
    assert bench.dml("update", "Visit__c", [row], actor=_admin(bench), options=PERSON)[0]["success"]
    stored = bench.one("Visit__c", visit)
    assert (stored["Note__c"], stored["LastModifiedById"]) == ("after", bench.org.people.admin)


def test_opt_outs_and_birthdate_need_a_permission_set(fresh: Bench) -> None:
    plain = fresh.org.actor_for(fresh.org.people.manager)
    assert {"HasOptedOutOfEmail", "DoNotCall"}.isdisjoint(fresh.org.visible_fields(plain, "Contact"))
    assert "Birthdate" in fresh.org.visible_fields(plain, "Contact")
    fresh.org.db.execute('DELETE FROM "PermissionSetAssignment"')
    fresh.org.access.invalidate()
    bare = fresh.org.actor_for(fresh.org.people.integration)
    assert "Birthdate" not in fresh.org.visible_fields(bare, "Contact")
    assert "CreateAuditFields" not in bare.permissions


def test_audit_fields_are_createable_in_describe_by_permission(bench: Bench) -> None:
    assert _fields(bench, bench.actor, "Contact")["CreatedDate"]["createable"] is True
    assert _fields(bench, _admin(bench), "Contact")["CreatedDate"]["createable"] is False


def test_every_field_has_all_keys_and_long_text_cannot_be_filtered(bench: Bench) -> None:
    for name in ("Contact", "Visit__c", "User"):
        for shown in _fields(bench, bench.actor, name).values():
            assert len(shown) == FIELD_KEYS
    description = _fields(bench, bench.actor, "Contact")["Description"]
    assert (description["filterable"], description["sortable"], description["groupable"]) == (False, False, False)
    assert description["byteLength"] == 96_000


def test_children_and_record_types_are_described(bench: Bench) -> None:
    contact = bench.org.describe(bench.actor, "Contact")
    children = {(c["childSObject"], c["field"]): c for c in contact["childRelationships"]}
    assert children["Visit__c", "Contact__c"]["relationshipName"] == "Visits__r"
    assert children["Task", "WhoId"]["cascadeDelete"] is True
    visit = bench.org.describe(bench.actor, "Visit__c")
    guards = {c["field"]: c for c in visit["childRelationships"] if c["childSObject"] == "Guard__c"}
    assert guards["Visit__c"]["restrictedDelete"] is True
    lines = next(c for c in visit["childRelationships"] if c["childSObject"] == "Line__c")
    assert (lines["cascadeDelete"], lines["relationshipName"]) == (True, "Lines__r")
    assert contact["recordTypeInfos"][0]["recordTypeId"] == "012000000000000AAA"
    assert "OwnerId" not in _fields(bench, bench.actor, "Line__c")


def test_describe_over_rest(web: WebBench) -> None:
    everything = web("GET", "/sobjects").json()
    assert everything["maxBatchSize"] == 200
    by_name = {entry["name"]: entry for entry in everything["sobjects"]}
    assert by_name["Contact"]["keyPrefix"] == "003"
    assert by_name["Visit__c"]["custom"] is True
    first = web("GET", "/sobjects/contact/describe")
    assert first.json()["name"] == "Contact"
    unchanged = web("GET", "/sobjects/Contact/describe", If_Modified_Since=first.headers["last-modified"])
    assert unchanged.status_code == 304
    basic = web("GET", "/sobjects/Visit__c").json()
    assert set(basic) == {"objectDescribe", "recentItems"}


def _recordings() -> Path | None:
    """The recorded describes that lie beside a checkout; None where they do not."""
    root = next(p for p in Path(__file__).parents if (p / "pyproject.toml").is_file())
    folder = root.parent / "shared" / "reference" / "describes"
    return folder if folder.is_dir() else None


REASONS = {
    ("Event", "keyPrefix"): "the recording was trimmed by hand; the object's own describe says 00U",
    ("Event", "mergeable"): "same",
    ("Lead", "keyPrefix"): "same; 00Q",
}
SUMMARY_KEYS = ("keyPrefix", "createable", "updateable", "deletable", "undeletable", "mergeable", "label")


def test_object_properties_match_the_recordings(bench: Bench) -> None:
    folder = _recordings()
    entries = {s["name"]: s for s in bench.org.describe_global(bench.actor)["sobjects"]}
    if folder is None:
        assert entries["Contact"]["keyPrefix"] == "003"
        return
    recorded = json.loads((folder / "GET_sobjects_Global_describe.json").read_text("utf-8"))["sobjects"]
    wrong = []
    for entry in recorded:
        name, ours = entry["name"], entries.get(entry["name"], entry)
        wrong += [f"{name}.{k}" for k in SUMMARY_KEYS if ours[k] != entry[k] and (name, k) not in REASONS]
    assert wrong == []
    assert len(entries.keys() & {entry["name"] for entry in recorded}) >= 7
