"""One-word answers and their probability."""

import math

import pytest

from analysis.judge.yes_no import probability, yes_log_odds


def test_the_spellings_of_a_word_add_up():
    logprobs = {"yes": math.log(0.3), " Yes": math.log(0.3), "No": math.log(0.2), "It": -1.6}

    assert yes_log_odds(logprobs) == pytest.approx(math.log(0.6 / 0.2))


@pytest.mark.parametrize("logprobs", [{}, {"The": -0.1}, {"yes": -9.0, "The": -0.1}])
def test_without_either_word_there_are_no_odds(logprobs: dict[str, float]):
    assert yes_log_odds(logprobs) is None


def test_one_word_alone_is_certain_and_finite():
    assert 0.999 < probability(yes_log_odds({"yes": -0.01}) or 0.0) < 1.0


def test_even_odds_are_one_half():
    assert probability(0.0) == 0.5
