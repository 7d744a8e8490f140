"""Recalls are no object of the shipped pack; one file in the plan makes them one, through the whole journey and back."""

from __future__ import annotations

from journey_driver import KEY, RUN, World

RECALLS = """
# A recall that is due, so that somebody can go on calling.
object = "Recall__c"
source = "recall"
key = "RCL"

[fields]
ContactId__c = { from = "patientId", type = "Lookup(Contact)", lookup = "Contact:PAT", required = true }
OwnerId = { from = "userId", type = "Lookup(User)", lookup = "Owner" }
Recall_Type__c = { from = "recallType", type = "Text(80)", transform = "label" }
Interval_Months__c = { from = "intervalMonths", type = "Number(4,0)", transform = "integer" }
Due_On__c = { from = "dueOn", type = "Date", transform = "date", required = true, on_bad = "hold" }
Method__c = { from = "method", type = "Text(40)" }
Source_Status__c = { from = "status", type = "Text(40)" }
"""
FIELDS = "Interval_Months__c, Due_On__c, Method__c, Source_Status__c"


def test_a_made_up_ninth_object_is_added_by_new_files_only(profiled: World) -> None:
    profiled.ok("propose")
    (profiled.workspace / "plan" / "recall.toml").write_text(RECALLS, encoding="utf-8")
    profiled.ok("people", "--fallback", profiled.facts["fallback_email"])
    profiled.ok("confirm", "--by", "P. Manager")
    assert "Recall__c" in str(profiled.ok("schema").document["missing"])
    profiled.ok("schema", "--go")
    before = profiled.state_hash()
    profiled.ok("sample", "--go", "--size", "100")
    profiled.ok("sample", "--accept", "--by", "P. Manager")
    done = profiled.ok("load", "--go")

    source = profiled.read("recall")
    loaded = profiled.loaded("Recall__c")
    fates = done.fates("recall")
    assert fates["hold"] + fates["skip"] + len(loaded) == len(source)
    assert len(loaded) > len(source) // 2
    assert all(row[RUN] for row in loaded.values())
    rows = profiled.soql(f"SELECT {KEY}, ContactId__r.{KEY}, {FIELDS} FROM Recall__c")
    for row in rows:
        recall = source[int(row[KEY].rsplit("-", 1)[1])]
        assert row["ContactId__r"][KEY] == profiled.survivor_key(recall["patientId"])
        assert (row["Due_On__c"], row["Interval_Months__c"]) == (recall["dueOn"], recall["intervalMonths"])
        assert (row["Method__c"], row["Source_Status__c"]) == (recall["method"], recall["status"])

    found = profiled.ok("reconcile").document
    assert found["clean"]
    line = next(line for line in found["mappings"] if "Recall__c" in line["title"])
    assert (line["source"], line["sent"]) == (len(source), len(loaded))
    moved = next(iter(sorted(loaded)))
    number = int(moved.rsplit("-", 1)[1])
    profiled.mutate("update", "recall", number, dueOn="2027-02-03")
    profiled.ok("delta", "--go")
    assert profiled.soql(f"SELECT Due_On__c FROM Recall__c WHERE {KEY} = '{moved}'") == [{"Due_On__c": "2027-02-03"}]

    done = profiled.ok("rollback", "--go")
    assert (done.document["kept"], done.document["failed"]) == ([], [])
    assert profiled.loaded("Recall__c") == {}
    assert profiled.state_hash() == before
    profiled.fates_known()
