"""Parquet files -> documented tables and views of the file that is published."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from analysis.dictionary.finding_tables import GAP_QUESTIONS
from analysis.dictionary.schema import Column, Table, View, literal, quoted
from analysis.dictionary.tables import (
    COLLECTED_VALUES,
    CONVERSATIONS,
    EVALUATIONS,
    JUDGE_AGREEMENT,
)
from analysis.labels.agreement import agreement_rows

_CURRENT = {EVALUATIONS.name: "criterion_id", COLLECTED_VALUES.name: "field_id"}
_MOMENT = {CONVERSATIONS.name: "ended_at", GAP_QUESTIONS.name: "asked_at"}
"""What the day of the reports is taken from."""
_ORDER = {EVALUATIONS.name: "evaluation_id", COLLECTED_VALUES.name: "collected_value_id"}


def fill_agreement(connection: duckdb.DuckDBPyConnection) -> None:
    """Put into `judge_agreement` what the evaluations and labels say that are loaded already."""
    connection.execute("DELETE FROM judge_agreement")
    rows = agreement_values(connection)
    if rows:
        marks = ", ".join("?" * len(JUDGE_AGREEMENT.columns))
        connection.executemany(f"INSERT INTO judge_agreement VALUES ({marks})", rows)


def agreement_values(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Return the rows of `judge_agreement`, in the order of its columns."""
    return [
        (
            *(row.agent_id, row.criterion_id, row.criterion_version, row.judge_model),
            *(row.simulated, row.judged, row.agreement.n_labels, row.agreement.labels_missing),
            *(row.annotators, row.annotator_agreement, row.agreement.agreement),
            *(row.agreement.kappa, row.agreement.sensitivity, row.agreement.specificity),
            *(row.agreement.corrected_rate, row.agreement.corrected_low),
            row.agreement.corrected_high,
        )
        for row in agreement_rows(connection)
    ]


def columns_of_is_current(table: Table) -> tuple[str, ...]:
    """Return the columns that `is_current` is computed from; none for a table without it."""
    question = _CURRENT.get(table.name)
    return ("sample", "conversation_id", question, _ORDER[table.name]) if question else ()


def columns_of_report_day(table: Table) -> tuple[str, ...]:
    """Return the column that `report_day` is computed from; none for a table without it."""
    moment = _MOMENT.get(table.name)
    return (moment,) if moment else ()


def report_day(table: Table, timezone: str) -> str | None:
    """SQL of the column `report_day` of a table; None for one without it.

    Of a table that is read from a file as well as of one that is there.
    """
    moment = _MOMENT.get(table.name)
    if moment is None:
        return None
    if timezone == "UTC":
        return f"{moment}::DATE"
    return f"({moment} AT TIME ZONE 'UTC' AT TIME ZONE {literal(timezone)})::DATE"


def _selected_columns(
    connection: duckdb.DuckDBPyConnection, table: Table, source: str, timezone: str
) -> str:
    """Return the select list that reads a table's columns, also derived ones, from `source`."""
    present = {row[0] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    columns = ", ".join(quoted(c.name) for c in table.columns if c.name in present)
    if basis := columns_of_is_current(table):
        sample, conversation, question, order = basis
        columns += (
            f", {sample} = 0 AND row_number() OVER (PARTITION BY {conversation}, "
            f"{question}, {sample} = 0 ORDER BY {order} DESC) = 1 AS is_current"
        )
    if day := report_day(table, timezone):
        columns += f", {day} AS report_day"
    return columns


def create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create `table` with its comments."""
    definition = ", ".join(f"{quoted(c.name)} {c.type}" for c in table.all_columns)
    connection.execute(f"CREATE TABLE {quoted(table.name)} ({definition})")
    _comment(connection, "TABLE", table.name, table.comment, table.all_columns)


def insert_files(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[Path],
    *,
    timezone: str = "UTC",
) -> int:
    """Add the rows of Parquet `files` to a table that is there, and return their number.

    Columns that an older file lacks are NULL; columns that the data dictionary dropped are left
    out. Days of the reports are those of `timezone`.
    """
    listed = ", ".join(literal(str(path)) for path in files)
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    columns = _selected_columns(connection, table, source, timezone)
    inserted = connection.execute(
        f"INSERT INTO {quoted(table.name)} BY NAME SELECT {columns} FROM {source}"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def create_view(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    """Create `view` with its comments."""
    connection.execute(f"CREATE VIEW {quoted(view.name)} AS {view.sql}")
    _comment(connection, "VIEW", view.name, view.comment, view.columns)


def _comment(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    name: str,
    comment: str,
    columns: Sequence[Column],
) -> None:
    statements = [f"COMMENT ON {kind} {quoted(name)} IS {literal(comment)}"]
    statements += [
        f"COMMENT ON COLUMN {quoted(name)}.{quoted(column.name)} IS {literal(column.comment)}"
        for column in columns
    ]
    # At once: hundreds of statements, each on its own, take longer than the tables.
    connection.execute(";\n".join(statements))
