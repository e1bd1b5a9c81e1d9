"""The report as one HTML file: no script, no request, light and dark, fit to print and to mail."""

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files

import duckdb

from analysis.charts import interval_bar, share_bar, trend_line
from analysis.parquet import literal
from analysis.report_text import Section, format_cell, render_report, shown_rows

_Trend = dict[tuple[str, str], list[tuple[str, float, float, float]]]


def report_as_html(
    connection: duckdb.DuckDBPyConnection,
    *,
    generated_at: datetime,
    agent_id: str | None = None,
    title: str = "Conversations",
) -> str:
    """Return the whole page. Everything that was said is escaped.

    Args:
        connection: From `open_reports`.
        generated_at: Shown in the heading.
        agent_id: Only this agent; None means all.
        title: Heading of the page.
    """
    report = render_report(connection, agent_id=agent_id)
    trends = _trends(connection, agent_id)
    draw: dict[str, Callable[[Section], str]] = {
        "Conversations": _overview,
        "Success rates": lambda section: _rates(section, trends),
        "Topics": lambda section: _bars(section, share=3, part=5),
        "Call types": lambda section: _bars(section, share=3, part=None),
        "Flagged conversations": _flagged,
    }
    body = "".join(
        f"<section><h2>{escape(section.title)}</h2>"
        f"{_drawn(section, draw.get(section.title, _table))}</section>"
        for section in report.sections
    )
    whose = f" of agent {escape(agent_id)}" if agent_id else ""
    style = files("analysis").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>Published report{whose}, "
        f"{generated_at:%Y-%m-%d %H:%M} UTC</p></header><main>{body}</main></body></html>\n"
    )


def _drawn(section: Section, draw: Callable[[Section], str]) -> str:
    content = draw(section) if section.rows else ""
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    sql = f"<details><summary>SQL</summary><pre>{escape(section.sql)}</pre></details>"
    return content + note + sql


def _overview(section: Section) -> str:
    cards: list[str] = []
    for row in shown_rows(section):
        agent, conversations, turns, duration, first, last = (escape(cell) for cell in row)
        figures = (
            (conversations, "conversations"),
            (turns, "turns"),
            (duration, "mean duration"),
            (first if first == last else f"{first} to {last}", "ended on"),
        )
        numbers = "".join(
            f"<div><b>{figure}</b><span>{what}</span></div>" for figure, what in figures
        )
        cards.append(
            f'<div class="agent"><h3>{agent}</h3><div class="figures">{numbers}</div></div>'
        )
    return "".join(cards)


def _rates(section: Section, trends: _Trend) -> str:
    rows: list[str] = []
    for row, shown in zip(section.rows, shown_rows(section), strict=True):
        rate, low, high = (value if isinstance(value, float) else None for value in row[3:6])
        counts = " · ".join(
            f"{count} {column.name}"
            for count, column in zip(shown[6:], section.columns[6:], strict=True)
        )
        points = trends.get((shown[0], shown[1]), [])
        trend = trend_line(points) if len(points) > 1 else ""
        interval = f"{shown[4]} to {shown[5]}" if rate is not None else ""
        rows.append(
            f'<div class="rate"><div><b>{escape(shown[1])}</b> <small>{escape(shown[0])}, '
            f"{escape(shown[2])}</small></div><div>{interval_bar(rate, low, high)}</div>"
            f"<div><b>{shown[3]}</b> <small>{interval}</small><br><small>{escape(counts)}</small>"
            f"</div>{trend}</div>"
        )
    return "".join(rows)


def _bars(section: Section, *, share: int, part: int | None) -> str:
    rows: list[str] = []
    for row, shown in zip(section.rows, shown_rows(section), strict=True):
        length, worse = row[share], row[part] if part is not None else 0.0
        flagged = f", {shown[4]} flagged" if part is not None else ""
        if isinstance(length, float) and isinstance(worse, float):
            rows.append(
                f'<div class="bar"><div><b>{escape(shown[1])}</b> <small>{escape(shown[0])}</small>'
                f"</div><div>{share_bar(length, worse)}</div><div>{shown[2]} <small>"
                f"({shown[share]}{flagged})</small></div></div>"
            )
    return "".join(rows)


def _flagged(section: Section) -> str:
    cards: list[str] = []
    for row in section.rows:
        conversation, failed, turn, quote, why = (format_cell(cell, "text") for cell in row)
        said = f"<blockquote>&ldquo;{escape(quote)}&rdquo; <small>turn {turn}</small></blockquote>"
        cards.append(
            f"<article><h3>{escape(failed)} <small>{escape(conversation)}</small></h3>"
            f"{said if row[3] is not None else ''}<p>{escape(why)}</p></article>"
        )
    return "".join(cards)


def _table(section: Section) -> str:
    kinds = ["" if column.kind == "text" else ' class="number"' for column in section.columns]
    head = "".join(
        f"<th{kind}>{escape(column.name)}</th>"
        for kind, column in zip(kinds, section.columns, strict=True)
    )
    lines = "".join(f"<tr>{_cells(row, kinds)}</tr>" for row in shown_rows(section))
    return f'<div class="wide"><table><tr>{head}</tr>{lines}</table></div>'


def _cells(row: Sequence[str], kinds: Sequence[str]) -> str:
    return "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))


def _trends(connection: duckdb.DuckDBPyConnection, agent_id: str | None) -> _Trend:
    where = f"AND agent_id = {literal(agent_id)}" if agent_id is not None else ""
    trends: _Trend = {}
    for agent, criterion, day, rate, low, high in connection.execute(
        "SELECT agent_id, criterion_id, day, rate, rate_low, rate_high FROM criterion_trends "
        f"WHERE rate IS NOT NULL {where} "
        "QUALIFY row_number() OVER (PARTITION BY agent_id, criterion_id, day "
        "ORDER BY n_judged DESC) = 1 ORDER BY day"
    ).fetchall():
        trends.setdefault((agent, criterion), []).append((str(day), rate, low, high))
    return trends
