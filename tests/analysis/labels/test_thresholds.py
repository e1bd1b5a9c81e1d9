import random

import pytest

from analysis.labels.thresholds import Labelled, best_threshold, fit_threshold, reliability


def labelled(*pairs: tuple[float, bool]) -> list[Labelled]:
    return [Labelled(probability, is_success) for probability, is_success in pairs]


def test_the_threshold_lies_half_way_between_the_labels_it_separates():
    assert best_threshold(labelled((0.6, False), (0.8, True), (0.9, True))) == pytest.approx(0.7)
    assert best_threshold(labelled((0.1, False), (0.9, True))) == pytest.approx(0.5)


def test_labels_that_stand_for_more_conversations_decide():
    sample = [Labelled(0.6, False, 10.0), Labelled(0.62, True, 1.0), Labelled(0.4, True, 1.0)]
    assert best_threshold(sample) > 0.6


def test_a_judge_that_says_yes_too_easily_gets_a_higher_threshold():
    draw = random.Random(3)
    sample: list[Labelled] = []
    for _ in range(200):
        success = draw.random() < 0.5
        sample.append(Labelled(min(1.0, draw.gauss(0.9 if success else 0.65, 0.08)), success))
    fit = fit_threshold(sample)
    assert fit is not None
    assert 0.7 < fit.threshold < 0.85
    assert fit.is_better
    assert fit.agreement_at_half < 0.6 < 0.9 < fit.agreement_validated <= fit.agreement_fitted


def test_noise_is_not_taken_for_a_better_threshold():
    draw = random.Random(5)
    gains: list[float] = []
    for _ in range(40):
        sample = [Labelled(draw.random(), draw.random() < 0.5) for _ in range(40)]
        fit = fit_threshold(sample)
        assert fit is not None
        assert fit.agreement_fitted >= fit.agreement_at_half
        gains.append(fit.agreement_validated - 0.5)
    assert abs(sum(gains) / len(gains)) < 0.05


def test_too_few_or_one_sided_labels_fit_nothing():
    assert fit_threshold(labelled((0.5, True)) * 19) is None
    assert fit_threshold(labelled((0.5, True)) * 30) is None


def test_the_reliability_table_counts_every_label_once():
    bins = reliability(
        labelled((0.0, False), (0.19, True), (0.2, True), (1.0, True), (0.85, False))
    )
    assert [(b.low, b.n, b.success_share) for b in bins] == [
        (0.0, 2, 0.5),
        (0.2, 1, 1.0),
        (0.8, 2, 0.5),
    ]
    assert bins[-1].mean_probability == pytest.approx(0.925)


def test_the_figures_of_a_fit_are_the_sums_done_by_hand():
    # A judge that says .2 of failures and .6 of successes, but for one of each in ten.
    rows = [
        *labelled((0.6, True)) * 9,
        *labelled((0.2, True)),
        *labelled((0.2, False)) * 9,
        *labelled((0.6, False)),
    ]
    fit = fit_threshold(rows)

    assert fit is not None
    assert fit.threshold == 0.5
    assert (fit.agreement_at_half, fit.agreement_fitted) == (0.9, 0.9)
    assert fit.brier == pytest.approx((9 * 0.16 + 0.64 + 9 * 0.04 + 0.36) / 20)
    assert fit.expected_error == pytest.approx(0.5 * abs(0.6 - 0.9) + 0.5 * abs(0.2 - 0.1))


def test_certainty_counts_in_the_error_as_any_other_probability():
    fit = fit_threshold([*labelled((1.0, True)) * 15, *labelled((1.0, False)) * 5])

    assert fit is not None
    assert fit.expected_error == pytest.approx(0.25)


def test_of_thresholds_that_agree_as_well_the_nearest_to_a_half_is_taken():
    assert best_threshold(labelled((0.1, False), (0.9, True))) == 0.5
    assert best_threshold(labelled((0.1, False), (0.15, True), (0.9, True), (0.95, True))) == 0.125
    assert best_threshold(labelled((0.6, True), (0.7, False), (0.8, True))) == 0.5
