from __future__ import annotations

from pathlib import Path

from chartlift.cli.page import write_page


def test_an_empty_journey_is_a_page_too(tmp_path: Path) -> None:
    write_page(tmp_path / "r.html", {}, {})
    assert "Differences to look at" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_everything_is_escaped_and_nothing_is_fetched(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script><img src=//x.example/p>"
    finding = {"code": bad, "entity": bad, "text": bad, "count": 3, "severity": "note", "samples": [bad]}
    unit = {"unit": bad, "object": bad, "records": {"equal": 2}, "fields": {"equal": 5}}
    carried = {
        "unit": bad,
        "reasons": [{"fate": bad, "reason": bad, "rows": 1}],
        "withheld": [{"field": bad, "rows": 1}],
    }
    reports = {
        "profile": {"findings": [finding]},
        "reconcile": {"units": [unit], "clean": True},
        "load": {"units": [carried]},
    }
    write_page(tmp_path / "r.html", reports, {"load": 1.0})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "://" not in text
    assert text.count("&lt;script&gt;") > 5
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
