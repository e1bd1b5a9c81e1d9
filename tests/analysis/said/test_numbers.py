"""Numbers in digits and in words, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.fields.claims import Claim, check_claim
from analysis.said.language import Language
from analysis.said.numbers import languages_counted_in, numbers_in, written_number
from conversation.agent.criteria import DataCollectionField
from conversation.language.number_words import cardinal, digit_by_digit, year
from conversation.transcript import Turn

AMOUNT = DataCollectionField(field_id="n", type="number", description="Amount")


@pytest.mark.parametrize(
    ("text", "language", "readings"),
    [
        ("1.500", "de", (1500.0,)),
        ("1.500", "en", (1.5,)),
        ("1,500", "en", (1500.0,)),
        ("1,500", "de", (1.5,)),
        ("1,500", "es", (1500.0, 1.5)),
        ("1.500", None, (1500.0, 1.5)),
        ("1.234.567", "en", (1234567.0,)),
        ("2,50", "en", (2.5,)),
        ("1,2345", None, (1.2345,)),
        ("1,23,456", None, (123456.0,)),
        ("1,234,56", None, ()),
        ("12.345,6", None, (12345.6,)),
        ("0,125", None, (0.125,)),
        ("3/4", None, (0.75,)),
        ("٣٤", None, (34.0,)),
        ("point five", "en", (5.0, 0.5)),
    ],
)
def test_separators_are_read_by_language(
    text: str, language: Language | None, readings: tuple[float, ...]
):
    (said,) = numbers_in(text, language)

    assert said.readings == readings


def test_a_number_that_can_be_two_is_told_with_both():
    found = check_claim(AMOUNT, Claim(0, 1500), [Turn(role="user", text="1,500")])

    assert found.status == "ambiguous"
    assert found.value is None
    assert found.rationale == "'1,500' in turn 0 can mean 1500 or 1.5."
    assert [each.quote for each in found.evidence] == ["1,500"]


def test_a_conversation_tells_the_language_of_a_number_alone():
    turns = [Turn(role="agent", text="Wie viel war es?"), Turn(role="user", text="1.500")]

    assert check_claim(AMOUNT, Claim(1, 1500), turns).status == "supported"
    assert check_claim(AMOUNT, Claim(1, 1.5), turns).status == "contradicted"


def test_of_several_numbers_none_contradicts():
    turns = [Turn(role="user", text="A couple of us, at 7, in room 12.")]

    assert check_claim(AMOUNT, Claim(0, 2), turns).status == "unsupported"


@given(st.integers(0, 10**9))
def test_every_number_in_words_is_read_back(number: int):
    (said,) = numbers_in(f"about {cardinal(str(number))} boxes", "en")

    assert said.readings == (float(number),)


@given(st.integers(1_300, 2_099).filter(lambda number: number % 100 > 9))
def test_every_year_in_words_is_read_back(number: int):
    (said,) = numbers_in(f"in {year(str(number))}", "en")

    assert said.readings == (float(number),)


@given(st.from_regex(r"[1-9][0-9]{2,11}", fullmatch=True))
def test_digits_in_a_row_are_one_number(digits: str):
    (said,) = numbers_in(f"It is {digit_by_digit(digits)}.", "en")

    assert said.digits == digits
    assert said.readings == (float(digits),)


@given(st.integers(0, 10**7), st.integers(0, 99))
def test_an_amount_is_the_same_in_english_and_german(whole: int, cents: int):
    english = f"It was {whole:,}.{cents:02} in all"
    german = "Das waren " + f"{whole:,}.{cents:02}".translate(str.maketrans(",.", ".,")) + " gesamt"

    (first,), (second,) = numbers_in(english), numbers_in(german)

    assert first.readings == second.readings == (float(f"{whole}.{cents:02}"),)


@given(st.text(alphabet=st.sampled_from("0123456789.,-/:' kmoneöfünfdouble½三十"), max_size=60))
def test_whatever_is_said_is_read_without_failing_and_verbatim(text: str):
    for said in numbers_in(text):
        assert text[said.start : said.end] == said.words
        assert said.words.strip() == said.words != ""
    written_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("-3", -3.0),
        ("1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1,2,3", None),
        ("1.2.3", None),
        ("12.", None),
        ("..1", None),
        ("007", None),
        ("", None),
    ],
)
def test_a_written_number_is_one_number_and_nothing_else(text: str, value: float | None):
    assert written_number(text) == value


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("It cost 2.5 million euros", "2.5 million", 2_500_000),
        ("Two and a quarter hours", "Two and a quarter", 2.25),
        ("Two and three quarters", "Two and three quarters", 2.75),
        ("One and a half million people", "One and a half million", 1_500_000),
    ],
)
def test_what_makes_a_number_greater_belongs_to_its_words(text: str, words: str, value: float):
    (said,) = numbers_in(text, "en")

    assert (said.words, said.readings) == (words, (value,))


@pytest.mark.parametrize(
    ("text", "languages"), [("I have three", "en"), ("Ich habe drei", "de"), ("Hello", "en")]
)
def test_a_text_counts_in_the_languages_of_its_number_words(text: str, languages: str):
    assert languages_counted_in(text) == [languages]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2/3 of it", [2 / 3]),
        ("\u2154 of it", [2 / 3]),
        ("3/4 full", [0.75]),
        # Days, months and weeks are no counts, on whichever side the word for them stands.
        ("\u4e09\u6708", []),
        ("\u4e0b\u5468\u4e09", []),
        ("\u6211\u8981\u4e09\u4e2a", [3.0]),
    ],
)
def test_fractions_and_ideographs_have_their_value(text: str, values: list[float]):
    assert [said.readings for said in numbers_in(text)] == [(value,) for value in values]
