"""The report as one HTML file: no script, no request, light and dark, fit to print and to mail."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from importlib.resources import files

import duckdb

from analysis.printable import counted
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
from analysis.report.sections import GAPS_SHOWN, ColumnKind, SectionName
from analysis.report.text import Section, format_cell, named_rows, render_report, shown_rows

_CODE = re.compile(r"`([^`]+)`")
_DAYS_DRAWN = 90
_AGENTS_DRAWN = 12
"""On the page of all agents: what a person reads, whatever the number of agents."""
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
    drawn = _busiest(days)
    others = len(days) - len(drawn)
    days = {agent: found for agent, found in days.items() if agent in drawn}
    scores = [score for score in scores if score.agent_id in drawn]
    draw: dict[SectionName, Callable[[Section], str]] = {
        "conversations": lambda section: _overview(section, days),
        "rates": lambda section: _rates(section, trends),
        "scores": lambda _section: "".join(map(_score, scores)),
        "topics": _topics,
        "field_topics": _topics,
        "values": _values,
        "gaps": lambda _section: _gaps(gaps),
        "flagged": _flagged,
        "cost": lambda section: _table(section) + _cost_by_day(days),
        "latency": lambda section: _table(section) + _wait_by_day(days),
    }
    body = "".join(
        f"<section><h2>{escape(section.title)}</h2>"
        f"{_drawn(_of_agents(section, drawn), draw.get(section.name, _table))}</section>"
        for section in report.sections
    )
    if others:
        body = (
            f'<p class="note">{len(drawn)} agents are drawn, those with the most conversations, '
            f"and {counted(others, 'agent')} left out. <code>vivavoce report --agent ID</code> "
            "shows one of them; the figures of all are in <code>success_rates</code>, "
            f"<code>daily_report</code> and the other views.</p>{body}"
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


def _busiest(days: Mapping[str, Sequence[ReportDay]]) -> frozenset[str]:
    """The agents that a page of all of them draws."""
    counts = {agent: sum(day.conversations for day in found) for agent, found in days.items()}
    return frozenset(sorted(counts, key=lambda agent: (-counts[agent], agent))[:_AGENTS_DRAWN])


def _of_agents(section: Section, drawn: Collection[str]) -> Section:
    """Without the rows of agents that are not drawn."""
    names = [column.name for column in section.columns]
    if "agent" not in names:
        return section
    place = names.index("agent")
    return replace(section, rows=tuple(row for row in section.rows if row[place] in drawn))


def _drawn(section: Section, draw: Callable[[Section], str]) -> str:
    content = draw(section) if section.rows else ""
    note = f'<p class="note">{_with_code(section.note)}</p>' if section.note else ""
    sql = f"<details><summary>SQL</summary><pre>{escape(section.sql)}</pre></details>"
    return content + note + sql


def _with_code(note: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(note))


def _overview(section: Section, days: Mapping[str, Sequence[ReportDay]]) -> str:
    cards: list[str] = []
    for row in named_rows(section):
        shown = {name: escape(text) for name, text in row.shown.items()}
        drawn = days.get(row.shown["agent"], ())
        bars = [(str(day.day), day.conversations, day.flagged) for day in drawn[-_DAYS_DRAWN:]]
        figures = (
            (shown["conversations"], "conversations"),
            (shown["turns"], "turns"),
            (shown["mean duration"], "mean duration"),
        )
        first, last = shown["first day"], shown["last day"]
        period = first if first == last else f"{first} to {last}"
        numbers = "".join(
            f"<div><b>{figure}</b><span>{what}</span></div>" for figure, what in figures
        )
        cards.append(
            f'<div class="agent"><div><h3>{shown["agent"]} <small>{period}</small></h3>'
            f'<div class="figures">{numbers}</div></div>'
            f"{_with_legend(bars) if len(bars) > 1 else ''}</div>"
        )
    return "".join(cards)


def _with_legend(bars: Sequence[tuple[str, int, int]]) -> str:
    told = '<i class="fill"></i> conversations <i></i> of these flagged: somebody should read them'
    return f'<div>{day_bars(bars)}<p class="legend">{told}</p></div>'


def _rates(section: Section, trends: Mapping[tuple[str, ...], Trend]) -> str:
    rows: list[str] = []
    # As the section names them: the judge stands there only where there are several.
    curves = {(*key[:3],): curve for key, curve in trends.items()}
    curves |= {(*key[:2], f"{key[2]} by {key[3]}"): curve for key, curve in trends.items()}
    counted_names = [column.name for column in section.columns if column.kind == "count"]
    for row in named_rows(section):
        shown = row.shown
        rate, low, high = row.number("rate"), row.number("from"), row.number("to")
        agent, criterion, version = shown["agent"], shown["criterion"], shown["version"]
        counts = " · ".join(f"{shown[name]} {name}" for name in counted_names)
        points = curves.get((agent, criterion, version), [])[-_DAYS_DRAWN:]
        trend = trend_line(points) if len(points) > 1 else ""
        interval = f"{shown['from']} to {shown['to']}" if rate is not None else ""
        rows.append(
            f'<div class="rate"><div><b>{escape(criterion)}</b> <small>{escape(agent)}, '
            f"{escape(version)}</small></div><div>{interval_bar(rate, low, high)}</div>"
            f"<div><b>{shown['rate']}</b> <small>{interval}</small><br>"
            f"<small>{escape(counts)}</small></div>{trend}</div>"
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


def _topics(section: Section) -> str:
    rows: list[str] = []
    for row in named_rows(section):
        shown = {name: escape(text) for name, text in row.shown.items()}
        share, flagged = row.number("share"), row.number("flagged share")
        if share is not None and flagged is not None:
            rows.append(
                f'<div class="bar"><div><b>{shown["topic"]}</b> <small>{shown["agent"]}</small>'
                f"</div><div>{share_bar(share, flagged)}</div><div>{shown['conversations']} <small>"
                f"({shown['share']}, {shown['flagged']} flagged)</small></div></div>"
            )
    return "".join(rows) + '<p class="legend"><i></i> flagged: somebody should read these</p>'


def _values(section: Section) -> str:
    """Draw the values of each field under its name."""
    rows: list[str] = []
    for row in named_rows(section):
        shown = {name: escape(text) for name, text in row.shown.items()}
        share = row.number("share")
        drawn = "" if share is None else share_bar(share, 0.0)
        rows.append(
            f'<div class="bar"><div><b>{shown["value"]}</b> <small>{shown["field"]}, '
            f"{shown['agent']}</small></div><div>{drawn}</div><div>{shown['conversations']} "
            f"<small>({shown['share']})</small></div></div>"
        )
    return "".join(rows)


def _flagged(section: Section) -> str:
    cards: list[str] = []
    for row in named_rows(section):
        # What was said is shown whole, however its column is cut elsewhere.
        told = {name: escape(format_cell(cell, "text")) for name, cell in row.values.items()}
        quote = (
            f"<blockquote>&ldquo;{told['said']}&rdquo; <small>turn {told['turn']}</small>"
            "</blockquote>"
        )
        cards.append(
            f"<article><h3>{told['failed']} <small>{told['conversation']}</small></h3>"
            f"{quote if row.values['said'] is not None else ''}<p>{told['why']}</p></article>"
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
