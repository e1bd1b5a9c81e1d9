import numpy as np
import pytest

from analysis.calibration import Cells, judge_agreement, label_next


def cells(*counts: int) -> Cells:
    return Cells(*counts)


def test_agreement_and_kappa_of_a_textbook_table():
    # Both say success 20, judge only 5, people only 10, neither 15 (n = 50); by hand:
    # agreement .7, chance .5 * .6 + .5 * .4 = .5, kappa (.7 - .5) / .5 = .4.
    found = judge_agreement(cells(25, 25, 20, 5, 10, 15))
    assert found.agreement == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.sensitivity == pytest.approx(20 / 30)
    assert found.specificity == pytest.approx(15 / 20)


def test_labels_chosen_by_verdict_are_weighted_back():
    # Of 900 judged successes 9 of 10 labels are right; of 100 judged failures 5 of 10 are.
    found = judge_agreement(cells(900, 100, 9, 1, 5, 5))
    assert found.agreement == pytest.approx(0.9 * 0.9 + 0.1 * 0.5)
    assert found.sensitivity == pytest.approx(0.81 / 0.86)


def test_the_corrected_rate_undoes_a_judge_that_says_yes_too_often():
    found = judge_agreement(cells(800, 200, 60, 20, 0, 20))
    assert found.corrected_rate == pytest.approx(0.8 * 60 / 80, abs=0.02)
    assert found.corrected_low is not None
    assert found.corrected_high is not None
    assert found.corrected_low < 0.6 < found.corrected_high


def test_under_twenty_labels_it_says_how_many_are_missing():
    found = judge_agreement(cells(80, 20, 10, 2, 1, 4))
    assert (found.n_labels, found.labels_missing) == (17, 3)
    assert found.corrected_rate is None
    assert found.agreement is not None
    none = judge_agreement(cells(80, 20, 0, 0, 0, 0))
    assert (none.labels_missing, none.agreement) == (20, None)


def test_the_same_labels_give_the_same_interval():
    assert judge_agreement(cells(80, 20, 30, 5, 2, 9)) == judge_agreement(
        cells(80, 20, 30, 5, 2, 9)
    )


def test_one_sided_labels_give_no_ratio_of_nothing():
    found = judge_agreement(cells(100, 0, 20, 0, 0, 0))
    assert (found.agreement, found.kappa, found.sensitivity) == (1.0, None, 1.0)
    assert found.specificity is None


def test_labels_go_where_the_judge_is_often_wrong():
    assert label_next(cells(500, 500, 20, 0, 10, 10)) < 0.35
    assert label_next(cells(500, 500, 10, 10, 0, 20)) > 0.65
    assert label_next(cells(100, 0, 0, 0, 0, 0)) == 1.0
    assert label_next(cells(0, 0, 0, 0, 0, 0)) == 0.5


def simulated(
    random: np.random.Generator, *, rate: float, sensitivity: float, specificity: float, labels: int
) -> Cells:
    """Judge 500 conversations, `labels` of which people read."""
    truth = random.random(500) < rate
    judged = np.where(truth, random.random(500) < sensitivity, random.random(500) >= specificity)
    t, j = truth[:labels], judged[:labels]
    return Cells(
        int(judged.sum()),
        int((~judged).sum()),
        *(int(n.sum()) for n in (j & t, j & ~t, ~j & t, ~j & ~t)),
    )


@pytest.mark.slow
def test_the_interval_holds_the_truth_in_19_of_20_runs():
    random = np.random.default_rng(7)
    coverage: list[float] = []
    runs = 400
    for rate in (0.3, 0.5, 0.7, 0.9):
        for sensitivity, specificity in ((0.95, 0.9), (0.9, 0.7), (0.8, 0.8)):
            for labels in (20, 50, 100, 200):
                held = 0
                for _ in range(runs):
                    found = judge_agreement(
                        simulated(
                            random,
                            rate=rate,
                            sensitivity=sensitivity,
                            specificity=specificity,
                            labels=labels,
                        )
                    )
                    assert found.corrected_low is not None
                    assert found.corrected_high is not None
                    held += found.corrected_low <= rate <= found.corrected_high
                coverage.append(held / runs)
    assert 0.94 <= np.mean(coverage) <= 0.96
    # 400 runs tell a coverage of .95 to within .02; twenty labels with hardly any error among them
    # make the interval wider than it need be.
    assert min(coverage) >= 0.91
    assert np.mean([0.925 <= c <= 0.975 for c in coverage]) >= 0.85


@pytest.mark.slow
def test_choosing_what_to_label_narrows_the_interval_faster_than_chance():
    random = np.random.default_rng(11)
    widths: dict[str, list[float]] = {"chosen": [], "random": []}
    for _ in range(100):
        # A judge that is too strict: its successes are sure, its failures are not.
        truth = random.random(500) < 0.7
        judged = np.where(truth, random.random(500) < 0.72, random.random(500) >= 0.98)
        for way, picked in widths.items():
            picked.append(_width(random, truth, judged, way))
    ratio = np.median(widths["chosen"]) / np.median(widths["random"])
    assert ratio < 0.97, ratio


def _width(random: np.random.Generator, truth: np.ndarray, judged: np.ndarray, way: str) -> float:
    order = random.permutation(500)
    labelled = list(order[:20])
    waiting = list(order[20:])
    for _ in range(60):
        pick = waiting[0]
        if way == "chosen":
            wants = random.random() < label_next(_cells_of(truth, judged, labelled))
            pick = next((i for i in waiting if judged[i] == wants), pick)
        waiting.remove(pick)
        labelled.append(pick)
    found = judge_agreement(_cells_of(truth, judged, labelled))
    assert found.corrected_low is not None
    assert found.corrected_high is not None
    return found.corrected_high - found.corrected_low


def _cells_of(truth: np.ndarray, judged: np.ndarray, labelled: list[int]) -> Cells:
    t, j = truth[labelled], judged[labelled]
    return Cells(
        int(judged.sum()),
        int((~judged).sum()),
        *(int(n.sum()) for n in (j & t, j & ~t, ~j & t, ~j & ~t)),
    )
