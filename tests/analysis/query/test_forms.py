"""Rows as JSON, as a whole table and as bars."""

import json
from pathlib import Path

import duckdb
import pytest

from analysis.dictionary.week_views import WILSON_MACRO
from analysis.errors import QueryError
from analysis.query.forms import query_as_bars, query_as_json, query_as_text
from analysis.reports import open_reports
from tests.analysis.calls import AGENT, hold_judged_calls, open_stores, refresh


def test_json_has_every_row_and_no_number_that_json_has_not():
    sql = (
        "select i as n, date '2026-03-01' + i::int as day, 'ä\"' as t, 'nan'::double as x, "
        "{'a': [1, 2]} as s from range(500) r(i)"
    )
    found = json.loads(query_as_json(duckdb.connect(), sql))
    assert len(found) == 500
    assert found[1] == {"n": 1, "day": "2026-03-02", "t": 'ä"', "x": None, "s": {"a": [1, 2]}}


def test_a_whole_table_cuts_nothing_and_steers_no_terminal():
    long = "x" * 300
    text = query_as_text(
        duckdb.connect(), f"select i, '{long}' || chr(27) as t from range(200) r(i)"
    )
    assert len(text.splitlines()) == 202
    assert text.count(long) == 200
    assert "\x1b" not in text


def test_bars_are_as_long_as_their_numbers():
    shown = query_as_bars(
        duckdb.connect(), "from (values ('a', 4.0), ('bb', 2), ('c', 0), ('d', null)) t(name, n)"
    )
    heading, first, second, third, fourth = shown.splitlines()
    assert heading.split() == ["n"]
    assert (first.count("█"), second.count("█"), third.count("█")) == (40, 20, 0)
    assert first.split()[-1] == "4"
    assert fourth.split() == ["d"]


def test_a_chart_without_numbers_says_what_it_needs():
    with pytest.raises(QueryError, match="needs a column with numbers"):
        query_as_bars(duckdb.connect(), "select 'a' as name")


def test_wilson_is_the_interval_of_any_share():
    connection = duckdb.connect()
    connection.execute(WILSON_MACRO)
    row = connection.execute("select wilson(4, 13), wilson(0, 0)").fetchone()
    assert row is not None
    assert row[0] == pytest.approx({"rate": 4 / 13, "low": 0.1268, "high": 0.5763}, abs=5e-4)
    assert row[1] == {"rate": None, "low": None, "high": None}


def test_users_and_weeks_are_published(tmp_path: Path):
    with open_stores(tmp_path) as stores:
        hold_judged_calls(stores)
        refresh(stores, AGENT)
        with open_reports(stores.reports) as connection:
            weeks = connection.execute(
                "select sum(n_judged), min(dayofweek(week)) from weekly_rates"
            ).fetchone()
            whole = connection.execute("select sum(n_judged), 1 from success_rates").fetchone()
            assert weeks == whole
            assert connection.execute("select count(*) from users").fetchone() == (0,)
            assert connection.execute("select round(wilson(9, 10).low, 3)").fetchone() == (0.596,)
