"""Views about outcomes: success rates, what was found, what needs reading, and where it is from."""

from analysis.dictionary.schema import Column, View

AGENT = Column("agent_id", "VARCHAR", "The agent.")
_CONVERSATION = Column("conversation_id", "VARCHAR", "The conversation.")
CRITERION = (
    Column("criterion_id", "VARCHAR", "The criterion."),
    Column("criterion_version", "VARCHAR", "Rates never mix versions of a question."),
    Column("judge_model", "VARCHAR", "Rates never mix judges."),
)
DAY = Column("day", "DATE", "Day of the reports on which the conversations ended.")
SIMULATED = Column("simulated", "BOOLEAN", "Whether programs played the users.")
Z = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""


def wilson_bounds(successes: str, n: str) -> tuple[str, str]:
    """Return SQL for the lower and upper bound of Wilson's 95 % interval, NULL for n = 0.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22 (1927), doi:10.2307/2276774.
    """
    z2 = Z * Z
    centre = f"({successes} + {z2 / 2})"
    spread = f"{Z} * sqrt({successes} * ({n} - {successes}) / {n} + {z2 / 4})"
    low, high = (f"({centre} {sign} {spread}) / ({n} + {z2})" for sign in "-+")
    return (
        f"CASE WHEN {n} > 0 THEN greatest(0.0, {low}) END",
        f"CASE WHEN {n} > 0 THEN least(1.0, {high}) END",
    )


_LOW, _HIGH = wilson_bounds("successes", "n_judged")
COUNTS_SQL = """
    count(*) FILTER (verdict = 'success') AS successes,
    count(*) FILTER (verdict = 'failure') AS failures,
    count(*) FILTER (verdict = 'unknown') AS unknown,
    count(*) FILTER (e.error IS NOT NULL) AS errors,
    successes + failures AS n_judged"""
RATE_SQL = f"successes / nullif(n_judged, 0) AS rate, {_LOW} AS rate_low, {_HIGH} AS rate_high"
COUNTED = (
    Column("successes", "BIGINT", "Conversations with verdict success."),
    Column("failures", "BIGINT", "Conversations with verdict failure."),
    Column("unknown", "BIGINT", "Conversations that do not tell; not part of the rate."),
    Column("errors", "BIGINT", "Conversations that the judge failed on; not part of the rate."),
    Column("n_judged", "BIGINT", "Denominator of the rate: successes + failures."),
    Column("rate", "DOUBLE", "successes / n_judged; NULL when nothing was judged."),
    Column("rate_low", "DOUBLE", "Lower bound of the 95 % interval (Wilson)."),
    Column("rate_high", "DOUBLE", "Upper bound of the 95 % interval (Wilson)."),
)

SUCCESS_RATES = View(
    "success_rates",
    "How often each criterion was met, with denominators and intervals. One row for each agent, "
    "criterion, version and judge in force.",
    f"""
SELECT *, {RATE_SQL}
FROM (
  SELECT e.agent_id, criterion_id, criterion_version, judge_model, c.simulated, {COUNTS_SQL}
  FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
  WHERE is_current
  GROUP BY ALL
  HAVING count(e.score) = 0
)""",
    (
        AGENT,
        *CRITERION,
        Column("simulated", "BOOLEAN", "Rates never mix real and simulated users."),
        *COUNTED,
    ),
)

SUCCESS_RATES_CORRECTED = View(
    "success_rates_corrected",
    "The success rate that people would give, beside the judge's own. NULL with under 20 labels: "
    "`labels_missing` says how many more are needed.",
    """
SELECT r.agent_id, r.criterion_id, r.criterion_version, r.judge_model, r.simulated, r.rate,
  r.n_judged, a.n_labels, a.labels_missing, a.agreement, a.kappa,
  a.corrected_rate, a.corrected_low, a.corrected_high
FROM success_rates AS r
JOIN judge_agreement AS a USING (
  agent_id, criterion_id, criterion_version, judge_model, simulated
)""",
    (
        AGENT,
        *CRITERION,
        SIMULATED,
        Column("rate", "DOUBLE", "The judge's rate."),
        Column("n_judged", "BIGINT", "Conversations that it is over."),
        Column("n_labels", "BIGINT", "Of them labelled by people."),
        Column("labels_missing", "BIGINT", "How many more labels a corrected rate needs."),
        Column("agreement", "DOUBLE", "Share of conversations where judge and people agree."),
        Column("kappa", "DOUBLE", "Cohen's: 1 is perfect, 0 is chance."),
        Column("corrected_rate", "DOUBLE", "The rate that people would give."),
        Column("corrected_low", "DOUBLE", "Lower bound of its 95 % interval."),
        Column("corrected_high", "DOUBLE", "Upper bound of its 95 % interval."),
    ),
)

CRITERION_TRENDS = View(
    "criterion_trends",
    "Success rates by day.",
    f"""
SELECT *, {RATE_SQL}
FROM (
  SELECT c.report_day AS day, e.agent_id, criterion_id, criterion_version, judge_model,
    c.simulated, {COUNTS_SQL}
  FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
  WHERE is_current GROUP BY ALL
  HAVING count(e.score) = 0
)""",
    (DAY, AGENT, *CRITERION, SIMULATED, *COUNTED),
)

JUDGE_STABILITY = View(
    "judge_stability",
    "How often a judge changes its mind when asked again (`vivavoce evaluate --sample`).",
    """
SELECT agent_id, criterion_id, criterion_version, judge_model, count(*) AS conversations,
  avg(samples) AS mean_samples, count(*) FILTER (verdicts > 1) AS flipping,
  count(*) FILTER (verdicts > 1) / count(*) AS flip_rate
FROM (
  SELECT agent_id, criterion_id, criterion_version, judge_model, conversation_id,
    count(*) AS samples, count(DISTINCT verdict) AS verdicts
  FROM evaluations WHERE verdict IS NOT NULL
  GROUP BY agent_id, criterion_id, criterion_version, judge_model, conversation_id,
    transcript_sha256, judge_prompt_version
  HAVING count(*) > 1
)
GROUP BY ALL""",
    (
        AGENT,
        *CRITERION,
        Column("conversations", "BIGINT", "Judged more than once."),
        Column("mean_samples", "DOUBLE", "How often each of them was judged."),
        Column("flipping", "BIGINT", "Of them with more than one verdict."),
        Column("flip_rate", "DOUBLE", "flipping / conversations."),
    ),
)

FLAGGED_CONVERSATIONS = View(
    "flagged_conversations",
    "Conversations that somebody should read, one row for each reason, with the words said.",
    """
SELECT e.conversation_id, e.agent_id, c.report_day AS day, 'criterion_failed' AS reason,
  e.criterion_id,
  e.rationale, e.evidence[1].quote AS quote, e.evidence[1].turn_index AS turn_index, c.summary,
  c.simulated
FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
WHERE e.is_current AND e.verdict = 'failure'
UNION ALL
SELECT e.conversation_id, e.agent_id, c.report_day, 'judge_failed', e.criterion_id, e.error, NULL,
  NULL,
  c.summary, c.simulated
FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
WHERE e.is_current AND e.error IS NOT NULL
UNION ALL
SELECT conversation_id, agent_id, report_day, 'conversation_failed', NULL, end_reason, NULL, NULL,
  summary,
  simulated
FROM conversations WHERE status = 'failed'
UNION ALL
SELECT conversation_id, agent_id, report_day, 'analysis_failed', NULL, analysis_error, NULL, NULL,
  summary,
  simulated
FROM conversations WHERE analysis_error IS NOT NULL
UNION ALL
SELECT t.conversation_id, t.agent_id, c.report_day, 'turn_failed', NULL, t.error, t.text,
  t.turn_index,
  c.summary, c.simulated
FROM turns AS t JOIN conversations AS c USING (conversation_id)
WHERE t.error IS NOT NULL""",
    (
        _CONVERSATION,
        AGENT,
        DAY,
        Column(
            "reason",
            "VARCHAR",
            "`criterion_failed`, `judge_failed`, `conversation_failed`, `analysis_failed` or "
            "`turn_failed`.",
        ),
        Column("criterion_id", "VARCHAR", "The criterion, when one is the reason."),
        Column("rationale", "VARCHAR", "The judge's reason, or the error."),
        Column("quote", "VARCHAR", "First words that the judge points to."),
        Column("turn_index", "INTEGER", "Turn that they were said in."),
        Column("summary", "VARCHAR", "What happened in the conversation."),
        SIMULATED,
    ),
)

VALUE_COUNTS = View(
    "value_counts",
    "How often each value of each data collection field was found.",
    """
SELECT agent_id, simulated, field_id, value, conversations,
  conversations / sum(conversations) OVER (PARTITION BY agent_id, simulated, field_id) AS share
FROM (
  SELECT v.agent_id, c.simulated, field_id, value, count(*) AS conversations
  FROM collected_values AS v JOIN conversations AS c USING (conversation_id)
  WHERE is_current AND v.status = 'supported' AND value IS NOT NULL
  GROUP BY ALL
)""",
    (
        AGENT,
        SIMULATED,
        Column("field_id", "VARCHAR", "The field."),
        Column("value", "VARCHAR", "The value as text."),
        Column("conversations", "BIGINT", "Conversations where what was said supports it."),
        Column("share", "DOUBLE", "Of the conversations with any supported value, 0 to 1."),
    ),
)

LINEAGE = View(
    "lineage",
    "From each answer in force to its origin: quoted turn, passage, document version, source. One "
    "row for each answer, quote and passage.",
    """
WITH answers AS (
  SELECT conversation_id, 'criterion' AS kind, criterion_id AS question_id,
    criterion_version AS question_version, coalesce(score::VARCHAR, verdict::VARCHAR) AS answer,
    CASE WHEN error IS NOT NULL THEN 'error' ELSE 'judged' END AS status,
    judge_model, judge_prompt_version, evaluated_at, cost_usd, evidence
  FROM evaluations WHERE is_current
  UNION ALL
  SELECT conversation_id, 'field', field_id, field_version, value, status::VARCHAR,
    judge_model, judge_prompt_version, evaluated_at, cost_usd, evidence
  FROM collected_values WHERE is_current
), quotes AS (
  SELECT * EXCLUDE (evidence), unnest(evidence) AS said FROM answers WHERE len(evidence) > 0
  UNION ALL
  SELECT * EXCLUDE (evidence), NULL FROM answers WHERE coalesce(len(evidence), 0) = 0
)
SELECT q.conversation_id, c.agent_id, q.kind, q.question_id, q.question_version, q.answer,
  q.status, q.judge_model, q.judge_prompt_version, q.evaluated_at, q.cost_usd,
  q.said.turn_index AS turn_index, t.role, q.said.quote AS quote,
  t.answering_turn_index, r.query, r.rank, r.cited, r.chunk_id, r.start_char, r.end_char,
  r.document_id, r.document_name, r.document_version, d.source
FROM quotes AS q
JOIN conversations AS c USING (conversation_id)
LEFT JOIN turns AS t ON t.conversation_id = q.conversation_id
  AND t.turn_index = q.said.turn_index
LEFT JOIN retrievals AS r ON r.conversation_id = q.conversation_id
  AND r.turn_index = t.answering_turn_index
LEFT JOIN documents AS d ON d.agent_id = c.agent_id AND d.document_id = r.document_id
  AND d.version = r.document_version""",
    (
        _CONVERSATION,
        AGENT,
        Column("kind", "VARCHAR", "`criterion` or `field`."),
        Column("question_id", "VARCHAR", "The criterion or field."),
        Column("question_version", "VARCHAR", "Hash of what it asked."),
        Column("answer", "VARCHAR", "Verdict, or value as text."),
        Column("status", "VARCHAR", "`judged` or `error`; of a field, its status."),
        Column("judge_model", "VARCHAR", "Who answered."),
        Column("judge_prompt_version", "VARCHAR", "Under which instructions."),
        Column("evaluated_at", "TIMESTAMP", "When (UTC)."),
        Column("cost_usd", "DOUBLE", "Of this answer alone, when known."),
        Column("turn_index", "INTEGER", "Turn that the answer rests on."),
        Column("role", "ENUM('user', 'agent')", "Who said it."),
        Column("quote", "VARCHAR", "The words, verbatim."),
        Column("answering_turn_index", "INTEGER", "The agent turn that the passages are of."),
        Column("query", "VARCHAR", "What was searched for."),
        Column("rank", "INTEGER", "Of the passage, from 1."),
        Column("cited", "BOOLEAN", "Whether that turn cites the passage."),
        Column("chunk_id", "VARCHAR", "The chunk."),
        Column("start_char", "INTEGER", "Where it starts in the stored text."),
        Column("end_char", "INTEGER", "Where it ends."),
        Column("document_id", "VARCHAR", "The document."),
        Column("document_name", "VARCHAR", "What people call it."),
        Column("document_version", "INTEGER", "Version that was searched."),
        Column("source", "VARCHAR", "File, URL or given name that it was read from."),
    ),
)
