"""What labels say of each judge: agreement, the corrected rate, and where its threshold lies."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import duckdb

from analysis.errors import LabelError
from analysis.labels.agreement import JudgeAgreement, agreement_rows, judged_sql, majority
from analysis.labels.annotators import AnnotatorAgreement, annotator_agreement
from analysis.labels.correction import is_sure
from analysis.labels.thresholds import Labelled, ThresholdFit, fit_threshold


@dataclass(frozen=True, slots=True)
class Calibration:
    """One version of a criterion, and one judge."""

    judge: JudgeAgreement
    version_number: int | None
    """As people count: 2 for `v2`; None when the version was not kept."""
    judged_rate: float | None
    """Success rate as the judge gives it."""
    people: AnnotatorAgreement
    threshold: ThresholdFit | None
    """None for a judge without probabilities, and with too few labels."""

    @property
    def name(self) -> str:
        """Criterion with its version."""
        number = self.version_number
        version = f"v{number}" if number is not None else self.judge.criterion_version
        return f"{self.judge.criterion_id} {version}"


def calibrations(
    connection: duckdb.DuckDBPyConnection,
    *,
    criterion_id: str | None = None,
    agent_id: str | None = None,
) -> list[Calibration]:
    """Return how far each version and judge of each criterion agrees with people.

    Args:
        connection: From `open_reports`.
        criterion_id: Only this criterion.
        agent_id: Only conversations of this agent.

    Raises:
        LabelError: Nothing was judged by that name; says which criteria there are.
    """
    numbers = _version_numbers(connection)
    people = _ratings(connection)
    every = agreement_rows(connection, in_force=False)
    found = [
        Calibration(
            judge=row,
            version_number=numbers.get((row.agent_id, row.criterion_id, row.criterion_version)),
            judged_rate=_rate(connection, row),
            people=annotator_agreement(people[row.agent_id, row.criterion_id]),
            threshold=fit_threshold(_probabilities(connection, row)),
        )
        for row in every
        if criterion_id in (None, row.criterion_id) and agent_id in (None, row.agent_id)
    ]
    if not found and criterion_id is not None:
        names = sorted({row.criterion_id for row in every})
        raise LabelError(
            f"Nothing was judged by a criterion {criterion_id!r}. Judged were "
            f"{', '.join(map(repr, names)) or 'none yet: run `vivavoce evaluate`'}."
        )
    return found


def next_criterion(connection: duckdb.DuckDBPyConnection, *, agent_id: str | None = None) -> str:
    """Return the criterion in force whose labels are needed most: the fewest, then by name.

    Raises:
        LabelError: Nothing was judged yet.
    """
    rows = [row for row in agreement_rows(connection) if agent_id in (None, row.agent_id)]
    if not rows:
        raise LabelError("Nothing was judged yet. Run `vivavoce evaluate` first.")
    return min(rows, key=lambda row: (row.agreement.n_labels, row.criterion_id)).criterion_id


def _version_numbers(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str, str], int]:
    rows = connection.execute(
        "SELECT agent_id, question_id, version, version_number FROM question_versions "
        "WHERE kind = 'criterion'"
    ).fetchall()
    return {(agent, criterion, version): number for agent, criterion, version, number in rows}


def _ratings(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], list[dict[str, str]]]:
    """What each person said of each conversation, by agent and criterion."""
    by_conversation: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for agent, criterion, conversation, annotator, verdict in connection.execute(
        "SELECT agent_id, criterion_id, conversation_id, annotator, verdict::VARCHAR FROM labels "
        "ORDER BY ALL"
    ).fetchall():
        by_conversation[agent, criterion, conversation][annotator] = verdict
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for (agent, criterion, _), ratings in by_conversation.items():
        found[agent, criterion].append(ratings)
    return found


def _rate(connection: duckdb.DuckDBPyConnection, row: JudgeAgreement) -> float | None:
    found = connection.execute(
        f"SELECT avg((verdict = 'success')::INTEGER) FROM ({judged_sql(in_force=False)}) "
        "WHERE agent_id = $1 AND criterion_id = $2 AND criterion_version = $3 "
        "AND judge_model = $4 AND simulated = $5",
        [*_key(row)],
    ).fetchone()
    return found[0] if found else None


def _probabilities(connection: duckdb.DuckDBPyConnection, row: JudgeAgreement) -> list[Labelled]:
    """Labelled conversations with the judge's probability, in an order without meaning."""
    rows = connection.execute(
        "WITH judged AS ("
        f"  SELECT j.*, e.confidence FROM ({judged_sql(in_force=False)}) AS j "
        "  JOIN evaluations AS e USING (conversation_id, criterion_id, criterion_version, "
        "    judge_model) WHERE e.sample = 0 AND e.confidence IS NOT NULL "
        "  AND e.verdict::VARCHAR = j.verdict AND j.agent_id = $1 AND j.criterion_id = $2 "
        "  AND j.criterion_version = $3 AND j.judge_model = $4 AND j.simulated = $5) "
        "SELECT conversation_id, any_value(judged.verdict), "
        "  any_value(judged.confidence), list(l.verdict::VARCHAR) FILTER (l.verdict IS NOT NULL) "
        "FROM judged "
        "LEFT JOIN labels AS l USING (conversation_id, criterion_id) "
        "GROUP BY conversation_id ORDER BY md5(conversation_id)",
        [*_key(row)],
    ).fetchall()
    judged = Counter[tuple[str, bool]]()
    decided: list[tuple[tuple[str, bool], float, bool]] = []
    for _, verdict, confidence, labels in rows:
        stratum = (verdict, is_sure(verdict, confidence))
        judged[stratum] += 1
        people = majority(labels or ())
        if people in ("success", "failure"):
            decided.append((stratum, confidence, people == "success"))
    labelled = Counter(stratum for stratum, _, _ in decided)
    return [
        Labelled(confidence, is_success, judged[stratum] / labelled[stratum])
        for stratum, confidence, is_success in decided
    ]


def _key(row: JudgeAgreement) -> tuple[str, str, str, str, bool]:
    return (
        row.agent_id,
        row.criterion_id,
        row.criterion_version,
        row.judge_model,
        row.simulated,
    )
