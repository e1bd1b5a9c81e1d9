"""Tables, views and queries of the published reports as files for other programs."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb

from analysis.cells import cell_sql
from analysis.dictionary.schema import literal, quoted
from analysis.errors import ExportError, ReportsNotPublishedError
from analysis.query.excel import write_excel
from analysis.query.sql import query_error
from analysis.warehouse.parquet import QUIET

_COPY_FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".jsonl": "FORMAT json",
}
_EXCEL = ".xlsx"
_NAME = re.compile(r"\w+")
_MEMORY = "2GB"


def export_table(reports: Path, name: str, target: Path) -> int:
    """Write a table or view to `target`, whose suffix says how; an existing file is replaced.

    Args:
        reports: The published file.
        name: A table or view, e.g. `success_rates`.
        target: Ends in `.csv`, `.parquet`, `.jsonl` (one JSON object a line) or `.xlsx`.

    Returns:
        The number of rows.

    Raises:
        ReportsNotPublishedError: Nothing is published.
        ExportError: No such table or format, or the file cannot be written.
    """
    return _export(reports, target, lambda names: _known_name(name, names))


def export_query(reports: Path, query: str, target: Path) -> int:
    """Write what `query` finds to `target`; a bare name means that table or view.

    The query can read the reports and write the target, and reach no other file and no network.

    Returns:
        The number of rows.

    Raises:
        ReportsNotPublishedError: Nothing is published.
        QueryError: The query cannot be run; says why.
        ExportError: No such table or format, or the file cannot be written.
    """
    if _NAME.fullmatch(query.strip()):
        return export_table(reports, query.strip(), target)
    return _export(reports, target, lambda _names: query.strip().rstrip(";"))


def _export(reports: Path, target: Path, query_for: Callable[[list[str]], str]) -> int:
    suffix = target.suffix.lower()
    if suffix not in (*_COPY_FORMATS, _EXCEL):
        raise ExportError(
            f"{target.name!r} does not say how to write it: end it with one of "
            f"{', '.join((*_COPY_FORMATS, _EXCEL))}."
        )
    if not reports.is_file():
        raise ReportsNotPublishedError(
            f"No reports are published at {reports}. Run `vivavoce report` first."
        )
    following = target.absolute().with_name(f".{target.name}.next{suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(config=QUIET) as connection:
            _confine(connection, reports, following)
            names = connection.execute("SELECT name FROM (SHOW TABLES)").fetchall()
            query = query_for([row[0] for row in names])
            count = _write(connection, query, following, target)
        following.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        following.unlink(missing_ok=True)
    return count


def _confine(connection: duckdb.DuckDBPyConnection, reports: Path, following: Path) -> None:
    """From here on the connection reaches the reports and the one file, and nothing else."""
    connection.execute(f"ATTACH {literal(str(reports))} AS reports (READ_ONLY)")
    connection.execute("USE reports")
    connection.execute(f"SET memory_limit = {literal(_MEMORY)}")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET allowed_paths = [{literal(str(following))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _write(connection: duckdb.DuckDBPyConnection, query: str, following: Path, target: Path) -> int:
    try:
        if target.suffix.lower() == _EXCEL:
            found = connection.execute(query)
            names = [str(column[0]) for column in found.description or ()]
            return write_excel(following, names, lambda: found.fetchmany(10_000), target.stem)
        chosen = _cells(connection, query) if target.suffix.lower() == ".csv" else "*"
        # In brackets, so that nothing but one query can stand there.
        counted = connection.execute(
            f"COPY (SELECT {chosen} FROM (\n{query}\n)) TO {literal(str(following))} "
            f"({_COPY_FORMATS[target.suffix.lower()]})"
        ).fetchone()
        return int(counted[0]) if counted else 0
    except duckdb.IOException as error:
        raise _unwritable(target, error) from error
    except duckdb.Error as error:
        raise query_error(error) from error


def _cells(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The columns of `query`, text among them so that no spreadsheet takes it for a formula."""
    described = connection.execute(f"DESCRIBE SELECT * FROM (\n{query}\n)").fetchall()
    return ", ".join(
        f"{cell_sql(quoted(name))} AS {quoted(name)}" if kind == "VARCHAR" else quoted(name)
        for name, kind, *_ in described
    )


def _known_name(name: str, names: list[str]) -> str:
    if name not in names:
        raise ExportError(
            f"The reports have no table or view {name!r}. They have {', '.join(names)}. A query "
            "begins with a word such as SELECT or FROM."
        )
    return f"FROM {quoted(name)}"


def _unwritable(target: Path, error: Exception) -> ExportError:
    return ExportError(f"{target} cannot be written: {error}.")
