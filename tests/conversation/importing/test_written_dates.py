"""Dates of tables as people and spreadsheets write them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.importing.files import import_path
from conversation.importing.written_dates import Order, order_of, written_date
from conversation.store.store import ConversationStore

MORNING = datetime(2026, 11, 30, 9, 15)  # noqa: DTZ001
FORMS = {
    "day first": "%d/%m/%Y %H:%M",
    "month first": "%m/%d/%Y %I:%M %p",
}


@pytest.mark.parametrize(
    "text",
    [
        "30.11.2026 09:15",
        "30.11.2026, 09:15:00",
        "30.11.2026 9:15 Uhr",
        "30/11/2026 09:15",
        "11/30/2026 9:15 AM",
        "30-11-2026T09:15",
        "2026/11/30 09:15",
        "2026.11.30 9:15:00.000",
        "Nov 30, 2026 9:15 AM",
        "Monday, November 30th, 2026 at 9:15 a.m.",
        "30 November 2026 09:15",
        "30. November 2026 um 9:15 Uhr",
        "30 de noviembre de 2026 9:15",
        "30-Nov-2026 09:15",
        "30 ноября 2026 09:15",
    ],
)
def test_a_date_that_can_be_read_in_one_way_is_read(text: str):
    assert written_date(text) == MORNING


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2026 09:15",  # March or April
        "3-4-2026",
        "31.04.2026",
        "13/13/2026",
        "30.11.26",  # 1926?
        "04.13.2026",  # points put the day first
        "11/30/2026 13:15 PM",
        "Nov 2026",
        "soon",
        "1.2.3",
        "99:15",
        "",
    ],
)
def test_nothing_is_guessed(text: str):
    assert written_date(text) is None


def test_a_zone_counts():
    assert written_date("30.11.2026 09:15 +0100") == datetime(2026, 11, 30, 8, 15, tzinfo=UTC)
    assert written_date("05/05/2026 10:00 UTC") == datetime(2026, 5, 5, 10, tzinfo=UTC)


@given(
    st.sampled_from(["day first", "month first"]),
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), min_size=1, max_size=8),  # noqa: DTZ001
)
def test_a_column_is_read_in_the_one_way_that_fits_all_of_it(order: Order, written: list[datetime]):
    column = [each.strftime(FORMS[order]) for each in written]

    found = order_of(column)

    assert found in (order, None)
    if found is None:
        # Each could be either.
        assert all(each.day <= 12 for each in written)
    else:
        assert [written_date(each, found) for each in column] == [
            each.replace(second=0, microsecond=0) for each in written
        ]


def test_one_clear_date_tells_how_its_whole_table_is_written(tmp_path: Path):
    rows = "1,user,Hello?,03/04/2026 10:00\n1,agent,Yes.,03/04/2026 10:01\n"
    (tmp_path / "clear.csv").write_text(
        "id,speaker,text,time\n" + rows + "2,user,Hi,25/04/2026 11:00\n"
    )
    (tmp_path / "unclear.csv").write_text("id,speaker,text,time\n" + rows.replace("1,", "9,"))
    with ConversationStore.open("sqlite://") as store:
        report = import_path(tmp_path, store, "desk")
        begun = sorted(each.started_at for each in store.conversations() if each.started_at)

    assert [each.date().isoformat() for each in begun] == ["2026-04-03", "2026-04-25"]
    (rejected,) = report.rejected
    assert "day and month can be mistaken" in rejected.problem


@pytest.mark.parametrize(
    ("column", "first_day"),
    [
        (["5/6/26 8:27 PM", "5/28/26 8:26 PM"], "2026-05-06"),
        (["5/6/26", "12/28/26"], "2026-05-06"),
        (["05/06/26 20:26", "25/06/2026 20:26"], "2026-06-05"),
        (["05/06/26", "1/12/26", "28/05/26"], "2026-06-05"),
        (["05-06-26", "31-05-32"], "2026-06-05"),
        (["26/05/06", "26/5/31", "26/12/5"], "2026-05-06"),
        (["26.05.06", "26.5.6"], "2026-05-06"),
        (["28/05/26", "31/12/26"], None),  # of 2026, or of 2028 and 2031
        (["05/06/26", "06/05/26"], None),
        (["5/28/99", "5/6/99"], None),  # of which century?
    ],
)
def test_short_years_are_read_where_another_date_of_the_column_tells(
    column: list[str], first_day: str | None
):
    order = order_of(column)
    read = [written_date(each, order) for each in column]

    if first_day is None:
        assert order is None or None in read
    else:
        assert None not in read
        assert str(read[0])[:10] == first_day


@pytest.mark.parametrize(
    ("order", "day"),
    [("day first", "2026-05-28"), ("month first", None), ("year first", "2028-05-26")],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,speaker,text,time\n1,user,Hi,28/05/26 20:26\n1,agent,Yes,28/05/26 20:27\n"),
        ("a.txt", "[28/05/26, 20:26:40] User: Hi\n[28/05/26, 20:26:50] Agent: Yes\n"),
    ],
)
def test_who_imports_may_say_what_dates_begin_with(
    tmp_path: Path, name: str, text: str, order: Order, day: str | None
):
    (tmp_path / name).write_text(text)
    with ConversationStore.open("sqlite://") as store:
        unsaid = import_path(tmp_path, store, "desk")
        import_path(tmp_path, store, "desk", date_order=order)
        begun = [str(each.started_at)[:10] for each in store.conversations()]

    assert "--date-order" in unsaid.rejected[0].problem
    assert begun == ([day] if day else [])
