"""What a page of the report draws of criteria on a scale: means, how the scores lie, and days."""

from dataclasses import dataclass

import duckdb

from analysis.dictionary.schema import literal
from analysis.report.days import Trend

_KEY = "agent_id, criterion_id, criterion_version, judge_model"


@dataclass(frozen=True, slots=True)
class ReportScore:
    """One version of one criterion, as one judge scored it."""

    agent_id: str
    criterion_id: str
    version: int
    bounds: tuple[float, float] | None
    """Lowest and highest score; None where the question was not kept."""
    n: int
    mean: float
    interval: tuple[float, float] | None
    """Of the mean, 95 %; None without two different scores."""
    median: float
    unknown: int
    errors: int
    bins: tuple[tuple[float, float, int], ...]
    """(lowest, highest, conversations), lowest first; none without bounds."""
    days: Trend
    """(day, mean, low, high), oldest first; both ends are the mean where it has no interval."""


def report_scores(
    connection: duckdb.DuckDBPyConnection, *, agent_id: str | None, simulated: bool
) -> list[ReportScore]:
    """Return every scored criterion, as the section `Scores` lists them."""
    where = "s.simulated" if simulated else "NOT s.simulated"
    if agent_id is not None:
        where += f" AND s.agent_id = {literal(agent_id)}"
    found = connection.execute(
        "SELECT s.agent_id, criterion_id, criterion_version, judge_model, "
        "coalesce(v.version_number, 1) AS version, s.scale_min, s.scale_max, n, mean, mean_low, "
        "mean_high, p50, unknown, errors FROM scores AS s LEFT JOIN question_versions AS v "
        "ON v.agent_id = s.agent_id AND v.kind = 'criterion' AND v.question_id = s.criterion_id "
        f"AND v.version = s.criterion_version WHERE {where} "
        "ORDER BY s.agent_id, criterion_id, version, judge_model"
    ).fetchall()
    bins: dict[tuple[str, ...], list[tuple[float, float, int]]] = {}
    for *key, low, high, count in connection.execute(
        f"SELECT {_KEY}, score_from, score_to, conversations FROM score_counts AS s "
        f"WHERE {where} ORDER BY score_from"
    ).fetchall():
        bins.setdefault(tuple(key), []).append((low, high, count))
    days: dict[tuple[str, ...], Trend] = {}
    for *key, day, mean, low, high in connection.execute(
        f"SELECT {_KEY}, day, mean, coalesce(mean_low, mean), coalesce(mean_high, mean) "
        f"FROM score_trends AS s WHERE {where} ORDER BY day"
    ).fetchall():
        days.setdefault(tuple(key), []).append((str(day), mean, low, high))
    return [
        ReportScore(
            agent_id=row[0],
            criterion_id=row[1],
            version=row[4],
            bounds=None if row[5] is None else (row[5], row[6]),
            n=row[7],
            mean=row[8],
            interval=None if row[9] is None else (row[9], row[10]),
            median=row[11],
            unknown=row[12],
            errors=row[13],
            bins=tuple(bins.get(row[:4], ())),
            days=days.get(row[:4], []),
        )
        for row in found
    ]
