"""Keys: external ids, unique values, lookups by key, upsert, the duplicate rule."""

from __future__ import annotations

from engine_bench import ALLOW, BULK, Bench

from chartlift_sandbox.salesforce.dml import SET_NULL

WITHIN = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"


def test_a_unique_value_is_taken_in_any_case(bench: Bench) -> None:
    first = bench.insert("Visit__c", Source_System_ID__c="T-APT-1a")
    rest = bench.dml("insert", "Visit__c", [{"Source_System_ID__c": "t-apt-1A"}])[0]
    expected = "duplicate value found: Source_System_ID__c duplicates value on record with id: "
    assert (rest["code"], rest["message"], rest["fields"]) == ("DUPLICATE_VALUE", expected + first[:15], "")
    bulk = bench.dml("insert", "Visit__c", [{"Source_System_ID__c": "t-apt-1A"}], options=BULK)[0]
    assert bulk["message"] == expected + first


def test_a_case_sensitive_key_tells_cases_apart(bench: Bench) -> None:
    bench.insert("Visit__c", Exact_Key__c="Abc")
    bench.insert("Visit__c", Exact_Key__c="abc")
    assert bench.error("insert", "Visit__c", Exact_Key__c="abc")[0] == "DUPLICATE_VALUE"


def test_within_one_call_the_first_of_equals_wins_and_nulls_never_clash(bench: Bench) -> None:
    keys = ["b-1", "B-1", None, None, " ", "b-2"]
    results = bench.dml("insert", "Visit__c", [{"Source_System_ID__c": key} for key in keys])
    assert [row["success"] for row in results] == [True, False, True, True, True, True]
    assert results[1]["message"] == WITHIN


def test_a_failed_row_takes_no_key(bench: Bench) -> None:
    rows = [{"Source_System_ID__c": "f-1", "Count__c": "bad"}, {"Source_System_ID__c": "f-1", "Count__c": "1"}]
    assert [row["success"] for row in bench.dml("insert", "Visit__c", rows)] == [False, True]


def test_a_deleted_record_frees_its_key(bench: Bench) -> None:
    first = bench.insert("Visit__c", Source_System_ID__c="d-1")
    bench.dml("delete", "Visit__c", [{"Id": first}])
    assert bench.insert("Visit__c", Source_System_ID__c="d-1") != first


def test_update_may_keep_its_own_key_but_not_take_anothers(bench: Bench) -> None:
    one = bench.insert("Visit__c", Source_System_ID__c="u-1")
    bench.insert("Visit__c", Source_System_ID__c="u-2")
    assert bench.dml("update", "Visit__c", [{"Id": one, "Source_System_ID__c": "U-1"}])[0]["success"]
    assert bench.error("update", "Visit__c", Id=one, Source_System_ID__c="u-2")[0] == "DUPLICATE_VALUE"


def test_lookups_by_external_id_resolve_per_row(bench: Bench) -> None:
    contacts = [bench.insert("Contact", LastName=f"L{n}", Source_System_ID__c=f"pat-{n}") for n in range(2)]
    results = bench.dml(
        "insert", "Visit__c",
        [{"Contact__r.Source_System_ID__c": key} for key in ("PAT-1", "pat-0", SET_NULL, None)],
    )  # fmt: skip
    stored = [bench.one("Visit__c", row["id"])["Contact__c"] for row in results]
    assert stored == [contacts[1], contacts[0], None, None]


def test_a_polymorphic_owner_is_named_with_its_object(bench: Bench) -> None:
    visit = bench.insert("Visit__c", **{"User:Owner.Username": "ann@clinic.example"})
    assert bench.one("Visit__c", visit)["OwnerId"] == bench.org.find_user("ann@clinic.example")


def test_upsert_creates_updates_and_reports_which(bench: Bench) -> None:
    old = bench.insert("Visit__c", Source_System_ID__c="k-1", Name="old")
    rows = [{"Source_System_ID__c": "K-1", "Name": "new"}, {"Source_System_ID__c": "k-2", "Name": "made"}]
    updated, created = bench.dml("upsert", "Visit__c", rows, external_id="source_system_id__C")
    assert (updated["id"], updated["created"], updated["success"]) == (old, False, True)
    assert (created["created"], created["success"]) == (True, True)
    assert bench.one("Visit__c", old)["Name"] == "new"
    assert bench.one("Visit__c", created["id"])["Source_System_ID__c"] == "k-2"


def test_upsert_refuses_missing_repeated_and_ambiguous_keys(bench: Bench) -> None:
    for _ in range(2):
        bench.insert("Visit__c", Loose_Key__c="amb")
    rows: list[dict[str, str | None]] = [{"Loose_Key__c": key} for key in ("new", None, "NEW", "amb")]
    codes = [row["code"] for row in bench.dml("upsert", "Visit__c", rows, external_id="Loose_Key__c")]
    assert codes == [None, "MISSING_ARGUMENT", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"]


def test_upsert_on_id_inserts_rows_without_one(bench: Bench) -> None:
    old = bench.insert("Visit__c", Name="a")
    rows: list[dict[str, str | None]] = [{"Id": old, "Name": "b"}, {"Id": None, "Name": "c"}, {"Id": "x", "Name": "d"}]
    results = bench.dml("upsert", "Visit__c", rows, external_id="Id")
    assert [row["created"] for row in results[:2]] == [False, True]
    assert results[2]["code"] == "MALFORMED_ID"


def test_the_duplicate_rule_blocks_unless_saving_is_allowed(bench: Bench) -> None:
    person: dict[str, str | None] = {"FirstName": "Sam", "LastName": "Twin", "Email": "sam@example.com"}
    bench.insert("Contact", **person)
    code, message, fields = bench.error("insert", "Contact", **{**person, "LastName": "TWIN"})
    assert (code, message, fields) == ("DUPLICATES_DETECTED", "Use one of these records?", "")
    bench.insert("Contact", FirstName="Alex", LastName="Twin", Email="sam@example.com")
    assert bench.dml("insert", "Contact", [person], options=ALLOW)[0]["success"]
    bench.org.settings.duplicate_rule_contact = False
    bench.insert("Contact", **person)
    bench.org.settings.duplicate_rule_contact = True


def test_all_or_none_writes_nothing_when_one_row_fails(bench: Bench) -> None:
    rows: list[dict[str, str | None]] = [{"Source_System_ID__c": "aon-1"}, {"Count__c": "bad"}]
    results = bench.dml("insert", "Visit__c", rows, all_or_none=True)
    assert [row["code"] for row in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_TYPE_ON_FIELD_IN_RECORD"]
    assert results[0]["id"] is None
    assert results[0]["created"] is True
    assert bench.org.rows('SELECT 1 FROM "Visit__c" WHERE "Source_System_ID__c" = \'aon-1\'') == []
    logged = bench.org.read_writes(since=bench.org.writes.count - 2)
    assert [entry["ok"] for entry in logged] == [False, False]


def test_assigning_a_permission_set_twice_is_a_duplicate(bench: Bench) -> None:
    set_id = bench.org.put_permission_set("Twice", "Twice", objects={}, fields={})
    bench.insert("PermissionSetAssignment", AssigneeId=bench.org.people.manager, PermissionSetId=set_id)
    row: dict[str, str | None] = {"AssigneeId": bench.org.people.manager, "PermissionSetId": set_id}
    assert bench.error("insert", "PermissionSetAssignment", **row)[0] == "DUPLICATE_VALUE"
