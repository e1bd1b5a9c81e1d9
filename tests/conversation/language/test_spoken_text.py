import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.language.number_words import cardinal, digit_by_digit, ordinal, year
from conversation.language.spoken_text import SpokenStream, spoken_form, spoken_pieces

SAID = {
    # Numbers
    "It takes 14 days.": "It takes fourteen days.",
    "We have 1,234,567 users.": (
        "We have one million two hundred thirty-four thousand five hundred sixty-seven users."
    ),
    "Version 2.50 and -3.5 are out.": (
        "Version two point five zero and minus three point five are out."
    ),
    "Agent 007 waits.": "Agent zero zero seven waits.",
    "Call 12345678901234567890.": (
        "Call one two three four five six seven eight nine zero one two three four five six seven "
        "eight nine zero."
    ),
    "The 1st, 22nd and 30th.": "The first, twenty-second and thirtieth.",
    "Pages 3-4, 1/2 cup, 24/7.": "Pages three to four, one half cup, twenty-four seven.",
    "GPT-4 and A4 and qwen2.5": "GPT four and A four and qwen two point five",
    "Use v1.2.3 on 192.168.0.1.": (
        "Use version one point two point three on one hundred ninety-two point one hundred "
        "sixty-eight point zero point one."
    ),
    "x² is ½ of room #5": "x squared is one half of room number five",
    # Dates and times
    "On 2026-11-23 we ship.": "On November twenty-third, twenty twenty-six we ship.",
    "Since March 3, 2005.": "Since March third, two thousand five.",
    "By 3 Mar. 2024": "By March third, twenty twenty-four",
    "11/23/2026 and 23.11.2026": (
        "November twenty-third, twenty twenty-six and November twenty-third, twenty twenty-six"
    ),
    "03/04/2026": "three slash four slash twenty twenty-six",
    "In 1984 there were 1984 of them.": (
        "In nineteen eighty-four there were one thousand nine hundred eighty-four of them."
    ),
    "Open Tue-Sat, 9:00-19:00.": "Open Tuesday to Saturday, nine o'clock to nineteen o'clock.",
    "At 18:30, at 9:05 or at 9:30 p.m.": (
        "At eighteen thirty, at nine oh five or at nine thirty P M."
    ),
    # Money and units
    "It costs $5.50 or €1.5 million.": (
        "It costs five dollars and fifty cents or one point five million euros."
    ),
    "20 EUR, $1, £0.05": "twenty euros, one dollar, five pence",
    "20 MB, 1 MB, 100 ms, 3.5GHz": (
        "twenty megabytes, one megabyte, one hundred milliseconds, three point five gigahertz"
    ),
    "-5 °C and 50%": "minus five degrees Celsius and fifty percent",
    "5 in the morning, 3 m": "five in the morning, three m",
    # Addresses
    "See https://www.example.com/help?x=1.": (
        "See example dot com slash help question mark x equals one."
    ),
    "Mail jo.doe@shop-24.example.com!": (
        "Mail jo dot doe at shop dash two four dot example dot com!"
    ),
    "In the 1990s, the '80s or the early 70s": (
        "In the nineteen nineties, the eighties or the early seventies"
    ),
    "The 2000s and 2010s, the late 1960's": (
        "The two thousands and twenty tens, the late nineteen sixties"
    ),
    "It takes 90s, after the 30s limit": "It takes ninety seconds, after the thirty seconds limit",
    "Order A1B2-C3, B2B, 1a2b": "Order A one B two-C three, B two B, one a two b",
    "St. Louis, \u2116 5": "Saint Louis, number five",
    "Edit data/agents/support.yaml": "Edit data slash agents slash support dot yaml",
    "Call +1 (555) 123-4567.": (
        "Call plus one, five five five, one two three, four five six seven."
    ),
    # Markup
    "**Bold**, _thin_, `code` and ~~gone~~": "Bold, thin, code and gone",
    "See [the docs](https://example.com/a_b).": "See the docs.",
    "# Heading\nText": "Heading. Text",
    "- milk\n- eggs (2)\n": "milk. eggs, two.",
    "1. Open it\n2. Close it": "one: Open it. two: Close it.",
    "| a | b |\n|---|---|\n| c | 2 |": "a, b. c, two.",
    "```python\nstop\n```\nDone.": "stop. Done.",
    "Salt &amp; pepper <b>now</b> — please": "Salt and pepper now, please",
    # Pictures and abbreviations
    "Great! \U0001f642\U0001f44d\U0001f3fd": "Great!",
    "\U0001f642": "",
    "E.g. this, e.g. that, i.e. Dr. Who vs. us, and/or you": (
        "E.g. this, for example that, that is Doctor Who versus us, and or you"
    ),
}


@pytest.mark.parametrize(("text", "expected"), SAID.items(), ids=list(SAID))
def test_english_is_said_in_words(text: str, expected: str):
    assert spoken_form(text, "en") == expected
    assert spoken_form(expected, "en") == expected


def test_plain_text_stays_as_it_is():
    text = "Hello, I'm well. How are you? It's a state-of-the-art reply!"
    assert spoken_form(text, "en-US") == text


def test_other_languages_keep_their_numbers_and_lose_markup():
    german = "Siehe **https://example.de/hilfe** bis 14.3. um 9:00 \U0001f642\n- Milch"
    assert spoken_form(german, "de") == (
        "Siehe example Punkt de Schrägstrich hilfe bis 14.3. um 9:00. Milch."
    )
    assert spoken_form("**7** z\u0142", "pl") == "7 z\u0142"


ALPHABET = "019.,:;/-+%$€#@&*_`~|()[]<>!? \n\u00bd\u00b2\u0664abAMxv\U0001f642\u2013\u2014"
texts = st.text(alphabet=ALPHABET, max_size=30) | st.text(max_size=20)


@given(texts)
def test_no_digit_is_left_and_saying_it_again_changes_nothing(text: str):
    said = spoken_form(text, "en")

    assert not re.search(r"\d", said)
    assert spoken_form(said, "en") == said


@given(texts, st.sampled_from(["en", "de", "pl"]))
def test_how_a_text_is_cut_into_deltas_changes_nothing(text: str, language: str):
    whole = SpokenStream(language)
    expected = [*whole.feed(text), *whole.finish()]
    by_char = SpokenStream(language)

    pieces = [piece for char in text for piece in by_char.feed(char)] + by_char.finish()

    assert " ".join(p.text for p in pieces) == " ".join(p.text for p in expected)
    ends = [0, *(border for p in pieces for border in (p.start_char, p.end_char)), len(text)]
    assert ends == sorted(ends)


def number_of(words: str) -> int:
    """The number that English words say: the inverse of `cardinal`."""
    scales = {
        "thousand": 10**3,
        "million": 10**6,
        "billion": 10**9,
        "trillion": 10**12,
    }
    small = {cardinal(str(number)): number for number in range(100)}
    total = group = 0
    for word in words.split():
        if word == "hundred":
            group *= 100
        elif word in scales:
            total, group = total + group * scales[word], 0
        else:
            group += small[word]
    return total + group


@given(st.integers(0, 10**15 - 1))
def test_words_say_the_very_number(number: int):
    assert number_of(cardinal(str(number))) == number
    assert number_of(spoken_form(f"Take {number} now.", "en")[5:-5]) == number
    assert number_of(spoken_form(f"Take {number:,} now.", "en")[5:-5]) == number


@given(st.from_regex(r"\A0[0-9]{1,20}\Z"))
def test_leading_zeros_are_said(digits: str):
    assert spoken_form(f"Code {digits}!", "en") == f"Code {digit_by_digit(digits)}!"


@given(st.integers(1100, 2099))
def test_years_differ(number: int):
    others = {year(str(other)) for other in range(1100, 2100) if other != number}
    assert year(str(number)) not in others


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("2", "second"),
        ("12", "twelfth"),
        ("20", "twentieth"),
        ("101", "one hundred first"),
        ("21102", "twenty-one thousand one hundred second"),
    ],
)
def test_places_in_an_order(digits: str, expected: str):
    assert ordinal(digits) == expected


def test_a_piece_tells_where_it_stands_in_what_was_written():
    text = "It costs $5. **Now** wait.\n- one"
    pieces = spoken_pieces(text, "en")

    assert [piece.text for piece in pieces] == ["It costs five dollars.", "Now wait.", "one."]
    assert [text[piece.start_char : piece.end_char].strip() for piece in pieces] == [
        "It costs $5.",
        "**Now** wait.",
        "- one",
    ]
