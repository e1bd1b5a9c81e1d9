"""Article numbers, amounts and addresses are the same however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.words.identifiers import identifiers
from kb.words.spelling import respelled


def read(text: str) -> set[str]:
    return {each.text for each in identifiers(respelled(text))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SKU-4411B", "sku 4411 b"),
        ("SKU-4411B", "SKU4411B"),
        ("SKU-4411B", "SKU\u20134411B"),
        ("SKU-4411B", "SKU_4411B"),
        ("SKU-4411B", "ＳＫＵ４４１１Ｂ"),
        ("4411-B", "4411 B"),
        ("E-247", "E247"),
        ("E-247", "e 247"),
        ("12.500", "12500"),
        ("12,500", "12 500"),
        ("12'500", "12\u202f500"),
        ("1.234,50 \u20ac", "1,234.5"),
        ("19,00", "19"),
        ("0176 1234567", "01761234567"),
        ("0176/1234567", "0176-1234567"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("anna.lind@example.org", "Anna.Lind@Example.org"),
        ("Article 41", "article 41"),
        ("v1.2.3", "V1.2.3"),
        ("٤٤١١", "4411"),
        ("check-in", "check\u2011in"),
        ("0301234567", "+49 (0)30 1234-567"),
        ("+49301234567", "+49 (0)30 1234-567"),
        ("0049 30 1234567", "+49 30 123 45 67"),
        ("030 123 45 67", "(030) 1234567"),
        ("030/1234567", "+49-30-1234567"),
        ("2125550100", "+1 (212) 555-0100"),
        ("(212) 555-0100", "1-212-555-0100"),
        ("020 7946 0958", "+44 (0)20 7946 0958"),
        ("01 234 5678", "+353 1 234 5678"),
        ("B214", "Room B2.14"),
        ("7081544", "7-0815.44"),
        ("v2.10.3", "V 2.10.3"),
        ("1,25,400", "125400"),
        ("\u20b912,34,56,789.50", "123,456,789.5"),
        ("١٢٬٥٠٠", "12.500"),
        ("٣٫٧٥", "3,75"),
        ("C++", "c\uff0b\uff0b"),
        ("\u202bSKU-4411B\u202c", "SKU\u200e-4411B"),
    ],
)
def test_two_ways_to_write_it_have_a_reading_in_common(one: str, other: str):
    longest = max(read(one), key=len)
    assert longest in read(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2.10.3", "2.1.3"),
        ("31.10.2026", "31.1.2026"),
        ("030 1234567", "+49 40 1234567"),
        ("1.25", "125"),
        ("12.50", "1250"),
        ("E-247", "E-248"),
        ("1.2.3", "123"),
        ("19,9", "199"),
        ("C++", "C#"),
        ("CX+", "CX"),
        ("1,25,400", "125"),
    ],
)
def test_what_differs_has_none(one: str, other: str):
    assert max(read(one), key=len) not in read(other)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("article 41", True),
        ("E-247", True),
        ("12.500", True),
        ("10 guests", False),
        ("41", False),
        ("4411 B", True),
        ("me@example.org", True),
    ],
)
def test_a_quantity_names_nothing(text: str, exact: bool):
    whole = max(identifiers(text), key=lambda each: len(each.text))

    assert whole.is_exact == exact


@given(st.text(alphabet="ab1 2.,-/@'\u00e9\u9000", max_size=80))
def test_places_are_where_they_say(text: str):
    for each in identifiers(respelled(text)):
        assert 0 <= each.start < each.end <= len(text)
        assert each.text
        assert not each.text.isspace()
