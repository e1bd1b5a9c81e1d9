import duckdb
import pytest

from analysis.errors import QueryError
from analysis.query.sql import query_as_csv, query_as_table


def test_rows_are_drawn_or_written_as_csv():
    with duckdb.connect() as connection:
        sql = "select 'a,b' as name, 2 as n union all select 'c', null order by all"
        assert "a,b" in query_as_table(connection, sql)
        assert query_as_csv(connection, sql).splitlines() == ["name,n", '"a,b",2', "c,"]


@pytest.mark.parametrize("run", [query_as_table, query_as_csv])
def test_a_query_that_cannot_be_run_says_why_and_what_there_is(run: object):
    assert callable(run)
    with duckdb.connect() as connection, pytest.raises(QueryError) as caught:
        run(connection, "from nowhere")

    assert "nowhere" in str(caught.value)
    assert "show tables" in str(caught.value)


def test_what_was_said_cannot_steer_the_terminal():
    with duckdb.connect() as connection:
        assert "\x1b" not in query_as_table(connection, "select chr(27) || '[2J' as said")


def test_a_name_that_is_nearly_right_is_named():
    with duckdb.connect() as connection:
        connection.execute("create view success_rates as select 1 as n")
        with pytest.raises(QueryError, match=r"Did you mean success_rates\?"):
            query_as_table(connection, "from sucess_rate")


@pytest.mark.parametrize("run", [query_as_table, query_as_csv])
def test_a_query_that_takes_too_long_is_stopped(run: object):
    assert callable(run)
    endless = "select count(*) from range(10_000_000_000) a, range(10_000_000_000) b"
    with duckdb.connect() as connection, pytest.raises(QueryError, match=r"stopped after 0\.2 s"):
        run(connection, endless, timeout_s=0.2)


def test_too_little_memory_says_how_to_allow_more():
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "20MB",
        "temp_directory": "",
    }
    sql = "select list(range) from range(5_000_000) group by range % 3"
    with (
        duckdb.connect(config=config) as connection,
        pytest.raises(QueryError, match="--memory 4GB"),
    ):
        query_as_table(connection, sql)
