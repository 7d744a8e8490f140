"""Rows inside patients and invoices become rows of their own, and nothing is taken for whole that is not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from chartlift.model.source import Page
from chartlift.platforms.aeronaclinic.source import AeronaSource


def rows(pages: list[Page], entity: str) -> list[dict[str, Any]]:
    return [row for page in pages if entity in page.tables for row in pa.table(page.tables[entity]).to_pylist()]


def read(source: AeronaSource, listing: str) -> list[Page]:
    return list(source.pages(listing, since=None, cursor=None))


def problems(pages: list[Page]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for page in pages:
        for code, place, count in page.problems:
            found[code, place] += count
    return found


def test_patients_bring_everything_embedded_along(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3, 1)
    clinic.rows["treatment"] = [clinic.treatment(n, 1 + n % 3) for n in range(1, 8)]
    clinic.rows["clinicalNote"] = [{"noteId": n, "patientId": 2, "text": "x"} for n in range(1, 4)]
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 3), clinic.invoice(6, 3, 1), clinic.invoice(7, 3, 0)]
    pages = read(source, "patient")
    asked = clinic.asked("/patients")[0]["embed"].split(",")
    assert set(asked) == {"appointments", "treatments", "clinicalNotes", "billingLines", "medical"}
    assert len(rows(pages, "treatment")) == 7
    assert len(rows(pages, "clinicalNote")) == 3
    assert [row["lineKey"] for row in rows(pages, "invoiceLine")] == ["5-1", "5-2", "5-3", "6-1"]
    assert [row["invoiceId"] for row in rows(pages, "invoice")] == ["5", "6"]
    assert problems(pages) == {}


def test_an_invoice_is_the_same_flat_or_from_its_list(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(2, 0)
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 3, status="PAID"), clinic.invoice(6, 2, 1)]
    flat, listed = read(source, "patient"), read(source, "invoice")
    for entity in ("invoice", "invoiceLine"):
        one, other = ([{**row, "_raw": None} for row in rows(pages, entity)] for pages in (flat, listed))
        assert one == other
        assert len(one) > 1


def test_billing_lines_cut_short_are_read_from_the_invoices(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3, 0)
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 3), clinic.invoice(6, 1, 4), clinic.invoice(7, 2, 2)]
    clinic.embed_cap = 5
    pages = read(source, "patient")
    assert sorted(row["lineKey"] for row in rows(pages, "invoiceLine")) == [
        "5-1", "5-2", "5-3", "6-1", "6-2", "6-3", "6-4", "7-1", "7-2",
    ]  # fmt: skip
    assert [query["patientId"] for query in clinic.asked("/invoices")] == ["1"]
    assert problems(pages) == {("R-EMBED", "patient.billingLines"): 1}


def test_lines_of_an_invoice_that_may_lack_some_are_left_to_the_list(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(3, 0)
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 3), clinic.invoice(7, 2, 1)]
    clinic.embed_cap, clinic.ignores = 2, {"patientId"}
    pages = read(source, "patient")
    assert [row["lineKey"] for row in rows(pages, "invoiceLine")] == ["7-1"]
    assert [row["invoiceId"] for row in rows(pages, "invoice")] == ["7"]


def test_flat_lines_that_do_not_agree_about_their_invoice_are_told_and_the_first_counts(
    source: AeronaSource, clinic: Any
) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 3)]
    clinic.rows["invoice"][0]["lineItems"][1]["totalAmount"] = "99.00"
    pages = read(source, "patient")
    assert [row["totalAmount"] for row in rows(pages, "invoice")] == ["15.00"]
    assert len(rows(pages, "invoiceLine")) == 3
    assert problems(pages) == {("R-BAL", "invoice.invoiceId"): 1}


def test_a_line_of_its_own_kind_keeps_what_the_profile_does_not_know(source: AeronaSource, clinic: Any) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 1)]
    clinic.rows["invoice"][0]["lineItems"][0]["vatCode"] = "Z"
    for listing in ("patient", "invoice"):
        pages = read(source, listing)
        assert '"vatCode":"Z"' in rows(pages, "invoiceLine")[0]["_raw"]
        assert problems(pages) == {("S-UNMAPPED", "invoiceLine.vatCode"): 1}


def test_a_line_without_a_number_has_no_key(source: AeronaSource, clinic: Any) -> None:
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 2)]
    clinic.rows["invoice"][0]["lineItems"][0]["invoiceLineId"] = None
    assert [row["lineKey"] for row in rows(read(source, "invoice"), "invoiceLine")] == [None, "5-2"]


def test_of_two_versions_on_a_page_the_newer_ones_lines_come(source: AeronaSource, clinic: Any) -> None:
    clinic.rows["invoice"] = [clinic.invoice(5, 1, 1, updatedAt="2026-02-01T00:00:00Z"), clinic.invoice(5, 1, 3)]
    pages = read(source, "invoice")
    assert [row["lineKey"] for row in rows(pages, "invoiceLine")] == ["5-1"]
    assert len(rows(pages, "invoice")) == 2


def test_an_invoice_without_a_word_about_its_lines_is_bare(source: AeronaSource, clinic: Any) -> None:
    clinic.rows["invoice"] = [clinic.invoice(5, 1), clinic.invoice(6, 1, lineItems=[])]
    del clinic.rows["invoice"][0]["lineItems"]
    pages = read(source, "invoice")
    assert [page.bare for page in pages] == [(("invoice", "5"),)]
    assert problems(pages) == {("R-PARTS", "invoice.lineItems"): 1}
