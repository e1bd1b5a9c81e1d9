"""What the short report asks of the published reports: one SQL query for each section."""

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["text", "list", "count", "share", "ratio", "usd", "ms", "seconds"]
"""How the values of a column are shown; `share` is a number from 0 to 1."""

SectionName = Literal[
    "conversations", "rates", "scores", "values", "people", "topics", "field_topics", "gaps",
    "flagged", "cost", "latency",
]  # fmt: skip

FLAGGED_SHOWN = 10
GAPS_SHOWN = 15
VALUES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """One column of a section."""

    name: str
    kind: ColumnKind = "text"


@dataclass(frozen=True, slots=True)
class Question:
    """One section: its query, and how to read the rows."""

    name: SectionName
    title: str
    sql: str
    columns: tuple[ReportColumn, ...]
    note: str | None
    if_empty: str | None
    """What to say when there is nothing; None leaves the section out."""
    by_simulated: bool = True
    """Whether its rows say if programs played the users."""
    unless: SectionName | None = None
    """The section whose rows contradict `if_empty`: with them, this one is left out."""


def _columns(**kinds: ColumnKind) -> tuple[ReportColumn, ...]:
    return tuple(ReportColumn(name.replace("_", " ").strip(), kind) for name, kind in kinds.items())


QUESTIONS = (
    Question(
        "conversations",
        "Conversations",
        """
SELECT agent_id, count(*) AS conversations, sum(turn_count)::BIGINT AS turns,
  avg(duration_s) AS mean_duration, min(report_day) AS first_day,
  max(report_day) AS last_day
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
    Question(
        "rates",
        "Success rates",
        """
SELECT s.agent_id, s.criterion_id, CASE
    WHEN v.version_number IS NOT NULL THEN 'v' || v.version_number
    WHEN count(DISTINCT criterion_version) OVER (PARTITION BY s.agent_id, s.criterion_id) > 1
    THEN left(criterion_version, 8) ELSE 'v1' END || CASE
    WHEN count(DISTINCT judge_model) OVER (PARTITION BY s.agent_id, s.criterion_id) > 1
    THEN ' by ' || judge_model ELSE '' END AS version, rate,
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
    Question(
        "scores",
        "Scores",
        """
SELECT s.agent_id, s.criterion_id, 'v' || coalesce(v.version_number, 1) AS version,
  printf('%g to %g', s.scale_min, s.scale_max) AS scale, n, mean, mean_low, mean_high, p50, (
    SELECT list(CASE WHEN score_from = score_to THEN printf('%g: %d', score_from, conversations)
      ELSE printf('%g to %g: %d', score_from, score_to, conversations) END ORDER BY score_from)
    FROM score_counts AS d WHERE d.agent_id = s.agent_id AND d.criterion_id = s.criterion_id
      AND d.criterion_version = s.criterion_version AND d.judge_model = s.judge_model
      AND d.simulated = s.simulated
  ) AS counts, unknown, errors
FROM scores AS s
LEFT JOIN question_versions AS v ON v.agent_id = s.agent_id AND v.kind = 'criterion'
  AND v.question_id = s.criterion_id AND v.version = s.criterion_version{where}
ORDER BY s.agent_id, s.criterion_id, version, judge_model""",
        _columns(
            agent="text",
            criterion="text",
            version="text",
            scale="text",
            scored="count",
            mean="ratio",
            from_="ratio",
            to="ratio",
            median="ratio",
            how_often="list",
            unknown="count",
            error="count",
        ),
        "Criteria on a scale: the mean of the scores, with its 95 % interval (Student's t), and "
        "how often each score was given. Without two different scores there is no interval.",
        None,
    ),
    Question(
        "values",
        "Collected values",
        f"""
SELECT agent_id, field_id, value, conversations, share
FROM value_counts WHERE field_id <> 'conversation_topic'{{and_where}}
QUALIFY row_number() OVER (
  PARTITION BY agent_id, field_id ORDER BY conversations DESC, value) <= {VALUES_SHOWN}
ORDER BY agent_id, field_id, conversations DESC, value""",
        _columns(agent="text", field="text", value="text", conversations="count", share="share"),
        f"The {VALUES_SHOWN} most frequent values of each field; `from value_counts` shows all.",
        "No value of a field was collected.",
        unless="field_topics",
    ),
    Question(
        "people",
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
    Question(
        "topics",
        "Topics",
        """
SELECT agent_id, topic, conversations, share, flagged, flagged_share
FROM topics WHERE source = 'clusters'{and_where} ORDER BY agent_id, conversations DESC, topic""",
        _columns(
            agent="text",
            topic="text",
            conversations="count",
            share="share",
            flagged="count",
            flagged_share="share",
        ),
        "Found by clustering what users asked; `vivavoce topics` finds them anew.",
        "Topics were not looked for yet, or there are none: `vivavoce topics` finds them.",
    ),
    Question(
        "field_topics",
        "Topics by field",
        """
SELECT agent_id, topic, conversations, share, flagged, flagged_share
FROM topics WHERE source = 'field'{and_where} ORDER BY agent_id, conversations DESC, topic""",
        _columns(
            agent="text",
            topic="text",
            conversations="count",
            share="share",
            flagged="count",
            flagged_share="share",
        ),
        "Values of the field `conversation_topic`.",
        None,
    ),
    Question(
        "gaps",
        "Knowledge gaps",
        f"""
SELECT agent_id, title, state::VARCHAR AS state, questions, conversations,
  last_asked_day AS last_asked, missing_words, fixed_by_document
FROM knowledge_gaps{{where}}
ORDER BY state = 'fixed', questions DESC, last_asked DESC, title LIMIT {GAPS_SHOWN}""",
        _columns(
            agent="text",
            what_users_ask="text",
            state="text",
            asked="count",
            conversations="count",
            last="text",
            words_missing="list",
            fixed_by="text",
        ),
        "Questions that the documents did not answer; `vivavoce gaps` finds them anew and says "
        "more of each.",
        "Gaps were not looked for yet, or there are none: `vivavoce gaps` finds them.",
        by_simulated=False,
    ),
    Question(
        "flagged",
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
    Question(
        "cost",
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
    Question(
        "latency",
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
