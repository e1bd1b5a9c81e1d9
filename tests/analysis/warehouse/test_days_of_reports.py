"""The time zone of the reports decides their days; what is stored stays in UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.dictionary.tables import CONVERSATIONS
from analysis.reports import open_reports
from analysis.warehouse.load import report_day
from analysis.warehouse.publish import days_to_export, publish
from tests.analysis.calls import (
    AGENT,
    Stores,
    a_verdict,
    export_day,
    hold_call,
    open_stores,
    save_answers,
)

LASTS = timedelta(seconds=10)
"""From the start of a call that is held here to its end."""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as opened:
        yield opened


def published(stores: Stores, timezone: str, sql: str) -> list[tuple[Any, ...]]:
    for day in days_to_export(stores.warehouse, **stores.both):
        export_day(day, stores.warehouse, **stores.both)
    publish(stores.warehouse, stores.reports, [AGENT], timezone=timezone)
    with open_reports(stores.reports) as connection:
        return connection.execute(sql).fetchall()


def ended(stores: Stores, name: str, moment: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    hold_call(stores.conversations, name, started_at=at - LASTS)
    save_answers(stores.evaluations, name, a_verdict(name))


# Berlin is one hour ahead in winter and two in summer; the clock moved on 29 March 2026 at 01:00
# UTC and moves back on 25 October 2026 at 01:00 UTC.
@pytest.mark.parametrize(
    ("timezone", "moment", "day"),
    [
        ("UTC", "2026-03-01T23:59:59", "2026-03-01"),
        ("UTC", "2026-03-02T00:00:00", "2026-03-02"),
        ("Europe/Berlin", "2026-03-01T22:59:59", "2026-03-01"),
        ("Europe/Berlin", "2026-03-01T23:00:00", "2026-03-02"),
        ("Europe/Berlin", "2026-03-28T22:59:59", "2026-03-28"),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:59:59", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T22:00:00", "2026-03-30"),
        ("Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T22:59:59", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T23:00:00", "2026-10-26"),
        ("America/Los_Angeles", "2026-03-01T07:59:59", "2026-02-28"),
        ("America/Los_Angeles", "2026-03-01T08:00:00", "2026-03-01"),
        ("Asia/Kolkata", "2026-03-01T18:29:59", "2026-03-01"),
        ("Asia/Kolkata", "2026-03-01T18:30:00", "2026-03-02"),
        ("Pacific/Kiritimati", "2026-03-01T10:00:00", "2026-03-02"),
    ],
)
def test_a_conversation_counts_on_the_day_of_the_reports(timezone: str, moment: str, day: str):
    sql = f"SELECT {report_day(CONVERSATIONS, timezone)} FROM (SELECT ?::TIMESTAMP AS ended_at)"
    with duckdb.connect() as connection:
        assert connection.execute(sql, [moment]).fetchall() == [(date.fromisoformat(day),)]


@given(
    st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2035-12-31")),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"]),
)
def test_the_database_and_python_agree_on_days(moment: datetime, timezone: str):
    sql = f"SELECT {report_day(CONVERSATIONS, timezone)} FROM (SELECT ?::TIMESTAMP AS ended_at)"
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone))
    with duckdb.connect() as connection:
        assert connection.execute(sql, [moment]).fetchone() == (local.date(),)


def test_views_and_weeks_follow_the_zone_and_tables_stay_in_utc(stores: Stores):
    ended(stores, "sunday", "2026-03-29T21:59:59")
    ended(stores, "monday", "2026-03-29T22:00:00")

    days = "select day, conversations from daily_report order by day"
    assert published(stores, "UTC", days) == [(date(2026, 3, 29), 2)]
    assert published(stores, "Europe/Berlin", days) == [
        (date(2026, 3, 29), 1),
        (date(2026, 3, 30), 1),
    ]
    for view in ("criterion_trends", "flagged_conversations", "agent_shop_desk", "costs"):
        found = published(stores, "Europe/Berlin", f"select distinct day from {view} order by 1")
        if view != "flagged_conversations":
            assert found == [(date(2026, 3, 29),), (date(2026, 3, 30),)], view
    weeks = "select week, successes from weekly_rates order by week"
    assert published(stores, "Europe/Berlin", weeks) == [
        (date(2026, 3, 23), 1),
        (date(2026, 3, 30), 1),
    ]
    kept = "select distinct day, ended_at::DATE from conversations"
    assert published(stores, "Europe/Berlin", kept) == [(date(2026, 3, 29), date(2026, 3, 29))]


def test_another_zone_makes_the_file_anew_and_the_same_one_does_not(stores: Stores):
    ended(stores, "late", "2026-03-01T23:30:00")
    days = "select day from daily_report"

    assert published(stores, "UTC", days) == [(date(2026, 3, 1),)]
    assert published(stores, "Asia/Tokyo", days) == [(date(2026, 3, 2),)]
    before = stores.reports.stat().st_mtime_ns
    assert published(stores, "Asia/Tokyo", days) == [(date(2026, 3, 2),)]
    assert stores.reports.stat().st_mtime_ns == before
    ended(stores, "later", "2026-03-02T23:30:00")
    assert published(stores, "Asia/Tokyo", f"{days} order by day") == [
        (date(2026, 3, 2),),
        (date(2026, 3, 3),),
    ]
