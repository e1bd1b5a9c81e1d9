"""What a sheet shows for a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats.sheets.number_format import show_number


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        ("0.075", "0.0%", "7.5%"),
        ("1", "0%", "100%"),
        ("1234.5", '#,##0.00 "€"', "1,234.50 €"),
        ("1234.5", '#,##0.00\\ "€"', "1,234.50 €"),
        ("0.3", "[$$-409]#,##0.00", "$0.30"),
        ("1234", "00000", "01234"),
        ("2.5", '0.0 "kg"', "2.5 kg"),
        ("1761234567", "0000 0000000", "0176 1234567"),
        ("46112", "dd.mm.yyyy", "31.03.2026"),
        ("46113", "mmm yyyy", "Apr 2026"),
        ("46113", "mmmm d, yyyy", "April 1, 2026"),
        ("46113.5", "yyyy-mm-dd hh:mm", "2026-04-01 12:00"),
        ("0.375", "hh:mm", "09:00"),
        ("0.75", "h:mm AM/PM", "6:00 PM"),
        ("1.25", "[h]:mm", "30:00"),
        ("0.0010416666666666667", "mm:ss", "01:30"),
        ("-5", "#,##0;(#,##0)", "(5)"),
        ("-5", "0.00", "-5.00"),
        ("0", '0;-0;"none"', "none"),
        ("12", "[Red]0.0", "12.0"),
        ("1500000", '0.0,,"M"', "1.5M"),
        ("5", "[<10]0 \\l\\o\\w;0", "5 low"),
        ("0.1", "General", "0.1"),
        ("0.30000000000000004", "General", "0.3"),
        ("1.234567890123457E+19", "General", "1.23456789012346E+19"),
        ("123456789012", "General", "123456789012"),
        ("0.5", "# ?/?", "1/2"),
        ("2.75", "# ?/?", "2 3/4"),
        ("-2.75", "# ??/??", "-2 3/4"),
        ("0.333333333", "# ??/??", "1/3"),
        ("2.5", "?/?", "5/2"),
        ("2.5", "# ?/8", "2 4/8"),
        ("2.99", "# ?/?", "3"),
        ("3", "# ?/?", "3"),
        ("0.25", '# ?/100 "in"', "25/100 in"),
        ("123456", "0.00E+00", "1.23E+05"),
        ("0.00012", "0.00E+00", "1.20E-04"),
        ("-9.999E20", "0.0E+0", "-1.0E+21"),
        ("12345", "##0.0E+0", "12.3E+3"),
        ("0", "0.00E+00", "0.00E+00"),
        ("7", "0 \\S\\t\\.", "7 St."),
        ("0.5", "#.00", ".50"),
        ("3", "#,##0.##", "3"),
        ("1234567", "#,##0", "1,234,567"),
        ("2.675", "0.00", "2.68"),
        ("12", "@", "12"),
        ("-1", "yyyy", "-1"),
        ("nonsense", "0.0", "nonsense"),
    ],
)
def test_what_is_shown(value: str, code: str, shown: str):
    assert show_number(value, code) == shown


def test_dates_that_count_from_1904():
    assert show_number("44651", "yyyy-mm-dd", since_1904=True) == "2026-04-01"


@given(
    value=st.floats(allow_nan=True, allow_infinity=True).map(repr),
    code=st.text(alphabet='0#?.,%;[]hmsdyE+-@"\\ _*€/AP<>=5', max_size=30),
)
def test_any_number_under_any_code_is_shown(value: str, code: str):
    assert isinstance(show_number(value, code), str)


@given(value=st.integers(-(10**12), 10**12), places=st.integers(0, 6))
def test_grouped_figures_read_back_as_what_they_were(value: int, places: int):
    shown = show_number(str(value), "#,##0" + ("." + "0" * places if places else ""))

    assert float(shown.replace(",", "")) == value
