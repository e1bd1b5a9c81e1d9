import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversation.voice.ports import TimedChars
from conversation.voice.speaking.alignment import (
    AlignmentFeed,
    TimedSpan,
    spread_evenly,
    timed_chars,
)

SECONDS = st.floats(-1, 20, allow_nan=False)
SPANS = st.lists(
    st.builds(TimedSpan, st.integers(-2, 40), st.integers(-2, 40), SECONDS, SECONDS), max_size=12
)


def assert_is_whole(timed: list[TimedChars], clause: str, total_s: float) -> None:
    assert "".join(each.chars for each in timed) == clause
    now = 0.0
    for each in timed:
        assert each.chars
        assert each.start_s == pytest.approx(now)
        assert each.duration_s >= 0
        now = each.start_s + each.duration_s
    assert now <= total_s + 1e-9


@given(st.text(max_size=30), SPANS, st.floats(0, 15))
@example("00", [TimedSpan(0, 1, 0.0, 0.2), TimedSpan(1, 2, 0.8, 1.0)], 1.0)
@example("00", [TimedSpan(0, 1, 0.0, 0.0), TimedSpan(0, 2, 1.0, 0.0)], 1.0)
def test_characters_join_to_the_clause_and_time_never_goes_back(
    clause: str, spans: list[TimedSpan], total_s: float
):
    assert_is_whole(timed_chars(clause, spans, total_s=total_s), clause, total_s)


@given(st.text(max_size=60), st.floats(0, 15))
def test_an_estimate_is_whole_too(clause: str, total_s: float):
    timed = spread_evenly(clause, total_s=total_s)

    assert_is_whole(timed, clause, total_s)
    if clause:
        assert timed[-1].start_s + timed[-1].duration_s == pytest.approx(total_s)


def test_what_stands_between_words_takes_the_time_between_them():
    spans = [TimedSpan(1, 3, 0.5, 1.0), TimedSpan(4, 6, 1.25, 2.0)]

    assert timed_chars('"ab cd."', spans, total_s=2.5) == [
        TimedChars('"', 0.0, 0.5),
        TimedChars("ab", 0.5, 0.5),
        TimedChars(" ", 1.0, 0.25),
        TimedChars("cd", 1.25, 0.75),
        TimedChars('."', 2.0, 0.5),
    ]


@given(st.text(min_size=1, max_size=60), st.lists(st.floats(0, 3), max_size=8))
def test_chunks_hand_out_every_character_once_and_none_before_it_begins(
    clause: str, lengths: list[float]
):
    ends = list(np.cumsum(lengths))
    total_s = float(ends[-1]) if ends else 0.0
    feed = AlignmentFeed(spread_evenly(clause, total_s=total_s))

    handed = [feed.until(float(end)) for end in ends]
    for end, timed in zip(ends, handed, strict=True):
        assert all(each.start_s < end for each in timed)
    everything = [each for timed in (*handed, feed.rest()) for each in timed]
    assert "".join(each.chars for each in everything) == clause
    assert feed.rest() == ()
