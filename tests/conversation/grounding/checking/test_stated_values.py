import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.grounding.checking.stated_values import values_in

NUMBERS = [
    ("en", "It costs $1,234.50.", "1,234.50", "n:1234.5", "$"),
    ("en", "a fee of 20 USD", "20", "n:20", "$"),
    ("en", "twenty-five dollars", "twenty-five", "n:25", "$"),
    ("en", "It is 20 % off.", "20 %", "n:20", "%"),
    ("en", "two percent", "two percent", "n:2", "%"),
    ("en", "2 million users", "2 million", "n:2000000", ""),
    ("en", "10k requests", "10k", "n:10000", ""),
    ("de", "Das kostet 1.234,50 €.", "1.234,50", "n:1234.5", "€"),
    ("de", "20 Prozent Rabatt", "20 Prozent", "n:20", "%"),
    ("de", "fünfundzwanzig Euro", "fünfundzwanzig", "n:25", "€"),
    ("fr", "25 pour cent", "25 pour cent", "n:25", "%"),
    ("fr", "1 234,5 km", "1 234,5", "n:1234.5", ""),
    ("es", "veinticinco euros", "veinticinco", "n:25", "€"),
    ("it", "venti euro", "venti", "n:20", "€"),
    ("ja", "料金は２,０００円です", "２,０００", "n:2000", "¥"),
    ("ja", "二十五名まで", "二十五", "n:25", ""),
    ("zh", "价格是3.5万元", "3.5万", "n:35000", ""),
    ("ar", "السعر ١٢٣٫٥ ٪", "١٢٣٫٥ ٪", "n:123.5", "%"),
    ("hi", "₹१,२३,४५६", "१,२३,४५६", "n:123456", "₹"),
    ("fa", "۵۰ درصد", "۵۰ درصد", "n:50", "%"),
    ("ru", "1 500 рублей", "1 500", "n:1500", ""),
    ("de-CH", "CHF 1'234.50", "1'234.50", "n:1234.5", "CHF"),
]
MOMENTS = [
    ("en", "open at 9 am", "9 am", "t:540"),
    ("en", "until 6:30 p.m. daily", "6:30 p.m.", "t:1110"),
    ("en", "at 12 am", "12 am", "t:0"),
    ("en", "9:00–18:00", "18:00", "t:1080"),
    ("de", "ab 9.30 Uhr", "9.30", "t:570"),
    ("de", "bis 18 Uhr", "18", "t:1080"),
    ("fr", "à 18h30", "18h30", "t:1110"),
    ("ja", "午後３時３０分", "３時３０分", "t:930"),
    ("ko", "오후 3시", "3시", "t:900"),
    ("en", "on 2026-03-05", "2026-03-05", "d:2026-3-5"),
    ("en", "March 5, 2026", "March 5, 2026", "d:2026-3-5"),
    ("en", "the 5th of March", "5th of March", "d:-3-5"),
    ("de", "am 5. März 2026", "5. März 2026", "d:2026-3-5"),
    ("de", "05.03.2026", "05.03.2026", "d:2026-3-5"),
    ("fr", "le 3 mars", "3 mars", "d:-3-3"),
    ("es", "5 de marzo de 2026", "5 de marzo de 2026", "d:2026-3-5"),
    ("ja", "2026年3月5日", "2026年3月5日", "d:2026-3-5"),
    ("en", "on Monday", "Monday", "w:0"),
    ("de", "Montag-Freitag", "Freitag", "w:4"),
    ("fr", "lundi", "lundi", "w:0"),
]
CODES = [
    ("set VIVAVOCE_LLM now", "VIVAVOCE_LLM", "c:vivavoce_llm"),
    ("error E-1234.", "E-1234", "c:e-1234"),
    ("version v2.1.3", "v2.1.3", "c:v2.1.3"),
    ("mail a.b@example.org", "a.b@example.org", "c:a.b@example.org"),
    (
        "at https://example.org/a?b=1 now",
        "https://example.org/a?b=1",
        "c:https://example.org/a?b=1",
    ),
    ("call +49 30 1234567", "+49 30 1234567", "p:49301234567"),
    ("host 192.168.0.1", "192.168.0.1", "c:192.168.0.1"),
]


@pytest.mark.parametrize(("language", "text", "words", "form", "unit"), NUMBERS)
def test_a_number_is_found_with_its_value_and_its_unit(
    language: str, text: str, words: str, form: str, unit: str
):
    value = values_in(text, language)[0]

    assert text[value.start : value.end].strip() == words
    assert form in value.forms
    assert value.unit == unit


@pytest.mark.parametrize(("language", "text", "words", "form"), MOMENTS)
def test_a_time_or_a_date_is_one_value_however_it_is_written(
    language: str, text: str, words: str, form: str
):
    found = {
        text[value.start : value.end].strip(): value.forms for value in values_in(text, language)
    }

    assert form in found[words]


@pytest.mark.parametrize(("text", "words", "form"), CODES)
def test_a_code_is_one_value(text: str, words: str, form: str):
    (value,) = values_in(text)

    assert (text[value.start : value.end], value.forms) == (words, {form})


@pytest.mark.parametrize(
    "text", ["You may do so in march order.", "One of them.", "I don't know.", "一般的な説明", ""]
)
def test_words_that_are_no_values_are_none(text: str):
    assert values_in(text) == []


def test_a_number_that_can_be_read_in_two_ways_has_both():
    (value,) = values_in("1.500")

    assert value.forms == {"n:1500", "n:1.5"}


@given(st.text(max_size=80))
def test_values_lie_in_order_inside_of_any_text(text: str):
    values = values_in(text)

    ends = [0, *(value.end for value in values)]
    assert all(
        before <= value.start < value.end for before, value in zip(ends, values, strict=False)
    )
    assert ends[-1] <= len(text)


@given(st.integers(0, 10**12), st.sampled_from(["en", "de", "ar", "ja"]))
def test_every_way_to_write_a_whole_number_has_its_value(number: int, language: str):
    arabic = str(number).translate({ord(str(digit)): chr(0x0660 + digit) for digit in range(10)})
    for written in (str(number), f"{number:,}", f"{number:,}".replace(",", "."), arabic):
        (value,) = values_in(f"= {written} ?", language)
        assert f"n:{number}" in value.forms
