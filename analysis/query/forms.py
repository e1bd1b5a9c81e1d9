"""Rows of a query as JSON, as a whole table, or as bars in a terminal."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb

from analysis.columns import in_columns, padded, width_of
from analysis.errors import QueryError
from analysis.printable import printable
from analysis.query.sql import query_rows

_BAR_CELLS = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"


def query_as_json(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float | None = None
) -> str:
    """Run `sql` and return all of its rows as one JSON list of objects.

    Days and moments are ISO 8601; numbers that JSON has no form of are null. Characters that
    would steer a terminal are escaped.

    Raises:
        QueryError: The query cannot be run, or takes longer than `timeout_s`; says why.
    """
    names, rows = query_rows(connection, sql, timeout_s=timeout_s)
    found = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """A character as JSON writes it in a string, the only place where it can stand."""
    return json.dumps(char)[1:-1]


def query_as_text(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float | None = None
) -> str:
    """Run `sql` and return all of its rows and columns as a table of text, nothing cut.

    Raises:
        QueryError: The query cannot be run, or takes longer than `timeout_s`; says why.
    """
    names, rows = query_rows(connection, sql, timeout_s=timeout_s)
    return in_columns(names, [[_cell(value) for value in row] for row in rows])


def query_as_bars(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float | None = None
) -> str:
    """Run `sql` and return a bar for the number in the last column that has numbers.

    Raises:
        QueryError: No column has numbers; or the query cannot be run, or takes too long.
    """
    names, rows = query_rows(connection, sql, timeout_s=timeout_s)
    numbers = [at for at in range(len(names)) if _is_numeric([row[at] for row in rows])]
    if not numbers:
        raise QueryError(
            "A chart needs a column with numbers, e.g. "
            '`vivavoce sql --chart "select day, conversations from daily_report order by day"`.'
        )
    at = numbers[-1]
    labels = ["  ".join(_cell(v) for i, v in enumerate(row) if i != at) for row in rows]
    values = [None if row[at] is None else float(row[at]) for row in rows]
    longest = max((abs(value) for value in values if value is not None), default=0.0)
    width = max(map(width_of, labels), default=0)
    heading = f"{'':<{width}}  {names[at]}"
    bars = [f"{_bar(each, longest)} {'' if each is None else f'{each:g}'}" for each in values]
    lines = [
        f"{padded(label, width)}  {bar}".rstrip() for label, bar in zip(labels, bars, strict=True)
    ]
    return "\n".join([heading, *lines])


def _bar(value: float | None, longest: float) -> str:
    if not value or not longest:
        return ""
    cells, eighths = divmod(round(abs(value) / longest * _BAR_CELLS * 8), 8)
    return "█" * cells + (_EIGHTHS[eighths] if eighths else "")


def _is_numeric(values: Sequence[Any]) -> bool:
    kinds: set[type] = {value.__class__ for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


def _cell(value: Any) -> str:
    return "" if value is None else printable(str(value))
