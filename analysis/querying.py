"""Any SQL on the published reports, as text for a terminal or as CSV."""

import csv
import io

import duckdb

from analysis.errors import QueryError


def query_as_table(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Run `sql` and return its rows as DuckDB draws them; many rows are shown in part.

    Raises:
        QueryError: The query cannot be run; says why.
    """
    try:
        relation = connection.sql(sql)
        # Statements without rows, e.g. `SET`, give no relation.
        return _printable(str(relation)) if relation is not None else ""  # pyright: ignore[reportUnnecessaryComparison]
    except duckdb.Error as error:
        raise _query_error(error) from error


def query_as_csv(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Run `sql` and return all of its rows as CSV with a header.

    Raises:
        QueryError: The query cannot be run; says why.
    """
    try:
        found = connection.execute(sql)
        names = [str(column[0]) for column in found.description or ()]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise _query_error(error) from error
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(names)
    writer.writerows(rows)
    return stream.getvalue()


def _query_error(error: duckdb.Error) -> QueryError:
    return QueryError(
        f"The query cannot be run. {str(error).strip()}\n"
        '`vivavoce sql "show tables"` lists tables and views, '
        '`vivavoce sql "describe conversations"` the columns of one.'
    )


def _printable(text: str) -> str:
    """Replace control characters: what was said must not steer a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
