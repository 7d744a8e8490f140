"""Sums in a currency nobody confirmed never reach the org, not even by a single line; once it is put right they do."""

from __future__ import annotations

from journey_driver import KEY, World

LOAD = ("load", "--go", "--without-sample")


def test_an_invoice_in_a_strange_currency_stays_with_its_lines(deployed: World) -> None:
    lines = deployed.contents["Invoice_Line__c"]
    by_invoice: dict[str, set[str]] = {}
    for line in lines:
        by_invoice.setdefault(line.split("-")[2], set()).add(line)
    number, mine = next((number, mine) for number, mine in reversed(by_invoice.items()) if len(mine) > 1)
    invoice = f"mill-INV-{number}"
    was = deployed.read("invoice")[int(number)]["currency"]
    deployed.mutate("update", "invoice", int(number), currency="XTS")
    deployed.ok("extract", "--full")

    done = deployed.ok(*LOAD)

    assert invoice not in deployed.loaded("Invoice__c")
    assert not mine & set(deployed.loaded("Invoice_Line__c"))
    held = done.reasons("invoice")["R-CUR@Currency_Code__c"]
    assert held >= 1
    assert done.reasons("invoice_line")["parent:R-CUR@Currency_Code__c"] >= len(mine)
    assert (
        deployed.soql(f"SELECT Id FROM Invoice__c WHERE {KEY} LIKE 'mill-%' AND Currency_Code__c NOT IN ('GBP', 'EUR')")
        == []
    )
    document = deployed.ok("reconcile").document
    assert document["clean"]
    line = next(line for line in document["mappings"] if line["units"] == ["invoice"])
    told = [reason for reason in line["reasons"] if reason["code"] == "R-CUR@Currency_Code__c"]
    assert [(reason["fate"], reason["rows"]) for reason in told] == [("hold", held)]
    assert "currency" in told[0]["text"]

    seen = deployed.get("/org/writes")[-1]["n"]
    deployed.mutate("update", "invoice", int(number), currency=was)
    deployed.ok("delta", "--go")
    assert {row["new"][KEY] for row in deployed.writes(seen) if row["op"] == "insert"} == {invoice} | mine
    deployed.holds_everything()
