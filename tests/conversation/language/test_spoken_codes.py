"""Versions, instants, ISBNs, telephone numbers and exponents, as somebody would read them aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.language.number_words import cardinal, digit_by_digit
from conversation.language.spoken_text import spoken_form
from tests.growth import growth

_DAY = "November twenty-third, twenty twenty-six"
_ISBN = "nine seven eight, three, one six, one four eight four one zero, zero"
SAID = {
    "Version v1.2.3 is out": "Version one point two point three is out",
    "versions v1 and v2": "versions one and version two",
    "A V8 and v2": "A V eight and version two",
    "https://api.example.com/v1/users": "api dot example dot com slash v one slash users",
    "2026-11-23T14:30:00Z": f"{_DAY}, fourteen thirty and zero seconds U T C",
    "2026-11-23T14:30:05.120+02:00": (
        f"{_DAY}, fourteen thirty and five point one two zero seconds U T C plus two"
    ),
    "2026-11-23T14:30-05:30": f"{_DAY}, fourteen thirty U T C minus five hours thirty",
    "20261123T1430Z": f"{_DAY}, fourteen thirty U T C",
    "At T14:30:01 or 14:30Z": "At fourteen thirty and one second or fourteen thirty U T C",
    "On 2026-11-23.": f"On {_DAY}.",
    "Article SKU-4411B": "Article SKU four four one one B",
    "PO-4711-B and INV-2026-0042.": (
        "PO four seven one one, B and INV two zero two six, zero zero four two."
    ),
    "GPT-4 and COVID-19": "GPT four and COVID nineteen",
    "~5 km, ~$20": "about five kilometers, about twenty dollars",
    "\u221a9 is 3": "the square root of nine is three",
    "ISBN 978-3-16-148410-0": f"ISBN {_ISBN}",
    "978-3-16-148410-0": _ISBN,
    "ISBN-13: 9783161484100": (
        "ISBN thirteen: nine seven eight three one six one four eight four one zero zero"
    ),
    "ISBN 0-8044-2957-X.": "ISBN zero, eight zero four four, two nine five seven, X.",
    "1e6": "one times ten to the power of six",
    "2.5E-3": "two point five times ten to the power of minus three",
    "-6.02e+23": "minus six point zero two times ten to the power of twenty-three",
    "6.02\u00d710^23": "six point zero two times ten to the power of twenty-three",
    "x^2 and 10^-3": "x to the power of two and ten to the power of minus three",
    "Call 555-123-4567": "Call five five five, one two three, four five six seven",
    "1-800-555-1234": "one, eight zero zero, five five five, one two three four",
    "555.123.4567": "five five five, one two three, four five six seven",
    "030 1234567": "zero three zero, one two three four five six seven",
    "01 23 45 67 89": "zero one, two three, four five, six seven, eight nine",
    "+49 30 123456": "plus four nine, three zero, one two three four five six",
    "\u20b9500 or R$ 20": "five hundred rupees or twenty reals",
    "\u00a31.5m": "one point five million pounds",
    "$5-10": "five to ten dollars",
    "\u20ac5.50 - \u20ac10": "five point five zero to ten euros",
    "$100 - 20%": "one hundred dollars, twenty percent",
    "9am-5pm": "nine A M to five P M",
    "2h 30m": "two hours thirty minutes",
    "1h30 or 24h 7 days": "one hour thirty minutes or twenty-four hours seven days",
    "2\u00bd or 1/3": "two and one half or one third",
    "10\u202f000 people": "ten thousand people",
    "Pages 3-4, 9:00-19:00": "Pages three to four, nine o'clock to nineteen o'clock",
    "ISSN 0317-8471.": "ISSN zero three one seven, eight four seven one.",
    "At 2001:db8::1/64": (
        "At two zero zero one colon D B eight, double colon, one slash sixty-four"
    ),
    "std::cout and a::b": "std::cout and a::b",
    "10.0.0.1:80": "ten point zero point zero point one port eighty",
    "00:1A:2B:3C:4D:5E": "zero zero, one A, two B, three C, four D, five E",
    "IBAN GB29 NWBK 6016 1331 9268 19": (
        "IBAN G B two nine, N W B K, six zero one six, one three three one, nine two six eight, "
        "one nine"
    ),
    "Card 4111 1111 1111 1111": (
        "Card four one one one, one one one one, one one one one, one one one one"
    ),
    "1-800-FLOWERS": "one, eight zero zero, FLOWERS",
    "#ff0000": "hash F F zero zero zero zero",
    "16:9 or 1:10,000": "sixteen to nine or one to ten thousand",
    "2019-2024, 2023-24": (
        "twenty nineteen to twenty twenty-four, twenty twenty-three to twenty-four"
    ),
    "Q3 2026, FY2025": "Q three twenty twenty-six, F Y twenty twenty-five",
    "A 7/16 bolt": "A seven sixteenths bolt",
    "10\u207b\u00b3 and 10\u2076": ("ten to the power of minus three and ten to the power of six"),
    "20\u2103, 5 m\u00b2, 3 m wide": (
        "twenty degrees Celsius, five square meters, three meters wide"
    ),
    "GMT-5": "G M T minus five",
    "$10/month": "ten dollars per month",
    "5'10\"": "five feet ten inches",
    "1.234,56 \u20ac": "one thousand two hundred thirty-four euros and fifty-six cents",
    "Chapter IV, Type II, King Henry VIII": "Chapter four, Type two, King Henry the eighth",
    "Type C, Part I said, Level X": "Type C, Part I said, Level X",
}


@pytest.mark.parametrize(("text", "expected"), SAID.items(), ids=list(SAID))
def test_codes_are_read_as_what_they_are(text: str, expected: str):
    assert spoken_form(text, "en") == expected
    assert spoken_form(expected, "en") == expected


@pytest.mark.parametrize("language", ["de", "es", "fr", "zh"])
@pytest.mark.parametrize(
    "text",
    [
        *("-5 \u00b0C", "\u22125 \u00b0C", "+49 30 1234567", "\u2265 18", "<5", "\u00b13"),
        *("#5", "\u00a7 5", "~10", ".5"),
    ],
)
def test_a_sign_before_a_number_is_kept_for_the_voice(text: str, language: str):
    said = spoken_form(text, language)

    assert said.startswith("10" if text == "~10" else text.partition(" \u00b0")[0])


AMOUNTS = [
    ("de", "-5 \u00b0C, 20-25 \u2103", "-5 Grad Celsius, 20 bis 25 Grad Celsius"),
    ("de", "12,50 \u20ac, -$5, 1 CHF", "12,50 Euro, -5 US-Dollar, 1 Schweizer Franken"),
    ("de", "9-17 Uhr, 2020\u20132024", "9 bis 17 Uhr, 2020 bis 2024"),
    ("de", "030-123, 3-0, 2026-12-01, A4-5", "030-123, 3-0, 2026-12-01, A4-5"),
    ("fr", "50 %, 1 km/h, 17 h 30", "50 pour cent, 1 kilom\u00e8tre par heure, 17 heures 30"),
    ("es-MX", "$5", "5 pesos mexicanos"),
    ("es", "\u00a31.50", "\u00a31.50"),  # no number of this locale
    ("pt_BR", "R$ 5", "5 Reais brasileiros"),
    ("ru", "2 \u20bd, 21 km", "2 российских рубля, 21 километр"),
    ("zh-CN", "\u00a520, 5 \u00b0C, 20%", "20\u4eba\u6c11\u5e01, 5\u6444\u6c0f\u5ea6, 20%"),
    ("xx", "5 \u20ac", "5 \u20ac"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "expected"), AMOUNTS)
def test_amounts_are_said_in_the_words_of_the_locale(language: str, text: str, expected: str):
    assert spoken_form(text, language) == expected
    assert spoken_form(expected, language) == expected


@pytest.mark.parametrize("text", ["... 5", "-- 5", "* 5", "- 5", "> 5", "--- 5"])
def test_what_is_no_sign_of_a_number_is_left_out(text: str):
    assert spoken_form(text, "de").rstrip(".") == "5"


@given(st.integers(0, 999), st.integers(-99, 99))
def test_an_exponent_is_said_with_its_sign(number: int, exponent: int):
    power = ("minus " if exponent < 0 else "") + cardinal(str(abs(exponent)))
    assert spoken_form(f"Take {number}e{exponent}!", "en") == (
        f"Take {cardinal(str(number))} times ten to the power of {power}!"
    )


@given(st.lists(st.from_regex(r"\A[0-9]{2,4}\Z"), min_size=4, max_size=6))
def test_groups_of_digits_lose_no_digit(groups: list[str]):
    assert spoken_form(f"Call {'-'.join(groups)}!", "en") == (
        f"Call {', '.join(map(digit_by_digit, groups))}!"
    )


@pytest.mark.hostile
@pytest.mark.parametrize("piece", ["1-", "1e", "01 ", "1 ", "^1", "T1430", "ISBN 1", "v1"])
def test_time_grows_with_the_length(piece: str):
    assert growth(lambda text: spoken_form(text, "en"), piece) < 7
