"""What users say is read in a time that grows with its length, and no faster."""

from collections.abc import Callable
from datetime import date
from time import process_time

import pytest

from analysis.fields.said_values import words_of_text
from analysis.said.moments.clock import times_said
from analysis.said.moments.days import days_said
from analysis.said.numbers import numbers_in

READERS: tuple[Callable[[str], object], ...] = (
    numbers_in,
    lambda text: days_said(text, date(2026, 11, 23)),
    times_said,
    lambda text: words_of_text(text, "ann.lee@example.com", "en"),
    lambda text: words_of_text(text, "京都", "en"),
)


@pytest.mark.parametrize("unit", ["111 ", "one two ", "a ", "5" + " " * 60, "5, and ", "東京都"])
def test_a_long_text_is_read_in_linear_time(unit: str):
    for read in READERS:
        short, long = _seconds(read, unit, 2_500), _seconds(read, unit, 20_000)

        assert long < 0.5 + 24 * short


def _seconds(read: Callable[[str], object], unit: str, chars: int) -> float:
    text = (unit * (chars // len(unit) + 1))[:chars]
    begun = process_time()
    read(text)
    return process_time() - begun


def test_a_very_long_number_is_no_amount():
    (said,) = numbers_in("nine " * 400 + "point five")[:1]

    assert said.readings == ()
