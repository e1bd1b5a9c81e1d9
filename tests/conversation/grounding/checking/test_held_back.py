import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.held_back import HeldBack
from conversation.grounding.checking.quoting import nearest_topic, quote_for
from tests.conversation.grounding.checking.test_answer_check import (
    HOURS,
    JAPANESE,
    LABELLED,
    PRICES,
    PROSE,
    passage,
)

RIGHT = "Refunds are paid within 14 days, and shipping costs 5 euros. Ann Lee opened the shop."


def streamed(answer: str, asked: str = "What are the terms?", *sources: object) -> tuple[str, bool]:
    held = HeldBack(AnswerCheck((PROSE, PRICES, HOURS), asked))
    given = "".join(map(held.take, re.findall(r"\s*\S+", answer))) + held.end()
    return given, held.is_refuted


@given(st.lists(st.integers(0, len(RIGHT)), max_size=12))
def test_an_answer_that_stands_in_the_documents_comes_whole_however_it_is_cut(cuts: list[int]):
    held = HeldBack(AnswerCheck((PROSE,), "What are the terms?"))
    borders = [0, *sorted(cuts), len(RIGHT)]
    pieces = [RIGHT[start:end] for start, end in itertools.pairwise(borders)]

    assert "".join(map(held.take, pieces)) + held.end() == RIGHT
    assert not held.is_refuted


@given(st.lists(st.integers(0, 60), max_size=8))
def test_nothing_of_a_wrong_number_is_said_however_it_is_cut(cuts: list[int]):
    answer = "Refunds are paid within 1432 days, or sooner with a plan."
    held = HeldBack(AnswerCheck((PROSE,), "How long?"))
    borders = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    pieces = [answer[start:end] for start, end in itertools.pairwise(borders)]

    said = "".join(map(held.take, pieces)) + held.end()

    assert held.is_refuted
    assert said == "Refunds are paid within"[: len(said)]


def test_words_that_state_nothing_pass_at_once_and_a_number_waits_for_the_end_of_its_clause():
    held = HeldBack(AnswerCheck((PROSE,), "How long?"))

    assert held.take("Refunds are paid ") == "Refunds are paid"
    assert held.take("within 14") == " within"
    assert held.take(" days") == ""
    assert held.take(", always ") == " 14 days, always"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Support is run by Bob. It costs 5 euros.", "Support is run by"),
        ("Pro costs $20. Basic costs $45.", "Pro costs $20. Basic costs"),
        ("It costs 5 euros. It takes nine days.", "It costs 5 euros. It takes"),
    ],
)
def test_what_came_before_a_wrong_clause_stays_said(answer: str, said: str):
    assert streamed(answer) == (said, True)


def test_an_answer_about_one_cell_waits_for_its_sentence():
    held = HeldBack(AnswerCheck((PRICES,), "How many users can Pro have?"))

    assert held.take("Plenty of them can ") == ""
    assert held.take("use it at once. ") == ""
    assert held.is_refuted


@pytest.mark.parametrize(
    ("asked", "is_refuted"),
    [
        ("How many users can Pro Plus have?", True),
        ("When are you open on Saturday?", True),
        ("How many users could Pro Plus have in 2019?", False),
        ("How long do refunds take?", False),
    ],
)
def test_not_to_know_a_cell_that_is_there_is_no_answer(asked: str, is_refuted: bool):
    assert streamed("I don't know.", asked) == ("" if is_refuted else "I don't know.", is_refuted)


REFUNDS = "How long do refunds take?"


@pytest.mark.parametrize(
    ("answer", "asked", "is_near", "is_refuted"),
    [
        ("I don't know.", REFUNDS, True, True),
        ("I don\u2019t know", REFUNDS, True, True),
        ("I don't know, but refunds are paid.", REFUNDS, True, True),
        ("Ich weiß es nicht.", REFUNDS, True, True),
        ("The passages do not mention refunds.", REFUNDS, True, True),
        ("I don't know.", REFUNDS, False, False),
        ("I don't know.", "Who is the king of Spain?", True, False),
        ("Refunds are paid within 14 days. I don't know more.", REFUNDS, True, False),
        ("It is paid by us.", REFUNDS, True, False),
    ],
)
def test_not_to_know_is_no_answer_where_a_sentence_comes_near(
    answer: str, asked: str, is_near: bool, is_refuted: bool
):
    held = HeldBack(AnswerCheck((PROSE,), asked, is_near=is_near))

    said = "".join(map(held.take, re.findall(r"\s*\S+", answer))) + held.end()

    assert held.is_refuted == is_refuted
    assert said == answer or (is_refuted and answer.startswith(said))
    assert not is_refuted or not said.startswith("I don")


def test_nothing_else_waits_where_the_passages_come_near():
    held = HeldBack(AnswerCheck((PROSE,), REFUNDS, is_near=True))

    assert held.take("It is ") == "It is"
    assert held.take("paid ") == " paid"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("How do I reset a code? To reset a code, call us.", "Guide: To reset a code, call us."),
        ("How do I reset a code?", ""),
        (f"You reset a code {'very ' * 80}slowly.", ""),
    ],
)
def test_neither_a_question_nor_a_whole_page_is_quoted(text: str, quote: str):
    source = passage(text, "Guide", ())

    assert quote_for(AnswerCheck((source,), "How do I reset a code?")) == quote


def test_without_a_check_everything_passes():
    held = HeldBack(None)

    assert held.take("It costs $99") == "It costs $99"
    assert held.end() == ""


@pytest.mark.parametrize(
    ("source", "asked", "quote"),
    [
        (PRICES, "What does Pro cost?", "Prices: Plan: Pro, Price: $20, Users: 25, SSO: yes."),
        (HOURS, "Are you open on Wednesday?", "Hours: Day: Monday–Friday, Hours: 9:00–18:00."),
        (
            LABELLED,
            "What does P-17 cost?",
            "Catalogue: Code: P-17, Name: Short screw, Price: €4.50, Weight: 3 kg.",
        ),
        (PROSE, "How long do refunds take?", "Terms: Refunds are paid within 14 days."),
        (JAPANESE, "プロの料金は?", "料金: プラン: プロ, 料金: 2,000円."),
        (PROSE, "Who is the king of Spain?", ""),
    ],
)
def test_the_row_or_the_sentence_that_fits_the_question_is_quoted(
    source: object, asked: str, quote: str
):
    assert quote_for(AnswerCheck((source,), asked)) == quote  # pyright: ignore[reportArgumentType]


def test_the_nearest_topic_is_a_heading_and_never_a_line_of_column_names():
    found = passage("Text.", "Guide", ("Guide", "Refunds", "Plan | Price"))

    assert nearest_topic([found], 0.05) == "Guide > Refunds"
    assert nearest_topic([found], 0.6) == ""
    assert nearest_topic([], 0.0) == ""
