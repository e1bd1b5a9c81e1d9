"""The shipped text model of turn ends: English turns that nobody of its data said."""

import pytest

from conversation.voice.hearing.turn_words import BUCKETS, buckets, turn_words, words_of


def likely(text: str, language: str = "en") -> float:
    found = turn_words().probability(text, language=language)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("How many documents can I add to one agent?", "How many documents can"),
        ("I would like to cancel my subscription please", "I would like to cancel my"),
        ("What does it cost?", "What does"),
        ("No, that is all, thank you.", "No that"),
        ("Can you tell me where my parcel is?", "Can you tell me where my"),
        ("Is there a free trial?", "Is there a"),
        ("My name is Alice", "My name is"),
        ("I need it for the office in London", "I need it for the"),
    ],
)
def test_a_whole_turn_reads_more_finished_than_its_beginning(whole: str, cut: str):
    assert likely(whole) > likely(cut)
    assert likely(cut, "en-GB") < 0.1


@pytest.mark.parametrize("text", ["I want to", "so um", "it is for the", "could you"])
def test_a_hesitating_speaker_is_waited_for(text: str):
    assert likely(text) < 0.1


def test_what_a_transcriber_leaves_open_is_not_finished():
    assert likely("Thank you very much") > 0.3
    assert likely("Thank you very much...") <= 0.05


@pytest.mark.parametrize(("text", "language"), [("", "en"), ("?!", "en"), ("Ich möchte", "de")])
def test_where_words_tell_nothing_it_says_so(text: str, language: str):
    assert turn_words().probability(text, language=language) is None


def test_punctuation_and_case_do_not_count():
    assert list(buckets(words_of("No, thank you."))) == list(buckets(words_of("no thank you")))
    assert all(0 <= bucket < BUCKETS for bucket in buckets(words_of("It's 5 o'clock")))


def test_a_long_turn_is_read_at_its_ends_only():
    long = "I would like to know " + "very " * 100_000 + "much what it costs"

    assert words_of(long)[:2] == ["i", "would"]
    assert len(words_of(long)) < 100
