"""How far two words are apart, and which known words a compound is made of."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.retrieval.known_words import edits, parts_of

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


@pytest.mark.parametrize(
    ("known", "compound", "parts"),
    [
        (["garten", "haus"], "gartenhaus", ["garten", "haus"]),
        (["arbeit", "zeit"], "arbeitszeit", ["arbeit", "zeit"]),
        (["kinder", "garten"], "kindergarten", ["kinder", "garten"]),
        (["woche", "ende", "wochen"], "wochenende", ["wochen", "ende"]),
        (["sonne", "schein"], "sonnenschein", ["sonne", "schein"]),
        (["bild", "schirm"], "bilderschirm", ["bild", "schirm"]),
        # Four letters are the least of either part.
        (["see", "ufer"], "seeufer", []),
        (["ufer", "weg"], "uferweg", []),
        (["see", "ufer"], "seesufer", []),
        # Both are known, and nothing but a link stands between them.
        (["haus"], "gartenhaus", []),
        (["garten"], "gartenhaus", []),
        (["garten", "haus"], "gartenxhaus", []),
        (["garten", "haus"], "hausgarten", ["haus", "garten"]),
        # The first link that leaves a known word, and the shortest head.
        (["stadt", "stadts", "plan"], "stadtsplan", ["stadts", "plan"]),
        (
            ["stadt", "bahn", "hofplan", "stadtbahnhof", "plan"],
            "stadtbahnhofplan",
            [
                "stadtbahnhof",
                "plan",
            ],
        ),
    ],
)
def test_a_compound_is_two_known_words_and_a_link(
    known: list[str], compound: str, parts: list[str]
):
    with sqlite3.connect(":memory:") as catalog:
        catalog.execute("create table known_words (word text, term text)")
        catalog.executemany(
            "insert into known_words values (?, ?)", [(each,) * 2 for each in known]
        )
        assert parts_of(catalog, compound) == parts
    catalog.close()
