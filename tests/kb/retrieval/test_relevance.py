"""Arithmetic of scores, against sums done by hand."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.retrieval.relevance import (
    ChunkWords,
    WordQuery,
    lift_by_document,
    lift_by_neighbours,
    matched_terms,
    name_coverage,
    relevance,
    word_score,
)


def words(text: str, *, heading: str = "") -> ChunkWords:
    stems = text.split()
    return ChunkWords(Counter(stems), frozenset(heading.split()), len(stems))


def test_a_word_counts_by_rarity_and_saturates():
    query = WordQuery({"refund": 1.0, "card": 0.5}, {"refund": 2.0, "card": 4.0})
    chunk = words("refund refund of")

    # Both words are worth 2.0, so a full match is 4.0 * 2.2; two of one word in a chunk of average
    # length score 2.0 * 2 * 2.2 / (2 + 1.2).
    expected = (2.0 * 2 * 2.2 / 3.2) / (4.0 * 2.2)
    found = word_score(query, chunk, average_length=3, heading_weight=0.0)
    assert found == pytest.approx(expected)
    assert matched_terms(query, chunk) == ["refund"]


def test_a_word_in_the_heading_counts_more():
    query = WordQuery({"refund": 1.0}, {"refund": 2.0})
    plain = word_score(query, words("refund"), average_length=1, heading_weight=0.3)
    headed = word_score(
        query, words("refund", heading="refund"), average_length=1, heading_weight=0.3
    )

    assert headed - plain == pytest.approx(0.3 / 2.2)


def test_words_that_no_chunk_has_score_nothing():
    query = WordQuery({"unheard": 1.0}, {})

    assert word_score(query, words("refund"), average_length=1, heading_weight=0.3) == 0.0


def test_a_name_counts_when_its_words_stand_together():
    rarity = {"grant": 4.0, "hotel": 2.0, "the": 0.5}
    name = ["grant", "hotel"]

    together = name_coverage(name, ["the", "grant", "hotel"], rarity)
    apart = name_coverage(name, ["hotel", "the", "grant"], rarity)

    assert together == pytest.approx(6.0 / (6.0 + 4.0))
    assert apart == 0.0


def test_a_rare_word_names_by_itself():
    rarity = {"hogwash": 7.0}

    assert name_coverage(["hogwash"], ["called", "hogwash"], rarity) == pytest.approx(7 / 11)


@given(
    name=st.lists(st.sampled_from("abcdef"), max_size=6),
    said=st.lists(st.sampled_from("abcdef"), max_size=12),
    rarity=st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 9.0)),
)
def test_coverage_is_a_share(name: list[str], said: list[str], rarity: dict[str, float]):
    assert 0.0 <= name_coverage(name, said, rarity) < 1.0


def test_the_best_other_chunk_of_a_document_lifts_a_chunk():
    scores = {1: 0.8, 2: 0.6, 3: 0.5}
    documents = {1: "a", 2: "a", 3: "b"}

    lifted = lift_by_document(scores, documents, weight=0.1)

    assert lifted == pytest.approx({1: 0.86, 2: 0.68, 3: 0.5})


@given(st.floats(-1, 3), st.floats(-1, 3))
def test_relevance_is_a_probability_and_keeps_the_order(one: float, other: float):
    assert 0.0 < relevance(one) < 1.0
    assert (relevance(one) <= relevance(other)) == (one <= other) or relevance(one) == relevance(
        other
    )


def test_the_better_neighbour_lifts_a_chunk():
    scores = {1: 0.8, 2: 0.6, 3: 0.5, 4: 0.4}
    places = {1: ("a", 0), 2: ("a", 1), 3: ("a", 2), 4: ("b", 1)}

    lifted = lift_by_neighbours(scores, places, weight=0.1)

    assert lifted == pytest.approx({1: 0.86, 2: 0.68, 3: 0.56, 4: 0.4})


def test_a_long_chunk_says_a_word_more_easily_and_counts_less():
    query = WordQuery({"refund": 1.0}, {"refund": 2.0})
    chunk = words("refund of of of of of")
    found = word_score(query, chunk, average_length=3, heading_weight=0.0)

    # Twice the average length: 1.2 * (.25 + .75 * 2) in place of 1.2.
    assert found == pytest.approx(2.2 / (1 + 1.2 * 1.75) / 2.2)


def test_chunks_without_a_length_are_scored_as_those_of_one_word():
    query = WordQuery({"refund": 1.0}, {"refund": 2.0})
    found = [
        word_score(query, words("refund"), average_length=average, heading_weight=0.0)
        for average in (0.0, 1.0)
    ]

    assert found == pytest.approx([1 / 2.2, 1 / 2.2])


@given(
    st.lists(st.sampled_from("abcdefg"), max_size=8),
    st.dictionaries(
        st.sampled_from("abc"), st.dictionaries(st.sampled_from("cdefg"), st.just(0.5))
    ),
)
def test_a_word_is_matched_in_any_of_its_forms(held: list[str], forms: dict[str, dict[str, float]]):
    query = WordQuery(dict.fromkeys("abc", 1.0), {"a": 3.0, "b": 2.0, "c": 1.0}, forms=forms)
    expected = [stem for stem in "abc" if {stem, *forms.get(stem, {})} & set(held)]
    assert matched_terms(query, words(" ".join(held))) == expected
