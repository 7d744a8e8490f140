"""Balances follow from the invoices, copies of documents are copies, and the truth lists every exception."""

from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from chartlift_sandbox.clinic import Clinic

AMOUNT = 2


@pytest.fixture(scope="module", params=[(900, 7), (700, 4)])
def clinic(request: pytest.FixtureRequest, lasting_desk: Any) -> Clinic:
    patients, seed = request.param
    return lasting_desk(patients=patients, seed=seed, signed_in=False).clinic


def rows(clinic: Clinic, entity: str) -> list[dict[str, Any]]:
    return list(clinic.records(entity, clinic.ids(entity)))


def test_balances_are_the_sum_of_what_is_due(clinic: Clinic) -> None:
    currency = {row["practiceId"]: row["currency"] for row in rows(clinic, "practice")}
    mine = {row["patientId"]: row for row in rows(clinic, "patient")}
    moved = {row["id"] for row in clinic.truth() if row["entity"] == "patient" and row["field"] == "practiceId"}
    due = dict.fromkeys(mine, Decimal(0))
    for row in rows(clinic, "invoice"):
        owner, amount = mine.get(row["patientId"]), row["amountDue"]
        if (
            owner is None
            or row["isDeleted"]
            or len(amount.partition(".")[2]) != AMOUNT
            or amount[-1] not in "0123456789"
        ):
            continue
        if owner["patientId"] in moved or row["currency"] == currency[owner["practiceId"]]:
            due[owner["patientId"]] += Decimal(amount)
    odd = {key for key, row in mine.items() if Decimal(row["balance"]) != due[key]}
    assert odd == {row["id"] for row in clinic.truth() if (row["entity"], row["field"]) == ("patient", "balance")}
    assert odd
    assert any(due[key] > 0 for key in mine)


def test_documents_with_the_content_of_another_name_it(clinic: Clinic) -> None:
    copies = [row for row in clinic.truth() if row["note"] == "the content of another document"]
    assert len(copies) > len(rows(clinic, "document")) / 100
    for row in copies:
        one, two = clinic.content(row["id"]), clinic.content(row["other"])
        assert one is not None
        assert two is not None
        assert one.body == two.body
        assert sha256(one.body).hexdigest() == clinic.record("document", row["id"])["sha256"]
    by_hash: dict[str, set[int]] = {}
    for row in rows(clinic, "document"):
        found = clinic.content(row["documentId"])
        if found is not None and found.body:
            by_hash.setdefault(sha256(found.body).hexdigest(), set()).add(row["documentId"])
    alike = {key for keys in by_hash.values() if len(keys) > 1 for key in keys}
    assert alike == {row[name] for row in copies for name in ("id", "other")}
