"""Typed values and the words that say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.fields.said_values import spoken_span
from analysis.fields.values import (
    InvalidValueError,
    is_nothing,
    typed_value,
    without_stated_unit,
)
from analysis.results import FieldValue
from analysis.said.numbers import numbers_in
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import FieldType


def field(kind: FieldType, *enum: str) -> DataCollectionField:
    return DataCollectionField(field_id="f", type=kind, description="A value.", enum=enum or None)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("string", "  two  words ", "two words"),
        ("string", 7, "7"),
        ("integer", "1,250 dollars", 1250),
        ("integer", "twenty-five", 25),
        ("integer", 3.0, 3),
        ("number", "$1,720.50", 1720.5),
        ("number", "two hundred and six", 206.0),
        ("boolean", "Yes", True),
        ("boolean", False, False),
    ],
)
def test_answers_become_typed_values(kind: FieldType, raw: object, expected: FieldValue):
    value = typed_value(field(kind), raw)

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("integer", "a few"),
        ("integer", "2.5"),
        ("integer", "3 or 4"),
        ("integer", True),
        ("number", None),
        ("boolean", "maybe"),
        ("string", "  "),
        ("string", ["x"]),
        ("string", None),
    ],
)
def test_what_has_another_type_is_invalid(kind: FieldType, raw: object):
    with pytest.raises(InvalidValueError):
        typed_value(field(kind), raw)


def test_an_enum_takes_the_allowed_spelling():
    assert typed_value(field("string", "bug_report", "other"), "Bug report") == "bug_report"
    with pytest.raises(InvalidValueError, match="'bug' is not one of bug_report, other"):
        typed_value(field("string", "bug_report", "other"), "bug")


def test_numbers_may_be_limited_to_allowed_ones():
    assert typed_value(field("integer", "1", "2"), "two") == 2
    with pytest.raises(InvalidValueError):
        typed_value(field("integer", "1", "2"), 3)


@pytest.mark.parametrize(
    ("text", "value", "span"),
    [
        ("It is  1,250 dollars", 1250, "1,250"),
        ("Twenty five of them", 25, "Twenty five"),
        ("We were two hundred and six people", 206, "two hundred and six"),
        ("I have 125", 25, None),
        ("a bug  report, please", "bug_report", "bug  report"),
        ("They are in Rome.", "rome", "Rome"),
        ("I like romeo", "Rome", None),
        ("In Rome or in Rom", "Rom", "Rom"),
        ("yes", True, None),
        ("version 1.2.3", 2, None),
        ("a one-way flight", 1, None),
        ("a balance of $9,307.64.", "9307.64", "9,307.64"),
        ("two of them", "2", "two"),
        ("order 7", "007", None),
    ],
)
def test_a_value_is_located_in_the_words_that_say_it(
    text: str, value: FieldValue, span: str | None
):
    assert spoken_span(text, value) == span


@given(
    text=st.text(alphabet=st.sampled_from("ab 12,.-Ä"), max_size=30),
    value=st.one_of(st.integers(0, 30), st.text(alphabet="ab 1", max_size=5)),
)
def test_located_words_are_always_verbatim(text: str, value: FieldValue):
    span = spoken_span(text, value)

    assert span is None or (span in text and span != "")


@given(st.integers(0, 10**9))
def test_every_written_number_is_read_back(number: int):
    (said,) = numbers_in(f"It is {number:,} now")

    assert (said.words, said.readings) == (f"{number:,}", (float(number),))


@pytest.mark.parametrize(
    ("text", "description", "value"),
    [
        ("30 %", "Humidity in percent.", "30"),
        ("5 miles per hour", "Wind speed in miles per hour", "5"),
        ("94 degrees Fahrenheit", "Temperature in Fahrenheit", "94"),
        ("85 degrees", "Temperature in Fahrenheit", "85"),
        ("3 nights", "Length of the stay", "3 nights"),
        ("3rd of June", "Day in June or July", "3rd of June"),
        ("12 Mill Road", "Street and number", "12 Mill Road"),
        ("$86", "Price in dollars", "$86"),
        ("10 am", "Name of the morning", "10 am"),
        ("30 percent", "Percentage of humidity", "30"),
    ],
)
def test_a_unit_that_the_description_states_is_left_out(text: str, description: str, value: str):
    assert without_stated_unit(text, description) == value


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(None, True), ("None", True), ("not mentioned.", True), ("Not yet paid", False), (0, False)],
)
def test_an_answer_can_say_that_there_is_no_value(raw: object, expected: bool):
    assert is_nothing(field("string"), raw) is expected
    assert not is_nothing(field("string", "None", "some"), "None")
