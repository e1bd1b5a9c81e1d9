"""Rows of tables that answer a question: the row with its columns, never the neighbour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.language.choosing.best_sentences import best_sentences, quotable_sentences
from conversation.language.choosing.table_lines import quotable_rows, tables_in
from conversation.language.telling_words import telling_words

DELIVERY = (
    "Our shop\n\nWe sell lamps.\n\nDelivery\n\nCountry | Price | Days\nGermany | 4.90 EUR | 2\n"
    "Austria | 7.90 EUR | 3\nSwitzerland | 12.50 EUR | 5\n\nWe are open on Monday, 9:00 to 17:00."
)
NAMED = (
    "Versand\n\nLand: Deutschland | Preis: 4,90 EUR\nLand: Österreich | Preis: 7,90 EUR\n"
    "Land: Schweiz | Preis: 12,50 EUR"
)
MARKED = "| Plan | Seats |\n|---|---|\n| Starter | 5 |\n| Team | 25 |"
TABS = "Room\tFloor\nLibrary\tsecond\nStudio\tthird"
BARE = "Germany | 4.90 EUR\nAustria | 7.90 EUR"


def answered(text: str, question: str) -> list[str]:
    chosen = best_sentences(
        quotable_sentences([("d", text)]), telling_words(question), frozenset(), most=2
    )
    return [each.text for each in chosen]


@pytest.mark.parametrize(
    ("text", "question", "row"),
    [
        (
            DELIVERY,
            "What does delivery to Austria cost?",
            "Country: Austria, Price: 7.90 EUR, Days: 3.",
        ),
        (
            DELIVERY,
            "What is the price of delivery to Austria?",
            "Country: Austria, Price: 7.90 EUR, Days: 3.",
        ),
        (
            DELIVERY,
            "How many days does it take to Switzerland?",
            "Country: Switzerland, Price: 12.50 EUR, Days: 5.",
        ),
        (
            DELIVERY,
            "Which country costs 12.50 EUR?",
            "Country: Switzerland, Price: 12.50 EUR, Days: 5.",
        ),
        # The 2 days are those of another row, whose country is not asked for.
        (
            DELIVERY,
            "Does delivery to Austria take 2 days?",
            "Country: Austria, Price: 7.90 EUR, Days: 3.",
        ),
        (NAMED, "Preis Versand Österreich", "Land: Österreich, Preis: 7,90 EUR."),
        (MARKED, "How many seats has the Team plan?", "Plan: Team, Seats: 25."),
        (TABS, "On which floor is the studio?", "Room: Studio, Floor: third."),
        (BARE, "What is the price to Austria?", "Austria, 7.90 EUR."),
    ],
)
def test_the_row_that_is_named_is_quoted_with_its_columns(text: str, question: str, row: str):
    assert answered(text, question) == [row]


@pytest.mark.parametrize(
    "question",
    [
        "What does delivery to France cost?",
        "What is the price of delivery to France?",
        "What is the price of delivery to France in EUR?",
        "How many days does delivery take to the moon?",
    ],
)
def test_a_row_that_is_not_there_is_answered_by_no_neighbour(question: str):
    assert answered(DELIVERY, question) == []


def test_two_rows_that_are_named_are_both_quoted():
    assert answered(DELIVERY, "Delivery to Germany or Austria: which price?") == [
        "Country: Germany, Price: 4.90 EUR, Days: 2.",
        "Country: Austria, Price: 7.90 EUR, Days: 3.",
    ]


def test_sentences_around_a_table_stay_quotable():
    texts = [each.text for each in quotable_sentences([("d", DELIVERY)])]

    assert texts[0] == "We sell lamps."
    assert texts[-1] == "We are open on Monday, 9:00 to 17:00."
    assert len(texts) == 5
    assert not any("|" in text for text in texts)


@given(
    st.lists(
        st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=3, max_size=3),
        min_size=2,
        max_size=6,
    )
)
def test_each_row_keeps_its_own_cells(cells: list[list[str]]):
    text = "\n".join(" | ".join(row) for row in cells)
    rows = quotable_rows(text)

    assert [row.text for row in rows] == [
        ", ".join(f"{name}: {cell}" for name, cell in zip(cells[0], row, strict=True)) + "."
        for row in cells[1:]
    ]


@given(st.text(alphabet="ab|:\t\n-. 1", max_size=200))
def test_any_text_can_be_read(text: str):
    lines = [line for table in tables_in(text) for line in table]
    rows = quotable_rows(text)

    assert len(rows) <= len(lines)
    assert all(text[line.start : line.end].strip() for line in lines)
    assert {row.start for row in rows} <= {line.start for line in lines}
