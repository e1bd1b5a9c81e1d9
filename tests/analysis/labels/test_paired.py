import numpy as np
import pytest

from analysis.labels.paired import paired_difference, paired_score_difference

S, F = "success", "failure"


def test_the_difference_is_over_conversations_that_both_decided():
    found = paired_difference(
        [*[(S, S)] * 10, *[(F, S)] * 6, (S, F), *[(F, F)] * 3, ("unknown", S), (None, F)]
    )
    assert (found.n, found.undecided, found.improved, found.worsened) == (20, 2, 6, 1)
    assert (found.old, found.new) == (0.55, 0.8)
    assert found.difference == pytest.approx(0.25)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.25 < found.high
    assert found.p_value == pytest.approx(0.125)


def test_the_interval_is_the_one_that_a_hand_finds():
    # Bonett and Price: (6 + 1) / 22 and (1 + 1) / 22, and 1.96 standard errors of .1275.
    found = paired_difference([(F, S)] * 6 + [(S, F)] + [(S, S)] * 13)
    assert found.low == pytest.approx(-0.0226, abs=5e-4)
    assert found.high == pytest.approx(0.4771, abs=5e-4)


def test_no_pair_gives_no_number():
    found = paired_difference([("unknown", S)])
    assert (found.n, found.difference, found.low, found.p_value) == (0, None, None, None)
    assert not found.is_clear
    assert paired_score_difference([(None, 3.0)]).n == 0


def test_many_changes_in_one_direction_are_clear():
    assert paired_difference([(F, S)] * 10 + [(S, S)] * 10).is_clear
    assert not paired_difference([(S, S)] * 20).is_clear


@pytest.mark.parametrize(
    ("better", "worse", "n"), [(0.1, 0.1, 30), (0.3, 0.05, 50), (0.2, 0.0, 100)]
)
def test_the_interval_holds_the_truth_in_most_runs(better: float, worse: float, n: int):
    random = np.random.default_rng(11)
    held = 0
    runs = 400
    for counts in random.multinomial(n, [better, worse, 1 - better - worse], runs):
        found = paired_difference(
            [(F, S)] * counts[0] + [(S, F)] * counts[1] + [(S, S)] * counts[2]
        )
        assert found.low is not None
        assert found.high is not None
        held += found.low <= better - worse <= found.high
    assert held / runs >= 0.92


def test_scores_are_compared_by_their_means():
    found = paired_score_difference([(3.0, 4.0)] * 8 + [(4.0, 4.0)] * 2 + [(None, 5.0)])
    assert (found.n, found.undecided, found.improved) == (10, 1, 8)
    assert found.difference == pytest.approx(0.8)
    assert found.is_clear
