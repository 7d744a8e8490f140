"""Layout resources by REST, each URL that describe names among them."""

from __future__ import annotations

import pytest
from engine_bench import WebBench


def test_every_url_of_describe_answers(web: WebBench) -> None:
    urls = web("GET", "/sobjects/Contact/describe").json()["urls"]
    for name in ("sobject", "describe", "layouts", "compactLayouts", "approvalLayouts", "quickActions", "listviews"):
        assert web("GET", urls[name]).status_code == 200, name


def test_layouts_show_the_fields_that_the_caller_sees(web: WebBench) -> None:
    answer = web("GET", "/sobjects/Contact/describe/layouts").json()
    mapping = answer["recordTypeMappings"][0]
    assert (mapping["recordTypeId"], mapping["layoutId"]) == ("012000000000000AAA", answer["layouts"][0]["id"])
    rows = answer["layouts"][0]["editLayoutSections"][0]["layoutRows"]
    items = {row["layoutItems"][0]["layoutComponents"][0]["value"]: row["layoutItems"][0] for row in rows}
    assert "HasOptedOutOfFax" not in items
    assert (items["LastName"]["required"], items["OwnerId"]["required"]) == (True, False)
    assert items["AccountId"]["editableForNew"]
    alone = web("GET", mapping["urls"]["layout"]).json()
    assert alone == answer["layouts"][0]
    compact = web("GET", "/sobjects/Contact/describe/compactLayouts").json()
    assert web("GET", compact["urls"]["primary"]).json() == compact["compactLayouts"][0]


@pytest.mark.parametrize(
    "path", ["Nope__c/describe/layouts", "Contact/describe/layouts/012000000000001", "Nope__c/listviews"]
)
def test_what_has_no_layout_is_not_found(web: WebBench, path: str) -> None:
    answer = web("GET", f"/sobjects/{path}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
