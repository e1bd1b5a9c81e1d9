"""A summary is one or two whole sentences."""

import pytest

from analysis.judge.summary import whole_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The user paid.\nAll is well.", "The user paid. All is well."),
        ("The user paid. Then the agent beg", "The user paid."),
        ("The user pa", "The user pa"),
        ("", ""),
    ],
)
def test_what_the_token_limit_cut_is_left_out(text: str, expected: str):
    assert whole_sentences(text) == expected


def test_an_endless_sentence_is_cut_at_a_word():
    assert whole_sentences("word " * 50, max_chars=22) == "word word word word …"
