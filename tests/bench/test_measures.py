"""Measures of the bench against arithmetic done by hand."""

import math

import pytest

from tests.bench import measures

A_AND_B = frozenset({"a", "b"})


def test_ndcg_discounts_by_rank_and_is_1_for_the_best_order():
    assert measures.ndcg(A_AND_B, ["a", "b", "c"]) == 1.0
    # Gains 1 / log2(3) and 1 / log2(4) instead of 1 / log2(2) and 1 / log2(3).
    expected = (1 / math.log2(3) + 1 / 2) / (1 + 1 / math.log2(3))
    assert measures.ndcg(A_AND_B, ["c", "a", "b"]) == pytest.approx(expected)


def test_ndcg_sees_no_further_than_its_depth():
    assert measures.ndcg(frozenset({"a"}), [*"bcdefghijk", "a"]) == 0.0
    assert measures.ndcg(frozenset("abc"), ["a"], depth=1) == 1.0


def test_recall_is_the_share_of_all_that_is_relevant():
    assert measures.recall(A_AND_B, ["a", "c", "d", "e", "f", "b"]) == 0.5
    assert measures.recall(A_AND_B, ["b", "a"]) == 1.0


def test_reciprocal_rank_looks_at_the_first_relevant_one():
    assert measures.reciprocal_rank(A_AND_B, ["c", "d", "b", "a"]) == pytest.approx(1 / 3)
    assert measures.reciprocal_rank(A_AND_B, ["c"] * 10 + ["a"]) == 0.0


def test_roc_auc_counts_ordered_pairs_and_half_of_the_ties():
    # Of six pairs four are in order and one is tied.
    assert measures.roc_auc([0.9, 0.5, 0.4], [0.4, 0.45]) == pytest.approx(4.5 / 6)


def test_precision_and_recall_of_a_decision():
    said, true = [True, True, True, False], [True, False, False, True]

    assert measures.precision_recall(said, true) == (pytest.approx(1 / 3), 0.5)
    assert measures.precision_recall([False], [True]) == (0.0, 0.0)


def test_calibration_error_weighs_bins_by_how_many_fall_in():
    # Three at .9 of which two are right, one at .1 that is right: 3/4 * |.9 - 2/3| + 1/4 * .9.
    error = measures.calibration_error([0.9, 0.9, 0.9, 0.1], [1, 1, 0, 1])

    assert error == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.9)


def test_interval_holds_the_mean_and_shrinks_with_more_tasks():
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1_000

    low, high = measures.interval(few)
    closer = measures.interval(many)

    assert low < 0.5 < high
    # Standard error of a fair coin over 2,000 tosses is .0112.
    assert closer == (pytest.approx(0.5 - 0.022, abs=0.004), pytest.approx(0.522, abs=0.004))


def test_ratio_of_what_is_twice_as_good_everywhere_has_no_doubt():
    assert measures.ratio_interval([0.8, 0.4, 0.6], [0.4, 0.2, 0.3]) == (
        pytest.approx(2.0),
        pytest.approx(2.0),
    )


def test_every_set_weighs_the_same_whatever_its_size():
    assert measures.stratified_interval([[1.0] * 100, [0.0]]) == (0.5, 0.5)
