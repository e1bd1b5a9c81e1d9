"""Limits hold in every minute that one can look at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.llm.limits.traffic import (
    WINDOW_S,
    RateLimit,
    Traffic,
    parse_limits,
    shared_traffic,
)

CALLS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 80)), min_size=1, max_size=25)


@given(calls=CALLS, requests=st.none() | st.integers(1, 5), most=st.none() | st.integers(80, 200))
def test_no_minute_has_more_than_the_limits(
    calls: list[tuple[int, int]], requests: int | None, most: int | None
):
    traffic = Traffic(RateLimit(requests, most))
    now_s = 0.0
    begun: list[tuple[float, int]] = []
    for pause_s, tokens in calls:
        now_s += pause_s
        start_s = traffic.book(tokens, now_s=now_s).start_s
        assert start_s >= now_s
        begun.append((start_s, tokens))

    assert begun == sorted(begun, key=lambda call: call[0]), "calls keep their order"
    for end_s, _ in begun:
        within = [tokens for start_s, tokens in begun if end_s - WINDOW_S < start_s <= end_s]
        assert requests is None or len(within) <= requests
        assert most is None or sum(within) <= most


@given(calls=CALLS)
def test_without_limits_nobody_waits(calls: list[tuple[int, int]]):
    traffic = Traffic()
    now_s = 0.0
    for pause_s, tokens in calls:
        now_s += pause_s
        assert traffic.book(tokens, now_s=now_s).start_s == now_s


def test_a_call_larger_than_the_limit_gets_a_minute_of_its_own():
    traffic = Traffic(RateLimit(tokens_per_minute=100))
    traffic.book(10, now_s=0)

    assert traffic.book(1_000, now_s=1).start_s == 60
    assert traffic.book(10, now_s=2).start_s == 120


def test_a_call_that_would_begin_too_late_keeps_no_place():
    traffic = Traffic(RateLimit(requests_per_minute=1))
    first = traffic.book(0, now_s=0)

    late = traffic.book(0, now_s=1, latest_s=20)
    assert (late.is_booked, late.start_s) == (False, 60)
    traffic.cancel(first)
    assert traffic.book(0, now_s=2, latest_s=20).start_s == 2


def test_a_pause_holds_up_every_call():
    traffic = Traffic()
    traffic.pause(30)
    traffic.pause(20)

    assert traffic.book(0, now_s=1).start_s == 30
    assert traffic.book(0, now_s=40).start_s == 40


def test_a_model_has_one_traffic_in_a_process():
    limited = shared_traffic("test/one", limit=RateLimit(requests_per_minute=7))

    assert shared_traffic("test/one") is limited
    assert shared_traffic("test/one").limit.requests_per_minute == 7
    assert shared_traffic("test/one", api_base="http://other") is not limited
    assert shared_traffic("test/two") is not limited


def test_limits_are_read_from_a_line():
    assert parse_limits("") == {}
    assert parse_limits("a/b=5/10, c/d:7b = /20 ,e/f=3/,") == {
        "a/b": RateLimit(5, 10),
        "c/d:7b": RateLimit(None, 20),
        "e/f": RateLimit(3, None),
    }


@pytest.mark.parametrize("text", ["a/b", "a/b=", "a/b=/", "a/b=0/5", "b=1/2", "a/b=1/x"])
def test_a_limit_that_cannot_be_read_is_refused(text: str):
    with pytest.raises(ValueError, match="is no limit"):
        parse_limits(text)
