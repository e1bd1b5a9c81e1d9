import pytest

from analysis.labels.annotators import annotator_agreement, cohen_kappa, krippendorff_alpha


def test_kappa_of_a_table_by_hand():
    # Both yes 20, first only 5, second only 10, neither 15: agreement .7, chance .5, kappa .4.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("y", "y")] * 3) is None
    assert cohen_kappa([]) is None


def test_alpha_of_the_example_in_the_book():
    # Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), data B: two observers, ten
    # units, nominal alpha .095.
    first = "0100000100"
    second = "1110010000"
    units = [list(pair) for pair in zip(first, second, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.095, abs=0.0005)


def test_alpha_with_gaps_by_hand():
    # The same paper, data C: four observers, twelve units, gaps, nominal alpha .743.
    units = [
        ["1", "1", "1"],
        ["2", "2", "3", "2"],
        ["3", "3", "3", "3"],
        ["3", "3", "3", "3"],
        ["2", "2", "2", "2"],
        ["1", "2", "3", "4"],
        ["4", "4", "4", "4"],
        ["1", "1", "2", "1"],
        ["2", "2", "2", "2"],
        ["5", "5", "5"],
        ["1", "1"],
        ["3"],
    ]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.0005)


def test_people_are_compared_in_pairs_where_they_saw_the_same():
    found = annotator_agreement(
        [
            {"ann": "success", "bo": "success"},
            {"ann": "failure", "bo": "success", "cy": "failure"},
            {"ann": "unknown"},
        ]
    )
    assert (found.annotators, found.n_shared) == (3, 2)
    assert [(p.first, p.second, p.n, p.agreement) for p in found.pairs] == [
        ("ann", "bo", 2, 0.5),
        ("ann", "cy", 1, 1.0),
        ("bo", "cy", 1, 0.0),
    ]
    assert annotator_agreement([]).alpha is None
    assert annotator_agreement([{"ann": "success"}]).pairs == ()
