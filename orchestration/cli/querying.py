"""Commands that ask the published reports in SQL: sql, shell, export."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.deployment import opened_deployment, progress, reports_file

app = typer.Typer()

_TIMEOUT_S = 60.0
_TABLES = ".tables"
_HELP = """\
A query ends with a semicolon and may stand on several lines.
.tables      tables and views
.schema NAME columns of one, with what they mean
.quit        leave; so does Ctrl-D"""

Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds after which a query is stopped.")]
Memory = Annotated[str, typer.Option(help="What one query may use, e.g. 4GB.")]


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help='For example "from success_rates".')],
    csv: Annotated[bool, typer.Option("--csv", help="Every row, as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Every row, as one JSON list.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every row, as a table.")] = False,
    chart: Annotated[
        bool, typer.Option("--chart", help="Bars of the last column with numbers, by the others.")
    ] = False,
    timeout: Timeout = _TIMEOUT_S,
    memory: Memory = "2GB",
) -> None:
    """Run a query on the published reports; it can read them and nothing else."""
    from analysis.printable import printable_lines
    from analysis.query.forms import query_as_bars, query_as_json, query_as_text
    from analysis.query.sql import query_as_csv, query_as_table
    from analysis.reports import open_reports

    if not query.strip(" \t\n;"):
        raise typer.BadParameter('There is no query, e.g. `vivavoce sql "from success_rates"`.')
    with open_reports(reports_file(), memory_limit=memory) as connection:
        if csv + json + every + chart > 1:
            raise typer.BadParameter("Choose one of --csv, --json, --all and --chart.")
        run = query_as_table
        for wanted, form in (
            (csv, query_as_csv),
            (json, query_as_json),
            (every, query_as_text),
            (chart, query_as_bars),
        ):
            run = form if wanted else run
        shown = run(connection, query, timeout_s=timeout)
    # A file gets what was said; a terminal would obey control sequences in it.
    typer.echo(printable_lines(shown) if csv and sys.stdout.isatty() else shown, nl=not csv)


@app.command()
def shell(timeout: Timeout = _TIMEOUT_S, memory: Memory = "2GB") -> None:
    """Ask the published reports query after query; they can be read and nothing else.

    `duckdb -readonly data/store/reports.duckdb` opens the same file in DuckDB's own program.
    """
    from analysis.errors import QueryError
    from analysis.printable import printable_lines
    from analysis.query.sql import query_as_table
    from analysis.reports import open_reports

    file = reports_file()
    with open_reports(file, memory_limit=memory) as connection:
        if sys.stdin.isatty():
            _load_line_editing()
            typer.echo(f"Reports at {file}. .help lists what there is.")
        while (statement := _statement()) is not None:
            if statement == _TABLES:
                names = connection.execute("select name from (show tables)").fetchall()
                typer.echo("\n".join(str(name) for (name,) in names))
                continue
            try:
                typer.echo(query_as_table(connection, statement, timeout_s=timeout))
            except QueryError as error:
                typer.echo(printable_lines(str(error)), err=True)
            except KeyboardInterrupt:
                typer.echo("The query was stopped.", err=True)


@app.command()
def export(
    query: Annotated[str, typer.Argument(help="A table, a view, or a query.")],
    to: Annotated[Path, typer.Option(help="Ends in .csv, .parquet, .jsonl or .xlsx.")],
) -> None:
    """Write a table, a view or what a query finds to a file.

    `vivavoce forget` writes it anew when somebody in it is forgotten, so leave it where it is.
    """
    from orchestration.operations.exports import export as export_known
    from orchestration.operations.operations import renew_reports

    with opened_deployment(progress()) as deployment:
        renew_reports(deployment)
        rows = export_known(deployment, to, query, now=datetime.now(UTC))
    typer.echo(f"{rows:,} rows written to {to}.")


def _statement() -> str | None:
    """The next query of the person; None at the end."""
    lines: list[str] = []
    while True:
        typer.echo("  -> " if lines else "sql> ", nl=False)
        try:
            line = input()
        except EOFError:
            typer.echo()
            return "\n".join(lines) if lines else None
        except KeyboardInterrupt:
            typer.echo()
            lines = []
            continue
        word, _, rest = line.strip().partition(" ")
        if not lines and word.startswith("."):
            if word in (".quit", ".exit", ".q"):
                return None
            statement = _meaning(word, rest.strip())
            if statement is not None:
                return statement
            typer.echo(_HELP)
        elif line.strip():
            lines.append(line)
            if line.rstrip().endswith(";"):
                return "\n".join(lines)


def _meaning(word: str, name: str) -> str | None:
    """The query that a command of the shell stands for; None for one that there is not."""
    if word == _TABLES:
        return _TABLES
    if word == ".schema" and name:
        quoted = name.replace("'", "''")
        return (
            "select column_name, data_type, comment from duckdb_columns() "
            f"where table_name = '{quoted}' and database_name = 'reports'"
        )
    return None


def _load_line_editing() -> None:
    """Arrow keys and history, where Python has them."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401
