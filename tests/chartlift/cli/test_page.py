from __future__ import annotations

from pathlib import Path
from typing import Any

from chartlift.cli.page import write_page


def mapping(word: str) -> dict[str, Any]:
    counts = dict.fromkeys(("source", "sent", "verified", "withheld", "held", "skipped", "failed"), 1)
    return counts | {"title": word, "reasons": [{"fate": word, "code": word, "rows": 1, "text": word}]}


def rebuilt(word: str) -> dict[str, Any]:
    numbers = dict.fromkeys(("links", "collecting", "cancelled_only", "plans", "care_plans"), 3)
    items = [{"code": "stripe", "use": {word: 2}}]
    return {"rows": 4, "collecting": 3, "counts": [numbers | {"practice": word, "provider": word}], "items": items}


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
        "reconcile": {"units": [unit], "clean": True, "mappings": [mapping(bad)]},
        "load": {"units": [carried]},
        "rebuild": rebuilt(bad),
    }
    measured = {"pace": [{"step": bad, "rows": 5, "rows_per_s": 1200, "seconds": 0.1}], "peak_mb": 250}
    write_page(tmp_path / "r.html", reports, {"load": 1.0}, measured)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "://" not in text
    assert text.count("&lt;script&gt;") > 5
    assert "1,200" in text
    assert "250 MB of memory" in text
    assert "3 mandates still collecting" in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
