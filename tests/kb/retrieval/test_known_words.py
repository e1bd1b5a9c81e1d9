"""How far two words are apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.retrieval.known_words import edits

LETTERS = st.text(alphabet="abcd", max_size=12)


def by_definition(one: str, other: str) -> int:
    """Restricted Damerau-Levenshtein distance, the whole table."""
    table = [[a + b for b in range(len(other) + 1)] for a in range(len(one) + 1)]
    for a in range(1, len(one) + 1):
        for b in range(1, len(other) + 1):
            cost = min(
                table[a - 1][b] + 1,
                table[a][b - 1] + 1,
                table[a - 1][b - 1] + (one[a - 1] != other[b - 1]),
            )
            if a > 1 and b > 1 and one[a - 2 : a] == other[b - 2 : b][::-1]:
                cost = min(cost, table[a - 2][b - 2] + 1)
            table[a][b] = cost
    return table[-1][-1]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("museum", "musuem", 1), ("library", "libary", 1), ("a", "", 1), ("same", "same", 0)],
)
def test_swapped_and_missing_letters_count_one(one: str, other: str, apart: int):
    assert edits(one, other, at_most=2) == apart


@given(LETTERS, LETTERS, st.sampled_from([1, 2]))
def test_it_is_the_distance_up_to_what_is_allowed(one: str, other: str, at_most: int):
    assert edits(one, other, at_most=at_most) == min(by_definition(one, other), at_most + 1)
