from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[..., Any]


def spend(one: Any, number: int) -> list[int]:
    return [one.get("/practices").status for _ in range(number)]


def test_request_301_ends_the_token_at_once(desk: Open) -> None:
    one = desk()  # the sign-in was the first request
    assert spend(one, 299) == [200] * 299
    answer = one.get("/practices")
    assert (answer.status, answer.json["error"]) == (429, "RATE_LIMIT")
    assert "retry-after" not in answer.headers
    one.clock.advance(900)
    dead = one.get("/practices")
    assert (dead.status, dead.json["error"]) == (401, "TOKEN_INVALID")
    assert one.sign_in().status == 200
    assert one.get("/practices").status == 200
    assert one.app.state.limiter.max_in_window == 301
    assert one.app.state.limiter.exceeded == 1


def test_the_window_slides(desk: Open) -> None:
    one = desk()
    one.clock.advance(800)
    assert spend(one, 299) == [200] * 299
    one.clock.advance(99.5)
    assert one.app.state.limiter.max_in_window == 300
    one.clock.advance(0.5)  # only the sign-in has left the window
    assert spend(one, 1) == [200]
    assert one.get("/practices").status == 429


def test_a_fixed_window_begins_afresh(desk: Open) -> None:
    one = desk(window="fixed")
    one.clock.advance(800)
    assert spend(one, 299) == [200] * 299
    one.clock.advance(100)
    assert spend(one, 2) == [200] * 2
    assert one.app.state.limiter.max_in_window > 300  # two windows side by side: the sliding count tells


def test_a_sign_in_counts_and_does_not_clear_the_count(desk: Open) -> None:
    one = desk()
    assert spend(one, 299) == [200] * 299
    assert one.sign_in().status == 429


def test_a_sign_in_may_clear_the_count(desk: Open) -> None:
    one = desk(counter_survives_login=False)
    spend(one, 298)
    assert one.sign_in().status == 200
    assert spend(one, 250) == [200] * 250


@pytest.mark.parametrize("status", [401, 403])
def test_other_ways_to_refuse(desk: Open, status: int) -> None:
    one = desk(exceed_status=status, requests=5)
    assert spend(one, 5) == [200] * 4 + [status]


def test_a_cool_down_refuses_everything(desk: Open) -> None:
    one = desk(requests=5, cooldown_s=3600, window_s=60)
    spend(one, 5)
    one.clock.advance(120)
    assert one.sign_in().status == 429
    one.clock.advance(3600)
    assert one.sign_in().status == 200


def test_strangers_do_not_spend_the_budget_of_the_clinic(desk: Open) -> None:
    one = desk()
    token, one.token = one.token, "made-up"
    assert set(spend(one, 310)) == {401, 429}
    one.token = token
    assert one.get("/practices").status == 200


def test_a_planned_fault_can_end_one_token(desk: Open) -> None:
    one = desk()
    one.app.state.expire({"type": "http", "headers": [(b"aerona-auth-token", one.token.encode())]})
    assert one.get("/practices").json["error"] == "TOKEN_EXPIRED"


def test_reset_forgets_tokens_and_counts(desk: Open) -> None:
    one = desk()
    one.app.state.reset()
    assert one.get("/practices").json["error"] == "TOKEN_INVALID"
    assert one.app.state.limiter.max_in_window == 1
