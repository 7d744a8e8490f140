from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from chartlift.platforms.salesforce.answers import Answer, Unusable, unpack

TEXT = b"Id,Name\n" * 50_000


def test_a_whole_body_is_unpacked() -> None:
    assert unpack(gzip.compress(TEXT), "gzip", 10**9) == TEXT
    assert unpack(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", 10**9) == b"ab"
    assert unpack(TEXT, "", 10**9) == TEXT


@pytest.mark.parametrize("cut", [0, 5, 100, -8, -1])
def test_a_body_cut_anywhere_is_not(cut: int) -> None:
    with pytest.raises(Unusable):
        unpack(gzip.compress(TEXT)[:cut], "gzip", 10**9)


def test_a_body_that_explodes_is_not() -> None:
    with pytest.raises(Unusable, match="too large"):
        unpack(gzip.compress(TEXT), "gzip", 1_000)


def test_a_damaged_or_unasked_encoding_is_not() -> None:
    body = bytearray(gzip.compress(TEXT))
    body[200] ^= 0xFF
    with pytest.raises(Unusable):
        unpack(bytes(body), "gzip", 10**9)
    with pytest.raises(Unusable, match="encoding"):
        unpack(b"x", "br", 10**9)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"[1] 2", b"\xff", b'{"a": "x'])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(Unusable):
        Answer(200, {"content-type": "application/json"}, body).json()


def test_numbers_with_a_point_stay_text() -> None:
    body = json.dumps({"a": 120.50, "b": 7}).encode()
    assert Answer(200, {"content-type": "application/json;charset=UTF-8"}, body).json() == {"a": "120.5", "b": 7}


def test_errors_in_all_their_shapes() -> None:
    shapes = {
        b'[{"errorCode":"A_B","fields":["X__c","no name"]}]': [("A_B", "X__c")],
        b'{"error":"invalid_grant","error_description":"x"}': [("invalid_grant", "")],
        b'{"errorCode":"NOT_FOUND"}': [("NOT_FOUND", "")],
        b'[{"statusCode":"C"}]': [("UNRECOGNISED", "")],
        b"<html>": [],
    }
    for body, expected in shapes.items():
        assert Answer(400, {"content-type": "application/json"}, body).errors() == expected
    assert Answer(403, {"content-type": "text/plain"}, b"Bad_OAuth_Token").errors() == [("Bad_OAuth_Token", "")]


def test_waiting_times() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    for header, expected in {"3": 3.0, "": None, "-1": None, "Wed, 25 Nov 2026 12:01:00 GMT": 60.0}.items():
        assert Answer(503, {"retry-after": header}, b"").wait(now) == expected
