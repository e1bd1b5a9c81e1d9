"""The transcript as a judge sees it: one line for each turn, windows that lose nothing."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from analysis.judge.windows import escape_tags, transcript_windows, turn_line
from conversation.transcript import Turn


@given(st.text())
def test_escaped_text_has_no_tag_and_no_line_break(text: str):
    escaped = escape_tags(text)

    assert "<" not in escaped
    assert len(escaped.splitlines()) <= 1


def test_an_interrupted_turn_is_marked():
    turn = Turn(role="agent", text="You will get", interrupted=True)

    assert turn_line(3, turn) == "[3] agent: You will get (interrupted)"


@given(
    lengths=st.lists(st.integers(0, 300), min_size=1, max_size=30),
    max_chars=st.integers(60, 400),
    overlap_turns=st.integers(0, 5),
)
def test_windows_cover_every_turn_within_their_size(
    lengths: list[int], max_chars: int, overlap_turns: int
):
    turns = [Turn(role="user", text="x" * length) for length in lengths]

    windows = transcript_windows(
        turns, max_tokens=max_chars, overlap_turns=overlap_turns, size_of=len
    )

    assert windows[0].first_turn == 0
    assert windows[-1].last_turn == len(turns) - 1
    for window in windows:
        assert len(window.text) <= max_chars
        shown = {int(line[1 : line.index("]")]) for line in window.text.splitlines()}
        assert shown == set(range(window.first_turn, window.last_turn + 1))
    for earlier, later in itertools.pairwise(windows):
        assert earlier.first_turn <= later.first_turn <= earlier.last_turn + 1
        assert earlier.last_turn <= later.last_turn
        assert later.text.splitlines()[-1] not in earlier.text.splitlines()
    assert windows[0].is_whole == (len(windows) == 1)


def test_a_window_repeats_the_last_turns_of_the_one_before_where_they_are_short():
    turns = [Turn(role="user", text="x") for _ in range(10)]
    long = [Turn(role="user", text="x" * 30) for _ in range(10)]

    windows = transcript_windows(turns, max_tokens=100, overlap_turns=2, size_of=len)
    windows_of_long_turns = transcript_windows(long, max_tokens=100, overlap_turns=2, size_of=len)

    assert [(w.first_turn, w.last_turn) for w in windows] == [(0, 7), (6, 9)]
    assert [w.first_turn for w in windows_of_long_turns] == [0, 2, 4, 6, 8]
