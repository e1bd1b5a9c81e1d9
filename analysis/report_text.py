"""The short report: sections of a few rows, each with the SQL that made it, as text or Markdown."""

import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import duckdb

from analysis.parquet import literal

Cell = str | int | float | bool | date | datetime | None
ColumnKind = Literal["text", "count", "share", "ratio", "usd", "ms", "seconds"]
"""How the values of a column are shown; `share` is a number from 0 to 1."""

FLAGGED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """One column of a section."""

    name: str
    kind: ColumnKind = "text"


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the report."""

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


@dataclass(frozen=True, slots=True)
class _Question:
    title: str
    sql: str
    columns: tuple[ReportColumn, ...]
    note: str | None
    if_empty: str | None
    """What to say when there is nothing; None leaves the section out."""


def _columns(**kinds: ColumnKind) -> tuple[ReportColumn, ...]:
    return tuple(ReportColumn(name.replace("_", " ").strip(), kind) for name, kind in kinds.items())


_QUESTIONS = (
    _Question(
        "Conversations",
        """
SELECT agent_id, count(*) AS conversations, sum(turn_count)::BIGINT AS turns,
  avg(duration_s) AS mean_duration, min(day) AS first_day, max(day) AS last_day
FROM conversations{where} GROUP BY agent_id ORDER BY agent_id""",
        _columns(
            agent="text",
            conversations="count",
            turns="count",
            mean_duration="seconds",
            first_day="text",
            last_day="text",
        ),
        None,
        "No ended conversation has been published yet.",
    ),
    _Question(
        "Success rates",
        """
SELECT s.agent_id, s.criterion_id, 'v' || coalesce(v.version_number, 1) AS version, rate,
  rate_low, rate_high, successes, failures, unknown, errors
FROM success_rates AS s
LEFT JOIN question_versions AS v ON v.agent_id = s.agent_id AND v.kind = 'criterion'
  AND v.question_id = s.criterion_id AND v.version = s.criterion_version{where}
ORDER BY s.agent_id, s.criterion_id, version, judge_model, simulated""",
        _columns(
            agent="text",
            criterion="text",
            version="text",
            rate="share",
            from_="share",
            to="share",
            success="count",
            failure="count",
            unknown="count",
            error="count",
        ),
        "rate = success / (success + failure), with its 95 % interval (Wilson). Unknown verdicts "
        "and errors are no part of it.",
        "Nothing has been judged yet.",
    ),
    _Question(
        "Judge against people",
        """
SELECT agent_id, criterion_id, n_labels, agreement, kappa, rate, corrected_rate, corrected_low,
  corrected_high, labels_missing
FROM success_rates_corrected WHERE n_labels > 0{and_where}
ORDER BY agent_id, criterion_id, criterion_version, judge_model, simulated""",
        _columns(
            agent="text",
            criterion="text",
            labels="count",
            agree="share",
            kappa="ratio",
            judge_says="share",
            people_would="share",
            from_="share",
            to="share",
            labels_missing="count",
        ),
        "people would = the success rate that people would give, with its 95 % interval.",
        None,
    ),
    _Question(
        "Topics",
        """
SELECT agent_id, topic, conversations, share, flagged, flagged_share
FROM topics{where} ORDER BY agent_id, conversations DESC, topic""",
        _columns(
            agent="text",
            topic="text",
            conversations="count",
            share="share",
            flagged="count",
            flagged_share="share",
        ),
        None,
        "No conversation has a value for the field `conversation_topic`.",
    ),
    _Question(
        "Call types",
        """
SELECT agent_id, value AS call_type, conversations, share
FROM value_counts WHERE field_id = 'call_type'{and_where}
ORDER BY agent_id, conversations DESC, value""",
        _columns(agent="text", call_type="text", conversations="count", share="share"),
        None,
        "No conversation has a value for the field `call_type`.",
    ),
    _Question(
        "Flagged conversations",
        """
SELECT conversation_id, coalesce(criterion_id, reason) AS failed, turn_index, quote, rationale
FROM flagged_conversations{where}
ORDER BY day DESC, conversation_id, failed LIMIT """
        + str(FLAGGED_SHOWN),
        _columns(conversation="text", failed="text", turn="count", said="text", why="text"),
        None,
        "Nothing is flagged: no failed verdict, judge, turn or conversation.",
    ),
    _Question(
        "Cost",
        """
SELECT agent_id, activity, model, calls, input_tokens, cached_input_tokens, output_tokens, cost_usd
FROM costs_by_model{where} ORDER BY agent_id, activity, model""",
        _columns(
            agent="text",
            activity="text",
            model="text",
            calls="count",
            tokens_in="count",
            cached="count",
            tokens_out="count",
            cost="usd",
        ),
        None,
        "No model has been called.",
    ),
    _Question(
        "Latency",
        """
SELECT agent_id, replace(step, '_', ' ') AS step, n, p50_ms, p90_ms, p95_ms, max_ms
FROM latency{where} ORDER BY agent_id, p50_ms""",
        _columns(
            agent="text", step="text", turns="count", p50="ms", p90="ms", p95="ms", slowest="ms"
        ),
        None,
        "No agent turn was timed; imported conversations carry no times.",
    ),
)


def render_report(connection: duckdb.DuckDBPyConnection, *, agent_id: str | None = None) -> Report:
    """Ask the published reports for every section of the short report.

    Args:
        connection: From `open_reports`.
        agent_id: Only this agent; None means all.
    """
    asked = [(question, _section(connection, question, agent_id)) for question in _QUESTIONS]
    return Report(
        tuple(section for question, section in asked if section.rows or question.if_empty)
    )


def _section(
    connection: duckdb.DuckDBPyConnection, question: _Question, agent_id: str | None
) -> Section:
    condition = f"agent_id = {literal(agent_id)}" if agent_id is not None else None
    alias = "s." if " AS s\n" in question.sql else ""
    sql = question.sql.strip().format(
        where=f"\nWHERE {alias}{condition}" if condition else "",
        and_where=f" AND {condition}" if condition else "",
    )
    rows = tuple(connection.execute(sql).fetchall())
    note = question.note if rows else question.if_empty
    if question.title == "Flagged conversations" and len(rows) == FLAGGED_SHOWN:
        note = f"The latest {FLAGGED_SHOWN}; `from flagged_conversations` shows all."
    return Section(question.title, sql, question.columns, rows, note)


def format_cell(value: Cell, kind: ColumnKind) -> str:
    """Return a value as people read it: `75.0 %`, `$0.0123`, `1.24 s`; `-` for none."""
    if value is None:
        return "-"
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
                right = column.kind != "text"
                table.add_column(
                    Text(column.name),
                    justify="right" if right else "left",
                    no_wrap=right,
                    overflow="fold",
                )
            for row in shown_rows(section):
                table.add_row(*(Text(_printable(cell)) for cell in row))
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
            rules = ["---" if column.kind == "text" else "---:" for column in section.columns]
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


def _printable(text: str) -> str:
    """Replace control characters: what was said must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _escaped(text: str) -> str:
    escaped = _printable(text).replace("&", "&amp;").replace("<", "&lt;")
    for char in "\\`*_[]|~":
        escaped = escaped.replace(char, f"\\{char}")
    return escaped
