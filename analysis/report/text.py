"""The short report: sections of a few rows, each with the SQL that made it, as text or Markdown."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from analysis.dictionary.schema import literal
from analysis.printable import printable
from analysis.report.sections import (
    FLAGGED_SHOWN,
    QUESTIONS,
    ColumnKind,
    Question,
    ReportColumn,
    SectionName,
)

Cell = str | int | float | bool | date | datetime | list[str] | None


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the report."""

    name: SectionName
    title: str
    sql: str
    """What produced the rows: paste it into `vivavoce sql` or any DuckDB shell."""
    columns: tuple[ReportColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str | None = None
    """How to read it, or why it is empty."""


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say about the published conversations."""

    sections: tuple[Section, ...]


def agents_with_conversations(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Ids of agents that the published reports hold conversations of."""
    rows = connection.execute("SELECT DISTINCT agent_id FROM conversations").fetchall()
    return {str(agent_id) for (agent_id,) in rows}


def render_report(
    connection: duckdb.DuckDBPyConnection, *, agent_id: str | None = None, simulated: bool = False
) -> Report:
    """Ask the published reports for every section of the short report.

    Args:
        connection: From `open_reports`.
        agent_id: Only this agent; None means all.
        simulated: The conversations whose users were played by programs, in place of the others.
    """
    asked = [
        (question, _section(connection, question, agent_id, simulated)) for question in QUESTIONS
    ]
    filled = {section.name for _, section in asked if section.rows}
    return Report(
        tuple(
            section
            for question, section in asked
            if section.rows or (question.if_empty and question.unless not in filled)
        )
    )


def _section(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    agent_id: str | None,
    simulated: bool,
) -> Section:
    alias = "s." if " AS s\n" in question.sql else ""
    conditions: list[str] = []
    if question.by_simulated:
        conditions.append(f"{alias}simulated" if simulated else f"NOT {alias}simulated")
    if agent_id is not None:
        conditions.append(f"{alias}agent_id = {literal(agent_id)}")
    condition = " AND ".join(conditions)
    sql = question.sql.strip().format(
        where=f"\nWHERE {condition}" if condition else "",
        and_where=f" AND {condition}" if condition else "",
    )
    rows = tuple(connection.execute(sql).fetchall())
    note = question.note if rows else question.if_empty
    if question.name == "conversations":
        note = _other_conversations(connection, agent_id, simulated) or note
    if question.name == "flagged" and len(rows) == FLAGGED_SHOWN:
        note = f"The latest {FLAGGED_SHOWN}; `from flagged_conversations` shows all."
    return Section(question.name, question.title, sql, question.columns, rows, note)


def _other_conversations(
    connection: duckdb.DuckDBPyConnection, agent_id: str | None, simulated: bool
) -> str | None:
    """Say how many conversations the report leaves out, because they are of the other kind."""
    found = connection.execute(
        "SELECT count(*) FROM conversations "
        "WHERE simulated <> $1 AND coalesce(agent_id = $2, true)",
        [simulated, agent_id],
    ).fetchone()
    if not found or found[0] == 0:
        return None
    kind, how = ("real", "without") if simulated else ("simulated", "with")
    return f"{found[0]:,} {kind} conversations are left out; {how} `--simulated` they are shown."


def format_cell(value: Cell, kind: ColumnKind) -> str:
    """Return a value as people read it: `75.0 %`, `$0.0123`, `1.24 s`; `-` for none."""
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (str, bool, date)):
        return str(value)
    return _format_number(value, kind)


def _format_number(value: float, kind: ColumnKind) -> str:
    if kind == "share":
        return f"{100 * value:.1f} %"
    if kind == "ratio":
        return f"{value:.2f}"
    if kind == "usd":
        return "$0" if value == 0 else f"${value:,.4f}"
    if kind == "ms":
        return f"{value:,.0f} ms" if value < 1_000 else f"{value / 1_000:,.2f} s"
    if kind == "seconds":
        return f"{value:,.1f} s"
    return f"{value:,}"


def report_as_text(report: Report, *, width: int = 100, with_sql: bool = True) -> str:
    """Return the report for a terminal that is `width` characters wide."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, highlight=False, markup=False)
    for section in report.sections:
        console.print(f"{section.title}\n{'=' * len(section.title)}")
        if section.rows:
            table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
            for column in section.columns:
                right = column.kind not in ("text", "list")
                table.add_column(
                    Text(column.name),
                    justify="right" if right else "left",
                    no_wrap=right,
                    overflow="fold",
                )
            for row in shown_rows(section):
                table.add_row(*(Text(printable(cell)) for cell in row))
            console.print(table)
        if section.note:
            console.print(f"({section.note})")
        if with_sql:
            console.print("\n" + "\n".join(f"    {line}" for line in section.sql.splitlines()))
        console.print()
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def report_as_markdown(report: Report, *, with_sql: bool = True) -> str:
    """Return the report for a chat, a mail or the Dagster UI. Nothing said becomes markup."""
    parts: list[str] = []
    for section in report.sections:
        parts.append(f"## {section.title}")
        if section.rows:
            names = [column.name for column in section.columns]
            rules = [
                "---" if column.kind in ("text", "list") else "---:" for column in section.columns
            ]
            lines = [
                names,
                rules,
                *([_escaped(cell) for cell in row] for row in shown_rows(section)),
            ]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        if section.note:
            parts.append(section.note)
        if with_sql:
            parts.append(f"```sql\n{section.sql}\n```")
    return "\n\n".join(parts) + "\n"


def shown_rows(section: Section) -> list[list[str]]:
    """Return the rows of a section as text, for any rendering."""
    return [
        [format_cell(value, c.kind) for value, c in zip(row, section.columns, strict=True)]
        for row in section.rows
    ]


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row of a section by the names of its columns."""

    values: Mapping[str, Cell]
    shown: Mapping[str, str]
    """The same as text."""

    def number(self, column: str) -> float | None:
        """The value of a column where it is a number with a fraction, such as a share."""
        value = self.values[column]
        return value if isinstance(value, float) else None


def named_rows(section: Section) -> list[NamedRow]:
    """Return the rows of a section, for a rendering that picks its columns."""
    names = [column.name for column in section.columns]
    return [
        NamedRow(dict(zip(names, row, strict=True)), dict(zip(names, shown, strict=True)))
        for row, shown in zip(section.rows, shown_rows(section), strict=True)
    ]


def _escaped(text: str) -> str:
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    for char in "\\`*_[]|~":
        escaped = escaped.replace(char, f"\\{char}")
    return escaped
