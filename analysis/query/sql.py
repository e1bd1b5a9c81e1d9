"""Any SQL on the published reports, as text for a terminal or as CSV, within a time limit."""

import csv
import difflib
import io
import re
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType

from analysis.cells import cell
from analysis.errors import QueryError
from analysis.printable import printable_lines

_MISSING = re.compile(r"Table with name (\w+) does not exist")


def query_as_table(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float | None = None
) -> str:
    """Run `sql` and return its rows as DuckDB draws them; many rows are shown in part.

    Raises:
        QueryError: The query cannot be run, or takes longer than `timeout_s`; says why.
    """
    with time_limit(connection, timeout_s):
        try:
            relation = connection.sql(sql)
            # Statements without rows, e.g. `SET`, give no relation.
            if relation is None:  # pyright: ignore[reportUnnecessaryComparison]
                return ""
            return printable_lines(str(_with_short_types(relation)))
        except duckdb.InterruptException as error:
            raise _too_slow(timeout_s) from error
        except duckdb.Error as error:
            raise query_error(error, connection) from error


def query_as_csv(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float | None = None
) -> str:
    """Run `sql` and return all of its rows as CSV with a header.

    Text that a spreadsheet would take for a formula has an apostrophe before it.

    Raises:
        QueryError: The query cannot be run, or takes longer than `timeout_s`; says why.
    """
    with time_limit(connection, timeout_s):
        try:
            found = connection.execute(sql)
            names = [str(column[0]) for column in found.description or ()]
            rows = found.fetchall()
        except duckdb.InterruptException as error:
            raise _too_slow(timeout_s) from error
        except duckdb.Error as error:
            raise query_error(error, connection) from error
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([cell(name) for name in names])
    writer.writerows([cell(value) for value in row] for row in rows)
    return stream.getvalue()


def query_rows(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[object] = (),
    *,
    timeout_s: float | None = None,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run `sql` with values for its `?` and return the names of its columns, and all of its rows.

    Raises:
        QueryError: The query cannot be run, or takes longer than `timeout_s`; says why.
    """
    with time_limit(connection, timeout_s):
        try:
            found = connection.execute(sql, list(parameters))
            return [str(column[0]) for column in found.description or ()], found.fetchall()
        except duckdb.InterruptException as error:
            raise _too_slow(timeout_s) from error
        except duckdb.Error as error:
            raise query_error(error, connection) from error


@contextmanager
def time_limit(connection: duckdb.DuckDBPyConnection, timeout_s: float | None) -> Generator[None]:
    """Interrupt what `connection` does inside after `timeout_s`; None waits for ever."""
    if timeout_s is None:
        yield
        return
    timer = threading.Timer(timeout_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def query_error(
    error: duckdb.Error, connection: duckdb.DuckDBPyConnection | None = None
) -> QueryError:
    """Return what went wrong, with the nearest names and what to do."""
    text = _told(error)
    if isinstance(error, duckdb.PermissionException):
        hint = (
            "A query reads the published reports and nothing else: no file, no network, no other "
            "database, no setting. `vivavoce export` writes files."
        )
    elif isinstance(error, duckdb.OutOfMemoryException):
        hint = "Narrow the query, or allow it more: `vivavoce sql --memory 4GB`."
    else:
        hint = (
            '`vivavoce sql "show tables"` lists tables and views, '
            '`vivavoce sql "describe conversations"` the columns of one.'
        )
        hint = _nearest(text, connection) + hint
    return QueryError(f"The query cannot be run. {text}\n{hint}")


def _with_short_types(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Return the same rows; an enum's header says `varchar`, not each value that it may have."""
    types = [_short_type(each) for each in relation.types]
    if not any(types):
        return relation
    shown = [
        f"{f'CAST(#{place} AS {short})' if short else f'#{place}'} AS {_quoted(name)}"
        for place, (name, short) in enumerate(zip(relation.columns, types, strict=True), start=1)
    ]
    return relation.project(", ".join(shown))


def _short_type(type_: DuckDBPyType) -> str | None:
    """Return a type with text in place of its enums; None where it has none."""
    if "ENUM(" not in str(type_):
        return None
    if type_.id == "enum":
        return "VARCHAR"
    if type_.id not in ("list", "array", "struct", "map"):
        return None
    parts = [
        (name, part, _short_type(part) or str(part))
        for name, part in type_.children
        if isinstance(part, DuckDBPyType)
    ]
    if type_.id == "struct":
        return f"STRUCT({', '.join(f'{_quoted(name)} {short}' for name, _, short in parts)})"
    if type_.id == "map":
        return f"MAP({', '.join(short for _, _, short in parts)})"
    ((_, part, short),) = parts
    return f"{short}{str(type_).removeprefix(str(part))}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _told(error: duckdb.Error) -> str:
    """DuckDB's words without the parts that help its developers only."""
    lines = str(error).strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("Did you mean")).strip()


def _nearest(text: str, connection: duckdb.DuckDBPyConnection | None) -> str:
    missing = _MISSING.search(text)
    if missing is None or connection is None:
        return ""
    names = [row[0] for row in connection.execute("SELECT name FROM (SHOW TABLES)").fetchall()]
    near = difflib.get_close_matches(missing[1], names, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}? " if near else ""


def _too_slow(timeout_s: float | None) -> QueryError:
    return QueryError(
        f"The query was stopped after {timeout_s:g} s. Narrow it, e.g. to some days, or allow it "
        "more time: `vivavoce sql --timeout 300`."
    )
