import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.voice.speaking.by_rule.spanish_numbers import cardinal, number_words


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "cero"),
        (16, "dieciséis"),
        (21, "veintiuno"),
        (31, "treinta y uno"),
        (100, "cien"),
        (101, "ciento uno"),
        (555, "quinientos cincuenta y cinco"),
        (1_000, "mil"),
        (2_026, "dos mil veintiséis"),
        (21_000, "veintiún mil"),
        (31_000_000, "treinta y un millones"),
        (1_000_001, "un millón uno"),
        (10**12, "un billón"),
    ],
)
def test_numbers_as_they_are_counted(number: int, said: str):
    assert cardinal(number) == said


@pytest.mark.parametrize(
    ("written", "following", "said"),
    [
        ("1", "hora", "una"),
        ("1", "día", "un"),
        ("1", "", "uno"),
        ("21", "euros", "veintiún"),
        ("21", "casas", "veintiuna"),
        ("31", "euros", "treinta y un"),
        ("200", "páginas", "doscientas"),
        ("500", "euros", "quinientos"),
        ("101", "habitaciones", "ciento una"),
        ("3,5", "", "tres coma cinco"),
        ("3,05", "", "tres coma cero cinco"),
        ("1.250,50", "", "mil doscientos cincuenta coma cincuenta"),
        ("1.000.000", "", "un millón"),
        ("9:30", "", "nueve treinta"),
        ("14/3", "", "catorce barra tres"),
        ("0034", "", "cero cero tres cuatro"),
        ("1.5", "", "uno punto cinco"),
        ("192.168.1.1", "", "ciento noventa y dos punto ciento sesenta y ocho punto uno punto uno"),
        ("\u0661\u0662", "", "doce"),
    ],
)
def test_numbers_as_they_are_written(written: str, following: str, said: str):
    assert number_words(written, following) == said


def test_what_is_too_long_for_a_number_is_read_digit_by_digit():
    assert number_words("1" * 16) == " ".join(["uno"] * 16)


_VALUES = {cardinal(n): n for n in range(30)}
_VALUES |= {cardinal(n): n for n in range(30, 100, 10)}
_VALUES |= {cardinal(n): n for n in range(100, 1_000, 100)} | {"ciento": 100, "un": 1}
_VALUES |= {"veintiún": 21, "y": 0}


def value_of(said: str) -> int:
    """The number back, by adding what each word is worth."""
    scales = {"mil": 10**3, "millón": 10**6, "millones": 10**6, "billón": 10**12}
    scales["billones"] = 10**12
    total = millions = part = 0
    for word in said.split():
        if word == "mil":
            part = (part or 1) * 1_000
        elif word in scales:
            total, part = (total + part * scales[word], 0)
        else:
            part += _VALUES[word]
    return total + millions + part


@given(st.integers(0, 10**15 - 1))
def test_every_number_can_be_understood(number: int):
    billions, rest = divmod(number, 10**12)
    said = cardinal(number)
    if billions:
        head, _, tail = said.partition("billones" if billions > 1 else "billón")
        assert value_of(head) == billions
        assert value_of(tail) == rest
    else:
        assert value_of(said) == number
