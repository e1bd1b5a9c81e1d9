"""What a page of the report draws over days: volume, waiting time, cost, and gaps."""

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from analysis.dictionary.schema import literal

_SPARK_DAYS = 30


@dataclass(frozen=True, slots=True)
class ReportDay:
    """One day of one agent."""

    agent_id: str
    day: date
    conversations: int
    flagged: int
    first_token_ms: float | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class ReportGap:
    """One gap with what a page shows of it."""

    agent_id: str
    title: str
    state: str
    questions: int
    conversations: int
    examples: tuple[str, ...]
    missing_words: tuple[str, ...]
    nearest_documents: tuple[str, ...]
    fixed_by_document: str | None
    fixed_by_text: str | None
    last_asked: date
    per_day: tuple[int, ...]
    """Of the last 30 days that anything was asked in, oldest first."""


Trend = list[tuple[str, float, float, float]]


def rate_trends(
    connection: duckdb.DuckDBPyConnection, *, agent_id: str | None, simulated: bool
) -> dict[tuple[str, ...], Trend]:
    """Return (day, rate, low, high) by agent, criterion, version (v1, ...) and judge, by day.

    A version is named as the section of the rates names it: by its number or, where its question
    was not kept and there are others, by the beginning of its digest.
    """
    trends: dict[tuple[str, ...], Trend] = {}
    for *key, day, rate, low, high in connection.execute(
        "SELECT t.agent_id, criterion_id, CASE WHEN v.version_number IS NOT NULL "
        "THEN 'v' || v.version_number WHEN count(DISTINCT criterion_version) OVER "
        "(PARTITION BY t.agent_id, criterion_id) > 1 THEN left(criterion_version, 8) "
        "ELSE 'v1' END, judge_model, day, rate, rate_low, rate_high "
        "FROM criterion_trends AS t LEFT JOIN question_versions AS v "
        "ON v.agent_id = t.agent_id AND v.kind = 'criterion' AND v.question_id = t.criterion_id "
        "AND v.version = t.criterion_version WHERE "
        f"{_kind(agent_id, simulated, of='t.')} QUALIFY rate IS NOT NULL ORDER BY day"
    ).fetchall():
        trends.setdefault(tuple(key), []).append((str(day), rate, low, high))
    return trends


def report_days(
    connection: duckdb.DuckDBPyConnection, *, agent_id: str | None, simulated: bool
) -> dict[str, list[ReportDay]]:
    """Return the days of each agent, oldest first; days without conversations count zero."""
    found: dict[str, list[ReportDay]] = {}
    for row in connection.execute(
        "SELECT agent_id, day, conversations, flagged_conversations, first_token_p50_ms, cost_usd "
        f"FROM daily_report WHERE {_kind(agent_id, simulated)} ORDER BY day"
    ).fetchall():
        days = found.setdefault(row[0], [])
        while days and days[-1].day + timedelta(days=1) < row[1]:
            days.append(ReportDay(row[0], days[-1].day + timedelta(days=1), 0, 0, None, None))
        days.append(ReportDay(*row))
    return found


def report_gaps(
    connection: duckdb.DuckDBPyConnection, *, agent_id: str | None, limit: int
) -> list[ReportGap]:
    """Return the most urgent gaps."""
    where = f"WHERE agent_id = {literal(agent_id)}" if agent_id is not None else ""
    gaps = connection.execute(
        "SELECT gap_id, agent_id, title, state::VARCHAR, questions, conversations, examples, "
        "missing_words, nearest_documents, fixed_by_document, fixed_by_text, "
        f"last_asked_day AS last_asked FROM knowledge_gaps {where} "
        f"ORDER BY state = 'fixed', questions DESC, last_asked DESC, title LIMIT {limit:d}"
    ).fetchall()
    asked = connection.execute("SELECT gap_id, day, questions FROM gap_trends").fetchall()
    last = max((day for _, day, _ in asked), default=None)
    return [
        ReportGap(
            *row[1:6],
            examples=tuple(row[6] or ()),
            missing_words=tuple(row[7] or ()),
            nearest_documents=tuple(row[8] or ()),
            fixed_by_document=row[9],
            fixed_by_text=row[10],
            last_asked=row[11],
            per_day=_spark({day: count for gap, day, count in asked if gap == row[0]}, last),
        )
        for row in gaps
    ]


def _spark(counts: dict[date, int], last: date | None) -> tuple[int, ...]:
    if last is None:
        return ()
    days = [last - timedelta(days=back) for back in range(_SPARK_DAYS - 1, -1, -1)]
    return tuple(counts.get(day, 0) for day in days)


def _kind(agent_id: str | None, simulated: bool, *, of: str = "") -> str:
    kind = f"{of}simulated" if simulated else f"NOT {of}simulated"
    return kind if agent_id is None else f"{kind} AND {of}agent_id = {literal(agent_id)}"
