"""Days and times as people say them, and what is not read because it could mean two things."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.fields.dates import day_words_in, days_in, is_day, moments_said, time_of, times_in

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 2026-03-01, please", date(2026, 3, 1)),
        ("the 3rd of March 2027", date(2027, 3, 3)),
        ("March 3rd, 2025", date(2025, 3, 3)),
        ("on Dec. 24", date(2026, 12, 24)),
        ("January 5th", date(2027, 1, 5)),
        ("on the 30th of September", date(2026, 9, 30)),
        ("24.12.2026", date(2026, 12, 24)),
        ("12/24/2026", date(2026, 12, 24)),
        ("24/12/2026", date(2026, 12, 24)),
        ("tomorrow morning", date(2026, 11, 24)),
        ("the day after tomorrow", date(2026, 11, 25)),
        ("on Friday", date(2026, 11, 27)),
        ("next Monday", date(2026, 11, 30)),
        ("last Friday", date(2026, 11, 20)),
        ("in two weeks", date(2026, 12, 7)),
        ("3 days ago", date(2026, 11, 20)),
        ("Wednesday next week", date(2026, 12, 2)),
        ("on Wednesday this week", date(2026, 11, 25)),
        ("the 2nd of this month", date(2026, 11, 2)),
        ("4th of next month please", date(2026, 12, 4)),
        ("How about the 11th?", date(2026, 11, 11)),
        ("on the 3rd at noon", date(2026, 12, 3)),
    ],
)
def test_days_are_read_as_they_are_said(text: str, day: date):
    (found,) = days_in(text, MONDAY)

    assert found.value == day
    assert found.words in text


@pytest.mark.parametrize(
    "text",
    [
        *("3/4/2026", "February 30th", "2026-13-01", "soon", "order 2026-1", "sometime in May"),
        *("the 2nd floor", "for the 3rd time", "the 31st of this month", "he came 2nd"),
    ],
)
def test_what_is_no_day_or_two_is_not_read(text: str):
    assert days_in(text, MONDAY) == []


def test_words_that_need_today_are_no_days_without_it():
    assert days_in("tomorrow, on Friday or on March 3rd", None) == []
    assert [day.value for day in days_in("on March 3rd 2026", None)] == [date(2026, 3, 3)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            (text, True)
            for text in ("2023-02-02", "2023-02-02T10:00:00", "the 11th", "next Friday")
        ),
        *((text, False) for text in ("on Friday at noon", "Santa Clara", "2014", "20140102", "")),
    ],
)
def test_what_is_a_day_and_nothing_else(text: str, expected: bool):
    assert is_day(text) is expected


def test_words_of_days_are_found_whatever_today_is():
    assert day_words_in("Not on Friday, but the 11th.") == ["Friday", "the 11th"]


def test_of_several_days_each_is_read_once_and_in_order():
    found = days_in("from March 3rd, 2026 until the day after tomorrow", MONDAY)

    assert [day.words for day in found] == ["March 3rd, 2026", "day after tomorrow"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("at 3 pm", time(15)),
        ("at 3:30 p.m.", time(15, 30)),
        ("12 am", time(0)),
        ("12:15 PM", time(12, 15)),
        ("at 15:45", time(15, 45)),
        ("at noon", time(12)),
        ("around midnight", time(0)),
    ],
)
def test_times_are_read_as_they_are_said(text: str, moment: time):
    assert [found.value for found in times_in(text)] == [moment]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, time(16, 30)) for text in ("16:30:00", "4:30 pm", "16:30", "4:30 P.M.")),
        *((text, None) for text in ("at 4:30 pm", "16", "2014", "soon", "")),
    ],
)
def test_what_is_a_time_and_nothing_else(text: str, expected: time | None):
    assert time_of(text) == expected


@pytest.mark.parametrize("text", ["at 3", "13 pm", "25:00", "10:75", "in the morning"])
def test_what_is_no_time_is_not_read(text: str):
    assert times_in(text) == []


def test_a_moment_is_a_day_with_a_time_in_one_text():
    [moment] = moments_said("Tomorrow, if you can, at 3 pm, or never.", MONDAY)

    assert moment.words == "Tomorrow, if you can, at 3 pm"
    assert [each.isoformat() for each in moment.readings] == ["2026-11-24T15:00:00"]


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_every_written_day_is_read_back(day: date):
    for text in (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%b} {day.year}",
    ):
        assert [found.value for found in days_in(f"It was {text} then", None)] == [day]


@given(st.text(alphabet=st.sampled_from("0123456789:/.- apmthMarchFriday"), max_size=40))
def test_whatever_is_said_is_read_without_failing(text: str):
    for found in (*days_in(text, MONDAY), *times_in(text)):
        assert found.words in text
    for moment in moments_said(text, MONDAY):
        assert moment.words in text
