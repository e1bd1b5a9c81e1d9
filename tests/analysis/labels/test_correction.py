import numpy as np
import pytest

from analysis.labels.correction import Cells, Stratum, is_sure, judge_agreement, label_order


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


def first(counts: Cells, share_of: int = 20) -> float:
    """Share of the next labels that go to the judge's successes."""
    strata = counts.strata
    waiting = [stratum.judged - stratum.labelled for stratum in strata]
    order = list(label_order(strata, waiting, share_of))
    return order.count(0) / len(order) if order else 0.5


def test_labels_go_where_the_judge_is_often_wrong():
    assert first(cells(500, 500, 20, 0, 10, 10)) < 0.35
    assert first(cells(500, 500, 10, 10, 0, 20)) > 0.65
    assert first(cells(100, 0, 0, 0, 0, 0)) == 1.0
    assert first(cells(0, 0, 0, 0, 0, 0)) == 0.5


def test_each_label_is_taken_where_the_spread_of_the_whole_shrinks_most():
    judged = [90, 60, 30]
    strata = [Stratum("success", count, 0, 0) for count in judged]
    labelled, expected = [0, 0, 0], list[int]()
    for _ in range(40):
        spreads = [
            sum(
                count**2 / (labels + 1 + (place == chosen))
                for place, (count, labels) in enumerate(zip(judged, labelled, strict=True))
            )
            for chosen in range(3)
        ]
        expected.append(spreads.index(min(spreads)))
        labelled[expected[-1]] += 1

    assert list(label_order(strata, judged, 40)) == expected


def test_no_more_labels_are_asked_for_than_there_are_conversations():
    assert list(label_order(cells(3, 2, 1, 0, 0, 0).strata, [2, 2], 9)) in (
        [0, 1, 0, 1],
        [1, 0, 1, 0],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
    )


def test_a_judge_is_sure_from_four_in_five_on():
    assert is_sure("success", 0.81)
    assert not is_sure("success", 0.8)
    assert is_sure("failure", 0.1)
    assert not is_sure("failure", 0.3)
    assert not is_sure("success", None)


def test_strata_that_were_labelled_more_count_no_more():
    # Unsure successes are labelled often and often wrong; the sure ones are many and right.
    strata = [Stratum("success", 100, 20, 20), Stratum("success", 900, 20, 0)]
    found = judge_agreement(strata)
    assert found.agreement == pytest.approx((100 * 0.5 + 900) / 1000)
    assert found.corrected_rate == pytest.approx(0.94, abs=0.02)
    split = judge_agreement([Stratum("success", 0, 0, 0), *cells(80, 20, 30, 5, 2, 9).strata])
    assert split == judge_agreement(cells(80, 20, 30, 5, 2, 9))


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


JUDGES = {"good": (0.7, 2.2, 0.0), "yes-sayer": (0.8, 1.5, 1.0), "weak": (0.5, 1.0, 0.0)}
"""Success rate, how far apart successes and failures lie in log-odds, and the judge's bias."""


@pytest.mark.slow
@pytest.mark.parametrize("judge", JUDGES)
def test_choosing_what_to_label_narrows_the_interval_faster_than_chance(judge: str):
    random = np.random.default_rng(11)
    rate, apart, bias = JUDGES[judge]
    widths: dict[str, list[float]] = {"chosen": [], "random": []}
    held: list[bool] = []
    for _ in range(100):
        truth = random.random(500) < rate
        log_odds = random.normal(np.where(truth, apart, -apart) + bias, 1.5)
        confidence = 1 / (1 + np.exp(-log_odds))
        plain = np.where(confidence > 0.5, 0, 1)
        sure = np.array(
            [
                2 * is_sure("success" if c > 0.5 else "failure", c) + (c <= 0.5)
                for c in confidence.tolist()
            ]
        )
        for way, places in (("random", plain), ("chosen", sure)):
            low, high = _interval_after(80, truth, places, way, random.permutation(500).tolist())
            widths[way].append(high - low)
            if way == "chosen":
                held.append(low <= rate <= high)
    ratio = float(np.median(widths["chosen"]) / np.median(widths["random"]))
    print(f"{judge}: {ratio:.3f} of the width, truth held in {np.mean(held):.2f}")
    assert ratio < 0.95, ratio
    assert np.mean(held) >= 0.9


def _interval_after(
    labels: int, truth: np.ndarray, places: np.ndarray, way: str, order: list[int]
) -> tuple[float, float]:
    """Bounds after 20 random labels and more of them, chosen or random."""
    labelled, waiting = order[:20], order[20:]
    if way == "random":
        labelled = order[:labels]
    else:
        while len(labelled) < labels:
            strata = _strata_of(truth, places, labelled)
            left = [[i for i in waiting if places[i] == k] for k in range(len(strata))]
            [place] = label_order(strata, [len(each) for each in left], 1)
            labelled.append(left[place][0])
            waiting.remove(left[place][0])
    found = judge_agreement(_strata_of(truth, places, labelled))
    assert found.corrected_low is not None
    assert found.corrected_high is not None
    return found.corrected_low, found.corrected_high


def _strata_of(truth: np.ndarray, places: np.ndarray, labelled: list[int]) -> list[Stratum]:
    said, where = truth[labelled], places[labelled]
    return [
        Stratum(
            "failure" if k % 2 else "success",
            judged=int((places == k).sum()),
            successes=int((said & (where == k)).sum()),
            failures=int((~said & (where == k)).sum()),
        )
        for k in range(int(places.max()) + 1)
    ]
