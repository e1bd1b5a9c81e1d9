"""Transcripts that run away, and people who really say a thing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.voice.hearing.repetition import repeated_words, runs_away, without_repetition


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ten of clubs, ten of clubs", 3.0),
        ("Ten of clubs. Ten of clubs. Ten of clubs.", 4.0),
        ("I want to know I want to know", 4.0),
        ("yes yes yes", 2.0),
        ("thank you thank you thank you", 4.0),
        ("the seven of the eight of the nine of the ten of the king", 1.1),
        ("うん" * 30, 1.0),
        ("mhmmhmmhm" * 20, 1.0),
    ],
)
def test_what_nobody_can_have_said_is_suspicious(text: str, seconds: float):
    assert runs_away(text, seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0.1),
        ("Yes.", 0.2),
        ("no no", 0.8),
        ("five five", 1.5),
        ("How many documents can I add to one agent?", 2.2),
        ("It was the best of times, it was the worst of times.", 4.0),
        ("Hello, hello?", 1.0),
        ("¿Cuántos documentos puedo añadir?", 2.0),
        ("文档可以添加多少个", 2.0),
    ],
)
def test_what_people_say_is_not(text: str, seconds: float):
    assert not runs_away(text, seconds)


def test_what_repeats_itself_is_said_once():
    assert without_repetition("It is ten of clubs. Ten of clubs. Ten of clubs.") == (
        "It is ten of clubs."
    )
    assert without_repetition("Call me, call me, call me back") == "Call me, call me, call me back"
    assert without_repetition("Nothing twice.") == "Nothing twice."


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=40), st.integers(2, 5))
def test_a_phrase_said_again_and_again_is_found(words: list[str], times: int):
    phrase = ["one", "two", "three"]

    assert repeated_words([*words, *phrase * times]) >= (times - 1) * len(phrase)


@given(st.lists(st.sampled_from(["yes", "no", "five"]), max_size=30))
def test_nothing_is_left_to_repeat_and_the_beginning_stays(words: list[str]):
    kept = without_repetition(" ".join(words)).split()

    assert words[: len(kept)] == kept
    assert len(words) - len(kept) == repeated_words(words)
