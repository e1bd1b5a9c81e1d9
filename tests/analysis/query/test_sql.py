import duckdb
import pytest

from analysis.errors import QueryError
from analysis.query.sql import query_as_csv, query_as_table


def test_rows_are_drawn_or_written_as_csv():
    with duckdb.connect() as connection:
        sql = "select 'a,b' as name, 2 as n union all select 'c', null order by all"
        assert "a,b" in query_as_table(connection, sql)
        assert query_as_csv(connection, sql).splitlines() == ["name,n", '"a,b",2', "c,"]


_ENUM = "ENUM('success', 'failure', 'unknown')"


@pytest.mark.parametrize(
    ("column", "drawn"),
    [
        ("'success'::E", "success"),
        ("NULL::E", "NULL"),
        ("['success', 'failure']::E[]", "[success, failure]"),
        ("[['success']]::E[][]", "[[success]]"),
        ("['success', 'failure']::E[2]", "[success, failure]"),
        ("{'a b': 'success'}::STRUCT(\"a b\" E)", "success"),
        ("MAP {'x': 'success'}::MAP(VARCHAR, E)", "success"),
    ],
)
def test_the_header_of_an_enum_is_short(column: str, drawn: str):
    sql = f"select {column.replace('E', _ENUM) if 'NULL' not in column else f'NULL::{_ENUM}'}"
    with duckdb.connect() as connection:
        shown = query_as_table(connection, f'{sql} as v, 3 as "n""x", 4 as v')

    name_line, type_line = shown.splitlines()[1:3]
    assert "enum" not in type_line
    assert "varchar" in type_line
    assert 'n"x' in name_line
    assert name_line.split().count("v") == 2
    assert drawn in shown


def test_rows_of_enums_keep_their_order():
    values = ", ".join(f"({n})" for n in range(50))
    sql = f"select n, 'failure'::{_ENUM} as verdict from (values {values}) t(n) order by n desc"
    with duckdb.connect() as connection:
        lines = query_as_table(connection, sql).splitlines()

    drawn = [int(line.split()[1]) for line in lines if "failure" in line]
    assert drawn[0] == 49
    assert drawn == sorted(drawn, reverse=True)


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
