"""Rules of the org take part in a save where the order of execution puts them, in every channel."""

from __future__ import annotations

import dataclasses
from typing import Any

from engine_bench import ALLOW, BULK, Bench, WebBench

from chartlift_sandbox.salesforce.rulebook import Automation, DuplicateRule, MatchField, ValidationRule


def rule(formula: str, message: str = "No", field: str = "", name: str = "R") -> ValidationRule:
    return ValidationRule("Visit__c", "", message, field, name, formula)


def flow(action: str, moment: str = "after_save", **more: Any) -> Automation:
    known = {one.name for one in dataclasses.fields(Automation)}
    words = tuple((name, value) for name, value in more.items() if name not in known)
    return Automation("Visit__c", "Helper", moment, action, words, **{k: v for k, v in more.items() if k in known})


def test_an_update_is_seen_with_what_it_leaves_alone(fresh: Bench) -> None:
    fresh.org.rules.validation.append(rule('ISCHANGED(Note__c) && PRIORVALUE(Note__c) = "old" && Count__c = 3'))
    kept = fresh.insert("Visit__c", Note__c="old", Count__c="3")
    assert fresh.error("update", "Visit__c", Id=kept, Note__c="new")[0] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert fresh.dml("update", "Visit__c", [{"Id": kept, "Note__c": "old"}])[0]["success"]
    assert fresh.dml("update", "Visit__c", [{"Id": kept, "Note__c": "new", "Count__c": "4"}])[0]["success"]


def test_a_name_that_the_platform_makes_is_known_to_rules(fresh: Bench) -> None:
    fresh.org.rules.validation.append(ValidationRule("Contact", "", "m", "", "N", 'Name = "Ann Bee"'))
    assert fresh.error("insert", "Contact", FirstName="Ann", LastName="Bee")[1:] == ("m", "")
    kept = fresh.insert("Contact", FirstName="Ann", LastName="Cee")
    assert fresh.error("update", "Contact", Id=kept, LastName="Bee")[0] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_the_first_failing_step_is_the_one_reported(fresh: Bench) -> None:
    fresh.org.rules.validation.append(rule("TRUE", "refused by rule", "Note__c"))
    fresh.org.rules.duplicates.append(DuplicateRule("Visit__c", "D", "D", (MatchField("Note__c"),), "block", "block"))
    fresh.org.rules.automations.append(flow("fail_apex", condition="Count__c = 1", message="boom"))
    long = fresh.error("insert", "Visit__c", Note__c="x" * 30)
    assert long[0] == "STRING_TOO_LONG"
    assert fresh.error("insert", "Visit__c", Note__c="n") == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", "refused by rule", "Note__c",
    )  # fmt: skip
    fresh.org.rules.validation.clear()
    kept = fresh.insert("Visit__c", Note__c="twin", Source_System_ID__c="k")
    both = fresh.error("insert", "Visit__c", Note__c="twin", Source_System_ID__c="k")
    assert both[0] == "DUPLICATES_DETECTED"
    unique = fresh.error("insert", "Visit__c", Note__c="other", Source_System_ID__c="k", Count__c="1")
    assert unique[0] == "DUPLICATE_VALUE"
    assert kept[:15] in unique[1]
    assert fresh.error("insert", "Visit__c", Count__c="1")[0] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    gone = fresh.error("insert", "Visit__c", Count__c="1", Contact__c="003000000000001AAA")
    assert gone[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_alert_asks_block_does_not_and_report_is_silent(fresh: Bench) -> None:
    fields = (MatchField("Note__c", fuzzy=True), MatchField("Count__c", blank_matches=True))
    fresh.insert("Visit__c", Note__c="Crown, upper left")
    twin = {"Note__c": "crown upper-left"}
    for action, code, insisted in (
        ("alert", "DUPLICATES_DETECTED", None), ("block", "DUPLICATES_DETECTED", "DUPLICATES_DETECTED"),
        ("report", None, None),
    ):  # fmt: skip
        fresh.org.rules.duplicates[:] = [DuplicateRule("Visit__c", "D", "D", fields, action)]
        assert fresh.dml("insert", "Visit__c", [twin], options=BULK)[0]["code"] == code
        assert fresh.dml("insert", "Visit__c", [twin], options=ALLOW)[0]["code"] == insisted
    fresh.org.rules.duplicates[:] = [DuplicateRule("Visit__c", "D", "D", fields, "block")]
    assert fresh.dml("insert", "Visit__c", [{**twin, "Count__c": "4"}])[0]["success"]


def test_a_custom_permission_spares_its_holders(fresh: Bench) -> None:
    book = fresh.org.rules
    book.validation.append(rule("NOT($Permission.Bypass_Rules) && Count__c = 1"))
    book.automations.append(flow("fail_flow", bypass="Bypass_Rules", condition="Count__c = 2"))
    book.duplicates.append(
        DuplicateRule("Visit__c", "D", "D", (MatchField("Note__c"),), "block", bypass="Bypass_Rules")
    )
    fresh.insert("Visit__c", Note__c="a")
    rows = [{"Count__c": "1"}, {"Count__c": "2"}, {"Note__c": "a"}]
    refused = [row["code"] for row in fresh.dml("insert", "Visit__c", rows)]
    assert refused == ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_EXECUTE_FLOW_TRIGGER", "DUPLICATES_DETECTED"]
    book.grants["loader"] = ["Bypass_Rules"]
    assert all(row["success"] for row in fresh.dml("insert", "Visit__c", rows))


def test_one_bad_row_fails_its_chunk_of_two_hundred(fresh: Bench) -> None:
    fresh.org.rules.automations.append(flow("fail_apex", "before_save", condition="Count__c = 250", message="x: 'y'"))
    rows = fresh.dml("insert", "Visit__c", [{"Count__c": str(number)} for number in range(450)], options=BULK)
    bad = [row for row in rows if not row["success"]]
    assert [row["row"] for row in bad] == list(range(200, 400))
    assert {row["code"] for row in bad} == {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}
    assert bad[0]["message"].startswith("Helper: execution of BeforeInsert")
    fresh.org.rules.automations[:] = [flow("fail_flow", condition="Count__c = 250")]
    rows = fresh.dml("insert", "Visit__c", [{"Count__c": str(number)} for number in range(300)], options=BULK)
    assert [row["row"] for row in rows if not row["success"]] == [250]


def test_flows_set_fields_send_mail_and_make_tasks(fresh: Bench) -> None:
    book = fresh.org.rules
    book.automations += [
        flow("set_field", "before_save", field="Note__c", value='"set " & TEXT(Count__c)', condition="Count__c > 1"),
        flow("send_mail", to="{!Contact__r.Email}", subject="Visit {!Count__c}", body='{!Note__c} "{!Paid__c}"'),
        flow("insert_task", subject="Call {!Count__c}", on="insert"),
    ]
    parent = fresh.insert("Contact", LastName="P", Email="p@example.com")
    made = fresh.dml("insert", "Visit__c", [{"Count__c": str(n), "Contact__c": parent} for n in (1, 2)])
    assert [fresh.one("Visit__c", row["id"])["Note__c"] for row in made] == [None, "set 2"]
    mail = [(one.to, one.subject, one.body, one.id) for one in book.mail]
    assert mail == [
        ("p@example.com", "Visit 1", ' "true"', made[0]["id"]),
        ("p@example.com", "Visit 2", 'set 2 "true"', made[1]["id"]),
    ]
    tasks = fresh.org.rows('SELECT "Subject", "WhatId" FROM "Task" ORDER BY "Id"')
    assert [(one["Subject"], one["WhatId"]) for one in tasks] == [
        ("Call 1", made[0]["id"]), ("Call 2", made[1]["id"]),
    ]  # fmt: skip
    fresh.dml("update", "Visit__c", [{"Id": made[0]["id"], "Count__c": "5"}])
    assert fresh.one("Visit__c", made[0]["id"])["Note__c"] == "set 5"
    assert fresh.org.rows('SELECT count(*) AS n FROM "Task"')[0]["n"] == 2


def test_what_is_rolled_back_sends_no_mail(fresh: Bench) -> None:
    fresh.org.rules.automations.append(flow("send_mail", to="a@example.com", subject="s", body="b"))
    rows = [{"Note__c": "ok"}, {"Note__c": "x" * 30}]
    assert not any(row["success"] for row in fresh.dml("insert", "Visit__c", rows, all_or_none=True))
    assert fresh.org.rules.mail == []
    fresh.dml("insert", "Visit__c", rows)
    assert len(fresh.org.rules.mail) == 1


def test_rules_travel_with_a_snapshot(fresh: Bench, tmp_path: Any) -> None:
    book = fresh.org.rules
    book.validation.append(rule("Count__c = 1"))
    book.automations.append(flow("send_mail", to="a@example.com", subject="s", body="b"))
    book.duplicates.append(DuplicateRule("Visit__c", "D", "D", (MatchField("Note__c"),)))
    fresh.insert("Visit__c", Note__c="a")
    before = book.document()
    fresh.org.snapshot(str(tmp_path / "org.db"))
    book.clear()
    fresh.org.restore(str(tmp_path / "org.db"))
    assert fresh.org.rules.document() == before
    assert fresh.error("insert", "Visit__c", Count__c="1")[0] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_collections_carry_the_shape_of_each_error(web: WebBench) -> None:
    org = web.bench.org
    org.rules.validation.append(rule("Count__c = 1", "Rule's text: a, b", "Count__c"))
    try:
        record = {"attributes": {"type": "Visit__c"}, "Count__c": 1}
        answer = web("POST", "/composite/sobjects", {"records": [record]}).json()
        single = web("POST", "/sobjects/Visit__c", {"Count__c": 1})
    finally:
        org.rules.clear()
    shown = {"message": "Rule's text: a, b", "fields": ["Count__c"]}
    assert answer == [{"success": False, "errors": [{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", **shown}]}]
    assert (single.status_code, single.json()) == (400, [{**shown, "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}])
