"""The report as one HTML file: no script, no request, light and dark, fit to print and to mail."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files

import duckdb

from analysis.gaps.text import counted
from analysis.report.charts import (
    day_bars,
    day_line,
    interval_bar,
    score_bar,
    score_bars,
    share_bar,
    share_of,
    spark_bars,
    trend_line,
)
from analysis.report.days import (
    ReportDay,
    ReportGap,
    Trend,
    rate_trends,
    report_days,
    report_gaps,
)
from analysis.report.scores import ReportScore, report_scores
from analysis.report.sections import GAPS_SHOWN, ColumnKind
from analysis.report.text import Section, format_cell, render_report, shown_rows

_CODE = re.compile(r"`([^`]+)`")
_DAYS_DRAWN = 90
_FIX_CHARS = 300


def report_as_html(
    connection: duckdb.DuckDBPyConnection,
    *,
    generated_at: datetime,
    agent_id: str | None = None,
    simulated: bool = False,
    title: str = "Conversations",
) -> str:
    """Return the whole page. Everything that was said is escaped.

    Args:
        connection: From `open_reports`.
        generated_at: Shown in the heading.
        agent_id: Only this agent; None means all.
        simulated: The conversations whose users were played by programs, in place of the others.
        title: Heading of the page.
    """
    report = render_report(connection, agent_id=agent_id, simulated=simulated)
    trends = rate_trends(connection, agent_id=agent_id, simulated=simulated)
    days = report_days(connection, agent_id=agent_id, simulated=simulated)
    scores = report_scores(connection, agent_id=agent_id, simulated=simulated)
    gaps = report_gaps(connection, agent_id=agent_id, limit=GAPS_SHOWN)
    draw: dict[str, Callable[[Section], str]] = {
        "Conversations": lambda section: _overview(section, days),
        "Success rates": lambda section: _rates(section, trends),
        "Scores": lambda _section: "".join(map(_score, scores)),
        "Topics": lambda section: _bars(section, share=3, part=5),
        "Topics by field": lambda section: _bars(section, share=3, part=5),
        "Collected values": _values,
        "Knowledge gaps": lambda _section: _gaps(gaps),
        "Flagged conversations": _flagged,
        "Cost": lambda section: _table(section) + _cost_by_day(days),
        "Latency": lambda section: _table(section) + _wait_by_day(days),
    }
    body = "".join(
        f"<section><h2>{escape(section.title)}</h2>"
        f"{_drawn(section, draw.get(section.title, _table))}</section>"
        for section in report.sections
    )
    played = ", simulated conversations" if simulated else ""
    whose = f" of agent {escape(agent_id)}" if agent_id else ""
    style = files("analysis.report").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p>Published report{whose}{played}, "
        f"{generated_at:%Y-%m-%d %H:%M} UTC</p></header><main>{body}</main></body></html>\n"
    )


def _drawn(section: Section, draw: Callable[[Section], str]) -> str:
    content = draw(section) if section.rows else ""
    note = f'<p class="note">{_with_code(section.note)}</p>' if section.note else ""
    sql = f"<details><summary>SQL</summary><pre>{escape(section.sql)}</pre></details>"
    return content + note + sql


def _with_code(note: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(note))


def _overview(section: Section, days: Mapping[str, Sequence[ReportDay]]) -> str:
    cards: list[str] = []
    for row in shown_rows(section):
        agent, conversations, turns, duration, first, last = (escape(cell) for cell in row)
        drawn = days.get(row[0], ())
        bars = [(str(day.day), day.conversations, day.flagged) for day in drawn[-_DAYS_DRAWN:]]
        figures = (
            (conversations, "conversations"),
            (turns, "turns"),
            (duration, "mean duration"),
        )
        period = first if first == last else f"{first} to {last}"
        numbers = "".join(
            f"<div><b>{figure}</b><span>{what}</span></div>" for figure, what in figures
        )
        cards.append(
            f'<div class="agent"><div><h3>{agent} <small>{period}</small></h3>'
            f'<div class="figures">{numbers}</div></div>'
            f"{day_bars(bars) if len(bars) > 1 else ''}</div>"
        )
    return "".join(cards)


def _rates(section: Section, trends: Mapping[tuple[str, ...], Trend]) -> str:
    rows: list[str] = []
    # As the section names them: the judge stands there only where there are several.
    curves = {(*key[:3],): curve for key, curve in trends.items()}
    curves |= {(*key[:2], f"{key[2]} by {key[3]}"): curve for key, curve in trends.items()}
    for row, shown in zip(section.rows, shown_rows(section), strict=True):
        rate, low, high = (value if isinstance(value, float) else None for value in row[3:6])
        counts = " · ".join(
            f"{count} {column.name}"
            for count, column in zip(shown[6:], section.columns[6:], strict=True)
        )
        points = curves.get((shown[0], shown[1], shown[2]), [])
        trend = trend_line(points) if len(points) > 1 else ""
        interval = f"{shown[4]} to {shown[5]}" if rate is not None else ""
        rows.append(
            f'<div class="rate"><div><b>{escape(shown[1])}</b> <small>{escape(shown[0])}, '
            f"{escape(shown[2])}</small></div><div>{interval_bar(rate, low, high)}</div>"
            f"<div><b>{shown[3]}</b> <small>{interval}</small><br><small>{escape(counts)}</small>"
            f"</div>{trend}</div>"
        )
    return "".join(rows)


def _score(score: ReportScore) -> str:
    """Draw the mean of a scored criterion, how its scores lie, and its days."""
    bounds, interval = score.bounds, score.interval
    bar, scale, drawn = "", "", ""
    if bounds is not None:
        bar = score_bar(score.mean, interval, bounds=bounds)
        scale = f"scale from {bounds[0]:g} to {bounds[1]:g}"
        drawn = score_bars(score.bins, what="conversations by score")
        drawn += _score_days(score.days[-_DAYS_DRAWN:], bounds)
    ends = "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
    counts = (
        f"{score.n:,} scored · median {score.median:.2f}<br>{score.unknown:,} unknown · "
        f"{score.errors:,} error"
    )
    return (
        f'<div class="rate"><div><b>{escape(score.criterion_id)}</b> '
        f"<small>{escape(score.agent_id)}, v{score.version}<br>{scale}</small></div>"
        f"<div>{bar}</div><div><b>{score.mean:.2f}</b> <small>{ends}</small><br>"
        f'<small>{counts}</small></div><div class="lines">{drawn}</div></div>'
    )


def _score_days(days: Trend, bounds: tuple[float, float]) -> str:
    if len(days) < 2:
        return ""
    low, high = bounds
    line = trend_line(
        [
            (day, share_of(mean, bounds), share_of(least, bounds), share_of(most, bounds))
            for day, mean, least, most in days
        ],
        what="mean score",
        show=lambda share: f"{low + share * (high - low):.2f}",
    )
    return f"<figure><figcaption>mean by day, from {low:g} to {high:g}</figcaption>{line}</figure>"


def _bars(section: Section, *, share: int, part: int | None) -> str:
    rows: list[str] = []
    legend = '<p class="legend"><i></i> flagged: somebody should read these</p>'
    for row, shown in zip(section.rows, shown_rows(section), strict=True):
        length, worse = row[share], row[part] if part is not None else 0.0
        flagged = f", {shown[4]} flagged" if part is not None else ""
        if isinstance(length, float) and isinstance(worse, float):
            rows.append(
                f'<div class="bar"><div><b>{escape(shown[1])}</b> <small>{escape(shown[0])}</small>'
                f"</div><div>{share_bar(length, worse)}</div><div>{shown[2]} <small>"
                f"({shown[share]}{flagged})</small></div></div>"
            )
    return "".join(rows) + (legend if part is not None else "")


def _values(section: Section) -> str:
    """Draw the values of each field under its name."""
    rows: list[str] = []
    for row, shown in zip(section.rows, shown_rows(section), strict=True):
        agent, field, value, count, share = shown
        drawn = share_bar(row[4], 0.0) if isinstance(row[4], float) else ""
        rows.append(
            f'<div class="bar"><div><b>{escape(value)}</b> <small>{escape(field)}, {escape(agent)}'
            f"</small></div><div>{drawn}</div><div>{count} <small>({share})</small></div></div>"
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


def _gaps(gaps: Sequence[ReportGap]) -> str:
    return "".join(_gap(gap) for gap in gaps)


def _gap(gap: ReportGap) -> str:
    others = [example for example in gap.examples if example != gap.title][:2]
    facts = [
        ("also asked", " · ".join(others)),
        ("words that no passage says", ", ".join(gap.missing_words)),
        ("nearest documents", ", ".join(gap.nearest_documents)),
    ]
    lines = "".join(f"<p><small>{name}:</small> {escape(text)}</p>" for name, text in facts if text)
    if gap.fixed_by_document is not None:
        text = " ".join((gap.fixed_by_text or "").split())[:_FIX_CHARS]
        lines = (
            f"<blockquote>&ldquo;{escape(text)}&rdquo; "
            f"<small>{escape(gap.fixed_by_document)}</small></blockquote>"
        )
    spark = spark_bars(gap.per_day, label=f"{gap.questions} questions in the last 30 days")
    return (
        f'<article class="gap {escape(gap.state)}"><div><h3>{escape(gap.title)}</h3>'
        f'<span class="state">{escape(gap.state)}</span></div><p>{counted(gap.questions, "time")} '
        f"in {counted(gap.conversations, 'conversation')}, last {gap.last_asked} {spark}</p>"
        f"{lines}</article>"
    )


def _cost_by_day(days: Mapping[str, Sequence[ReportDay]]) -> str:
    return _lines(days, "cost by day", lambda day: day.cost_usd, "usd")


def _wait_by_day(days: Mapping[str, Sequence[ReportDay]]) -> str:
    return _lines(days, "median wait for the first words", lambda day: day.first_token_ms, "ms")


def _lines(
    days: Mapping[str, Sequence[ReportDay]],
    what: str,
    value_of: Callable[[ReportDay], float | None],
    kind: ColumnKind,
) -> str:
    """Draw a line for each agent with at least two days of anything but zero."""
    drawn: list[str] = []
    for agent, found in days.items():
        points = [
            (str(day.day), value, format_cell(value, kind))
            for day in found[-_DAYS_DRAWN:]
            if (value := value_of(day)) is not None
        ]
        if len(points) > 1 and any(value for _, value, _ in points):
            drawn.append(day_line(points, what=f"{agent}: {what}"))
    return f'<div class="lines">{"".join(drawn)}</div>' if drawn else ""


def _table(section: Section) -> str:
    kinds = [
        "" if column.kind in ("text", "list") else ' class="number"' for column in section.columns
    ]
    head = "".join(
        f"<th{kind}>{escape(column.name)}</th>"
        for kind, column in zip(kinds, section.columns, strict=True)
    )
    lines = "".join(f"<tr>{_cells(row, kinds)}</tr>" for row in shown_rows(section))
    return f'<div class="wide"><table><tr>{head}</tr>{lines}</table></div>'


def _cells(row: Sequence[str], kinds: Sequence[str]) -> str:
    return "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
